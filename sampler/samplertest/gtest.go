package samplertest

import (
	"math"

	"github.com/pkg/errors"
)

// GTest compares counts of drawn tokens with their probabilities by the likelihood-ratio test: g is 2·Σ count·log
// (count/expected), which follows a chi-square distribution if the draws follow probs, and critical is what g
// exceeds then with a chance of significance only. Tokens that are expected fewer than 10 times count as one.
// A token of probability 0 that was drawn makes g infinite. Counts and probs of different lengths, no draws, a
// significance outside of (0, 1) and fewer than two cells to compare are errors.
func GTest(counts []int, probs []float64, significance float64) (g, critical float64, err error) {
	n := 0
	for _, c := range counts {
		n += c
	}
	if len(counts) != len(probs) || n == 0 || !(significance > 0 && significance < 1) {
		return 0, 0, errors.Errorf("samplertest: G-test of %d counts of %d draws and %d probabilities at significance %v",
			len(counts), n, len(probs), significance)
	}
	cells, rare, rareWant := 0, 0, 0.0
	cell := func(count int, want float64) {
		cells++
		if count > 0 {
			g += 2 * float64(count) * math.Log(float64(count)/want)
		}
	}
	for i, c := range counts {
		want := float64(n) * probs[i]
		switch {
		case c > 0 && want == 0:
			g = math.Inf(1)
		case want >= 10:
			cell(c, want)
		default:
			rare += c
			rareWant += want
		}
	}
	if rareWant > 0 {
		cell(rare, rareWant)
	}
	if cells < 2 {
		return 0, 0, errors.Errorf("samplertest: %d draws give %d cells to compare, want at least 2", n, cells)
	}
	return g, ChiSquareQuantile(significance, cells-1), nil
}

// ChiSquareQuantile returns the number that a chi-square variable of dof degrees of freedom exceeds with
// probability tail.
func ChiSquareQuantile(tail float64, dof int) float64 {
	lo, hi := 0.0, 1.0
	for chiSquareTail(hi, dof) > tail {
		hi *= 2
	}
	for range 200 {
		if mid := (lo + hi) / 2; chiSquareTail(mid, dof) > tail {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi
}

// chiSquareTail returns P(X > x), the regularised upper incomplete gamma function Q(dof/2, x/2): by the series of
// its complement for small x, by the continued fraction for others (Press and others, "Numerical recipes", 6.2).
func chiSquareTail(x float64, dof int) float64 {
	a := float64(dof) / 2
	x /= 2
	if x <= 0 {
		return 1
	}
	lg, _ := math.Lgamma(a)
	scale := math.Exp(-x + a*math.Log(x) - lg)
	if x < a+1 {
		term := 1 / a
		sum := term
		for n := a + 1; term > sum*1e-17; n++ {
			term *= x / n
			sum += term
		}
		return 1 - scale*sum
	}
	b := x + 1 - a
	c, d := 1e300, 1/b
	h := d
	for i := 1.0; i < 1e6; i++ {
		an := -i * (i - a)
		b += 2
		d = 1 / (an*d + b)
		c = b + an/c
		step := d * c
		h *= step
		if math.Abs(step-1) < 1e-15 {
			break
		}
	}
	return scale * h
}
