package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// int8Case is a product of quantised numbers.
type int8Case struct {
	name          string
	rows, in, out int
	x, w          []float32
}

func newInt8Case(name string, rows, in, out int, draw func(i int) float32) int8Case {
	c := int8Case{name: name, rows: rows, in: in, out: out, x: make([]float32, rows*in), w: make([]float32, out*in)}
	for i := range c.x {
		c.x[i] = draw(i)
	}
	for i := range c.w {
		c.w[i] = draw(len(c.x) + i)
	}
	return c
}

func (c int8Case) String() string {
	return fmt.Sprintf("%s: x (%d, %d), w (%d, %d)", c.name, c.rows, c.in, c.out, c.in)
}

// product returns the product on the active path, of weights that are quantised on it, or y + the product.
func (c int8Case) product(y []float32) []float32 {
	got := make([]float32, c.rows*c.out+gemmGuard)
	copy(got, y)
	GemmInt8(c.rows, c.x, QuantizeInt8(c.in, c.w), got[:c.rows*c.out], y != nil)
	return got
}

// want returns the product by the definition, in float64, and the sums of the terms' magnitudes.
func (c int8Case) want() (y, size []float64) {
	y, size = make([]float64, c.rows*c.out), make([]float64, c.rows*c.out)
	groups := ceilDiv(c.in, int8Size)
	xs, ws := make([]int8Group, groups), make([]int8Group, groups)
	for i := range c.rows {
		quantizeRowPortable(c.x[i*c.in:][:c.in], xs, 1)
		for j := range c.out {
			quantizeRowPortable(c.w[j*c.in:][:c.in], ws, 1)
			for p, g := range xs {
				dot := 0.0
				for q := range int8Size {
					dot += float64(g.q[q]) * float64(ws[p].q[q])
				}
				scale := float64(g.scale) * float64(ws[p].scale)
				y[i*c.out+j] += scale * dot
				size[i*c.out+j] += max(scale, scale*math.Abs(dot)) // a scale may overflow before the integer makes it 0
			}
		}
	}
	return y, size
}

// int8Cases returns products of all lengths up to 200, long ones, and what is at the ends of the range of numbers.
func int8Cases() (cs []int8Case) {
	r := rand.New(rand.NewPCG(11, 0))
	normal := func(int) float32 { return float32(r.NormFloat64()) }
	for in := 1; in <= 200; in++ {
		cs = append(cs, newInt8Case("normal", 1+in%9, in, 1+in*7%50, normal))
	}
	for _, in := range []int{512, 1344, 5000} {
		cs = append(cs, newInt8Case("long", 3, in, 40, normal))
	}
	for rows := range 20 {
		cs = append(cs, newInt8Case("rows", 1+rows, 96, 33, normal))
	}
	cs = append(cs, newInt8Case("blocks", 18, 64, 3000, normal))
	// Two products of the same sign fill a sum of 16 bits all but to the end.
	for _, signs := range []int{0, 1, 2, 3, 7, 64} {
		cs = append(cs, newInt8Case(fmt.Sprint("largest, signs ", signs), 3, 64, 32, func(i int) float32 {
			if signs != 0 && i%signs == 0 {
				return -127
			}
			return 127
		}))
	}
	cs = append(cs,
		newInt8Case("halves", 9, 96, 17, func(i int) float32 {
			if i%int8Size == 0 {
				return 127
			}
			return float32(i%254-127) + 0.5
		}),
		newInt8Case("zeros", 2, 70, 20, func(int) float32 { return 0 }),
		newInt8Case("zero groups", 3, 100, 20, func(i int) float32 { return float32(i / int8Size % 2 * (i%7 - 3)) }),
		newInt8Case("denormals", 3, 65, 18, func(i int) float32 {
			return math.Float32frombits(uint32(i)*7919%(1<<23) ^ uint32(i)<<31)
		}),
		newInt8Case("small", 5, 65, 18, func(i int) float32 { return float32(math.Ldexp(r.NormFloat64(), -126+i%12)) }),
		newInt8Case("huge", 5, 65, 18, func(i int) float32 {
			return min(math.MaxFloat32, float32(math.Abs(r.NormFloat64())*math.MaxFloat32/4))
		}),
		newInt8Case("all sizes", 5, 160, 33, func(i int) float32 {
			return float32(math.Ldexp(r.NormFloat64(), i%250-125))
		}),
		newInt8Case("not finite", 8, 67, 35, func(i int) float32 {
			switch i {
			case 3, 67*8 + 67*20 + 66: // row 0 of x, row 20 of w
				return float32(math.NaN())
			case 67 + 66, 67*8 + 5: // row 1 of x, row 0 of w
				return float32(math.Inf(1))
			case 2*67 + 40:
				return float32(math.Inf(-1))
			case 5 * 67:
				return math.Float32frombits(0xffffffff)
			}
			return float32(i%11 - 5)
		}),
	)
	return cs
}

// All kernels give the same bits, whatever the sizes and numbers, and they are those of the definition.
func TestGemmInt8(t *testing.T) {
	cases := int8Cases()
	wants, sums := make([][]float32, len(cases)), make([][]float32, len(cases))
	before := make([]float32, 0)
	for i := range 60000 {
		before = append(before, float32(i%13)-6)
	}
	onPath(pathPortable, func() {
		for i, c := range cases {
			wants[i], sums[i] = c.product(nil), c.product(before[:c.rows*c.out])
		}
	})
	for i, c := range cases {
		y, size := c.want()
		for j, want := range y {
			got := float64(wants[i][j])
			// Beyond the range of float32 the sum may be infinite, and products of scales have few bits at its other end.
			near := size[j] > math.MaxFloat32/2 || math.Abs(got-want) <= 1e-7*float64(3+c.in/int8Size)*size[j]+float64(c.in)*0x1p-130
			if math.IsNaN(want) && !math.IsNaN(got) || !math.IsNaN(want) && !near {
				t.Fatalf("%v: y[%d] = %v, want %v", c, j, got, want)
			}
		}
	}
	onEachPath(t, func(t *testing.T) {
		for i, c := range cases {
			for _, add := range []bool{false, true} {
				got, want := c.product(nil), wants[i]
				if add {
					got, want = c.product(before[:c.rows*c.out]), sums[i]
				}
				for j := range got {
					if !sameBits(got[j], want[j]) {
						t.Fatalf("%v, add %t: y[%d] = %v, want %v", c, add, j, got[j], want[j])
					}
				}
			}
		}
	})
}

// A row of x with a number that is not finite has no product, and the others have theirs.
func TestGemmInt8NotFinite(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
			c := newInt8Case("", 5, 40, 20, func(i int) float32 { return float32(i%5) - 2 })
			want := c.product(nil)
			c.x[3*40+39] = bad
			for i, y := range c.product(nil)[:5*20] {
				if row := i / 20; row == 3 && y == y || row != 3 && y != want[i] {
					t.Fatalf("with %v in row 3, y[%d][%d] = %v", bad, row, i%20, y)
				}
			}
		}
	})
}

// The bits depend neither on the number of threads nor on how many rows there are.
func TestGemmInt8SameBits(t *testing.T) {
	defer SetThreads(0)
	r := rand.New(rand.NewPCG(12, 0))
	c := newInt8Case("", 37, 200, 2000, func(int) float32 { return float32(r.NormFloat64()) })
	w := QuantizeInt8(c.in, c.w[:c.in*700], c.w[c.in*700:c.in*701], c.w[c.in*701:])
	onEachPath(t, func(t *testing.T) {
		SetThreads(1)
		want := c.product(nil)[:c.rows*c.out]
		for _, threads := range []int{2, 3, 4} {
			SetThreads(threads)
			for rows := 1; rows <= c.rows; rows += 6 {
				y := make([]float32, rows*c.out)
				GemmInt8(rows, c.x[(c.rows-rows)*c.in:], w, y, false)
				if !slices.Equal(y, want[(c.rows-rows)*c.out:]) {
					t.Fatalf("%d threads, %d rows: other numbers", threads, rows)
				}
			}
		}
	})
}

// Rounding follows the definition on every path.
func TestQuantizeRow(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		for _, c := range int8Cases() {
			for _, stride := range []int{1, 3} {
				n := ceilDiv(c.in, int8Size)
				got := make([]int8Group, n*stride+1)
				want := slices.Clone(got)
				quantizeRow(c.x[:c.in], got, stride)
				quantizeRowPortable(c.x[:c.in], want, stride)
				for i, g := range got {
					if g.scale != g.scale && want[i].scale != want[i].scale {
						continue // integers mean nothing
					}
					if g != want[i] {
						t.Fatalf("%v, stride %d: group %d is %v, want %v", c, stride, i, g, want[i])
					}
				}
			}
		}
	})
	for _, tt := range []struct {
		x     []float32
		scale float32
		q     []int8
	}{
		{[]float32{127, -127, 0.5, 1.5, -0.5, -2.5, 126.5}, 1, []int8{127, -127, 0, 2, 0, -2, 126}},
		{[]float32{-254, 1, 3}, 2, []int8{-127, 0, 2}},
		{[]float32{0, 0}, 0, []int8{0, 0}},
		{[]float32{0x1p-121, -0x1p-140}, 0, []int8{0, 0}},
		{[]float32{0x1p-120}, 0x1p-120 / 127., []int8{127}},
		{[]float32{math.MaxFloat32}, math.MaxFloat32 / 127., []int8{127}},
	} {
		onEachPath(t, func(t *testing.T) {
			got := make([]int8Group, 1)
			quantizeRow(tt.x, got, 1)
			if g := got[0]; g.scale != tt.scale || !slices.Equal(g.q[:len(tt.q)], tt.q) {
				t.Errorf("%v has the scale %v and the integers %v, want %v and %v", tt.x, g.scale, g.q[:len(tt.q)], tt.scale, tt.q)
			}
		})
	}
}

// What is kept between calls is used again.
func TestGemmInt8Allocates(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector drops what is kept")
	}
	c := newInt8Case("", 12, 512, 1000, func(i int) float32 { return float32(i%5) - 2 })
	w, y := QuantizeInt8(c.in, c.w), make([]float32, c.rows*c.out)
	onEachPath(t, func(t *testing.T) {
		if n := testing.AllocsPerRun(20, func() { GemmInt8(c.rows, c.x, w, y, true) }); n >= 1 {
			t.Errorf("%v allocations a call", n)
		}
	})
}

// BenchmarkGemmInt8 measures products of a few tokens with the weights of a linear layer, in eight bits and in float32.
func BenchmarkGemmInt8(b *testing.B) {
	for _, layer := range [][2]int{{512, 1344}, {1344, 512}, {512, 10000}} {
		for _, tokens := range []int{1, 8, 32} {
			in, out := layer[0], layer[1]
			c := newInt8Case("", tokens, in, out, func(i int) float32 { return float32(i%255 - 127) })
			y := make([]float32, tokens*out)
			report := func(b *testing.B, bytes float64) {
				weights, seconds := float64(in*out)*float64(b.N), b.Elapsed().Seconds()
				b.ReportMetric(bytes*weights/seconds/1e9, "GB/s")
				b.ReportMetric(float64(tokens)*weights/seconds/1e9, "Gweights/s")
			}
			b.Run(fmt.Sprintf("%dx%dx%d", tokens, out, in), func(b *testing.B) {
				onEachPath(b, func(b *testing.B) {
					b.Run("int8", func(b *testing.B) {
						w := QuantizeInt8(in, c.w)
						for b.Loop() {
							GemmInt8(tokens, c.x, w, y, false)
						}
						report(b, 1+4./int8Size)
					})
					b.Run("float32", func(b *testing.B) {
						for b.Loop() {
							Gemm(false, true, tokens, out, in, c.x, in, c.w, in, y, out, false)
						}
						report(b, 4)
					})
				})
			})
		}
	}
}

// BenchmarkQuantizeRow measures the rounding of a row.
func BenchmarkQuantizeRow(b *testing.B) {
	x := newInt8Case("", 1, 512, 0, func(i int) float32 { return float32(i%255 - 127) }).x
	groups := make([]int8Group, 16)
	onEachPath(b, func(b *testing.B) {
		for b.Loop() {
			quantizeRow(x, groups, 1)
		}
		b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/512*1e9, "ns/number")
	})
}
