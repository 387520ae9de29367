package sampler

// A cand is a token on its way through a selection.
type cand struct {
	logit  float64
	weight float64
	id     int32
}

// before reports whether a ranks before b.
func (a *cand) before(b *cand) bool {
	return a.logit > b.logit || a.logit == b.logit && a.id < b.id
}

// crossing returns the first candidate of the ranking at which weights sum to at least need, which must be
// positive, or the last one if they never do. It reorders c, which must not be empty. It is quickselect by
// weight: with weights of 1 it finds the need-th candidate.
func crossing(c []cand, need float64) cand {
	last, _ := crossingAt(c, need)
	return last
}

// crossingAt is crossing that also returns how much of need is left after the candidates that rank before the one it returns.
func crossingAt(c []cand, need float64) (last cand, left float64) {
	for len(c) > 8 {
		p := partition(c)
		pivot := c[p]
		head := 0.0
		for i := range c[:p] {
			head += c[i].weight
		}
		if head >= need {
			c = c[:p]
			continue
		}
		need -= head
		if pivot.weight >= need {
			return pivot, need
		}
		need -= pivot.weight
		c = c[p+1:]
	}
	for i := range c {
		for j := i; j > 0 && c[j].before(&c[j-1]); j-- {
			c[j], c[j-1] = c[j-1], c[j]
		}
	}
	for i := range c[:len(c)-1] {
		if need <= c[i].weight {
			return c[i], need
		}
		need -= c[i].weight
	}
	return c[len(c)-1], need
}

// partition puts a pivot in its place p, what ranks before it in c[:p] and the rest, of which there is some,
// in c[p+1:].
func partition(c []cand) int {
	last := len(c) - 1
	mid := last / 2
	if c[mid].before(&c[0]) {
		c[mid], c[0] = c[0], c[mid]
	}
	if c[last].before(&c[0]) {
		c[last], c[0] = c[0], c[last]
	}
	if c[mid].before(&c[last]) {
		c[mid], c[last] = c[last], c[mid]
	}
	// The median of the three is now last.
	pivot := c[last]
	p := 0
	for i := range c[:last] {
		if c[i].before(&pivot) {
			c[i], c[p] = c[p], c[i]
			p++
		}
	}
	c[p], c[last] = c[last], c[p]
	return p
}
