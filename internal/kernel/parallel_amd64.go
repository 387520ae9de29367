//go:build !purego

package kernel

// pause tells the processor that this thread spins.
//
//go:noescape
func pause()
