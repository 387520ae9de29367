package sampler

import (
	"context"
	"math"

	"github.com/pkg/errors"
)

// A Forker is a Model that can be copied together with the text that it has been given, such as *graph.Decoder. M is
// the type itself. A fork and its origin go on independently.
type Forker[M any] interface {
	Model
	Fork() (M, error)
}

// A BeamStop says when a beam search that has found as many hypotheses as a group is wide looks no further.
type BeamStop int

const (
	// StopCertain goes on until no running beam can still beat the worst hypothesis found. It is early_stopping="never"
	// of Hugging Face.
	StopCertain BeamStop = iota
	// StopLikely goes on until no running beam would beat the worst hypothesis found if it ended at its present
	// length at no cost. It is early_stopping=False of Hugging Face.
	StopLikely
	// StopFull stops at once. It is early_stopping=True of Hugging Face.
	StopFull
)

// Beam is the settings of [BeamSearch]. Its zero value is greedy search.
type Beam struct {
	Width int   // beams that run side by side; 0 is 1
	Stop  []int // tokens that end a hypothesis, such as the end of a text

	// The score of a hypothesis is its log-probability, divided by its length to the power LengthPenalty, as in
	// Hugging Face, or by ((5 + length)/6)^GNMTPenalty, as in Wu et al., "Google's neural machine translation system",
	// 2016. Above 0 they favour long hypotheses, below 0 short ones. Only one of them may differ from 0. The length
	// counts a stop token and leaves the prompt out.
	LengthPenalty float64
	GNMTPenalty   float64

	EarlyStop BeamStop

	// Groups divides the beams into groups that search one after the other at each step, and Diversity is what a
	// token costs for every time that an earlier group has just chosen it: diverse beam search with Hamming
	// diversity (Vijayakumar et al., 2018). The cost steers the choice of that step alone; log-probabilities and scores
	// stay those of the model. Width must be a multiple of Groups. 0 groups are 1, which needs Diversity 0.
	Groups    int
	Diversity float64
}

// A Hypothesis is a text that a beam search has found.
type Hypothesis struct {
	Tokens  []int   // what follows the prompt, without the stop token
	Stop    int     // the stop token that ended it, or -1 if it ended at the greatest length
	LogProb float64 // natural logarithm of its probability given the prompt, that of the stop token included
	Score   float64 // LogProb after the length penalty
}

// BeamSearch looks for the most probable texts of at most n tokens, a stop token included, that follow a prompt. It
// returns up to b.Width hypotheses, the best score first.
//
// At each step it looks at every token after each of its beams. Of the candidates, the most probable first, those
// that do not end in a stop token become the next beams, until there are enough; those that do are hypotheses, if
// they are among the first as many as a group is wide, as in Hugging Face. What is running at length n is
// a hypothesis too. A group keeps as many hypotheses as it is wide.
//
// Where candidates are equally probable the one after the earlier beam goes first, then the one of the lower token.
// Where scores are equal the hypothesis found first goes first, and of those found together the one whose candidate
// went first, the one of the earlier group.
//
// Each beam has a model of its own, a fork of the one given, which itself becomes one of them: afterwards it holds the
// prompt and possibly more. Its logits are taken as they are, so a Model that masks or mixes logits can be
// searched if it can fork. A row that defines no distribution is a [LogitsError]; ctx is looked at before every call
// of a model.
func BeamSearch[M Forker[M]](ctx context.Context, b Beam, model M, prompt []int, n int) ([]Hypothesis, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	if absent(model) || len(prompt) == 0 || n < 1 {
		return nil, errors.Errorf("sampler: search for %d tokens after a prompt of %d with model %T", n, len(prompt), model)
	}
	groups := max(b.Groups, 1)
	s := &search[M]{Beam: b, n: n, width: max(b.Width, 1) / groups}
	first := beam[M]{model: model}
	if err := s.ask(ctx, &first, prompt); err != nil {
		return nil, errors.WithMessage(err, "sampler: search from the prompt")
	}
	for range groups {
		s.groups = append(s.groups, group[M]{beams: []beam[M]{first}})
	}
	// The groups share the model until their first step.
	s.users = groups
	for step := 1; step <= n; step++ {
		if err := s.step(ctx, step); err != nil {
			return nil, errors.WithMessagef(err, "sampler: search for token %d", step-1)
		}
	}
	var found []Hypothesis
	for i := range s.groups {
		for _, h := range s.groups[i].found {
			found = insert(found, h, len(found)+1, betterHypothesis)
		}
	}
	return found, nil
}

func (b *Beam) check() error {
	if b.Width < 0 || b.Groups < 0 || max(b.Width, 1)%max(b.Groups, 1) != 0 {
		return errors.Errorf("sampler: %d beams in %d groups", b.Width, b.Groups)
	}
	if !(b.Diversity >= 0 && b.Diversity <= math.MaxFloat64) || b.Diversity > 0 && b.Groups < 2 {
		return errors.Errorf("sampler: diversity %v of %d groups", b.Diversity, b.Groups)
	}
	for _, penalty := range []float64{b.LengthPenalty, b.GNMTPenalty} {
		if !(math.Abs(penalty) <= maxPenalty) {
			return errors.Errorf("sampler: length penalty %v, want %v to %v", penalty, -maxPenalty, maxPenalty)
		}
	}
	if b.LengthPenalty != 0 && b.GNMTPenalty != 0 {
		return errors.Errorf("sampler: two length penalties, %v and %v", b.LengthPenalty, b.GNMTPenalty)
	}
	if b.EarlyStop < StopCertain || b.EarlyStop > StopFull {
		return errors.Errorf("sampler: beam stop %d", b.EarlyStop)
	}
	return nil
}

// maxPenalty is a bound on length penalties that keeps powers of lengths finite.
const maxPenalty = 16

// score returns the score of a hypothesis of that length.
func (b *Beam) score(logProb float64, length int) float64 {
	switch {
	case b.LengthPenalty != 0:
		return logProb / math.Pow(float64(length), b.LengthPenalty)
	case b.GNMTPenalty != 0:
		return logProb / math.Pow((5+float64(length))/6, b.GNMTPenalty)
	default:
		return logProb
	}
}

// attainable returns a bound on the scores of what a beam of that log-probability and length may become.
func (b *Beam) attainable(logProb float64, length, n int) float64 {
	if b.EarlyStop == StopLikely {
		return b.score(logProb, length)
	}
	return max(b.score(logProb, length+1), b.score(logProb, n))
}
