package sampler

import (
	"math"
	"slices"

	"github.com/pkg/errors"
)

// NoRepeatNGram drops the tokens that would complete, after text, n tokens in a row that occur in it already.
// With n = 1 that is every token of text; a text shorter than n drops none. N must be at least 1. It is an
// error if no token is left. (Paulus, Xiong and Socher, "A deep reinforced model for abstractive
// summarization", 2017.)
func (d *Distribution) NoRepeatNGram(text []int, n int) error {
	if n < 1 {
		return errors.Errorf("sampler: n-gram of %d tokens, want at least 1", n)
	}
	if err := d.has(text...); err != nil {
		return err
	}
	if len(text) < n {
		return nil
	}
	prefix := text[len(text)-n+1:]
	for i := range len(text) - n + 1 {
		if slices.Equal(text[i:i+n-1], prefix) {
			d.bias(text[i+n-1], math.Inf(-1))
		}
	}
	return d.settle("no-repeat n-gram")
}

// SequenceBias adds bias to the logit of the last token of sequence, as [Distribution.Bias] does, if text ends
// with the tokens before it. A bias of -Inf bans the sequence. An empty sequence is an error.
func (d *Distribution) SequenceBias(text, sequence []int, bias float64) error {
	if err := d.sequenceBias(text, sequence, bias); err != nil {
		return err
	}
	return d.settle("sequence bias")
}

func (d *Distribution) sequenceBias(text, sequence []int, bias float64) error {
	if len(sequence) == 0 {
		return errors.New("sampler: a sequence of no tokens")
	}
	if err := checkBias(bias); err != nil {
		return err
	}
	if err := d.has(sequence...); err != nil {
		return err
	}
	n := len(sequence) - 1
	if n <= len(text) && slices.Equal(text[len(text)-n:], sequence[:n]) {
		d.bias(sequence[n], bias)
	}
	return nil
}
