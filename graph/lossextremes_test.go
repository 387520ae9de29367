package graph_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/oracle"
	"github.com/logits-go/logits/loss"
)

// The loss of an output layer is that of its logits on numbers of any size too, under every combination of options; what
// has no loss is an error that names the row.
func TestLinearCrossEntropyOfExtremes(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	const rows, dim, classes = 4, 3, 8
	plain := linearLoss{x: random(rng, rows, dim), w: random(rng, classes, dim), gy: sines(rows), targets: []int{0, 2, loss.Ignored, 7}}
	for i := range plain.w.Floats {
		plain.w.Floats[i] = math.Abs(plain.w.Floats[i]) // so that an infinity makes logits of one sign
	}
	onExtremes(t, func(t *testing.T, dt tensor.Dtype, extreme, tol float64) {
		for what, o := range optionCombinations(classes) {
			for _, place := range []string{"row", "class"} {
				l := plain
				l.options = o
				if place == "row" {
					l.x = with(l.x, 1*dim+1, extreme)
				} else {
					l.w, l.x = with(l.w, 3*dim+1, extreme), positive(l.x)
				}
				wantY, wantX, wantW, wantErr := l.run(t, dt, false)
				y, dx, dw, err := l.run(t, dt, true)
				if (err == nil) != (wantErr == nil) {
					t.Fatalf("%s, %s: %v; and the loss of the logits: %v", what, place, err, wantErr)
				}
				if finite := extreme-extreme == 0; finite != (err == nil) && place == "row" {
					t.Fatalf("%s, %s: %v", what, place, err)
				}
				if err != nil {
					for _, part := range []string{"LinearCrossEntropy: logits at [", "NaN, +Inf or nothing but -Inf"} {
						if !strings.Contains(err.Error(), part) {
							t.Errorf("%s, %s: error %q, want %q in it", what, place, err, part)
						}
					}
					continue
				}
				alike(t, what+", "+place, y, wantY, tol)
				alike(t, what+", "+place+", gradient of x", dx, wantX, tol*1e4)
				alike(t, what+", "+place+", gradient of w", dw, wantW, tol)
			}
		}
	})
}

// positive returns the sizes of numbers.
func positive(v oracle.Tensor) oracle.Tensor {
	v.Floats = slices.Clone(v.Floats)
	for i, x := range v.Floats {
		v.Floats[i] = math.Abs(x)
	}
	return v
}

// A class of weight 0 costs nothing, even where its logit is -Inf. Any other costs +Inf there as a target, and nothing
// as another class.
func TestLinearCrossEntropyOfMaskedClasses(t *testing.T) {
	inf := math.Inf(1)
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		for _, tt := range []struct {
			name    string
			options loss.Options
			target  int
			y       float64
			dw      []float64
		}{
			{"another class", loss.Options{}, 0, math.Ln2, []float64{-0.5, 0, 0.5}},
			{"target", loss.Options{}, 1, inf, []float64{0.5, -1, 0.5}},
			{"target of no weight", loss.Options{Reduction: loss.Sum, Weights: []float64{1, 0, 1}}, 1, 0, []float64{0, 0, 0}},
			{"target of no share", loss.Options{LabelSmoothing: 1, Weights: []float64{1, 0, 1}, Reduction: loss.Sum}, 1, 2 * math.Ln2 / 3, []float64{0, 0, 0}},
			{"smoothing", loss.Options{LabelSmoothing: 0.3}, 0, inf, []float64{-0.3, -0.1, 0.4}},
		} {
			for _, fused := range []bool{false, true} {
				l := linearLoss{
					options: tt.options, targets: []int{tt.target},
					x: oracle.Tensor{Shape: []int{1, 1}, Floats: []float64{1}},
					w: oracle.Tensor{Shape: []int{3, 1}, Floats: []float64{2, -inf, 2}},
				}
				what := fmt.Sprintf("%v, %s, fused %v", dt, tt.name, fused)
				y, _, dw, err := l.run(t, dt, fused)
				if err != nil {
					t.Errorf("%s: %v", what, err)
					continue
				}
				alike(t, what, y, []float64{tt.y}, 1e-6)
				alike(t, what+", gradient", dw, tt.dw, 1e-6)
			}
		}
	}
}
