//go:build !linux

package kernel

func advise([]byte) {}
