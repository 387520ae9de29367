package kernel

import "math"

func softmaxRow32(dst, x []float32, scale float32) float64 {
	for i := range x {
		dst[i] = x[i] * scale
	}
	return softmaxRow(dst, dst)
}
func attentionGradRow32(p, dp []float32, scale, lse, delta float32) {
	_ = math.Pi
	for j, s := range p {
		e := exp(s*scale - lse)
		p[j], dp[j] = e, e*(dp[j]-delta)*scale
	}
}

func SwiGLUPacked[F Float](dst, h []F, ff int) {
	for r := 0; r*ff < len(dst); r++ {
		SwiGLU(dst[r*ff:][:ff], h[2*r*ff:][:ff], h[(2*r+1)*ff:][:ff])
	}
}
func SwiGLUPackedBackward[F Float](dh, dy, h []F, ff int) {
	for r := 0; r*ff < len(dy); r++ {
		SwiGLUBackward(dh[2*r*ff:][:ff], dh[(2*r+1)*ff:][:ff], dy[r*ff:][:ff], h[2*r*ff:][:ff], h[(2*r+1)*ff:][:ff])
	}
}
