package sampler

import (
	"math"
	"slices"

	"github.com/pkg/errors"
)

// Bias adds bias to the logit of a token as it is after the temperatures so far. -Inf drops the token; one that
// is masked or dropped stays so. NaN, +Inf, a token outside of the vocabulary, and dropping the last token are
// errors.
func (d *Distribution) Bias(token int, bias float64) error {
	if err := checkBias(bias); err != nil {
		return err
	}
	if err := d.has(token); err != nil {
		return err
	}
	d.bias(token, bias)
	return d.settle("bias")
}

func (d *Distribution) bias(token int, bias float64) {
	if x, ok := d.logit(token); ok && bias != 0 {
		d.set(token, x+float64(bias*d.temp))
	}
}

// Suppress drops tokens. Dropping the last one is an error, as is a token outside of the vocabulary.
func (d *Distribution) Suppress(tokens ...int) error {
	if err := d.has(tokens...); err != nil {
		return err
	}
	for _, t := range tokens {
		d.bias(t, math.Inf(-1))
	}
	return d.settle("suppressing tokens")
}

// Allow keeps only what is among tokens, in any order. It is an error if that leaves nothing, or if one of them
// is outside of the vocabulary.
func (d *Distribution) Allow(tokens ...int) error {
	if err := d.has(tokens...); err != nil {
		return err
	}
	d.spare = d.spare[:0]
	for _, t := range tokens {
		d.spare = append(d.spare, int32(t))
	}
	if !slices.IsSorted(d.spare) {
		slices.Sort(d.spare)
	}
	n := 0
	for i, t := range d.spare {
		if i == 0 || t != d.spare[i-1] {
			if _, ok := d.logit(int(t)); ok {
				d.spare[n] = t
				n++
			}
		}
	}
	d.spare = d.spare[:n]
	if d.row != nil {
		d.ids = append(d.ids[:0], d.spare...)
		d.listLogits()
	} else {
		n := 0
		for _, t := range d.spare {
			i, _ := slices.BinarySearch(d.ids, t)
			d.logits[n] = d.logits[i] // both ascend, so i is at least n
			n++
		}
		d.ids, d.logits = append(d.ids[:0], d.spare...), d.logits[:n]
	}
	d.weighed = false
	d.findBest()
	return d.some("allowing tokens")
}

// Force makes a token certain, also one that is masked or dropped. A token outside of the vocabulary is an error.
func (d *Distribution) Force(token int) error {
	if err := d.has(token); err != nil {
		return err
	}
	x, ok := d.logit(token)
	if !ok {
		x = 0
	}
	d.row, d.ids, d.logits, d.weighed = nil, d.ids[:0], d.logits[:0], false
	d.keep(token, x)
	d.best, d.top = token, x
	return nil
}

// has is an error if d is empty or a token is not one of the vocabulary.
func (d *Distribution) has(tokens ...int) error {
	if err := d.ready(); err != nil {
		return err
	}
	for _, t := range tokens {
		if t < 0 || t >= d.vocab {
			return errors.Errorf("sampler: token %d is not in [0, %d)", t, d.vocab)
		}
	}
	return nil
}

func checkBias(bias float64) error {
	if !(bias <= math.MaxFloat64) {
		return errors.Errorf("sampler: bias is %v, want a finite number or -Inf", bias)
	}
	return nil
}
