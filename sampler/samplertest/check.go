package samplertest

import (
	"math"

	"github.com/pkg/errors"
)

// Draw returns the token for a number u in [0, 1), as [sampler.Distribution.Draw] does.
//
// [sampler.Distribution.Draw]: https://pkg.go.dev/github.com/logits-go/logits/sampler#Distribution.Draw
type Draw func(u float64) (int, error)

// Stratified draws with u = (i+0.5)/n for all i < n. A sampler that lays its tokens side by side on the line from
// 0 to 1 then draws each of them n·p times, give or take the two ends of its stretch; a count that is off by more
// than 1, or 0 for p, is an error. It shows every error of the probabilities above 1/n, and there is no chance in it.
func Stratified(probs []float64, n int, draw Draw) error {
	counts := make([]int, len(probs))
	for i := range n {
		token, err := draw((float64(i) + 0.5) / float64(n))
		if err != nil {
			return err
		}
		if token < 0 || token >= len(probs) {
			return errors.Errorf("samplertest: drew token %d of %d", token, len(probs))
		}
		counts[token]++
	}
	for token, p := range probs {
		want := float64(n) * p
		if math.Abs(float64(counts[token])-want) > 1+1e-6 || p == 0 && counts[token] > 0 {
			return errors.Errorf("samplertest: drew token %d %d times of %d, want %v", token, counts[token], n, want)
		}
	}
	return nil
}

// Reachable draws with u in the middle of the stretch of every token, for a sampler that lays tokens in ascending
// order, and wants that token. It leaves out those whose probability is less than 1e-13, which is as near as sums
// of float64 and a u of 53 bits come. At both ends and around it wants tokens of a probability above 0.
func Reachable(probs []float64, draw Draw) error {
	before := 0.0
	for token, p := range probs {
		if p >= 1e-13 {
			got, err := draw(min(before+p/2, 1-0x1p-53))
			if err != nil {
				return err
			}
			if got != token {
				return errors.Errorf("samplertest: in the middle of token %d, at %v, drew token %d", token, before+p/2, got)
			}
		}
		before += p
	}
	for _, u := range []float64{0, 5e-324, 0x1p-53, 0.5, 1 - 0x1p-52, 1 - 0x1p-53} {
		got, err := draw(u)
		if err != nil {
			return err
		}
		if got < 0 || got >= len(probs) || !(probs[got] > 0) {
			return errors.Errorf("samplertest: at %v drew token %d, whose probability is 0", u, got)
		}
	}
	return nil
}
