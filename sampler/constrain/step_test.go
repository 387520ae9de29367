package constrain_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/logits-go/logits/sampler"
	"github.com/logits-go/logits/sampler/constrain"
)

// A step gives the text that a model around the model gives, where few tokens are allowed and where many are.
func TestStepIsTheModel(t *testing.T) {
	for _, form := range []string{`[a-d]{3,9}`, `(?s).{3,9}`, `[^a]{4}(yes|no)`, `\d{4}-\d\d`} {
		c, err := constrain.Regexp(byteVocab(t), form)
		if err != nil {
			t.Fatal(err)
		}
		for seed := range uint64(20) {
			model, err := constrain.NewModel(new(babbler), c)
			if err != nil {
				t.Fatal(err)
			}
			s := &sampler.Sampler{Temperature: 0.7, Seed: seed, Stop: []int{256}}
			want, err := read(s.Generate(context.Background(), model, ints("!?"), 40))
			if err != nil {
				t.Fatal(err)
			}
			step, err := constrain.NewStep(c)
			if err != nil {
				t.Fatal(err)
			}
			s = &sampler.Sampler{Steps: sampler.Chain{step, sampler.Temperature(0.7)}, Seed: seed, Stop: []int{256}}
			before, err := s.Clone()
			if err != nil {
				t.Fatal(err)
			}
			got, err := read(s.Generate(context.Background(), new(babbler), ints("!?"), 40))
			if err != nil || got != want || !step.Constraint().Done() {
				t.Errorf("%s, seed %d: wrote %q, %v, want %q; done: %t", form, seed, got, err, want, step.Constraint().Done())
			}
			if got, err := read(before.Generate(context.Background(), new(babbler), ints("!?"), 40)); err != nil || got != want {
				t.Errorf("%s, seed %d: a clone wrote %q, %v, want %q", form, seed, got, err, want)
			}
		}
	}
}

func TestStepErrors(t *testing.T) {
	if _, err := constrain.NewStep(nil); err == nil {
		t.Error("no constraint is no error")
	}
	ab, err := constrain.Regexp(byteVocab(t), `abab`)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		others sampler.Chain
		vocab  int
		want   string
		drawn  []int
	}{
		"vocabulary": {nil, 300, "300 logits", nil},
		"another": {
			sampler.Chain{sampler.ForcedTokens{At: 2, Tokens: []int{'b'}}}, 257, `token 98, "b", may not follow`,
			[]int{'a', 'b', 'b'},
		},
		"nothing": {sampler.Chain{sampler.SuppressedTokens{'b'}}, 257, "leaves no token", []int{'a'}},
		"the end": {nil, 257, "the text has ended", []int{'a', 'b', 'a', 'b', 256}},
	} {
		step, err := constrain.NewStep(ab)
		if err != nil {
			t.Fatal(err)
		}
		s := &sampler.Sampler{Steps: append(sampler.Chain{step}, c.others...)}
		var drawn []int
		for err == nil {
			var token int
			if token, err = s.Sample(make([]float32, c.vocab)); err == nil {
				drawn = append(drawn, token)
			}
		}
		if !strings.Contains(err.Error(), c.want) || !slices.Equal(drawn, c.drawn) {
			t.Errorf("%s: drew %v, then %v, want %v and %q", name, drawn, err, c.drawn, c.want)
		}
	}
}
