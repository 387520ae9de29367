//go:build !amd64 || purego

package kernel

// supportedPaths lists the paths this build can take.
func supportedPaths() []string { return []string{pathPortable} }
