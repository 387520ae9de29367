package sampler_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"testing"

	"github.com/logits-go/logits/sampler"
)

// Whatever the bits of the logits and the settings, Sample returns a token that can be drawn or an error.
func FuzzSample(f *testing.F) {
	f.Add([]byte("\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x80\xff"), 1.0, 2, 0.9, 0.1, uint64(1))
	f.Add([]byte("\x00\x00\x80\x7f\x00\x00\xc0\x7f"), math.NaN(), -1, 2.0, -1.0, uint64(2))
	f.Add([]byte("\xff\xff\x7f\x7f\xff\xff\x7f\xff\x01\x00\x00\x00"), 5e-324, 1, 5e-324, 1.0, uint64(3))
	f.Add([]byte("\xff\xff\x7f\x7f\xff\xff\x7f\xff\x01\x00\x00\x00"), math.MaxFloat64, 0, justBelow1, 5e-324, uint64(4))
	f.Fuzz(func(t *testing.T, data []byte, temperature float64, k int, p, minP float64, seed uint64) {
		var logits []float32
		for ; len(data) >= 4; data = data[4:] {
			logits = append(logits, math.Float32frombits(binary.LittleEndian.Uint32(data)))
		}
		s := sampler.Sampler{Temperature: temperature, TopK: k, TopP: p, MinP: minP, Seed: seed}
		token, err := s.Sample(logits)
		if err != nil {
			_, errArgmax := sampler.Argmax(logits)
			_, errSetting := s.Sample([]float32{1})
			var bad *sampler.LogitsError
			if errors.As(err, &bad) != (errArgmax != nil) || errArgmax == nil && errSetting == nil {
				t.Fatalf("Sample fails with %v, Argmax with %v", err, errArgmax)
			}
			return
		}
		if token < 0 || token >= len(logits) || math.IsInf(float64(logits[token]), -1) {
			t.Fatalf("Sample returns %d of %v", token, logits)
		}
		probs, err := s.Probs(nil, logits)
		if err != nil || !(probs[token] > 0) {
			t.Fatalf("Sample returns %d, whose probability is %v, %v", token, probs[token], err)
		}
		total := 0.0
		for _, q := range probs {
			total += q
		}
		if math.Abs(total-1) > 1e-12 {
			t.Fatalf("probabilities sum to %v", total)
		}
	})
}

// Whatever the text of a chain is, it is read or refused, what is read is written as a chain that is read the same, and its
// steps draw a token that can be drawn or say why not.
func FuzzChain(f *testing.F) {
	f.Add([]byte(`[{"TopK":40},{"XTC":{"Probability":0.5,"Threshold":0.1,"MinKeep":0}},{"Temperature":0.7}]`))
	f.Add([]byte(`[{"Mirostat":{"Tau":3,"Eta":0.1}},{"LogitBias":{"1":"-Inf"}},{"AtLeast":{"N":2,"Step":[{"TopP":0.1}]}}]`))
	f.Add([]byte(`[{"DRY":{"Multiplier":1,"Breakers":[[1]]}},{"BadWords":{"Words":[[1,2]]}},{"SequenceBias":{"Sequence":[1],"Bias":2}}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var c sampler.Chain
		if json.Unmarshal(data, &c) != nil {
			return
		}
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatalf("%s is read and not written: %v", data, err)
		}
		var again sampler.Chain
		if err := json.Unmarshal(text, &again); err != nil {
			t.Fatalf("%s is written as %s, which is not read: %v", data, text, err)
		}
		if c == nil {
			return
		}
		logits := []float32{1, 2, -3, float32(math.Inf(-1)), 0}
		tokens := [2]int{}
		for i, chain := range []sampler.Chain{c, again} {
			s := sampler.Sampler{Steps: chain, History: sampler.NewHistory(1, 2, 1, 2), Seed: 5}
			if tokens[i], err = s.Sample(logits); err != nil && tokens[i] != -1 || err == nil && (tokens[i] < 0 || tokens[i] >= len(logits)) {
				t.Fatalf("%s draws %d, %v", text, tokens[i], err)
			}
		}
		if tokens[0] != tokens[1] {
			t.Fatalf("%s draws %d, and %d when it was written and read", text, tokens[0], tokens[1])
		}
	})
}
