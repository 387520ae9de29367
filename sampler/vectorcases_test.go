package sampler_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/logits-go/logits/internal/oracle"
	"github.com/logits-go/logits/sampler"
)

// apply runs a chain on a row.
func apply(t *testing.T, chain sampler.Chain, row []float32, h sampler.History) *sampler.Distribution {
	t.Helper()
	d := reset(t, row)
	if err := chain.Apply(d, &h); err != nil {
		return nil
	}
	return d
}

func readChain(t *testing.T, data []byte) (c sampler.Chain) {
	t.Helper()
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return c
}

func TestVectorsOfSteps(t *testing.T) {
	seen := make(map[string]bool)
	for name, cases := range map[string]int{"5": 819, "50": 819, "500": 819, "32000": 66} {
		v := readVectors(t, name)
		for _, r := range v.rows {
			row := v.row(t, r)
			for _, set := range v.settings {
				v.check(t, fmt.Sprintf("V=%s, %s, %s", name, r, set), apply(t, readChain(t, set), row, v.history))
				var steps []map[string]any
				if err := json.Unmarshal(set, &steps); err != nil {
					t.Fatal(err)
				}
				for _, s := range steps {
					for kind := range s {
						seen[kind] = true
					}
				}
			}
		}
		v.done(t, cases)
	}
	// All that can be saved are here, but for what TestVectorsOfLearners has.
	if len(seen) != 27 {
		t.Errorf("the vectors have %d kinds of steps, want 27: %v", len(seen), seen)
	}
}

// Presets are read from JSON over their defaults, by the names of their fields.
func readPreset(t *testing.T, name string, data []byte) sampler.Chain {
	t.Helper()
	var p preset
	var err error
	strictly := func(to any) {
		dec := json.NewDecoder(strings.NewReader(string(data)))
		dec.DisallowUnknownFields()
		err = dec.Decode(to)
	}
	switch name {
	case "llamacpp":
		d := sampler.DefaultLlamaCPP()
		strictly(&d)
		p = d
	case "huggingface":
		d := sampler.DefaultHuggingFace()
		strictly(&d)
		p = d
	default:
		d := sampler.DefaultVLLM()
		strictly(&d)
		p = d
	}
	if err != nil {
		t.Fatalf("%s: %s: %v", name, data, err)
	}
	c, err := p.Chain()
	if err != nil {
		t.Fatalf("%s: %s: %v", name, data, err)
	}
	return c
}

func TestVectorsOfPresets(t *testing.T) {
	for name, cases := range map[string]int{"llamacpp": 168, "huggingface": 175, "vllm": 140} {
		v := readVectors(t, name)
		for _, r := range v.rows {
			row := v.row(t, r)
			for _, set := range v.settings {
				v.check(t, fmt.Sprintf("%s, %s, %s", name, r, set), apply(t, readPreset(t, name, set), row, v.history))
			}
		}
		v.done(t, cases)
	}
}

// What learns is given the tokens that the file names, after each of some rows.
func TestVectorsOfLearners(t *testing.T) {
	v := readVectors(t, "learners")
	start := *v
	for _, presets := range []bool{false, true} {
		*v = start
		for _, data := range v.settings {
			var set struct {
				Steps, LlamaCPP json.RawMessage
				Draws           []int
			}
			if err := json.Unmarshal(data, &set); err != nil || len(set.Draws) != len(v.rows) {
				t.Fatalf("%s: %d draws, %v", data, len(set.Draws), err)
			}
			chain := readChain(t, set.Steps)
			if presets && set.LlamaCPP != nil {
				chain = readPreset(t, "llamacpp", set.LlamaCPP)
			}
			for i, r := range v.rows {
				d := apply(t, chain, v.row(t, r), sampler.History{})
				v.check(t, fmt.Sprintf("%s, row %d", data, i), d)
				for _, step := range chain {
					if l, ok := step.(sampler.Learner); ok {
						l.Learn(d, set.Draws[i])
					}
				}
			}
		}
		v.done(t, 144)
	}
}

// still is a model that always expects the same.
type still []float32

func (s still) Next(context.Context, ...int) ([]float32, error) { return slices.Clone(s), nil }

// Models return float32, so that their logits are those of the file but for the rounding to it: half of 2^-23.
func TestVectorsOfModels(t *testing.T) {
	c := loadVectors(t, "models")
	first, second := still(c.Get(t, "row.first").Float32s()), still(c.Get(t, "row.second").Float32s())
	var settings []struct {
		Guidance    *sampler.Guidance
		Contrastive *sampler.Contrastive
	}
	if err := json.Unmarshal([]byte(c.Meta["settings"]), &settings); err != nil {
		t.Fatal(err)
	}
	if len(settings) != 17 {
		t.Errorf("%d settings, want 17", len(settings))
	}
	for i, set := range settings {
		var m sampler.Model
		if set.Guidance != nil {
			set.Guidance.Cond, set.Guidance.Uncond = first, second
			m = set.Guidance
		} else {
			set.Contrastive.Expert, set.Contrastive.Amateur = first, second
			m = set.Contrastive
		}
		got, err := m.Next(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		oracle.Check(t, fmt.Sprintf("%+v", set), got, c.Get(t, "out").Floats[i*len(first):(i+1)*len(first)], 6e-8)
	}
}

func TestVectorsOfSoftmax(t *testing.T) {
	c := loadVectors(t, "softmax")
	rows := c.With("row.")
	if len(rows) != 21 {
		t.Errorf("%d rows, want 21", len(rows))
	}
	for name, row := range rows {
		logits := row.Float32s()
		p, err := sampler.Softmax(nil, logits)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range c.Get(t, "softmax."+name).Floats {
			if !near(p[i], want, vectorTolerance) {
				t.Errorf("%s: the probability of %d is %v, want %v", name, i, p[i], want)
			}
		}
		lp, err := sampler.LogSoftmax(nil, logits)
		if err != nil {
			t.Fatal(err)
		}
		want := c.Get(t, "log_softmax."+name).Floats
		oracle.Check(t, name, lp, want, vectorTolerance)
		for i := range want {
			if one, err := sampler.LogProb(logits, i); err != nil || one != lp[i] {
				t.Errorf("%s: the log-probability of %d alone is %v, %v, want %v", name, i, one, err, lp[i])
			}
		}
	}
}
