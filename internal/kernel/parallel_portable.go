//go:build !amd64 || purego

package kernel

// pause tells the processor that this thread spins.
func pause() {}
