package graph_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/oracle"
)

var extremes = []float64{1e4, -1e4, math.Inf(1), math.Inf(-1), math.NaN()}

// onExtremes runs a test with each of the extremes, in both types, and the closeness to ask for.
func onExtremes(t *testing.T, f func(t *testing.T, dt tensor.Dtype, extreme, tol float64)) {
	for _, x := range extremes {
		t.Run(fmt.Sprint(x, "/float32"), func(t *testing.T) { f(t, tensor.Float32, x, 1e-5) })
		t.Run(fmt.Sprint(x, "/float64"), func(t *testing.T) { f(t, tensor.Float64, x, 1e-12) })
	}
}

// Numbers of any size, infinities and NaN come out of several products at once where they come out of each alone.
func TestLinearsOfExtremes(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	outs := []int{5, 1, 20}
	values := map[string]oracle.Tensor{"x": random(rng, 6, 40)}
	for i, n := range outs {
		values[fmt.Sprint("w", i)], values[fmt.Sprint("b", i)] = random(rng, n, 40), random(rng, n)
	}
	names := []string{"w0", "w1", "w2"}
	onExtremes(t, func(t *testing.T, dt tensor.Dtype, extreme, tol float64) {
		for _, at := range []string{"x", "w1", "w2", "b0"} {
			values := mapsWith(values, at, with(values[at], 3%len(values[at].Floats), extreme))
			build := func(_ *graph.Graph, in map[string]graph.Node, _ graph.Feed) graph.Node {
				return in["x"].Linears([]graph.Node{in["w0"], in["w1"], in["w2"]}, in["b0"], in["b1"], in["b2"])
			}
			apart := trial{dtype: dt, values: values}.run(t, build)
			together := trial{dtype: dt, values: values, packed: names}.run(t, build)
			alike(t, at+": packed", together.y, apart.y, tol)
			for name := range values {
				alike(t, at+": packed, gradient of "+name, together.grads[name], apart.grads[name], tol)
			}
			from := 0
			for i, n := range outs {
				one := trial{dtype: dt, values: map[string]oracle.Tensor{"x": values["x"], "w": values[names[i]], "b": values[fmt.Sprint("b", i)]}}.run(t,
					func(_ *graph.Graph, in map[string]graph.Node, _ graph.Feed) graph.Node {
						return in["x"].Linear(in["w"], in["b"])
					})
				alike(t, fmt.Sprint(at, ": product ", i), columns(apart.y, 26, from, from+n), one.y, tol)
				from += n
			}
		}
	})
}

// mapsWith returns a copy of m in which name has another value.
func mapsWith(m map[string]oracle.Tensor, name string, v oracle.Tensor) map[string]oracle.Tensor {
	out := map[string]oracle.Tensor{name: v}
	for k, v := range m {
		if k != name {
			out[k] = v
		}
	}
	return out
}

// Gates of 1e4 are open or shut. Beyond all numbers they are what PyTorch makes of them, and rows keep to themselves.
func TestSwiGLUPackedOfExtremes(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		for _, tt := range []struct{ gate, up, y, dgate, dup float64 }{
			{1e4, 2, 2e4, 2, 1e4},
			{-1e4, 2, 0, 0, 0},
			{1e30, -1e3, -1e33, -1e3, 1e30},
			{-1e30, -1e3, 0, 0, 0},
			{0, 1e30, 0, 0.5e30, 0},
			{inf, 2, inf, nan, inf},
			{-inf, 2, nan, nan, nan},
			{nan, 2, nan, nan, nan},
			{1e4, inf, inf, inf, 1e4},
			{-1e4, inf, nan, nan, 0}, // a shut gate times infinity
			{1e4, -inf, -inf, -inf, 1e4},
			{1e4, nan, nan, nan, 1e4},
		} {
			// Two rows of 17 gates and 17 values, all 1 but one of each.
			x := oracle.Tensor{Shape: []int{2, 34}, Floats: slices.Repeat([]float64{1}, 68)}
			x = with(with(x, 5, tt.gate), 22, tt.up)
			got := trial{dtype: dt, values: map[string]oracle.Tensor{"x": x}}.run(t, func(_ *graph.Graph, in map[string]graph.Node, _ graph.Feed) graph.Node {
				return in["x"].SwiGLUPacked()
			})
			what := fmt.Sprintf("%v gate %v up %v", dt, tt.gate, tt.up)
			r := sines(34)[5]
			alike(t, what, got.y[5:6], []float64{tt.y}, 1e-6)
			alike(t, what+", gradients", []float64{got.grads["x"][5], got.grads["x"][22]}, []float64{tt.dgate * r, tt.dup * r}, 1e-6)
			for i, v := range got.y {
				if math.Abs(v-0.7310586) > 1e-6 && i != 5 {
					t.Errorf("%s: element %d is %v", what, i, v)
				}
			}
		}
	}
}

// Attention of queries, keys and values side by side is attention of them apart, on numbers of any size.
func TestSelfAttentionOfExtremes(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 2))
	const batch, seq, d = 2, 9, 4 // four heads share two of keys and values
	qkv := random(rng, batch, seq, 8*d)
	onExtremes(t, func(t *testing.T, dt tensor.Dtype, extreme, tol float64) {
		for _, masked := range []bool{false, true} {
			for which, column := range []int{1, 4*d + 1, 6*d + 1} {
				x := with(qkv, 5*8*d+column, extreme) // of the query, the key or the value at position 5
				attend := func(g *graph.Graph, feed graph.Feed) graph.Attend {
					a := graph.Attend{Heads: 4, KVHeads: 2}
					if masked {
						a.Mask = g.Input("mask", tensor.Bool, seq, seq)
						see := make([]bool, seq*seq)
						for i := range see {
							see[i] = i%3 != 0 && i/seq != 2 // query 2 sees nothing
						}
						feed[a.Mask] = tensor.New(tensor.WithShape(seq, seq), tensor.WithBacking(see))
					}
					return a
				}
				together := trial{dtype: dt, values: map[string]oracle.Tensor{"qkv": x}}.run(t, func(g *graph.Graph, in map[string]graph.Node, feed graph.Feed) graph.Node {
					return graph.SelfAttention(in["qkv"], attend(g, feed))
				})
				apart := trial{dtype: dt, values: map[string]oracle.Tensor{"q": cut(x, 0, 4*d), "k": cut(x, 4*d, 6*d), "v": cut(x, 6*d, 8*d)}}.run(t,
					func(g *graph.Graph, in map[string]graph.Node, feed graph.Feed) graph.Node {
						return graph.Attention(in["q"], in["k"], in["v"], attend(g, feed))
					})
				what := fmt.Sprintf("masked %v, part %d", masked, which)
				alike(t, what, together.y, apart.y, tol)
				alike(t, what+", gradient of q", columns(together.grads["qkv"], 8*d, 0, 4*d), apart.grads["q"], tol)
				alike(t, what+", gradient of k", columns(together.grads["qkv"], 8*d, 4*d, 6*d), apart.grads["k"], tol)
				alike(t, what+", gradient of v", columns(together.grads["qkv"], 8*d, 6*d, 8*d), apart.grads["v"], tol)
				if masked && which < 2 {
					alike(t, what+", a query that sees nothing", together.y[2*4*d:][:4*d], make([]float64, 4*d), 0)
				}
				if math.IsNaN(extreme) && !masked && which < 2 {
					// Those who may see it, and none before or in another sequence.
					for i, v := range together.y {
						position, head := i/(4*d), i%(4*d)/d
						sees := position == 5 && head == 0 || which == 1 && position >= 5 && position < seq && head < 2
						if math.IsNaN(v) != sees {
							t.Errorf("%s: the result of position %d, head %d is %v", what, position, head, v)
							break
						}
					}
				}
			}
		}
	})
}

// Scores of 1e8 choose one key, or share between equal ones.
func TestSelfAttentionOfLargeScores(t *testing.T) {
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		// Three positions with a head of width 1: query, key, value.
		x := oracle.Tensor{Shape: []int{1, 3, 3}, Floats: []float64{1e4, 1e4, 3, 1e4, -1e4, 5, -1e4, 1e4, 7}}
		got := trial{dtype: dt, values: map[string]oracle.Tensor{"qkv": x}}.run(t, func(_ *graph.Graph, in map[string]graph.Node, _ graph.Feed) graph.Node {
			return graph.SelfAttention(in["qkv"], graph.Attend{Heads: 1})
		})
		r := sines(3)
		alike(t, "result", got.y, []float64{3, 3, 5}, 0)
		alike(t, "gradient", got.grads["qkv"], []float64{0, 0, r[0] + r[1], 0, 0, r[2], 0, 0, 0}, 1e-6)
		x.Floats[4] = 1e4 // two keys that are as good
		got = trial{dtype: dt, values: map[string]oracle.Tensor{"qkv": x}}.run(t, func(_ *graph.Graph, in map[string]graph.Node, _ graph.Feed) graph.Node {
			return graph.SelfAttention(in["qkv"], graph.Attend{Heads: 1})
		})
		alike(t, "shared", got.y, []float64{3, 4, 5}, 1e-6)
	}
}

// Infinities and NaN come through sums that products make, and through values that are computed again.
func TestSumsOfExtremes(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	values := map[string]oracle.Tensor{"x": random(rng, 5, 24)}
	for _, name := range []string{"a", "b", "c"} {
		values[name] = random(rng, 24, 24)
	}
	values["bias"] = random(rng, 24)
	onExtremes(t, func(t *testing.T, dt tensor.Dtype, extreme, tol float64) {
		for _, name := range []string{"x", "b", "bias"} {
			values := mapsWith(values, name, with(values[name], 7, extreme))
			build := func(_ *graph.Graph, in map[string]graph.Node, _ graph.Feed) graph.Node { return residual(in) }
			sums := trial{dtype: dt, values: values}.run(t, build)
			again := trial{dtype: dt, values: values}.run(t, func(_ *graph.Graph, in map[string]graph.Node, _ graph.Feed) graph.Node {
				return checkpoint(in, residual)
			})
			// A product that is read twice takes no sum with it.
			apart := trial{dtype: dt, values: values}.run(t, func(g *graph.Graph, in map[string]graph.Node, _ graph.Feed) graph.Node { return residualApart(in) })
			alike(t, name, sums.y, apart.y, tol)
			alike(t, name+", computed again", again.y, sums.y, 0)
			for k := range values {
				alike(t, name+", gradient of "+k, sums.grads[k], apart.grads[k], 10*tol*largest(apart.grads[k]))
				alike(t, name+", computed again, gradient of "+k, again.grads[k], sums.grads[k], 0)
			}
		}
	})
}

// residualApart is residual without a sum that a product could make: a node stands between them.
func residualApart(in map[string]graph.Node) graph.Node {
	h := in["x"].Linear(in["a"])
	h = h.Add(h.Linear(in["b"], in["bias"]).Scale(1))
	return in["x"].Linear(in["c"]).Scale(1).Add(h.SiLU().Linear(in["a"]).Scale(1).Add(h))
}

// largest returns the size of the largest finite number, at least 1.
func largest(x []float64) float64 {
	m := 1.0
	for _, v := range x {
		if v-v == 0 {
			m = max(m, math.Abs(v))
		}
	}
	return m
}
