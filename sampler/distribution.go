package sampler

import (
	"iter"
	"math"
	"slices"

	"github.com/pkg/errors"
)

// A Distribution says how probable each token is to come next. Reset makes it the softmax of a row of
// logits; its other methods that return an error alone then reshape it, in any order, each renormalising over
// the tokens it keeps. These are the steps that a [Sampler] runs; call them one by one to look at what they do
// or to run them in another order.
//
// Tokens rank by their logits, the larger first, and by their ids, the lower first, where logits are equal.
// Changed logits, weights and sums are float64. A masked token stays out whatever a step does, but for
// [Distribution.Force]. No step leaves nothing: filters keep at least one token, and a mask that would drop
// the last one is an error, after which the distribution is empty.
//
// The zero value is empty: until Reset has succeeded every method that returns an error does, and the others
// find no tokens. A Distribution keeps its memory from row to row. It must not be copied, nor used by several
// goroutines at once.
type Distribution struct {
	vocab int
	best  int     // the first token of the ranking
	top   float64 // its logit
	temp  float64 // the product of the temperatures so far

	// While every token is kept, row holds the logits. Afterwards row is nil, and ids and logits list the tokens
	// kept in ascending order.
	row    []float32
	ids    []int32
	logits []float64

	// Once weighed, weights are exp((logit-top)/temp) of the tokens of row or of the list, sums are those of
	// their blocks and total is the sum of these.
	weighed bool
	weights []float64
	sums    []float64
	total   float64

	own     []float32 // a copy of the row
	private bool      // whether it is row
	edits   []edit    // logits of row that steps have changed
	slots   []int32   // by token: 1 + its place in edits, or 0
	sorted  bool      // whether edits are in order of tokens

	// Of the sets that settle is still to come for: whether best and top have to be found again, whether a logit
	// of the list has become -Inf, and whether one is no number any more.
	stale, holes, overflow bool

	cands  []cand
	hist   []float64
	floats []float32
	near   []float64
	likely float64 // see guess
	floor  float64 // of the list that TopP has made of row: what listFrom returned, +Inf if not known
	counts []int32 // by token, all 0 between steps
	spare  []int32
}

// Reset makes d the softmax of logits, which it copies. A logit of -Inf masks its token. If logits define no
// distribution Reset returns a [LogitsError] and leaves d empty.
func (d *Distribution) Reset(logits []float32) error {
	d.own = append(d.own[:0], logits...)
	err := d.reset(d.own)
	d.private = true
	return err
}

// reset is Reset without the copy: row must not change until a step drops a token or d is read.
func (d *Distribution) reset(row []float32) error {
	if err := begin(d, row); err != nil {
		return err
	}
	d.row = row
	return nil
}

// reset64 is reset for a row of float64.
func (d *Distribution) reset64(row []float64) error {
	if err := begin(d, row); err != nil {
		return err
	}
	for i, x := range row {
		if x > math.Inf(-1) {
			d.keep(i, x)
		}
	}
	return nil
}

func begin[F float32 | float64](d *Distribution, row []F) error {
	d.vocab, d.row, d.weighed, d.private = 0, nil, false, false
	d.stale, d.holes, d.overflow = false, false, false
	d.ids, d.logits = d.ids[:0], d.logits[:0]
	d.forgetEdits()
	if len(row) > math.MaxInt32 {
		return errors.Errorf("sampler: %d logits, want at most %d", len(row), math.MaxInt32)
	}
	best, err := Argmax(row)
	if err != nil {
		return err
	}
	d.vocab, d.best, d.top, d.temp = len(row), best, float64(row[best]), 1
	return nil
}

func (d *Distribution) keep(token int, logit float64) {
	d.ids = append(d.ids, int32(token))
	d.logits = append(d.logits, logit)
}

func (d *Distribution) ready() error {
	if d.vocab == 0 {
		return errors.New("sampler: the distribution is empty: Reset has not succeeded")
	}
	return nil
}

// scale returns what a difference of logits is multiplied by. Its bound keeps 0·scale at 0.
func (d *Distribution) scale() float64 {
	return min(1/d.temp, math.MaxFloat64)
}

// weigh computes weights, sums and total.
func (d *Distribution) weigh() {
	if d.weighed {
		return
	}
	n := d.size()
	d.weights = slices.Grow(d.weights[:0], n)[:n]
	d.sums, d.total = d.sums[:0], 0
	d.sortEdits()
	for lo := 0; lo < n; lo += block {
		d.addSum(d.weighBlock(d.weights[lo:min(lo+block, n)], lo))
	}
	d.weighed = true
}

// sumUp computes sums and total as weigh does, and keeps no weights.
func (d *Distribution) sumUp() {
	n := d.size()
	var w [block]float64
	d.sums, d.total = d.sums[:0], 0
	d.sortEdits()
	for lo := 0; lo < n; lo += block {
		d.addSum(d.weighBlock(w[:min(block, n-lo)], lo))
	}
}

// weighBlock stores in w the weights of the tokens of row, or of the list, from lo on and returns their sum.
func (d *Distribution) weighBlock(w []float64, lo int) float64 {
	hi := lo + len(w)
	if d.row == nil {
		return exps(w, d.logits[lo:hi], d.top, d.scale())
	}
	s := exps(w, d.row[lo:hi], d.top, d.scale())
	if len(d.edits) == 0 {
		return s
	}
	i, _ := slices.BinarySearchFunc(d.edits, lo, func(e edit, id int) int { return int(e.id) - id })
	if i == len(d.edits) || int(d.edits[i].id) >= hi {
		return s
	}
	for ; i < len(d.edits) && int(d.edits[i].id) < hi; i++ {
		exact := [1]float64{d.edits[i].logit}
		exps(w[int(d.edits[i].id)-lo:], exact[:], d.top, d.scale())
	}
	return sum(w)
}

func (d *Distribution) addSum(s float64) {
	d.sums = append(d.sums, s)
	d.total += s
}

// addUp computes sums and total from weights.
func (d *Distribution) addUp() {
	d.sums, d.total = d.sums[:0], 0
	for w := range slices.Chunk(d.weights, block) {
		d.addSum(sum(w))
	}
	d.weighed = true
}

// Len returns the number of tokens kept. It counts those whose probability is too small for a float64, but
// not those that a logit of -Inf masks.
func (d *Distribution) Len() int {
	if d.row == nil {
		return len(d.ids)
	}
	n := 0
	for _, x := range d.row {
		if x > float32(math.Inf(-1)) {
			n++
		}
	}
	return n
}

// Vocab returns the size of the vocabulary, 0 if Reset has not succeeded.
func (d *Distribution) Vocab() int { return d.vocab }

// All ranges over the tokens kept and their probabilities, in ascending order of tokens. d must not change
// meanwhile.
func (d *Distribution) All() iter.Seq2[int, float64] {
	return func(yield func(int, float64) bool) {
		d.weigh()
		if d.row == nil {
			for i, id := range d.ids {
				if !yield(int(id), d.weights[i]/d.total) {
					return
				}
			}
			return
		}
		for i, x := range d.row {
			if x > float32(math.Inf(-1)) && !yield(i, d.weights[i]/d.total) {
				return
			}
		}
	}
}

// Prob returns the probability of a token: 0 for one that is masked, dropped or outside the vocabulary.
func (d *Distribution) Prob(token int) float64 {
	if token < 0 || token >= d.vocab {
		return 0
	}
	d.weigh()
	if d.row != nil {
		return d.weights[token] / d.total
	}
	i, ok := slices.BinarySearch(d.ids, int32(token))
	if !ok {
		return 0
	}
	return d.weights[i] / d.total
}

// Probs returns the probability of every token of the vocabulary, stored in dst if it has room for them.
func (d *Distribution) Probs(dst []float64) []float64 {
	dst = slices.Grow(dst[:0], d.vocab)[:d.vocab]
	d.weigh()
	if d.row != nil {
		for i, w := range d.weights {
			dst[i] = w / d.total
		}
		return dst
	}
	clear(dst)
	for i, id := range d.ids {
		dst[id] = d.weights[i] / d.total
	}
	return dst
}

// Draw returns the token at u, 0 <= u < 1, on the line from 0 to 1 on which the tokens kept lie side by side
// in ascending order, each as long as its probability: the first token at which the probabilities so far sum
// to more than u. With u uniform it draws from the distribution. No u draws a token of probability 0.
func (d *Distribution) Draw(u float64) (int, error) {
	if err := checkUniform(u); err != nil {
		return -1, err
	}
	if err := d.ready(); err != nil {
		return -1, err
	}
	return d.draw(u), nil
}

func (d *Distribution) draw(u float64) int {
	d.weigh()
	return d.find(u)
}

// drawOnce is draw of a distribution that is not looked at again, which needs no weights but those around the token.
func (d *Distribution) drawOnce(u float64) int {
	if d.weighed {
		return d.find(u)
	}
	if n := d.size(); n <= block {
		var w [block]float64
		i := walk(w[:n], float64(u*d.weighBlock(w[:n], 0)))
		if d.row != nil {
			return i
		}
		return int(d.ids[i])
	}
	if token, ok := d.drawRough(u); ok {
		return token
	}
	d.sumUp()
	return d.find(u)
}

// size returns the number of tokens of row or of the list.
func (d *Distribution) size() int {
	if d.row != nil {
		return d.vocab
	}
	return len(d.ids)
}

// locate returns the first block at which sums add up to more than target, and what those before it do.
func (d *Distribution) locate(target float64) (at int, before float64) {
	acc := 0.0
	for i, s := range d.sums {
		at, before = i, acc
		if acc += s; acc > target {
			break
		}
	}
	return at, before
}

// find returns the token at u, given sums and total.
func (d *Distribution) find(u float64) int {
	// Find the block first. Adding up as total was, it ends above the target.
	target := float64(u * d.total) // never fused with the subtraction below
	at, before := d.locate(target)
	n := d.size()
	lo := at * block
	hi := min(lo+block, n)
	var w [block]float64
	weights := w[:hi-lo]
	if d.weighed {
		weights = d.weights[lo:hi]
	} else {
		d.weighBlock(weights, lo)
	}
	i := lo + walk(weights, target-before)
	if d.row != nil {
		return i
	}
	return int(d.ids[i])
}
