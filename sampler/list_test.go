package sampler

import (
	"math"
	"slices"
	"testing"
)

// A row of float64 is listed without the masked.
func TestReset64Masks(t *testing.T) {
	var d Distribution
	if err := d.reset64([]float64{1, math.Inf(-1), 2}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(d.ids, []int32{0, 2}) || d.Len() != 2 {
		t.Errorf("listed %v", d.ids)
	}
}

// An edit at the beginning of a block counts in that block, and in no other.
func TestEditsAtBlocks(t *testing.T) {
	row := make([]float32, 3*block)
	for _, token := range []int{block - 1, block, 2*block - 1, 2 * block} {
		var d Distribution
		if err := d.Reset(row); err != nil {
			t.Fatal(err)
		}
		if err := d.Bias(token, 3); err != nil {
			t.Fatal(err)
		}
		want := make([]float64, 3)
		for i := range want {
			want[i] = block * math.Exp(-3)
		}
		want[token/block] += 1 - math.Exp(-3)
		for name, sumUp := range map[string]func(){"sumUp": d.sumUp, "weigh": d.weigh} {
			sumUp()
			for i, s := range d.sums {
				if math.Abs(s-want[i]) > 1e-12 {
					t.Errorf("edit of %d: %s finds sums %v, want %v", token, name, d.sums, want)
					break
				}
			}
		}
	}
}

// A sum is that of four, which take turns, as package kernel adds up.
func TestSumsTakeTurns(t *testing.T) {
	for _, c := range []struct {
		w    []float64
		want float64
	}{
		{[]float64{0x1p53, 1, 1, 1}, 0x1p53 + 2},
		{[]float64{0x1p53, 1, 1, 1, 1, 1, 1, 1}, 0x1p53 + 6},
		{[]float64{0x1p53, 1, 1}, 0x1p53},
	} {
		if got := sum(c.w); got != c.want {
			t.Errorf("the sum of %v is %v, want %v", c.w, got, c.want)
		}
	}
}

// Rounding to float32 goes up or down only where it must.
func TestRounding(t *testing.T) {
	next := func(x float32, to float64) float32 { return math.Nextafter32(x, float32(to)) }
	for _, c := range []struct {
		x        float64
		down, up float32
	}{
		{1, 1, 1}, {-1, -1, -1}, {0, 0, 0}, {1 + 0x1p-40, 1, next(1, 2)}, {1 - 0x1p-40, next(1, 0), 1},
		{math.Inf(-1), float32(math.Inf(-1)), float32(math.Inf(-1))},
		{-1e300, float32(math.Inf(-1)), -math.MaxFloat32}, {1e300, math.MaxFloat32, float32(math.Inf(1))},
	} {
		if down, up := roundDown(c.x), roundUp(c.x); down != c.down || up != c.up {
			t.Errorf("%v is rounded down to %v and up to %v, want %v and %v", c.x, down, up, c.down, c.up)
		}
	}
}

// Between floats there are as many as their ordinals are apart.
func TestOrdinals(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, x := range []float32{-inf, -math.MaxFloat32, -1, -1e-45, 0, 1e-45, 1, math.MaxFloat32} {
		if got := ordinal(math.Nextafter32(x, inf)) - ordinal(x); got != 1 {
			t.Errorf("from %v to the next float32 it is %d", x, got)
		}
		if got := fromOrdinal(ordinal(x)); got != x {
			t.Errorf("%v becomes %v", x, got)
		}
	}
}

// After a batch has drawn, its rows hold on to no logits.
func TestBatchReleasesRows(t *testing.T) {
	b := Batch{Rows: make([]Sampler, 2)}
	tokens := make([]int, 2)
	for _, logits := range [][][]float32{{{1, 2}, {2, 1}}, {{1, 2}, nil}, {nil, {1, 2}}} {
		if err := b.Sample(tokens, logits); err != nil {
			t.Fatal(err)
		}
		for i := range b.Rows {
			if s := b.Rows[i].scratch; s.row != nil || s.vocab != 0 {
				t.Errorf("row %d holds on to %v", i, s.row)
			}
		}
	}
}

// What weighs just as much as is needed is enough, and tokens of the next bucket are none of those looked at.
func TestNarrowAtTheEdgeOfABucket(t *testing.T) {
	row := make([]float32, 1200)
	for i := range row[600:] {
		row[600+i] = -1
	}
	var d Distribution
	if err := d.Reset(row); err != nil {
		t.Fatal(err)
	}
	d.spread()
	d.weigh()
	if c, left := d.narrow(600); len(c) != 600 || c[0].id != 0 || left != 600 {
		t.Errorf("%d candidates from token %d, and %v is left to reach", len(c), c[0].id, left)
	}
	if c, _ := d.narrow(2 * d.total); len(c) != 600 || c[0].id != 600 { // which rounding may ask for, though by less
		t.Errorf("%d candidates from token %d, want the last 600", len(c), c[0].id)
	}
}

// Rough sums are not taken of logits that are not quite what stands in the row.
func TestDrawOnceOfEdits(t *testing.T) {
	row := make([]float32, 8*block)
	for i := range row {
		row[i] = 8e4 // next to which float32 has no number nearer than 1/128
	}
	for _, u := range []float64{0.1, 0.3, 0.6, 0.9} {
		var d Distribution
		if err := d.Reset(row); err != nil {
			t.Fatal(err)
		}
		for token := 1; token < len(row)/2; token++ {
			if err := d.Bias(token, -0.003); err != nil {
				t.Fatal(err)
			}
		}
		once := d.drawOnce(u)
		if want := d.draw(u); once != want {
			t.Errorf("u=%v: drew %d, want %d", u, once, want)
		}
	}
}
