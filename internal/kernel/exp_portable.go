//go:build !amd64 || purego

package kernel

func expRow(dst, x []float32, scale, shift, alpha float32) {
	expRowPortable(dst, x, scale, shift, alpha)
}

func max32(x []float32) float32                            { return maxPortable(x) }
func expSum32(x []float32, shift float32) float64          { return expSumPortable(x, shift) }
func softmaxRow32(dst, x []float32, scale float32) float64 { return softmaxRowPortable(dst, x, scale) }
func softmaxGradRow(dx, dy, y []float32, s float32)        { softmaxGradPortable(dx, dy, y, s) }

func attentionGradRow32(p, dp []float32, scale, lse, delta float32) {
	attentionGradRowPortable(p, dp, scale, lse, delta)
}

func logSoftmaxRow(dst, x []float32, largest, logSum float32) {
	logSoftmaxPortable(dst, x, largest, logSum)
}

func subtractExpRow(dst, d, x []float32, shift, alpha float32) {
	subtractExpPortable(dst, d, x, shift, alpha)
}

func softCapRow(dst, x []float32, limit float32)    { softCapPortable(dst, x, limit) }
func softCapGradRow(dx, y []float32, limit float32) { softCapGradPortable(dx, y, limit) }
