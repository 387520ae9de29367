package sampler_test

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"encoding/json"
	"errors"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/logits-go/logits/sampler"
)

func sample(t testing.TB, s *sampler.Sampler, logits []float32) int {
	t.Helper()
	token, err := s.Sample(logits)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func samples(t testing.TB, s *sampler.Sampler, logits []float32, n int) []int {
	t.Helper()
	out := make([]int, n)
	for i := range out {
		out[i] = sample(t, s, logits)
	}
	return out
}

func TestZeroValueIsGreedy(t *testing.T) {
	var s sampler.Sampler
	if got := samples(t, &s, []float32{1, 4, 2, 4}, 3); !slices.Equal(got, []int{1, 1, 1}) || s.Step != 3 {
		t.Errorf("drew %v to step %d, want [1 1 1] to step 3", got, s.Step)
	}
}

// Sample is Reset, Apply and Draw at Uniform, whatever was sampled before.
func TestSampleIsItsSteps(t *testing.T) {
	s := sampler.Sampler{Temperature: 0.9, TopP: 0.95, Seed: 5, Stream: 6}
	var d sampler.Distribution
	for i := range 200 {
		logits := row([]string{"flat", "gauss", "peaked"}[i%3], []int{3000, 20, 700}[i%3])
		if err := d.Reset(logits); err != nil {
			t.Fatal(err)
		}
		if err := s.Apply(&d); err != nil {
			t.Fatal(err)
		}
		want := draw(t, &d, sampler.Uniform(5, 6, uint64(i)))
		if got := sample(t, &s, logits); got != want {
			t.Fatalf("token %d is %d, want %d", i, got, want)
		}
	}
}

// A constant added to all logits changes nothing. The logits are multiples of 1/64, so that adding is exact.
func TestShift(t *testing.T) {
	logits := row("gauss", 5000)
	shifted := make([]float32, len(logits))
	for i, x := range logits {
		logits[i] = float32(math.Round(float64(x)*64) / 64)
		shifted[i] = logits[i] - 1024
	}
	a := sampler.Sampler{Temperature: 0.8, TopP: 0.9, MinP: 0.001}
	b := a
	if x, y := samples(t, &a, logits, 200), samples(t, &b, shifted, 200); !slices.Equal(x, y) {
		t.Errorf("logits give %v, shifted logits %v", x, y)
	}
}

// Filters that keep everything leave the same tokens as no filters.
func TestFiltersThatKeepAll(t *testing.T) {
	logits := row("flat", 5000)
	a := sampler.Sampler{Temperature: 1}
	b := sampler.Sampler{Temperature: 1, TopK: 5000, TopP: 1, MinP: 1e-9}
	if x, y := samples(t, &a, logits, 200), samples(t, &b, logits, 200); !slices.Equal(x, y) {
		t.Errorf("no filters give %v, filters that keep all %v", x, y)
	}
}

// Copies, saved or assigned, go on with the tokens of the original, also at the same time as it.
func TestCopies(t *testing.T) {
	logits := row("gauss", 3000)
	s := sampler.Sampler{Temperature: 1.2, TopP: 0.99, Seed: math.MaxUint64, Stream: 1 << 63, Stop: []int{2}}
	samples(t, &s, logits, 7)

	copies := []*sampler.Sampler{{}, {}, {}, {}}
	*copies[0] = s
	*copies[1] = s
	data, err := json.Marshal(s)
	if err == nil {
		err = json.Unmarshal(data, copies[2])
	}
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if err := firstError(gob.NewEncoder(&buf).Encode(s), gob.NewDecoder(&buf).Decode(copies[3])); err != nil {
		t.Fatal(err)
	}

	got := make([][]int, len(copies))
	var wg sync.WaitGroup
	for i, c := range copies {
		wg.Go(func() {
			for range 50 {
				token, err := c.Sample(logits)
				if err != nil {
					t.Error(err)
				}
				got[i] = append(got[i], token)
			}
		})
	}
	want := samples(t, &s, logits, 50)
	wg.Wait()
	for i := range got {
		if !slices.Equal(got[i], want) {
			t.Errorf("copy %d draws %v, want %v", i, got[i], want)
		}
	}

	replay := sampler.Sampler{Temperature: 1.2, TopP: 0.99, Seed: math.MaxUint64, Stream: 1 << 63, Step: 7}
	if got := samples(t, &replay, logits, 50); !slices.Equal(got, want) {
		t.Errorf("from step 7 on a new sampler draws %v, want %v", got, want)
	}
}

// The bits of the probabilities are the same on every architecture and with every instruction set, so they can
// be written down.
func TestBits(t *testing.T) {
	s := sampler.Sampler{Temperature: 0.7, TopP: 0.95, MinP: 0.07}
	probs, err := s.Probs(nil, row("flat", 5000))
	if err != nil {
		t.Fatal(err)
	}
	h := fnv.New64a()
	if err := binary.Write(h, binary.LittleEndian, probs); err != nil {
		t.Fatal(err)
	}
	if got, want := h.Sum64(), uint64(0x31f077b4c664f242); got != want {
		t.Errorf("the probabilities hash to %#x, want %#x", got, want)
	}
}

func TestSampleLeavesLogitsAlone(t *testing.T) {
	logits := row("gauss", 3000)
	before := slices.Clone(logits)
	samples(t, &sampler.Sampler{Temperature: 1, TopK: 100, TopP: 0.9, MinP: 0.01}, logits, 5)
	if !slices.Equal(logits, before) {
		t.Error("Sample changed the logits")
	}
}

func TestSampleDoesNotAllocate(t *testing.T) {
	for _, s := range []sampler.Sampler{
		{},
		{Temperature: 1},
		{Temperature: 1, TopP: 0.9},
		{Temperature: 1, TopK: 40, TopP: 0.9, MinP: 0.01},
	} {
		for kind := range rows {
			logits := row(kind, 20000)
			if n := testing.AllocsPerRun(20, func() { sample(t, &s, logits) }); n != 0 {
				t.Errorf("T=%v k=%d p=%v on %s: %v allocations a token, want 0", s.Temperature, s.TopK, s.TopP, kind, n)
			}
		}
	}
}

// Errors are the same in greedy mode and in sampling mode, and leave the step where it was.
func TestSampleErrors(t *testing.T) {
	nan, pos, neg := float32(math.NaN()), float32(inf), float32(-inf)
	good := []float32{1, 2}
	for _, c := range []struct {
		name   string
		s      sampler.Sampler
		logits []float32
		want   string // part of the message
		token  int    // of the LogitsError, or -2 if it is none
	}{
		{"nil logits", sampler.Sampler{}, nil, "no logits", -1},
		{"NaN first", sampler.Sampler{}, []float32{nan, 1}, "logit 0 is NaN", 0},
		{"NaN after the largest", sampler.Sampler{}, []float32{0, 9, 0, nan, 0}, "logit 3 is NaN", 3},
		{"NaN in a longer row", sampler.Sampler{}, append(make([]float32, 17), nan), "logit 17 is NaN", 17},
		{"+Inf", sampler.Sampler{}, []float32{1, pos, nan}, "logit 1 is +Inf", 1},
		{"all masked", sampler.Sampler{}, []float32{neg, neg, neg}, "all 3 logits are -Inf", -1},
		{"top-k does not hide NaN", sampler.Sampler{TopK: 1}, []float32{5, 1, nan}, "logit 2 is NaN", 2},
		{"temperature NaN", sampler.Sampler{Temperature: math.NaN()}, good, "temperature is NaN", -2},
		{"temperature Inf", sampler.Sampler{Temperature: inf}, good, "temperature is +Inf", -2},
		{"temperature negative", sampler.Sampler{Temperature: -1}, good, "temperature is -1", -2},
		{"top-k", sampler.Sampler{TopK: -1}, good, "top-k is -1", -2},
		{"top-p low", sampler.Sampler{TopP: -0.5}, good, "top-p is -0.5", -2},
		{"top-p high", sampler.Sampler{TopP: 1.5}, good, "top-p is 1.5", -2},
		{"top-p NaN", sampler.Sampler{TopP: math.NaN()}, good, "top-p is NaN", -2},
		{"min-p low", sampler.Sampler{MinP: -0.5}, good, "min-p is -0.5", -2},
		{"min-p high", sampler.Sampler{MinP: 1.5}, good, "min-p is 1.5", -2},
		{"min-p NaN", sampler.Sampler{MinP: math.NaN()}, good, "min-p is NaN", -2},
	} {
		for _, temperature := range []float64{0, 1} {
			s := c.s
			if s.Temperature == 0 {
				s.Temperature = temperature
			}
			token, err := s.Sample(c.logits)
			if err == nil || !strings.Contains(err.Error(), c.want) || token != -1 || s.Step != 0 {
				t.Errorf("%s, temperature %v: Sample = %d, %v at step %d, want -1, %q at 0",
					c.name, s.Temperature, token, err, s.Step, c.want)
			}
			var bad *sampler.LogitsError
			if is := errors.As(err, &bad); is != (c.token != -2) || is && bad.Token != c.token {
				t.Errorf("%s: error is %#v, want a LogitsError of token %d", c.name, err, c.token)
			}
			if _, again := s.Probs(nil, c.logits); again == nil || again.Error() != err.Error() {
				t.Errorf("%s: Probs fails with %v, Sample with %v", c.name, again, err)
			}
		}
	}
}
