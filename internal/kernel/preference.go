package kernel

import "math"

// Preference is a loss of the margin h by which a policy favours one of two answers more than a reference does:
//
//	-(1-s)·log sigmoid(β·h) - s·log sigmoid(-β·h), or (h - 1/(2β))² if Squared is set
type Preference struct {
	Beta, Smoothing float64
	Squared         bool
}

// Loss returns the loss of a margin, and its derivative.
func (p Preference) Loss(h float64) (loss, slope float64) {
	if p.Squared {
		d := h - 1/(2*p.Beta)
		return d * d, 2 * d
	}
	right, wrong := costs(p.Beta * h)
	yes, no := chances(p.Beta * h)
	return (1-p.Smoothing)*right + p.Smoothing*wrong, p.Beta * (p.Smoothing*yes - (1-p.Smoothing)*no)
}

// Ratio is the clipped loss of PPO of a token,
//
//	-min(r·A, clip(r, 1-Low, 1+High)·A) + KL·(e**d - d - 1)   with r = e**(now - old), d = reference - now
//
// for its log-probabilities and advantage A.
type Ratio struct{ Low, High, KL float64 }

// Loss returns the loss of a token, and its derivative for now.
func (p Ratio) Loss(now, old, reference, advantage float64) (loss, slope float64) {
	r := math.Exp(now - old)
	switch {
	case advantage > 0 && r > 1+p.High:
		loss = -(1 + p.High) * advantage
	case advantage < 0 && r < 1-p.Low:
		loss = -(1 - p.Low) * advantage
	case advantage != 0: // 0 times a ratio that overflows would be NaN
		loss, slope = -r*advantage, -r*advantage
	}
	if p.KL != 0 {
		d := reference - now
		e := math.Expm1(d)
		loss += p.KL * (e - d)
		slope -= p.KL * e
	}
	return loss, slope
}
