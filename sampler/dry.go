package sampler

import (
	"math"
	"slices"

	"github.com/pkg/errors"
)

// DRY, for don't repeat yourself, penalises the tokens that would continue a repetition: where the last n
// tokens of the text, n >= AllowedLength, occur before in it, the token that followed them there loses
// Multiplier·Base^(n-AllowedLength) from its logit. The longest n counts. (Weidmann, "DRY: a modern repetition
// penalty that reliably prevents looping", 2024, as in llama.cpp.)
//
// A repetition does not reach back over a breaker: where the text holds one of the sequences of tokens
// Breakers, only what follows the last of them can repeat; of several that begin at the same token the longest
// counts. A token that is a breaker by itself is never penalised. llama.cpp takes strings, and finds their
// tokens in its vocabulary; here they are tokens.
//
// As a [Step] it looks at the tokens of Scope. It does nothing while there are no more than AllowedLength.
type DRY struct {
	Multiplier    float64 // 0 switches the step off; it must not be negative
	Base          float64 // at least 1; 0 is 1.75
	AllowedLength int     // at least 1; 0 is 2
	Breakers      [][]int
	Scope         Scope
}

// maxLog bounds the exponent, in units of log Base, so that the power stays within float32, as in llama.cpp.
const maxLog = 88.7228391

// Apply penalises the tokens that would continue a repetition in h.
func (o DRY) Apply(d *Distribution, h *History) error {
	text, err := h.In(o.Scope)
	if err != nil {
		return err
	}
	return d.DRY(text, o)
}

func (o *DRY) check() error {
	if !(o.Multiplier >= 0 && o.Multiplier <= math.MaxFloat32) {
		return errors.Errorf("sampler: the multiplier of dry is %v, want 0 to %v", o.Multiplier, math.MaxFloat32)
	}
	if !(o.Base >= 1 && o.Base <= math.MaxFloat32) {
		return errors.Errorf("sampler: the base of dry is %v, want 1 to %v", o.Base, math.MaxFloat32)
	}
	if o.AllowedLength < 1 {
		return errors.Errorf("sampler: the allowed length of dry is %d, want at least 1", o.AllowedLength)
	}
	for i, b := range o.Breakers {
		if len(b) == 0 {
			return errors.Errorf("sampler: breaker %d of dry is empty", i)
		}
	}
	return nil
}

// DRY penalises the tokens that would continue a repetition in text; o.Scope does not matter. See the type DRY.
func (d *Distribution) DRY(text []int, o DRY) error {
	if o.Base == 0 {
		o.Base = 1.75
	}
	if o.AllowedLength == 0 {
		o.AllowedLength = 2
	}
	if err := o.check(); err != nil {
		return err
	}
	if err := d.has(text...); err != nil {
		return err
	}
	limit := o.sinceBreaker(text) // which is at most the length of text
	if o.Multiplier == 0 || limit < o.AllowedLength {
		return nil
	}

	// For each end but the last, how many tokens before it are also the last of text: the Z-function, reversed.
	n := len(text)
	d.spare = slices.Grow(d.spare[:0], n)[:n]
	z := d.spare
	left, right := 0, 0
	d.tally()
	for k := 1; k < n; k++ {
		m := 0
		if k < right {
			m = min(right-k, int(z[k-left]))
		}
		for k+m < n && text[n-1-m] == text[n-1-k-m] {
			m++
		}
		if k+m > right {
			left, right = k, k+m
		}
		z[k] = int32(m)
		if next := text[n-k]; min(m, limit) >= o.AllowedLength {
			d.counts[next] = max(d.counts[next], int32(min(m, limit)))
		}
	}

	most := math.MaxInt
	if o.Base > 1.000001 {
		most = int(maxLog / math.Log(o.Base))
	}
	for _, t := range text {
		repeat := int(d.counts[t])
		if d.counts[t] = 0; repeat == 0 || o.breaks(t) {
			continue
		}
		exponent := min(repeat-o.AllowedLength, most)
		if x, ok := d.logit(t); ok {
			penalty := float64(o.Multiplier * math.Pow(o.Base, float64(exponent)))
			d.set(t, max(x-float64(penalty*d.temp), -math.MaxFloat64))
		}
	}
	return d.settle("dry")
}

// sinceBreaker returns how many tokens of text follow its last breaker.
func (o *DRY) sinceBreaker(text []int) int {
	for i := range slices.Backward(text) {
		longest := 0
		for _, b := range o.Breakers {
			if len(b) > longest && len(b) <= len(text)-i && slices.Equal(text[i:i+len(b)], b) {
				longest = len(b)
			}
		}
		if longest > 0 {
			return len(text) - i - longest
		}
	}
	return len(text)
}

// breaks reports whether a token is a breaker by itself.
func (o *DRY) breaks(token int) bool {
	for _, b := range o.Breakers {
		if len(b) == 1 && b[0] == token {
			return true
		}
	}
	return false
}
