package sampler

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"
)

// anyRow returns a row of one of many shapes: what rough sums are good and bad at, with a temperature.
func anyRow(rng *rand.Rand, n int) (row []float32, temp float64) {
	row = make([]float32, n)
	at := float32([]float64{0, 0, 30, -700, 1e5}[rng.IntN(5)])
	spread := []float64{1e-3, 1, 4, 30}[rng.IntN(4)]
	shape := rng.IntN(5)
	for i := range row {
		switch shape {
		case 0:
			row[i] = float32(rng.NormFloat64() * spread)
		case 1:
			row[i] = float32(rng.ExpFloat64() * spread)
		case 2:
			row[i] = float32(rng.Float64() * spread)
		case 3:
			row[i] = float32(math.Round(rng.NormFloat64()*8*spread) / 8) // ties
		case 4:
			row[i] = float32(rng.NormFloat64() * spread)
			if rng.IntN(2) == 0 {
				row[i] = float32(math.Inf(-1))
			}
		}
		row[i] += at
	}
	row[rng.IntN(n)] = float32(rng.NormFloat64()) + at
	return row, []float64{1, 0.8, 0.1, 3}[rng.IntN(4)]
}

// What is drawn from rough sums is what the exact ones give, also where u lies at the edge between two tokens or close to it.
func TestDrawRough(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 11))
	var rough, exact Distribution
	cases, decided, edges, undecided := 0, 0, 0, 0
	for trial := range 250 {
		vocab := []int{4 * block, 4*block + 1, 3000, 9999}[trial%4]
		row, temp := anyRow(rng, vocab)
		for _, d := range []*Distribution{&rough, &exact} {
			if err := d.Reset(row); err != nil {
				t.Fatal(err)
			}
			if err := d.Temperature(temp); err != nil {
				t.Fatal(err)
			}
		}
		exact.weigh()
		cum := make([]float64, vocab+1)
		for i, w := range exact.weights {
			cum[i+1] = cum[i] + w
		}
		for i := range 400 {
			u := rng.Float64()
			if i%2 == 1 {
				edge := cum[exact.find(u)+rng.IntN(2)] / exact.total
				u = edge + []float64{0, 1e-16, 1e-13, 1e-9, 1e-7, 1e-6}[rng.IntN(6)]*(2*rng.Float64()-1)
				if rng.IntN(50) == 0 {
					u = []float64{0, 0x1p-53, 0.5, 1 - 0x1p-53}[rng.IntN(4)]
				}
				u = min(max(u, 0), 1-0x1p-53)
				edges++
			}
			want := exact.find(u)
			got, ok := rough.drawRough(u)
			if ok && got != want {
				t.Fatalf("trial %d, V=%d, u=%v: rough sums draw %d, want %d", trial, vocab, u, got, want)
			}
			cases++
			switch {
			case ok && i%2 == 0:
				decided++
			case !ok && i%2 == 1:
				undecided++
			}
			if once := rough.drawOnce(u); once != want {
				t.Fatalf("trial %d, V=%d, u=%v: drew %d, want %d", trial, vocab, u, once, want)
			}
		}
	}
	t.Logf("rough sums decided %d of %d, and did not decide %d of %d at edges", decided, cases-edges, undecided, edges)
	if undecided < edges/10 {
		t.Errorf("only %d of %d at edges were left to the exact sums: this tests little", undecided, edges)
	}
}

// What top-p keeps by rough sums is what the exact ones give, also where p lies at the edge between two tokens or close to it.
func TestNucleusRough(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 14))
	var d Distribution
	cases, edges := 0, 0
	for trial := range 150 {
		vocab := []int{300, 2*sampled - 1, 2 * sampled, 9999, 20000}[trial%5]
		row, temp := anyRow(rng, vocab)
		if trial%20 == 0 {
			for i := range row {
				row[i] = rng.Float32()*2 - 1
			}
		}
		// The ranking and its sums, from the small end.
		begin := func() {
			if err := d.Reset(row); err != nil {
				t.Fatal(err)
			}
			if err := d.Temperature(temp); err != nil {
				t.Fatal(err)
			}
		}
		begin()
		d.weigh()
		weights := slices.Clone(d.weights)
		order := make([]int, 0, vocab)
		for i, x := range row {
			if x > float32(math.Inf(-1)) {
				order = append(order, i)
			}
		}
		slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(row[a], row[b]), cmp.Compare(b, a)) })
		tail := make([]float64, len(order)+1)
		for i, id := range order {
			tail[i+1] = tail[i] + weights[id]
		}
		total := tail[len(order)]
		for i := range 40 {
			p := rng.Float64()
			if i%4 == 0 {
				p = []float64{0.9, 0.95, 0.99, 0.9999}[rng.IntN(4)]
			}
			if i%2 == 1 {
				at, _ := slices.BinarySearch(tail, (1-p)*total)
				p = 1 - tail[min(at, len(order)-1)]/total + []float64{1e-11, 1e-9, 1e-7, 1e-6}[rng.IntN(4)]*(2*rng.Float64()-1)
				edges++
			}
			if !(p > 0 && p < 1) {
				continue
			}
			// The tail that is dropped is the longest of at most 1-p.
			drop := sort.Search(len(order), func(i int) bool { return tail[i+1] > total-p*total })
			near := math.Abs(tail[drop]-(total-p*total)) < 1e-12*total ||
				drop < len(order) && math.Abs(tail[drop+1]-(total-p*total)) < 1e-12*total
			if near { // where float64 does not tell
				continue
			}
			cases++
			begin()
			if err := d.TopP(p); err != nil {
				t.Fatal(err)
			}
			want := min(max(len(order)-drop, 1), len(order))
			if d.Len() != want {
				t.Fatalf("trial %d, V=%d, p=%v: keeps %d tokens, want %d", trial, vocab, p, d.Len(), want)
			}
			kept := 0
			for _, id := range order[len(order)-want:] {
				if d.Prob(id) > 0 || weights[id] == 0 {
					kept++
				}
			}
			if kept != want {
				t.Fatalf("trial %d, V=%d, p=%v: %d tokens kept are of the first %d", trial, vocab, p, kept, want)
			}
		}
	}
	t.Logf("%d cases, %d of them at edges", cases, edges)
}
