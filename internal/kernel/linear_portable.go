//go:build !amd64 || purego

package kernel

func addRow(dst, x, y []float32)                        { addPortable(dst, x, y) }
func subRow(dst, x, y []float32)                        { subPortable(dst, x, y) }
func mulRow(dst, x, y []float32)                        { mulPortable(dst, x, y) }
func scaleRow(dst, x []float32, alpha float32)          { scalePortable(dst, x, alpha) }
func axpyRow(dst []float32, alpha float32, x []float32) { axpyPortable(dst, alpha, x) }
func dot32(x, y []float32) float32                      { return dotPortable(x, y) }
func sum32(x []float32) float64                         { return sumPortable(x) }
func squares32(x []float32) float64                     { return squaresPortable(x) }
func rmsNormRow(y, x, w []float32, inv float32)         { rmsNormPortable(y, x, w, inv) }

func rmsNormGradRow(dx, dw, dy, x, w, r []float32, inv float32) {
	rmsNormGradPortable(dx, dw, dy, x, w, r, inv)
}

func layerNormRow(y, x, w, b []float32, eps float64) (mean, inv float32) {
	return layerNormPortable(y, x, w, b, eps)
}

func layerNormGradRow(dx, dw, db, dy, x, w, r []float32, mean, inv float32) {
	layerNormGradPortable(dx, dw, db, dy, x, w, r, mean, inv)
}

func adamRow(w, dw, m, v []float32, factors *[10]float32) { adamPortable(w, dw, m, v, factors) }

func ropePairsRow(dst, x, cos, sin []float32, heads int, back bool) {
	ropePairsPortable(dst, x, cos, sin, heads, back)
}

func sgdRow(w, dw, v []float32, factors *[10]float32, nesterov bool) {
	sgdPortable(w, dw, v, factors, nesterov)
}

func ropeHalvesRow(dst, x, cos, sin []float32, heads int, back bool) {
	ropeHalvesPortable(dst, x, cos, sin, heads, back)
}
