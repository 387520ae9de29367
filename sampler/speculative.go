package sampler

import (
	"context"
	"iter"
	"slices"

	"github.com/pkg/errors"
)

// A Rewinder is a Model that can forget the end of its text.
type Rewinder interface {
	Model
	Len() int             // tokens so far
	Truncate(n int) error // forgets all but the first n tokens
}

// A Scorer is a Rewinder that gives the logits of several positions in one call.
type Scorer interface {
	Rewinder
	// NextAll appends tokens, of which there is at least one, to the text so far and returns a row of logits (vocab)
	// for each: those of the token to follow it. The model may overwrite the rows in the next call.
	NextAll(ctx context.Context, tokens ...int) ([][]float32, error)
}

// Speculative generates text with a large model in fewer of its calls: speculative decoding, as in Leviathan, Kalman
// and Matias, "Fast inference from Transformers via speculative decoding", and Chen et al., "Accelerating large
// language model decoding with speculative sampling", both 2023. Draft, a small model of the same vocabulary,
// proposes tokens one by one; Target looks at all of them in one call. With p and q the probabilities that a token
// has after the steps of the sampler in Target and in Draft, a proposed token is accepted with probability
// min(1, p/q). In place of the first one that is not, a token is drawn from max(0, p - q), normalised, and where all are
// accepted one more is drawn from p. So the tokens have exactly the distribution that Target has alone, whatever
// Draft proposes. A greedy sampler gets exactly the text of [Sampler.Generate] with Target.
//
// Steps are honoured as there. They see, before every token in both models, the text that leads to it, of which the
// proposals before it are a part, and the Toss of its Step. Learners learn from the tokens that are yielded, in the
// distributions of Target; those that Draft draws with are clones, which learn from its proposals and are then dropped.
// So a step that cannot be cloned, which is a pointer but no Learner, is an error.
//
// # Randomness
//
// A token that Draft did not propose comes from [Uniform](Seed, Stream, Step), as in [Sampler.Sample]. Where it did,
// the proposal comes from Uniform(Seed, Stream + 1<<62, Step), its acceptance from Stream + 2<<62, and the token in
// its place from Stream + 3<<62, all at the Step of the token. So every token has numbers of its own, and streams that
// are less than 1<<62 share none. Sampled text differs from that of Generate and from that of another Lookahead; its
// distribution does not.
//
// A Speculative must not be copied once used, nor used by several goroutines at once.
type Speculative struct {
	Target    Scorer
	Draft     Rewinder // another Model than Target
	Lookahead int      // tokens to propose for each call of Target; 0 is 4

	Calls    int // of Target, the one for the prompt not counted
	Proposed int // tokens proposed so far
	Accepted int // how many of them were accepted

	owed    []int // what Target holds and Draft has yet to be given
	err     error
	draft   []Distribution
	rest    []float64
	uniform func(seed, stream, step uint64) float64 // Uniform if nil
}

// Generate gives both models the prompt and then ranges over up to n tokens that s draws from the logits of
// sp.Target, under the rules of [Sampler.Generate]. Models are given no more than there: the prompt and n-1 tokens. What
// Target looked at in vain is taken back, so it is left as it would be there. So is Draft, save for tokens that
// the next Generate of sp gives it first.
//
// After an error the models hold what they held before the calls for that token. Where that fails, every later
// Generate of sp returns the error.
func (sp *Speculative) Generate(ctx context.Context, s *Sampler, prompt []int, n int) iter.Seq2[int, error] {
	prompt = slices.Clone(prompt)
	return func(yield func(int, error) bool) {
		drawn := 0
		fail := func(err error) { yield(-1, errors.WithMessagef(err, "sampler: speculate on token %d", drawn)) }
		if err := sp.check(s, prompt, n); err != nil {
			fail(err)
			return
		}
		if s.Steps != nil {
			s.History = NewHistory(prompt...)
		}
		r := round{Speculative: sp, s: s, pending: prompt}
		for drawn < n {
			if err := r.begin(ctx, n-drawn); err != nil {
				fail(err)
				return
			}
			for more := true; more; {
				var token int
				var err error
				if token, more, err = r.next(ctx); err != nil {
					r.end()
					fail(err)
					return
				}
				drawn++
				if slices.Contains(s.Stop, token) || !yield(token, nil) {
					r.end()
					return
				}
			}
			if r.end(); sp.err != nil {
				fail(sp.err)
				return
			}
		}
	}
}

func (sp *Speculative) check(s *Sampler, prompt []int, n int) error {
	if sp.err != nil {
		return sp.err
	}
	if s == nil || sp.Target == nil || sp.Draft == nil || sp.Lookahead < 0 || len(prompt) == 0 || n < 0 {
		return errors.Errorf("%d tokens from a prompt of %d with models %T and %T, lookahead %d (sampler: %t)",
			n, len(prompt), sp.Target, sp.Draft, sp.Lookahead, s != nil)
	}
	if err := s.check(); err != nil {
		return err
	}
	_, err := s.Steps.Clone()
	return err
}
