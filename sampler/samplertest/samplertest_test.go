package samplertest_test

import (
	"errors"
	"fmt"
	"log"
	"math"
	"testing"

	"github.com/logits-go/logits/sampler"
	"github.com/logits-go/logits/sampler/samplertest"
)

// The distribution of a sampler is the one of the definition, and it draws from it.
func Example() {
	logits := []float32{2.3, -1.5, 0.8, 4.1, -0.2}
	want := samplertest.NewReference(logits)
	want.Temperature(0.8)
	want.TopP(0.95)

	var d sampler.Distribution
	for _, err := range []error{d.Reset(logits), d.Temperature(0.8), d.TopP(0.95)} {
		if err != nil {
			log.Fatal(err)
		}
	}
	fmt.Printf("%.6f\n%.6f\n", want.Probs(), d.Probs(nil))
	fmt.Println(samplertest.Stratified(want.Probs(), 100000, d.Draw), samplertest.Reachable(want.Probs(), d.Draw))
	// Output:
	// [0.095349 0.000000 0.000000 0.904651 0.000000]
	// [0.095349 0.000000 0.000000 0.904651 0.000000]
	// <nil> <nil>
}

// walk draws as by definition, with u changed.
func walk(probs []float64, change func(u float64) float64) samplertest.Draw {
	return func(u float64) (int, error) {
		u = change(u)
		for i, p := range probs {
			if u -= p; u < 0 {
				return i, nil
			}
		}
		return len(probs) - 1, nil
	}
}

// What is a little wrong is found out.
func TestChecksFindErrors(t *testing.T) {
	probs := []float64{0.25, 0, 0.5, 0.125, 0.125}
	right := walk(probs, func(u float64) float64 { return u })
	failing := func(float64) (int, error) { return 0, errors.New("broken") }
	for name, c := range map[string]struct {
		draw       samplertest.Draw
		stratified bool
		reachable  bool
	}{
		"right":   {right, true, true},
		"shifted": {walk(probs, func(u float64) float64 { return u + 0.01 }), false, true},
		"other":   {walk([]float64{0.25, 0, 0.5, 0.11, 0.14}, func(u float64) float64 { return u }), false, true},
		"half":    {walk(probs, func(u float64) float64 { return u / 2 }), false, false},
		"masked at 0": {func(u float64) (int, error) {
			return map[bool]int{true: 1}[u == 0] + map[bool]int{true: 2}[u > 0.5], nil
		}, false, false},
		"masked, seldom": {func(u float64) (int, error) {
			i,
				_ := right(u)
			return i + map[bool]int{true: 1}[u == 0], nil
		}, true, false},
		"out of vocabulary": {func(float64) (int, error) { return 5, nil }, false, false},
		"broken":            {failing, false, false},
	} {
		if err := samplertest.Stratified(probs, 1000, c.draw); (err == nil) != c.stratified {
			t.Errorf("%s: Stratified: %v", name, err)
		}
		if err := samplertest.Reachable(probs, c.draw); (err == nil) != c.reachable {
			t.Errorf("%s: Reachable: %v", name, err)
		}
	}
}

func TestChiSquareQuantile(t *testing.T) {
	for _, c := range []struct {
		tail float64
		dof  int
		want float64
	}{
		{0.05, 1, 3.841458820694124}, {0.05, 10, 18.307038053275146}, {0.5, 2, 2 * math.Ln2}, {1e-6, 2, 12 * math.Ln10},
		{0.01, 100, 135.80672317102676}, {0.99, 5, 0.5542980767282772},
	} {
		if got := samplertest.ChiSquareQuantile(c.tail, c.dof); math.Abs(got-c.want) > 1e-9*c.want {
			t.Errorf("quantile of %v at %d degrees of freedom is %v, want %v", c.tail, c.dof, got, c.want)
		}
	}
}

func TestGTest(t *testing.T) {
	g, critical, err := samplertest.GTest([]int{30, 70}, []float64{0.5, 0.5}, 0.05)
	if want := 2 * (30*math.Log(0.6) + 70*math.Log(1.4)); err != nil || math.Abs(g-want) > 1e-12 ||
		math.Abs(critical-3.841458820694124) > 1e-8 {
		t.Errorf("g = %v, critical %v, %v, want %v", g, critical, err, want)
	}
	// Rare tokens are one cell.
	g, critical, err = samplertest.GTest([]int{80, 8, 6, 6}, []float64{0.8, 0.08, 0.06, 0.06}, 0.05)
	if err != nil || math.Abs(g) > 1e-12 || math.Abs(critical-3.841458820694124) > 1e-8 {
		t.Errorf("rare tokens: g = %v, critical %v, %v", g, critical, err)
	}
	if g, _, err = samplertest.GTest([]int{99, 99, 1}, []float64{0.5, 0.5, 0}, 0.05); err != nil || !math.IsInf(g, 1) {
		t.Errorf("a masked token: g = %v, %v", g, err)
	}
	for _, c := range []struct {
		counts []int
		probs  []float64
		alpha  float64
	}{
		{[]int{1}, []float64{0.5, 0.5}, 0.1}, {[]int{0, 0}, []float64{0.5, 0.5}, 0.1}, {[]int{5, 5}, []float64{0.5,
			0.5}, 0.1},
		{[]int{50, 50}, []float64{0.5, 0.5}, 0}, {[]int{50, 50}, []float64{0.5, 0.5}, math.NaN()}, {[]int{50},
			[]float64{1}, 0.1},
	} {
		if _, _, err := samplertest.GTest(c.counts, c.probs, c.alpha); err == nil {
			t.Errorf("%+v: no error", c)
		}
	}
}

// Plain has the distribution of the Reference.
func TestPlain(t *testing.T) {
	logits := []float32{0.5, -1, 2, 1.9, 0, -3, 1, 1.5}
	for _, test := range []struct {
		p    samplertest.Plain
		keep func(r *samplertest.Reference)
	}{
		{samplertest.Plain{Temperature: 1}, func(*samplertest.Reference) {}},
		{samplertest.Plain{Temperature: 0.7, TopK: 5}, func(r *samplertest.Reference) { r.TopK(5) }},
		{samplertest.Plain{Temperature: 0.7, TopK: 50, TopP: 0.8}, func(r *samplertest.Reference) { r.TopP(0.8) }},
		{samplertest.Plain{Temperature: 0.7, MinP: 0.2}, func(r *samplertest.Reference) { r.MinP(0.2) }},
		{samplertest.Plain{}, func(r *samplertest.Reference) { r.Temperature(0) }},
	} {
		r := samplertest.NewReference(logits)
		if test.p.Temperature > 0 {
			r.Temperature(test.p.Temperature)
		}
		test.keep(r)
		err := samplertest.Stratified(r.Probs(), 10_000, func(u float64) (int, error) { return test.p.Draw(logits, u), nil })
		if err != nil {
			t.Errorf("%+v: %v", test.p, err)
		}
	}
}
