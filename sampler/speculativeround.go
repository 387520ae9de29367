package sampler

import (
	"cmp"
	"context"
	"slices"

	"github.com/pkg/errors"
)

// The substreams of a sampler's stream from which speculation takes its random numbers.
const (
	proposing = 1 << 62
	accepting = 2 << 62
	replacing = 3 << 62
)

// A round is one call of the target, and the tokens that come of it. These are drawn when they are asked for, so that a
// sampler never learns from a token that nobody gets.
type round struct {
	*Speculative
	s       *Sampler
	guess   Sampler // s as it would be had it drawn what is proposed
	pending []int   // the end of the text, which the target has not been given

	before, beforeDraft int   // tokens that the models hold when the round begins
	beforeOwed          []int // owed then
	target0, draft0     int   // tokens that they hold later, the pending ones included but not those proposed

	proposed []int
	rows     [][]float32 // of the target, after the last pending token and after each of those proposed
	tokens   []int       // drawn so far: proposed ones, and one more at the end
}

// begin proposes tokens and asks the target about them. At most n tokens are wanted.
func (r *round) begin(ctx context.Context, n int) (err error) {
	r.before, r.beforeDraft, r.beforeOwed = r.Target.Len(), r.Draft.Len(), r.owed
	r.tokens = r.tokens[:0]
	defer func() {
		if err != nil {
			r.end()
		}
	}()
	if err := alive(ctx); err != nil {
		return errors.WithStack(err)
	}
	if err := r.propose(ctx, min(cmp.Or(r.Lookahead, 4), n-1)); err != nil {
		return errors.WithMessage(err, "draft")
	}
	if r.rows, err = r.score(ctx); err != nil {
		return errors.WithMessage(err, "target")
	}
	r.target0 = r.before + len(r.pending)
	if got, want := r.Target.Len(), r.target0+len(r.proposed); got != want {
		return errors.Errorf("the target holds %d tokens, want %d", got, want)
	}
	r.Calls++
	r.Proposed += len(r.proposed)
	return nil
}

// next draws a token, and reports whether there are more in the round.
func (r *round) next(ctx context.Context) (token int, more bool, err error) {
	i := len(r.tokens)
	if err := ctx.Err(); err != nil && i > 0 {
		return -1, false, errors.WithStack(err)
	}
	p := r.s.distribution()
	defer p.release()
	if err := p.reset(r.rows[i]); err != nil {
		return -1, false, errors.WithMessage(err, "target")
	}
	if err := r.s.Apply(p); err != nil {
		return -1, false, err
	}
	if i == len(r.proposed) {
		token = p.draw(r.random(0, r.s))
	} else if token, more, err = r.decide(p, &r.draft[i], r.proposed[i]); err != nil {
		return -1, false, err
	}
	r.s.accept(p, token)
	r.tokens = append(r.tokens, token)
	if more {
		r.Accepted++
	}
	return token, more, nil
}

// end makes the models hold the text up to the last token drawn, which itself is now pending, or what they held when the
// round began if there is none.
func (r *round) end() {
	i := len(r.tokens) - 1
	if i < 0 {
		r.owed = r.beforeOwed
		r.truncate(r.Target, r.before)
		r.truncate(r.Draft, r.beforeDraft)
		return
	}
	r.pending = append([]int(nil), r.tokens[i])
	r.truncate(r.Target, r.target0+i)
	if len(r.proposed) > 0 && i == len(r.proposed) { // the draft has not been given its last proposal
		r.owed = append(r.owed, r.tokens[i-1])
	} else if len(r.proposed) > 0 {
		r.truncate(r.Draft, r.draft0+i)
	}
}

// propose draws up to k tokens from the draft. It does not go beyond a stop token.
func (r *round) propose(ctx context.Context, k int) error {
	r.proposed = r.proposed[:0]
	given := slices.Concat(r.owed, r.pending)
	if k == 0 {
		r.owed, r.draft0 = given, r.Draft.Len()+len(given)
		return nil
	}
	r.owed, r.draft0 = nil, r.Draft.Len()+len(given)
	for len(r.draft) < k {
		r.draft = append(r.draft, Distribution{})
	}
	steps, err := r.s.Steps.Clone()
	if err != nil {
		return err
	}
	history := append(r.guess.History.Tokens[:0], r.s.History.Tokens...)
	r.guess = *r.s
	r.guess.Steps, r.guess.History.Tokens = steps, history
	for i := range k {
		if err := alive(ctx); err != nil {
			return errors.WithStack(err)
		}
		logits, err := r.Draft.Next(ctx, given...)
		if err != nil {
			return err
		}
		if err := r.draft[i].Reset(logits); err != nil {
			return err
		}
		if err := r.guess.Apply(&r.draft[i]); err != nil {
			return err
		}
		token := r.draft[i].draw(r.random(proposing, &r.guess))
		r.guess.accept(&r.draft[i], token)
		r.proposed = append(r.proposed, token)
		if slices.Contains(r.s.Stop, token) {
			return nil
		}
		given = r.proposed[i:]
	}
	return nil
}

// score gives the target the pending and the proposed tokens and returns the logits that follow the last pending one
// and each proposed one.
func (r *round) score(ctx context.Context) ([][]float32, error) {
	if err := alive(ctx); err != nil {
		return nil, errors.WithStack(err)
	}
	last := len(r.pending) - 1
	if last > 0 { // a prompt, of whose other positions nobody wants the logits
		if _, err := r.Target.Next(ctx, r.pending[:last]...); err != nil {
			return nil, err
		}
	}
	given := append(r.pending[last:last+1:last+1], r.proposed...)
	rows, err := r.Target.NextAll(ctx, given...)
	if err != nil {
		return nil, err
	}
	if len(rows) != len(given) {
		return nil, errors.Errorf("%d rows of logits for %d tokens", len(rows), len(given))
	}
	return rows, nil
}

// decide draws a token from p where one drawn from q is proposed, and reports whether it is that one.
func (r *round) decide(p, q *Distribution, proposed int) (token int, accepted bool, err error) {
	if p.vocab != q.vocab {
		return -1, false, errors.Errorf("the target has a vocabulary of %d, the draft one of %d", p.vocab, q.vocab)
	}
	if r.random(accepting, r.s)*q.Prob(proposed) < p.Prob(proposed) {
		return proposed, true, nil
	}
	u, total := r.random(replacing, r.s), 0.0
	r.rest = p.Probs(r.rest)
	for token, prob := range q.All() {
		r.rest[token] = max(0, r.rest[token]-prob)
	}
	for _, w := range r.rest {
		total += w
	}
	if total == 0 { // p and q differ by rounding alone
		return p.draw(u), false, nil
	}
	return walk(r.rest, u*total), false, nil
}

// random returns the number for the next token of s.
func (r *round) random(substream uint64, s *Sampler) float64 {
	f := Uniform
	if r.uniform != nil {
		f = r.uniform
	}
	return f(s.Seed, s.Stream+substream, s.Step)
}

// truncate makes a model hold n tokens, or the error the one of every later call.
func (r *round) truncate(m Rewinder, n int) {
	if m.Len() == n {
		return
	}
	if err := m.Truncate(n); err != nil {
		r.err = errors.WithMessagef(err, "back to %d tokens", n)
	}
}
