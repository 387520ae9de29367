//go:build !purego

package kernel

// usePath makes products take the path and returns the one they took.
func usePath(to string) (from string) {
	from, path = path, to
	sgemmKernels = microkernelsOf(path)
	return from
}
