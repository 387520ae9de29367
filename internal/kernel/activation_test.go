package kernel

import (
	"math"
	"slices"
	"testing"
)

// The activations are right to a few units of the result, or of 0.1 if that is more, their derivatives to some of 1, and
// far out what they tend to. Infinities that meet a 0 make NaN, as in the formulas and in PyTorch.
func TestActivationAccuracy(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	var x []float32
	for v := float32(-12); v < 12; v += 1.0 / 512 / 3 {
		x = append(x, v)
	}
	ends := []float32{-math.MaxFloat32, -1e30, -1e4, -120, 120, 1e4, 1e30, math.MaxFloat32, inf}
	for _, f := range []struct {
		name                string
		value, grad         func(dst, x []float32)
		wantValue, wantGrad func(dst, x []float64)
		tol                 float64 // of derivatives; that by tanh multiplies 1 - sigmoid, which is rounded, by x³
	}{
		{"silu", siluRow, gradOf(siluGradRow), siluPortable[float64], gradOf(siluGradPortable[float64]), 8e-7},
		{"gelu", geluRow, gradOf(geluGradRow), geluPortable[float64], gradOf(geluGradPortable[float64]), 8e-7},
		{"gelu by tanh", geluTanhRow, gradOf(geluTanhGradRow), geluTanhPortable[float64], gradOf(geluTanhGradPortable[float64]), 3e-6},
	} {
		x64 := make([]float64, len(x))
		for i, v := range x {
			x64[i] = float64(v)
		}
		value, grad := make([]float64, len(x)), make([]float64, len(x))
		f.wantValue(value, x64)
		f.wantGrad(grad, x64)
		onEachPath(t, func(t *testing.T) {
			y, dx := make([]float32, len(x)), make([]float32, len(x))
			f.value(y, x)
			f.grad(dx, x)
			for i, v := range x {
				if math.Abs(float64(y[i])-value[i]) > 4e-7*max(math.Abs(value[i]), 0.1) {
					t.Fatalf("%s(%v) = %v, want %v", f.name, v, y[i], value[i])
				}
				if math.Abs(float64(dx[i])-grad[i]) > f.tol {
					t.Fatalf("%s'(%v) = %v, want %v", f.name, v, dx[i], grad[i])
				}
			}
			y, dx = make([]float32, len(ends)), make([]float32, len(ends))
			f.value(y, ends)
			f.grad(dx, ends)
			for i, v := range ends {
				if want := max(v, 0); y[i] != want {
					t.Errorf("%s(%v) = %v", f.name, v, y[i])
				}
				if v < 0 && dx[i] != 0 || v > 0 && v < inf && dx[i] != 1 {
					t.Errorf("%s'(%v) = %v", f.name, v, dx[i])
				}
			}
			none := []float32{-inf, nan}
			f.value(y[:2], none)
			if y[0] == y[0] || y[1] == y[1] {
				t.Errorf("%s of -Inf and NaN is %v, %v", f.name, y[0], y[1])
			}
			f.grad(dx[:1], none[1:])
			if dx[0] == dx[0] {
				t.Errorf("%s'(NaN) = %v", f.name, dx[0])
			}
			beyond := []float32{-inf, inf}
			if f.grad(dx[:2], beyond); f.name == "silu" {
				if dx[0] == dx[0] || dx[1] == dx[1] {
					t.Errorf("%s' of -Inf and +Inf is %v, %v", f.name, dx[0], dx[1])
				}
			} else if dx[0] != 0 || dx[1] != 1 {
				t.Errorf("%s' of -Inf and +Inf is %v, %v", f.name, dx[0], dx[1])
			}
		})
	}
}

// gradOf returns the derivative that a gradient of rows computes.
func gradOf[F Float](f func(dx, dy, x []F)) func(dx, x []F) {
	return func(dx, x []F) { f(dx, slices.Repeat([]F{1}, len(x)), x) }
}
