package sampler

import (
	"context"
	"slices"

	"github.com/pkg/errors"
)

// A search is the state of a beam search.
type search[M Forker[M]] struct {
	Beam
	n, width int
	groups   []group[M]
	users    int         // of the model that holds the prompt
	times    map[int]int // how often groups have chosen a token in this step
	cands    []candidate
	spare    [][]float64
}

// A group is beams that compete with each other.
type group[M Forker[M]] struct {
	beams []beam[M] // the most probable first
	found []Hypothesis
	done  bool
}

// A beam is a text that is not complete.
type beam[M Forker[M]] struct {
	model   M
	tokens  []int
	logProb float64
	next    []float64 // log-probabilities of the token that follows
}

// A candidate is a beam and a token after it.
type candidate struct {
	beam, token int
	logProb     float64
	rank        float64 // logProb less what the token costs for not being diverse
}

func betterCandidate(a, b candidate) bool   { return a.rank > b.rank }
func betterHypothesis(a, b Hypothesis) bool { return a.Score > b.Score }

// insert puts x into a list of at most n, after those that are not worse.
func insert[T any](list []T, x T, n int, better func(a, b T) bool) []T {
	at := len(list)
	for at > 0 && better(x, list[at-1]) {
		at--
	}
	if at == n {
		return list
	}
	if len(list) == n {
		list = list[:n-1]
	}
	return slices.Insert(list, at, x)
}

// ask gives a beam tokens and stores what may follow.
func (s *search[M]) ask(ctx context.Context, b *beam[M], tokens []int) error {
	if err := alive(ctx); err != nil {
		return errors.WithStack(err)
	}
	logits, err := b.model.Next(ctx, tokens...)
	if err != nil {
		return err
	}
	if k := len(s.spare); k > 0 {
		b.next, s.spare = s.spare[k-1], s.spare[:k-1]
	}
	b.next, err = LogSoftmax(b.next, logits)
	return err
}

// step makes the beams of all groups, which have step-1 tokens, longer by one.
func (s *search[M]) step(ctx context.Context, step int) error {
	s.times = make(map[int]int)
	for i := range s.groups {
		g := &s.groups[i]
		if g.done {
			continue
		}
		chosen := s.choose(g, step)
		for _, c := range chosen {
			s.times[c.token]++
		}
		g.done = s.finished(g, chosen, step)
		if g.done {
			s.drop(g, step)
			continue
		}
		if err := s.advance(ctx, g, chosen, step); err != nil {
			return err
		}
	}
	return nil
}

// choose returns the candidates that become beams and adds those that are complete to the hypotheses of g.
func (s *search[M]) choose(g *group[M], step int) []candidate {
	s.rank(g)
	var chosen []candidate
	for i, c := range s.cands {
		stop := slices.Contains(s.Stop, c.token)
		switch {
		case stop && i < s.width:
			s.found(g, c, c.token, step)
		case !stop && len(chosen) < s.width:
			chosen = append(chosen, c)
		}
	}
	return chosen
}

// rank makes s.cands the first candidates of g: enough for a beam each, were all stop tokens to rank first.
func (s *search[M]) rank(g *group[M]) {
	limit := s.width + len(s.Stop)*len(g.beams)
	s.cands = s.cands[:0]
	for i := range g.beams {
		b := &g.beams[i]
		for token, x := range b.next {
			c := candidate{beam: i, token: token, logProb: b.logProb + x}
			c.rank = c.logProb
			if len(s.cands) == limit && !betterCandidate(c, s.cands[limit-1]) || masked(x) {
				continue
			}
			c.rank -= s.Diversity * float64(s.times[token]) // never a stop token, which is not chosen
			s.cands = insert(s.cands, c, limit, betterCandidate)
		}
	}
}

// found adds the text of a candidate, with its token unless that is a stop token.
func (s *search[M]) found(g *group[M], c candidate, stop, length int) {
	h := Hypothesis{Tokens: g.beams[c.beam].tokens, Stop: stop, LogProb: c.logProb, Score: s.score(c.logProb, length)}
	if stop < 0 {
		h.Tokens = append(slices.Clip(h.Tokens), c.token)
	}
	g.found = insert(g.found, h, s.width, betterHypothesis)
}

// finished reports whether a group, of which the candidates given go on, need not.
func (s *search[M]) finished(g *group[M], chosen []candidate, step int) bool {
	if step == s.n {
		for _, c := range chosen {
			s.found(g, c, -1, step)
		}
		return true
	}
	if len(chosen) == 0 {
		return true
	}
	if len(g.found) < s.width {
		return false
	}
	best := chosen[0].logProb
	for _, c := range chosen {
		best = max(best, c.logProb)
	}
	return s.EarlyStop == StopFull || g.found[s.width-1].Score >= s.attainable(best, step, s.n)
}

// advance makes the candidates given the beams of g.
func (s *search[M]) advance(ctx context.Context, g *group[M], chosen []candidate, step int) error {
	children := make([]int, len(g.beams))
	for _, c := range chosen {
		children[c.beam]++
	}
	beams := make([]beam[M], len(chosen))
	for i, c := range chosen {
		parent := &g.beams[c.beam]
		beams[i] = beam[M]{model: parent.model, tokens: append(slices.Clip(parent.tokens), c.token), logProb: c.logProb}
		// The last child takes the model over, unless another group is yet to start from it.
		if children[c.beam]--; children[c.beam] > 0 || step == 1 && s.users > 1 {
			var err error
			if beams[i].model, err = parent.model.Fork(); err != nil {
				return errors.WithMessage(err, "fork")
			}
		}
	}
	s.drop(g, step)
	g.beams = beams
	for i := range beams {
		if err := s.ask(ctx, &beams[i], beams[i].tokens[step-1:]); err != nil {
			return err
		}
	}
	return nil
}

// drop ends the beams of a group and keeps their memory, unless it is that of the prompt and another group is yet to
// start from it.
func (s *search[M]) drop(g *group[M], step int) {
	if step == 1 {
		s.users--
	}
	if step > 1 || s.users == 0 {
		for i := range g.beams {
			s.spare = append(s.spare, g.beams[i].next)
		}
	}
	g.beams = nil
}
