//go:build !amd64 || purego

package main

// multiplyAdds returns a function that does as many multiply-adds as possible for a while, in float32, and returns how
// many operations they were.
func multiplyAdds() (add func() int) { return smallProducts() }

// readFloats reads x.
func readFloats(x []float32) { sumFloats(x) }
