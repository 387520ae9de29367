package sampler

import (
	"fmt"
	"math"

	"github.com/pkg/errors"
)

// A LogitsError reports a row of logits that defines no distribution: one that is empty, that holds NaN or
// +Inf, or whose every logit is -Inf. Use errors.As to tell such a row from a setting out of range.
type LogitsError struct {
	Token int     // the first offending token, or -1 if the row is empty or wholly masked
	Logit float64 // NaN or +Inf, the logit of Token; -Inf if Token is -1
	Vocab int     // the length of the row
}

// Error says what is wrong with the row.
func (e *LogitsError) Error() string {
	switch {
	case e.Vocab == 0:
		return "sampler: no logits"
	case e.Token < 0:
		return fmt.Sprintf("sampler: all %d logits are -Inf", e.Vocab)
	default:
		return fmt.Sprintf("sampler: logit %d is %v", e.Token, e.Logit)
	}
}

func badLogit(token int, logit float64, vocab int) error {
	return errors.WithStack(&LogitsError{Token: token, Logit: logit, Vocab: vocab})
}

func checkTemperature(t float64) error {
	if !(t >= 0) || math.IsInf(t, 1) {
		return errors.Errorf("sampler: temperature is %v, want a finite number of at least 0", t)
	}
	return nil
}

func checkTopK(k int) error {
	if k < 0 {
		return errors.Errorf("sampler: top-k is %d, want at least 0", k)
	}
	return nil
}

func checkTopP(p float64) error {
	if !(p >= 0 && p <= 1) {
		return errors.Errorf("sampler: top-p is %v, want 0 to 1", p)
	}
	return nil
}

func checkMinP(p float64) error {
	if !(p >= 0 && p <= 1) {
		return errors.Errorf("sampler: min-p is %v, want 0 to 1", p)
	}
	return nil
}

func checkUniform(u float64) error {
	if !(u >= 0 && u < 1) {
		return errors.Errorf("sampler: draw with u = %v, want 0 <= u < 1", u)
	}
	return nil
}
