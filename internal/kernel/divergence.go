package kernel

import "math"

// A Measure says how two distributions are compared.
type Measure int

const (
	ForwardKL     Measure = iota // Σ p·log(p/q)
	ReverseKL                    // Σ q·log(q/p)
	JensenShannon                // β·Σ p·log(p/m) + (1-β)·Σ q·log(q/m) with m = β·p + (1-β)·q
)

// Divergence is the loss of a row of a student's logits against a teacher's, times Temperature²: p is the softmax of the
// teacher's logits divided by Temperature, and q that of the student's. Terms with a factor of 0 are 0.
type Divergence[F Float] struct {
	Measure     Measure
	Beta        float64
	Temperature float64
}

// pair is two rows of logits divided by the temperature, and the probabilities and logarithms that come of them.
type pair[F Float] struct {
	q, p           []F // of the student and the teacher
	s, t           []F // logits
	ms, mt         F   // the largest of them
	zs, zt         float64
	logits, chance *[]F
}

// pair prepares rows of a student and a teacher.
func (d *Divergence[F]) pair(s, t []F) (r pair[F]) {
	n := len(s)
	r.chance = getScratch[F](2 * n)
	r.q, r.p = (*r.chance)[:n], (*r.chance)[n:2*n]
	r.s, r.t = s, t
	if d.Temperature != 1 {
		r.logits = getScratch[F](2 * n)
		r.s, r.t = (*r.logits)[:n], (*r.logits)[n:2*n]
		divide(r.s, s, F(d.Temperature))
		divide(r.t, t, F(d.Temperature))
	}
	var qs, ps float64
	r.ms, qs = peakSum(r.s)
	r.mt, ps = peakSum(r.t)
	r.zs, r.zt = math.Log(qs), math.Log(ps)
	expScaled(r.q, r.s, r.ms, F(1/qs))
	expScaled(r.p, r.t, r.mt, F(1/ps))
	return r
}

// divide computes dst[i] = x[i] / c.
func divide[F Float](dst, x []F, c F) {
	for i, v := range x {
		dst[i] = v / c
	}
}

func (r *pair[F]) release() {
	putScratch(r.chance)
	if r.logits != nil {
		putScratch(r.logits)
	}
}

// logs returns the logarithms of q and p of a class.
func (r *pair[F]) logs(i int) (logQ, logP float64) {
	return float64(r.s[i]-r.ms) - r.zs, float64(r.t[i]-r.mt) - r.zt
}

// undefined reports whether a row has no distribution.
func (r *pair[F]) undefined() bool {
	q, p := r.q[0], r.p[0] // all are NaN, or none is
	return q != q || p != p
}

// Loss returns the divergence of a student's logits s from a teacher's t.
func (d *Divergence[F]) Loss(s, t []F) float64 {
	r := d.pair(s, t)
	defer r.release()
	if r.undefined() {
		return math.NaN()
	}
	return d.loss(&r) * d.Temperature * d.Temperature
}

func (d *Divergence[F]) loss(r *pair[F]) (loss float64) {
	for i := range r.p {
		p, q := float64(r.p[i]), float64(r.q[i])
		if p == 0 && q == 0 {
			continue
		}
		logQ, logP := r.logs(i)
		switch d.Measure {
		case ForwardKL:
			if p != 0 {
				loss += p * (logP - logQ)
			}
		case ReverseKL:
			if q != 0 {
				loss += q * (logQ - logP)
			}
		default:
			ofQ, ofP := d.toMixture(logQ, logP)
			if p != 0 {
				loss += d.Beta * p * ofP
			}
			if q != 0 {
				loss += (1 - d.Beta) * q * ofQ
			}
		}
	}
	return loss
}

// toMixture returns log(q/m) and log(p/m) for m = β·p + (1-β)·q. It keeps the digits of logarithms near 0, and takes no
// exponential that overflows.
func (d *Divergence[F]) toMixture(logQ, logP float64) (ofQ, ofP float64) {
	if diff := logP - logQ; diff <= 0 {
		ofQ = -log1p(d.Beta * expm1(diff))
		return ofQ, ofQ + diff
	} else {
		ofP = -log1p((1 - d.Beta) * expm1(-diff))
		return ofP - diff, ofP
	}
}

// Gradient computes g times the gradient of Loss for the student. ds may be s.
func (d *Divergence[F]) Gradient(ds, s, t []F, g float64) {
	r := d.pair(s, t)
	defer r.release()
	g *= d.Temperature
	if d.Measure == ForwardKL {
		for i, q := range r.q {
			ds[i] = F(g * (float64(q) - float64(r.p[i])))
		}
		return
	}
	// The gradient for the logit of class c is q·(a - Σ q·a), a being the derivative of the divergence for q of c but for
	// a constant.
	var mean float64
	buf := getScratch[float64](len(ds))
	defer putScratch(buf)
	slopes := *buf
	for i, q := range r.q {
		if q == 0 {
			continue
		}
		slopes[i] = d.slope(&r, i)
		mean += float64(q) * slopes[i]
	}
	for i, q := range r.q {
		if q == 0 {
			ds[i] = 0
			continue
		}
		ds[i] = F(g * float64(q) * (slopes[i] - mean))
	}
}

func (d *Divergence[F]) slope(r *pair[F], i int) float64 {
	logQ, logP := r.logs(i)
	if d.Measure == ReverseKL {
		return logQ - logP
	}
	ofQ, _ := d.toMixture(logQ, logP)
	return (1 - d.Beta) * ofQ
}
