package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// rowCase is a loop over rows of n elements.
type rowCase struct {
	name    string
	out, in int // operands; those that are written come first
	over    []int
	prepare func(out, in [][]float32)           // makes random operands what they must be, unless nil
	run     func(out, in [][]float32) []float64 // returns results that are no rows
}

// rowCases are all loops that have assembly. The results of out[0] may lie over in[i] for i of over.
var rowCases = []rowCase{
	{"add", 1, 2, []int{0, 1}, nil, func(out, in [][]float32) []float64 { addRow(out[0], in[0], in[1]); return nil }},
	{"sub", 1, 2, []int{0, 1}, nil, func(out, in [][]float32) []float64 { subRow(out[0], in[0], in[1]); return nil }},
	{"mul", 1, 2, []int{0, 1}, nil, func(out, in [][]float32) []float64 { mulRow(out[0], in[0], in[1]); return nil }},
	{"scale", 1, 1, []int{0}, nil, func(out, in [][]float32) []float64 { scaleRow(out[0], in[0], -1.7); return nil }},
	{"axpy", 1, 1, nil, nil, func(out, in [][]float32) []float64 { axpyRow(out[0], -1.7, in[0]); return nil }},
	{"dot", 0, 2, nil, nil, func(_, in [][]float32) []float64 { return []float64{float64(dot32(in[0], in[1]))} }},
	{"sum", 0, 1, nil, nil, func(_, in [][]float32) []float64 { return []float64{sum32(in[0])} }},
	{"squares", 0, 1, nil, nil, func(_, in [][]float32) []float64 { return []float64{squares32(in[0])} }},
	{"rmsNorm", 1, 2, []int{0}, nil, func(out, in [][]float32) []float64 { rmsNormRow(out[0], in[0], in[1], 0.7); return nil }},
	{"rmsNormGrad", 2, 3, nil, nil, func(out, in [][]float32) []float64 {
		rmsNormGradRow(out[0], out[1], in[0], in[1], in[2], nil, 0.7)
		return nil
	}},
	{"rmsNormGrad plus", 2, 4, []int{3}, nil, func(out, in [][]float32) []float64 {
		rmsNormGradRow(out[0], out[1], in[0], in[1], in[2], in[3], 0.7)
		return nil
	}},
	{"layerNorm", 1, 3, []int{0}, nil, func(out, in [][]float32) []float64 {
		if len(in[1]) == 0 {
			return nil
		}
		mean, inv := layerNormRow(out[0], in[0], in[1], in[2], 0.1)
		return []float64{float64(mean), float64(inv)}
	}},
	{"layerNormGrad", 3, 3, nil, nil, func(out, in [][]float32) []float64 {
		layerNormGradRow(out[0], out[1], out[2], in[0], in[1], in[2], nil, 0.3, 0.7)
		return nil
	}},
	{"layerNormGrad plus", 3, 4, []int{3}, nil, func(out, in [][]float32) []float64 {
		layerNormGradRow(out[0], out[1], out[2], in[0], in[1], in[2], in[3], 0.3, 0.7)
		return nil
	}},
	{"adam", 3, 1, nil, positive, func(out, in [][]float32) []float64 {
		adamRow(out[0], in[0], out[1], out[2], &[10]float32{0.5, 0.01, 0.9, 0.1, 0.99, 0.01, 1.1, 1e-3, 0.02, 0.999})
		return nil
	}},
	{"sgd", 1, 1, nil, nil, func(out, in [][]float32) []float64 {
		sgdRow(out[0], in[0], nil, &[10]float32{0.5, 0.01, 0.9, 0.8, 0.02}, false)
		return nil
	}},
	{"sgd momentum", 2, 1, nil, nil, func(out, in [][]float32) []float64 {
		sgdRow(out[0], in[0], out[1], &[10]float32{0.5, 0.01, 0.9, 0.8, 0.02}, false)
		return nil
	}},
	{"sgd ahead", 2, 1, nil, nil, func(out, in [][]float32) []float64 {
		sgdRow(out[0], in[0], out[1], &[10]float32{0.5, 0.01, 0.9, 0.8, 0.02}, true)
		return nil
	}},
	{"ropePairs", 1, 3, []int{0}, neighbours, turned(ropePairsRow, false)},
	{"ropePairs back", 1, 3, []int{0}, neighbours, turned(ropePairsRow, true)},
	{"ropeHalves", 1, 3, []int{0}, halves, turned(ropeHalvesRow, false)},
	{"ropeHalves back", 1, 3, []int{0}, halves, turned(ropeHalvesRow, true)},
}

// positive makes second moments of random numbers.
func positive(out, _ [][]float32) {
	for i, v := range out[2] {
		out[2][i] = v * v
	}
}

// neighbours and halves make cosines and sines of three heads of random numbers, for pairs of elements side by side and
// half a head apart.
func neighbours(_, in [][]float32) { pairUp(in, func(i, _ int) (a, b int) { return 2 * i, 2*i + 1 }) }
func halves(_, in [][]float32)     { pairUp(in, func(i, half int) (a, b int) { return i, half + i }) }

func pairUp(in [][]float32, pair func(i, half int) (a, b int)) {
	cos, sin, half := in[1], in[2], len(in[0])/6
	for i := range half {
		a, b := pair(i, half)
		cos[b], sin[a] = cos[a], -sin[b]
	}
}

// turned turns three heads, which take up all of a row but what is left over.
func turned(f func(dst, x, cos, sin []float32, heads int, back bool), back bool) func(out, in [][]float32) []float64 {
	return func(out, in [][]float32) []float64 {
		dim := len(in[0]) / 6 * 2
		f(out[0], in[0], in[1][:dim], in[2][:dim], 3, back)
		return nil
	}
}

// rowLengths are all that a masked end can make of a block, and what ends a part.
func rowLengths() []int {
	lengths := []int{rowPart - 1, rowPart + 33}
	for n := range 101 {
		lengths = append(lengths, n)
	}
	return lengths
}

// call runs c on operands that begin off elements behind a vector, filled with random numbers after change has seen
// them, and returns all memory that it could reach, then its results.
func (c *rowCase) call(n, off, over int, change func(in [][]float32)) (memory []float32, results []float64) {
	const guard = 40
	r := rand.New(rand.NewPCG(uint64(n), 7))
	size := off + n + guard
	memory = make([]float32, (c.out+c.in)*size)
	for i := range memory {
		memory[i] = float32(r.NormFloat64())
	}
	var out, in [][]float32
	for i := range c.out + c.in {
		x := memory[i*size+off:][:n:n]
		if i < c.out {
			out = append(out, x)
		} else {
			in = append(in, x)
		}
	}
	if c.prepare != nil {
		c.prepare(out, in)
	}
	if over >= 0 {
		out[0] = in[over]
	}
	if change != nil {
		change(in)
	}
	return memory, c.run(out, in)
}

// agree reports the first number that differs: by more than tol if it is finite, at all if not.
func agree(got, want []float32, tol float64) error {
	for i, w := range want {
		g := float64(got[i])
		switch w := float64(w); {
		case g == w || g != g && w != w:
		case !(math.Abs(g-w) <= tol*(1+math.Abs(w))):
			return fmt.Errorf("number %d is %v, want %v", i, g, w)
		}
	}
	return nil
}

// differs returns where the bits of x and y differ, other than those of NaN, or -1.
func differs[F Float, B comparable](x, y []F, bits func(F) B) int {
	for i, v := range x {
		if bits(v) != bits(y[i]) && (v == v || y[i] == y[i]) {
			return i
		}
	}
	return -1
}

func narrow(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}

// Assembly computes what the loops in Go do, and nothing beside it, on operands of any length and place, in place or not.
// Both sets of instructions give the same bits.
func TestLinearRows(t *testing.T) {
	testLinearRows(t, []int{0, 1, 3}, nil)
}

// Numbers that are none stay so, and only where they are.
func TestLinearRowsKeepNaNAndInf(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		testLinearRows(t, []int{1}, func(in [][]float32) {
			for _, x := range in {
				if len(x) > 0 {
					x[len(x)*2/3] = float32(v)
				}
			}
		})
	}
}

func testLinearRows(t *testing.T, offsets []int, change func(in [][]float32)) {
	for _, c := range rowCases {
		for _, n := range rowLengths() {
			for _, off := range offsets {
				for _, over := range append([]int{-1}, c.over...) {
					var want, vectors []float32
					var wantResults, vectorResults []float64
					for _, path := range supportedPaths() {
						onPath(path, func() {
							got, results := c.call(n, off, over, change)
							what := fmt.Sprintf("%s of %d at %d over %d on %s", c.name, n, off, over, path)
							if path == pathPortable {
								want, wantResults = got, results
								return
							}
							tol := 1e-5 * math.Sqrt(1+float64(n)/100)
							if err := agree(got, want, tol); err != nil {
								t.Fatalf("%s: %v", what, err)
							}
							if err := agree(narrow(results), narrow(wantResults), tol); err != nil {
								t.Fatalf("%s: result %v", what, err)
							}
							if path == pathAVX2 {
								vectors, vectorResults = got, results
								return
							}
							if i := differs(got, vectors, math.Float32bits); i >= 0 {
								t.Fatalf("%s: number %d is %v, and %v on %s", what, i, got[i], vectors[i], pathAVX2)
							}
							if i := differs(results, vectorResults, math.Float64bits); i >= 0 {
								t.Fatalf("%s: result %d is %v, and %v on %s", what, i, results[i], vectorResults[i], pathAVX2)
							}
						})
					}
				}
			}
		}
	}
}

// BenchmarkLinearRows measures rows in a cache, on each path.
func BenchmarkLinearRows(b *testing.B) {
	const n = 1024
	for _, c := range rowCases {
		b.Run(c.name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 2))
			operands := make([][]float32, c.out+c.in)
			for i := range operands {
				operands[i] = Make[float32](n)
				for j := range operands[i] {
					operands[i][j] = float32(r.Float64())
				}
			}
			if c.prepare != nil {
				c.prepare(operands[:c.out], operands[c.out:])
			}
			onEachPath(b, func(b *testing.B) {
				for b.Loop() {
					c.run(operands[:c.out], operands[c.out:])
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/element")
			})
		})
	}
}
