package kernel

func Make[F Float](n int) []F { return make([]F, n) }
