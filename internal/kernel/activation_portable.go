//go:build !amd64 || purego

package kernel

func siluRow(dst, x []float32)                         { siluPortable(dst, x) }
func siluGradRow(dx, dy, x []float32)                  { siluGradPortable(dx, dy, x) }
func swigluRow(dst, gate, up []float32)                { swigluPortable(dst, gate, up) }
func swigluGradRow(dgate, dup, dy, gate, up []float32) { swigluGradPortable(dgate, dup, dy, gate, up) }
func geluRow(dst, x []float32)                         { geluPortable(dst, x) }
func geluGradRow(dx, dy, x []float32)                  { geluGradPortable(dx, dy, x) }
func geluTanhRow(dst, x []float32)                     { geluTanhPortable(dst, x) }
func geluTanhGradRow(dx, dy, x []float32)              { geluTanhGradPortable(dx, dy, x) }
