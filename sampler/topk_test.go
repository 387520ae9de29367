package sampler

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Top-k keeps the first k of the ranking, whatever the row, its ties and what a sample of it says.
func TestTopKOfRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 1))
	var d Distribution
	for trial := range 600 {
		vocab := []int{1, 2, 17, 500, 4095, 2 * sampled, 9000, 30000}[trial%8]
		var row []float32
		switch trial / 8 % 4 {
		case 0:
			row, _ = anyRow(rng, vocab)
		case 1: // zeros, subnormal numbers and little else
			row = make([]float32, vocab)
			for i := range row {
				row[i] = []float32{0, float32(math.Copysign(0, -1)), 1e-45, -1e-45, 1e-38}[rng.IntN(5)]
			}
		case 2: // the ends of float32
			row = make([]float32, vocab)
			for i := range row {
				row[i] = math.Float32frombits(rng.Uint32()&^(3<<29) | rng.Uint32()&(1<<30))
			}
		case 3: // the sampled are the smallest
			row = make([]float32, vocab)
			for i := range row {
				row[i] = float32(rng.NormFloat64())
			}
			for i := 0; vocab >= 2*sampled && i < sampled/64; i++ {
				lo := i * (vocab - 64) / (sampled/64 - 1)
				for j := range 64 {
					row[lo+j] -= []float32{-9, 9}[trial%2]
				}
			}
		}
		k := 1 + rng.IntN([]int{3, 50, 300, 2000}[rng.IntN(4)])
		order := make([]int32, 0, vocab)
		for i, x := range row {
			if x > float32(math.Inf(-1)) {
				order = append(order, int32(i))
			}
		}
		slices.SortFunc(order, func(a, b int32) int { return cmp.Or(cmp.Compare(row[b], row[a]), cmp.Compare(a, b)) })
		want := order[:min(k, len(order))]
		slices.Sort(want)
		if err := d.Reset(row); err != nil {
			t.Fatal(err)
		}
		if err := d.TopK(k); err != nil {
			t.Fatal(err)
		}
		var got []int32
		for id := range d.All() {
			got = append(got, int32(id))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("trial %d, V=%d, k=%d: keeps %d tokens, want %d, the first %v and %v", trial, vocab, k, len(got), len(want),
				got[:min(9, len(got))], want[:min(9, len(want))])
		}
	}
}
