//go:build !amd64 || purego

package kernel

func expRow(dst, x []float32, shift, alpha float32)        { expRowPortable(dst, x, shift, alpha) }
func max32(x []float32) float32                            { return maxPortable(x) }
func expSum32(x []float32, shift float32) float64          { return expSumPortable(x, shift) }
func softmaxRow32(dst, x []float32, scale float32) float64 { return softmaxRowPortable(dst, x, scale) }
func swigluRow(dst, gate, up []float32)                    { swigluPortable(dst, gate, up) }
func swigluGradRow(dgate, dup, dy, gate, up []float32)     { swigluGradPortable(dgate, dup, dy, gate, up) }
func attentionGradRow32(p, dp []float32, scale, lse, delta float32) {
	attentionGradRowPortable(p, dp, scale, lse, delta)
}

func geluRow(dst, x []float32)        { geluPortable(dst, x) }
func geluGradRow(dx, dy, x []float32) { geluGradPortable(dx, dy, x) }
