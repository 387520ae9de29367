package sampler_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/logits-go/logits/internal/oracle"
	"github.com/logits-go/logits/sampler"
)

var inf = math.Inf(1)

func TestSoftmaxValues(t *testing.T) {
	for _, c := range []struct {
		logits, want []float64
		lse          float64
	}{
		{
			[]float64{2.3, -1.5, 0.8, 4.1, -0.2},
			[]float64{0.1355521706, 0.0030324067, 0.0302457775, 0.8200428454, 0.0111267997}, 4.298398689607115,
		},
		{
			[]float64{1.2, 3.5, 0.8, -0.5, 2.1},
			[]float64{0.0699947336, 0.6981402441, 0.0469188731, 0.0127868846, 0.1721592646}, 3.85933527362663,
		},
		{[]float64{2.0, 1.0, 0.1}, []float64{0.6590011389, 0.2424329707, 0.0985658904}, 2.4170300162778338},
	} {
		got, err := sampler.Softmax(nil, c.logits)
		if err != nil {
			t.Fatal(err)
		}
		oracle.Check(t, "softmax", got, c.want, 1e-10)
		logs, err := sampler.LogSoftmax(nil, c.logits)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range c.logits {
			lp, err := sampler.LogProb(c.logits, i)
			if want := x - c.lse; err != nil || math.Abs(lp-want) > 1e-14 || logs[i] != lp {
				t.Errorf("LogProb(%v, %d) = %v, %v, LogSoftmax has %v, want %v", c.logits, i, lp, err, logs[i], want)
			}
		}
	}
}

func TestSoftmaxExtremes(t *testing.T) {
	for _, c := range []struct{ logits, probs, logs []float64 }{
		{[]float64{1e4, 0, -inf}, []float64{1, 0, 0}, []float64{0, -1e4, -inf}},
		{[]float64{-1e4, -1e4}, []float64{0.5, 0.5}, []float64{-math.Ln2, -math.Ln2}},
		{[]float64{1e308, -1e308}, []float64{1, 0}, []float64{0, -inf}},
		{
			[]float64{1e15, 1e15 + 2},
			[]float64{0.11920292202211755, 0.8807970779778825}, []float64{-2.1269280110429727, -0.1269280110429726},
		},
	} {
		// In place, so that aliasing is tested too.
		got, err := sampler.Softmax(append([]float64(nil), c.logits...), c.logits)
		if err != nil {
			t.Fatal(err)
		}
		oracle.Check(t, "softmax", got, c.probs, 1e-15)
		same := append([]float64(nil), c.logits...)
		if got, err = sampler.LogSoftmax(same, same); err != nil {
			t.Fatal(err)
		}
		oracle.Check(t, "log-softmax", got, c.logs, 1e-15)
	}
}

func TestArgmax(t *testing.T) {
	for _, c := range []struct {
		logits []float32
		want   int
	}{
		{[]float32{7}, 0},
		{[]float32{1, 3, 2, 3}, 1},
		{[]float32{float32(-inf), -5, float32(-inf), -5, -6}, 1},
		{[]float32{0, 0, 0, 0, 0, 0, 1e-45}, 6},
		{[]float32{-math.MaxFloat32, math.MaxFloat32}, 1},
	} {
		if got, err := sampler.Argmax(c.logits); err != nil || got != c.want {
			t.Errorf("Argmax(%v) = %d, %v, want %d", c.logits, got, err, c.want)
		}
	}
}

func TestSoftmaxErrors(t *testing.T) {
	for _, logits := range [][]float64{nil, {1, math.NaN()}, {inf}, {-inf, -inf}} {
		_, errSoftmax := sampler.Softmax(nil, logits)
		_, errLog := sampler.LogSoftmax(nil, logits)
		_, errProb := sampler.LogProb(logits, 0)
		token, errArgmax := sampler.Argmax(logits)
		for i, err := range []error{errSoftmax, errLog, errProb, errArgmax} {
			var bad *sampler.LogitsError
			if !errors.As(err, &bad) || bad.Vocab != len(logits) || token != -1 {
				t.Errorf("function %d of %v fails with %v, want a LogitsError", i, logits, err)
			}
		}
	}
	for _, token := range []int{-1, 2} {
		if _, err := sampler.LogProb([]float32{1, 2}, token); err == nil {
			t.Errorf("LogProb of token %d of 2 succeeds", token)
		}
	}
}

func TestMultinomial(t *testing.T) {
	const last = 1 - 0x1p-53
	for _, c := range []struct {
		name    string
		weights []float64
		u       float64
		want    int
		err     string
	}{
		{"first", []float64{0, 2, 0, 2, 0}, 0, 1, ""},
		{"below the middle", []float64{0, 2, 0, 2, 0}, 0.5 - 0x1p-54, 1, ""},
		{"middle", []float64{0, 2, 0, 2, 0}, 0.5, 3, ""},
		{"last", []float64{0, 2, 0, 2, 0}, last, 3, ""},
		{"rounding", []float64{0.1, 0.2, 0.3, 0.4, 0}, last, 3, ""},
		{"subnormal", []float64{5e-324, 0}, 0.9, 0, ""},
		{"u is 1", []float64{1}, 1, -1, "u = 1"},
		{"u is NaN", []float64{1}, math.NaN(), -1, "u = NaN"},
		{"negative", []float64{1, -1}, 0, -1, "weight 1 is -1"},
		{"NaN", []float64{math.NaN()}, 0, -1, "weight 0 is NaN"},
		{"infinite", []float64{inf}, 0, -1, "weight 0 is +Inf"},
		{"zero", []float64{0, 0}, 0, -1, "2 weights sum to 0"},
		{"none", nil, 0, -1, "0 weights sum to 0"},
		{"overflow", []float64{1e308, 1e308}, 0, -1, "sum to +Inf"},
	} {
		got, err := sampler.Multinomial(c.weights, c.u)
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: Multinomial(%v, %v) = %d, %v, want %d, %q", c.name, c.weights, c.u, got, err, c.want, c.err)
		}
	}
}
