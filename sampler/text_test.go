package sampler_test

import (
	"math"
	"testing"

	"github.com/logits-go/logits/sampler"
)

// logProbs returns the logits of probabilities.
func logProbs(probs ...float64) (logits []float32) {
	for _, p := range probs {
		logits = append(logits, float32(math.Log(p)))
	}
	return logits
}

// checkProbs fails the test if a step does not leave the probabilities wanted.
func checkProbs(t *testing.T, name string, logits []float32, step sampler.Step, h sampler.History, want []float64,
	tolerance float64) {
	t.Helper()
	d := reset(t, logits)
	if err := step.Apply(d, &h); err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	for i, p := range d.Probs(nil) {
		if math.Abs(p-want[i]) > tolerance {
			t.Errorf("%s: %T%+v leaves %.6f, want %.6f", name, step, step, d.Probs(nil), want)
			return
		}
	}
}

// The cases of llama.cpp's tests/test-sampling.cpp for steps that look at the text.
func TestPenaltiesOfLlamaCPP(t *testing.T) {
	five := logProbs(0.2, 0.2, 0.2, 0.2, 0.2)
	four := logProbs(0.25, 0.25, 0.25, 0.25)
	for _, c := range []struct {
		text                  []int
		repeat, freq, present float64
		want                  []float64
	}{
		{[]int{0}, 50, 0, 0, []float64{0, 0.25, 0.25, 0.25, 0.25}},
		{[]int{0, 1, 2}, 50, 0, 0, []float64{0, 0, 0, 0.5, 0.5}},
		{[]int{0, 1, 2, 0, 0}, 50, 0, 0, []float64{0, 0, 0, 0.5, 0.5}},
		{[]int{0}, 1, 5, 5, []float64{0.000011, 0.249997, 0.249997, 0.249997, 0.249997}},
		{[]int{0, 1, 2}, 1, 5, 5, []float64{0.000023, 0.000023, 0.000023, 0.499966, 0.499966}},
		{[]int{0, 1, 2, 0, 0}, 1, 5, 5, []float64{0, 0.000023, 0.000023, 0.499977, 0.499977}},
	} {
		p := sampler.LlamaCPP{TopP: 1, TypP: 1, Temp: 1, PenaltyLastN: len(c.text), PenaltyRepeat: c.repeat,
			PenaltyFreq: c.freq, PenaltyPresent: c.present}
		chain, err := p.Chain()
		if err != nil {
			t.Fatal(err)
		}
		checkProbs(t, "penalties", five, chain, sampler.NewHistory(c.text...), c.want, 1e-6)
	}
	for _, c := range []struct {
		logits           []float32
		text             []int
		multiplier, base float64
		allowed, lastN   int
		breakers         [][]int
		want             []float64
	}{
		{four, []int{0, 1}, 1, 1.1, 2, 4, nil, []float64{0.25, 0.25, 0.25, 0.25}},
		{four, []int{0, 1, 2, 0, 1}, 1, 1.1, 2, 5, nil, []float64{0.296923, 0.296923, 0.109232, 0.296923}},
		{five, []int{0, 1, 3, 4, 0, 1}, 1, 1.1, 2, 6, [][]int{{3}}, []float64{0.2, 0.2, 0.2, 0.2, 0.2}},
		{five, []int{0, 1, 2, 0, 1}, 2, 1.1, 2, 5, nil, []float64{0.241818, 0.241818, 0.032727, 0.241818, 0.241818}},
		{five, []int{0, 1, 2, 3, 4, 0, 1}, 1, 1.1, 4, 7, nil, []float64{0.2, 0.2, 0.2, 0.2, 0.2}},
	} {
		p := sampler.LlamaCPP{TopP: 1, TypP: 1, Temp: 1, DryMultiplier: c.multiplier, DryBase: c.base,
			DryAllowedLength: c.allowed,
			DryPenaltyLastN:  c.lastN, DrySequenceBreakers: c.breakers}
		chain, err := p.Chain()
		if err != nil {
			t.Fatal(err)
		}
		checkProbs(t, "dry", c.logits, chain, sampler.NewHistory(c.text...), c.want, 1e-5)
	}
}

// What of a text repeats, where it breaks, and how far back it is looked for.
func TestDRY(t *testing.T) {
	even := make([]float32, 6)
	for _, c := range []struct {
		name    string
		text    []int
		dry     sampler.DRY
		penalty map[int]float64
	}{
		{"the defaults", []int{1, 2, 3, 1, 2}, sampler.DRY{Multiplier: 0.8}, map[int]float64{3: 0.8}},
		{"one token more", []int{0, 1, 2, 3, 0, 1, 2}, sampler.DRY{Multiplier: 0.8}, map[int]float64{3: 0.8 * 1.75}},
		{"of two lengths the longer", []int{0, 1, 2, 3, 1, 2, 4, 0, 1, 2}, sampler.DRY{Multiplier: 1, Base: 2},
			map[int]float64{3: 2, 4: 1}},
		{"of two lengths of one token", []int{0, 1, 2, 3, 1, 2, 3, 0, 1, 2}, sampler.DRY{Multiplier: 1, Base: 2},
			map[int]float64{3: 2}},
		{"allowed length not reached", []int{1, 2, 3, 1, 2}, sampler.DRY{Multiplier: 1, AllowedLength: 3}, nil},
		{"allowed length of 1", []int{1, 2, 3, 1, 2}, sampler.DRY{Multiplier: 1, Base: 2, AllowedLength: 1},
			map[int]float64{3: 2}},
		{"text no longer than allowed", []int{4, 4}, sampler.DRY{Multiplier: 1}, nil},
		{"text of one token", []int{4, 4, 4}, sampler.DRY{Multiplier: 1}, map[int]float64{4: 1}},
		{"a base of 1", []int{0, 1, 2, 3, 0, 1, 2}, sampler.DRY{Multiplier: 3, Base: 1}, map[int]float64{3: 3}},
		{"the exponent is bounded", make([]int, 200), sampler.DRY{Multiplier: 1e-30, Base: 10}, map[int]float64{0: 1e8}},
		{"a breaker within", []int{1, 2, 5, 3, 1, 2}, sampler.DRY{Multiplier: 1, Breakers: [][]int{{5}}}, nil}, // 5 follows
		{"a breaker before", []int{5, 1, 2, 3, 5, 1, 2}, sampler.DRY{Multiplier: 1, Base: 2,
			Breakers: [][]int{{5}}}, map[int]float64{3: 1}},
		{"a breaker too near", []int{1, 2, 3, 1, 5, 2}, sampler.DRY{Multiplier: 1, Breakers: [][]int{{5}}}, nil},
		{"a breaker at the end", []int{1, 2, 5, 3, 1, 2, 5}, sampler.DRY{Multiplier: 1, Breakers: [][]int{{5}}}, nil},
		{"a breaker of two", []int{4, 5, 1, 2, 3, 4, 5, 1, 2}, sampler.DRY{Multiplier: 1, Base: 2,
			Breakers: [][]int{{4, 5}}}, map[int]float64{3: 1}},
		{"half a breaker", []int{5, 1, 2, 3, 5, 1, 2}, sampler.DRY{Multiplier: 1, Base: 2, Breakers: [][]int{{4,
			5}}}, map[int]float64{3: 2}},
		{"the longer of two breakers", []int{4, 5, 1, 2, 3, 4, 5, 1, 2}, sampler.DRY{Multiplier: 1, Base: 2,
			Breakers: [][]int{{4}, {4, 5}}}, map[int]float64{3: 1}},
		{"a window", []int{1, 2, 3, 0, 1, 2}, sampler.DRY{Multiplier: 1, Scope: sampler.Scope{Last: 5}}, nil},
		{"a window that just reaches", []int{1, 2, 3, 0, 1, 2}, sampler.DRY{Multiplier: 1,
			Scope: sampler.Scope{Last: 6}}, map[int]float64{3: 1}},
	} {
		want := make([]float64, len(even))
		total := 0.0
		for i := range want {
			want[i] = math.Exp(-c.penalty[i])
			total += want[i]
		}
		for i := range want {
			want[i] /= total
		}
		checkProbs(t, c.name, even, c.dry, sampler.NewHistory(c.text...), want, 1e-12)
	}
}

// Penalties are those of the logits after the temperatures so far, in every form that a distribution has.
func TestPenaltiesAfterTemperature(t *testing.T) {
	logits := []float32{1, 2, -1, 0.5}
	text := []int{1, 2, 1}
	for _, first := range []sampler.Step{sampler.Temperature(0.5), sampler.Chain{sampler.Temperature(0.5),
		sampler.TopP(0.9999)}} {
		for _, c := range []struct {
			name string
			step sampler.Step
			want []float64 // logits after division by 0.5
		}{
			{"repetition", sampler.RepetitionPenalty{Penalty: 2}, []float64{2, 2, -4, 1}},
			{"no repetition", sampler.RepetitionPenalty{}, []float64{2, 4, -2, 1}},
			{"frequency", sampler.FrequencyPenalty{Penalty: 0.75}, []float64{2, 2.5, -2.75, 1}},
			{"presence", sampler.PresencePenalty{Penalty: 0.75}, []float64{2, 3.25, -2.75, 1}},
			{"bias", sampler.LogitBias{0: 3, 1: -1}, []float64{5, 3, -2, 1}},
		} {
			total := 0.0
			for _, x := range c.want {
				total += math.Exp(x)
			}
			for i, x := range c.want {
				c.want[i] = math.Exp(x) / total
			}
			checkProbs(t, c.name, logits, sampler.Chain{first, c.step}, sampler.NewHistory(text...), c.want, 1e-14)
		}
	}
}

// Words of one token are banned always, longer ones where the text ends with their beginning.
func TestBadWords(t *testing.T) {
	even := make([]float32, 4)
	for _, c := range []struct {
		name string
		text []int
		step sampler.Step
		want []int
	}{
		{"one token", nil, sampler.BadWords{Words: [][]int{{2}}}, []int{0, 1, 3}},
		{"two tokens", []int{0, 1}, sampler.BadWords{Words: [][]int{{1, 2}, {0, 3}}}, []int{0, 1, 3}},
		{"the whole text", []int{1}, sampler.BadWords{Words: [][]int{{1, 2}}}, []int{0, 1, 3}},
		{"longer than the text", []int{1}, sampler.BadWords{Words: [][]int{{1, 1, 2}}}, []int{0, 1, 2, 3}},
		{"no output", []int{1}, sampler.BadWords{Words: [][]int{{1, 2}},
			Scope: sampler.Scope{Of: sampler.OutputOnly}}, []int{0, 1, 2, 3}},
		{"n-gram", []int{0, 1, 2, 0, 1}, sampler.NoRepeatNGram{N: 3}, []int{0, 1, 3}},
		{"n-gram of one", []int{0, 3}, sampler.NoRepeatNGram{N: 1}, []int{1, 2}},
		{"n-gram as long as the text", []int{0, 0}, sampler.NoRepeatNGram{N: 2}, []int{1, 2, 3}},
		{"n-gram longer than the text", []int{0, 0}, sampler.NoRepeatNGram{N: 3}, []int{0, 1, 2, 3}},
		{"no n-gram", []int{0, 0}, sampler.NoRepeatNGram{}, []int{0, 1, 2, 3}},
	} {
		want := make([]float64, 4)
		for _, id := range c.want {
			want[id] = 1 / float64(len(c.want))
		}
		checkProbs(t, c.name, even, c.step, sampler.NewHistory(c.text...), want, 1e-15)
	}
}
