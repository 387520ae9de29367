package sampler_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/logits-go/logits/sampler"
)

// The probabilities are those of p(token|prompt)^scale · p(token)^(1-scale), normalised.
func TestGuidanceIsTheFormula(t *testing.T) {
	ctx := context.Background()
	for _, scale := range []float64{0.25, 1, 1.5, 7, 1e6, math.MaxFloat32} {
		cond, uncond := newToy(gauss(1, 30, 3)), newToy(gauss(2, 30, 3))
		g := &sampler.Guidance{Cond: cond, Uncond: uncond, Scale: scale}
		for _, tokens := range [][]int{{3, 4, 5}, {6}, {7, 8}} {
			logits, err := g.Next(ctx, tokens...)
			if err != nil {
				t.Fatal(err)
			}
			got, err := sampler.Softmax(nil, logits)
			if err != nil {
				t.Fatal(err)
			}
			c, _ := sampler.LogSoftmax(nil, cond.logits(cond.text))
			u, _ := sampler.LogSoftmax(nil, uncond.logits(uncond.text))
			var want []float64
			for i := range c {
				want = append(want, u[i]+scale*(c[i]-u[i]))
			}
			if want, err = sampler.Softmax(nil, want); err != nil {
				t.Fatal(err)
			}
			for i := range want {
				// Logits are rounded to float32 on their way.
				if math.Abs(got[i]-want[i]) > 3e-5*want[i]+1e-12 {
					t.Errorf("scale %v: token %d has probability %v, want %v", scale, i, got[i], want[i])
				}
			}
		}
		if !slices.Equal(cond.text, []int{3, 4, 5, 6, 7, 8}) || !slices.Equal(uncond.text, []int{5, 6, 7, 8}) {
			t.Errorf("the models were given %v and %v", cond.text, uncond.text)
		}
	}
}

func TestGuidanceNegativePrompt(t *testing.T) {
	cond, uncond := newToy(gauss(1, 9, 1)), newToy(gauss(2, 9, 1))
	g := &sampler.Guidance{Cond: cond, Uncond: uncond, Scale: 2, Negative: []int{1, 2}}
	got, err := collect(new(sampler.Sampler).Generate(context.Background(), g, []int{5, 6, 7}, 3))
	if err != nil {
		t.Fatal(err)
	}
	if want := append([]int{5, 6, 7}, got[:2]...); !slices.Equal(cond.text, want) {
		t.Errorf("Cond was given %v, want %v", cond.text, want)
	}
	if want := append([]int{1, 2}, got[:2]...); !slices.Equal(uncond.text, want) {
		t.Errorf("Uncond was given %v, want %v", uncond.text, want)
	}
}

func TestGuidanceMasks(t *testing.T) {
	ninf := float32(-inf)
	for _, scale := range []float64{0.5, 1, 3} {
		g := &sampler.Guidance{
			Cond:   newToy(fixed(0, ninf, 0, ninf)),
			Uncond: newToy(fixed(1, 1, ninf, ninf)),
			Scale:  scale,
		}
		logits, err := g.Next(context.Background(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if want := []float32{0, ninf, ninf, ninf}; !slices.Equal(logits, want) {
			t.Errorf("scale %v: logits %v, want %v", scale, logits, want)
		}
	}
	g := &sampler.Guidance{Cond: newToy(fixed(0, ninf)), Uncond: newToy(fixed(ninf, 0)), Scale: 2}
	_, err := collect(new(sampler.Sampler).Generate(context.Background(), g, []int{1}, 1))
	var bad *sampler.LogitsError
	if !errors.As(err, &bad) || bad.Token != -1 {
		t.Errorf("models that mask all between them: %v, want a LogitsError", err)
	}
}

func TestGuidanceErrors(t *testing.T) {
	ctx := context.Background()
	boom := errors.New("boom")
	ok := func() *toy { return newToy(fixed(1, 2)) }
	nan := newToy(fixed(1, float32(math.NaN())))
	one := ok()
	failing := ok()
	failing.fail, failing.failAt = boom, 1
	for _, c := range []struct {
		name string
		g    sampler.Guidance
		want string
	}{
		{"zero value", sampler.Guidance{}, "the scale is 0"},
		{"NaN", sampler.Guidance{Cond: ok(), Uncond: ok(), Scale: math.NaN()}, "the scale is NaN"},
		{"infinite", sampler.Guidance{Cond: ok(), Uncond: ok(), Scale: inf}, "the scale is +Inf"},
		{"negative", sampler.Guidance{Cond: ok(), Uncond: ok(), Scale: -1}, "the scale is -1"},
		{"no Uncond", sampler.Guidance{Cond: ok(), Scale: 1}, "models *sampler_test.toy and <nil>"},
		{"one model", sampler.Guidance{Cond: one, Uncond: one, Scale: 1}, "both models are one *sampler_test.toy"},
		{"vocabularies", sampler.Guidance{Cond: ok(), Uncond: newToy(fixed(1)), Scale: 1}, "vocabularies of 2 and 1"},
		{"NaN logit", sampler.Guidance{Cond: ok(), Uncond: nan, Scale: 1}, "second model: sampler: logit 1 is NaN"},
		{"failure", sampler.Guidance{Cond: ok(), Uncond: failing, Scale: 1}, "second model: boom"},
	} {
		for range 2 { // a model that has failed is not asked again
			if _, err := c.g.Next(ctx, 1); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %q", c.name, err, c.want)
			}
		}
	}
	g := &sampler.Guidance{Cond: ok(), Uncond: ok(), Scale: 1}
	if _, err := g.Next(ctx); err == nil {
		t.Error("Next succeeds without tokens")
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := g.Next(cancelled, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("Next with a cancelled context returns %v", err)
	}
	if _, err := g.Next(ctx, 1); err != nil {
		t.Errorf("nothing had been given to the models, but later %v", err)
	}
}

// A model that likes token 1, and one that has read the prompt and likes token 2 a little more: guidance overdoes it.
func ExampleGuidance() {
	uncond := newToy(fixed(logs(0.2, 0.5, 0.3)...))
	cond := newToy(fixed(logs(0.1, 0.5, 0.4)...))
	g := &sampler.Guidance{Cond: cond, Uncond: uncond, Scale: 3}
	logits, err := g.Next(context.Background(), 0, 1)
	if err != nil {
		log.Fatal(err)
	}
	probs, err := sampler.Softmax(nil, logits)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f\n", probs)
	// Output: [0.020 0.404 0.575]
}
