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

// A round is one call of the target, and the tokens that come of it.
type round struct {
	*Speculative
	s       *Sampler
	pending []int // the end of the text, which the target has not been given

	proposed        []int
	tokens          []int // what the round draws: proposed tokens, and one more
	target0, draft0 int   // tokens that the models hold, the pending ones included but not those proposed
}

// run proposes tokens and decides which to accept. At most n tokens are wanted.
func (r *round) run(ctx context.Context, n int) (err error) {
	before, beforeDraft, owed := r.Target.Len(), r.Draft.Len(), r.owed
	defer func() {
		if err != nil {
			r.owed = owed
			r.truncate(r.Target, before)
			r.truncate(r.Draft, beforeDraft)
		}
	}()
	if err := alive(ctx); err != nil {
		return errors.WithStack(err)
	}
	if err := r.propose(ctx, min(cmp.Or(r.Lookahead, 4), n-1)); err != nil {
		return errors.WithMessage(err, "draft")
	}
	rows, err := r.score(ctx)
	if err != nil {
		return errors.WithMessage(err, "target")
	}
	r.target0 = before + len(r.pending)
	if got, want := r.Target.Len(), r.target0+len(r.proposed); got != want {
		return errors.Errorf("the target holds %d tokens, want %d", got, want)
	}
	r.tokens = r.tokens[:0]
	for i, row := range rows {
		token, accepted, err := r.decide(i, row)
		if err != nil {
			return err
		}
		if r.tokens = append(r.tokens, token); !accepted {
			break
		}
	}
	r.Calls++
	r.Proposed += len(r.proposed)
	r.Accepted += len(r.tokens) - 1
	return nil
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
		if err := r.s.Apply(&r.draft[i]); err != nil {
			return err
		}
		token := r.draft[i].draw(r.random(proposing, i))
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

// decide draws the token for a row of the target's logits, and reports whether it is the one proposed.
func (r *round) decide(i int, row []float32) (token int, accepted bool, err error) {
	p := &r.target
	defer p.release()
	if err := p.reset(row); err != nil {
		return -1, false, errors.WithMessage(err, "target")
	}
	if err := r.s.Apply(p); err != nil {
		return -1, false, err
	}
	if i == len(r.proposed) {
		return p.draw(r.random(0, i)), false, nil
	}
	q, token := &r.draft[i], r.proposed[i]
	if p.vocab != q.vocab {
		return -1, false, errors.Errorf("the target has a vocabulary of %d, the draft one of %d", p.vocab, q.vocab)
	}
	if r.random(accepting, i)*q.Prob(token) < p.Prob(token) {
		return token, true, nil
	}
	u, total := r.random(replacing, i), 0.0
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

// random returns the number for token i of the round.
func (r *round) random(substream uint64, i int) float64 {
	f := Uniform
	if r.uniform != nil {
		f = r.uniform
	}
	return f(r.s.Seed, r.s.Stream+substream, r.s.Step+uint64(i))
}

// keep makes the models hold the text up to tokens[i], which itself is now pending.
func (r *round) keep(i int) {
	r.pending = append([]int(nil), r.tokens[i])
	r.truncate(r.Target, r.target0+i)
	if len(r.proposed) > 0 && i == len(r.proposed) { // the draft has not been given its last proposal
		r.owed = append(r.owed, r.tokens[i-1])
	} else if len(r.proposed) > 0 {
		r.truncate(r.Draft, r.draft0+i)
	}
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
