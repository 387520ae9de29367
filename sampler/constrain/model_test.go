package constrain_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/logits-go/logits/sampler"
	"github.com/logits-go/logits/sampler/constrain"
)

// A babbler is a model of bytes, and an end token 256, whose logits are a function of how many there are.
type babbler struct {
	given []int
	fail  error
	nan   bool
}

func (m *babbler) Next(_ context.Context, tokens ...int) ([]float32, error) {
	if m.fail != nil {
		return nil, m.fail
	}
	m.given = append(m.given, tokens...)
	rng := rand.New(rand.NewPCG(uint64(len(m.given)), 1))
	logits := make([]float32, 257)
	for i := range logits {
		logits[i] = float32(rng.NormFloat64())
	}
	if m.nan {
		logits[0] = float32(math.NaN())
	}
	return logits, nil
}

func (m *babbler) Fork() (*babbler, error) {
	if m.fail != nil {
		return nil, m.fail
	}
	return &babbler{given: slices.Clone(m.given)}, nil
}

func byteVocab(t testing.TB) *constrain.Vocab {
	v, err := constrain.NewVocab(257, func(id int) string { return string([]byte{byte(id)}) }, 256)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func read(seq iter.Seq2[int, error]) (string, error) {
	var b []byte
	for token, err := range seq {
		if err != nil {
			return string(b), err
		}
		b = append(b, byte(token))
	}
	return string(b), nil
}

// What Generate yields satisfies the constraint when it stops at the end token, and is the start of such a text when it
// does not get there.
func TestModelGenerates(t *testing.T) {
	ctx := context.Background()
	re := regexp.MustCompile(`^(?:[a-z]{3,8}( [a-z]{3,8}){0,2}\.)$`)
	phrase, err := constrain.Regexp(byteVocab(t), `[a-z]{3,8}( [a-z]{3,8}){0,2}\.`)
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(20) {
		inner := new(babbler)
		model, err := constrain.NewModel(inner, phrase)
		if err != nil {
			t.Fatal(err)
		}
		s := sampler.Sampler{Temperature: 1, TopP: 0.9, Seed: seed, Stop: []int{256}}
		got, err := read(s.Generate(ctx, model, ints("!?"), 40))
		if err != nil || !re.MatchString(got) {
			t.Errorf("seed %d: generated %q, %v", seed, got, err)
		}
		if want := ints("!?" + got); !slices.Equal(inner.given, want) {
			t.Errorf("seed %d: the model was given %v, want %v", seed, inner.given, want)
		}
		if done := model.Constraint().Done(); !done || phrase.Done() {
			t.Errorf("seed %d: the constraint of the model is done: %t, the one it was made of: %t", seed, done, phrase.Done())
		}
		// Two tokens of the same text, and a greedy one.
		model, _ = constrain.NewModel(new(babbler), phrase)
		s.Step = 0
		if part, err := read(s.Generate(ctx, model, ints("!?"), 2)); err != nil || part != got[:2] {
			t.Errorf("seed %d: two tokens are %q, %v, want %q", seed, part, err, got[:2])
		}
	}
}

func ints(s string) (tokens []int) {
	for i := range len(s) {
		tokens = append(tokens, int(s[i]))
	}
	return tokens
}

// Without the end token in Stop the text cannot go on after it, and says so.
func TestModelAfterTheEnd(t *testing.T) {
	ab, err := constrain.Regexp(byteVocab(t), `ab`)
	if err != nil {
		t.Fatal(err)
	}
	model, err := constrain.NewModel(new(babbler), ab)
	if err != nil {
		t.Fatal(err)
	}
	var tokens []int
	var last error
	for token, err := range new(sampler.Sampler).Generate(context.Background(), model, []int{1}, 9) {
		tokens, last = append(tokens, token), err
	}
	if !slices.Equal(tokens, []int{'a', 'b', 256, -1}) || last == nil || !strings.Contains(last.Error(), "the text has ended") {
		t.Errorf("generated %v, %v", tokens, last)
	}
}

// A search with beams finds the most probable text of the form.
func TestForkerSearches(t *testing.T) {
	date, err := constrain.Regexp(byteVocab(t), `[a-d]{2}(x[ab])?`)
	if err != nil {
		t.Fatal(err)
	}
	want, best := "", math.Inf(-1)
	for _, a := range "abcd" {
		for _, b := range "abcd" {
			for _, end := range []string{"", "xa", "xb"} {
				text := string(a) + string(b) + end
				m, p := new(babbler), 0.0
				given := []int{1}
				allowed := []string{"abcd", "abcd", "x\x00", "ab", "\x00"}
				for i, token := range append(ints(text), 256) {
					logits, _ := m.Next(context.Background(), given...)
					mask := make([]float64, 257)
					for id := range mask {
						mask[id] = math.Inf(-1)
					}
					for _, id := range ints(allowed[i]) {
						if id == 0 {
							id = 256
						}
						mask[id] = float64(logits[id])
					}
					q, err := sampler.LogProb(mask, token)
					if err != nil {
						t.Fatal(err)
					}
					p += q
					given = []int{token}
				}
				if p > best {
					want, best = text, p
				}
			}
		}
	}
	model, err := constrain.NewForker(new(babbler), date)
	if err != nil {
		t.Fatal(err)
	}
	found, err := sampler.BeamSearch(context.Background(), sampler.Beam{Width: 100, Stop: []int{256}}, model, []int{1}, 9)
	if err != nil || len(found) != 48 || !slices.Equal(found[0].Tokens, ints(want)) || math.Abs(found[0].LogProb-best) > 1e-9 {
		t.Errorf("found %d texts, the first %v, %v, want %q with %v", len(found), found[0], err, want, best)
	}
}

func TestModelErrors(t *testing.T) {
	ctx := context.Background()
	ab, err := constrain.Regexp(byteVocab(t), `ab*`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := constrain.NewModel(nil, ab); err == nil {
		t.Error("no model is no error")
	}
	if _, err := constrain.NewModel(new(babbler), nil); err == nil {
		t.Error("no constraint is no error")
	}
	inner := new(babbler)
	model, err := constrain.NewModel(inner, ab)
	if err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	if _, err := model.Next(ctx, 7); err != nil {
		t.Fatal(err)
	}
	_, err = model.Next(ctx, 'b')
	if err == nil || !strings.Contains(err.Error(), `"b", may not follow`) || len(inner.given) != 1 {
		t.Errorf("a token that may not follow: %v, the model was given %v", err, inner.given)
	}
	inner.fail = boom
	if _, err := model.Next(ctx, 'a'); !errors.Is(err, boom) || model.Constraint().Done() {
		t.Errorf("a model that fails: %v, done %t", err, model.Constraint().Done())
	}
	inner.fail = nil
	if _, err := model.Next(ctx, 'a', 'b'); err != nil || !model.Constraint().Done() {
		t.Errorf("the same again: %v", err)
	}
	inner.nan = true // at a masked token
	var bad *sampler.LogitsError
	if _, err := read(new(sampler.Sampler).Generate(ctx, model, []int{'b'}, 1)); !errors.As(err, &bad) || bad.Token != 0 {
		t.Errorf("a masked logit of NaN: %v", err)
	}
	small, err := constrain.NewVocab(3, func(int) string { return "a" }, 2)
	if err != nil {
		t.Fatal(err)
	}
	if ab, err = constrain.Regexp(small, `a`); err != nil {
		t.Fatal(err)
	}
	model, _ = constrain.NewModel(new(babbler), ab)
	if _, err := model.Next(ctx, 1); err == nil || !strings.Contains(err.Error(), "257 logits, the vocabulary has 3") {
		t.Errorf("a vocabulary of another size: %v", err)
	}
	fresh, err := constrain.NewForker(new(babbler), ab)
	if err != nil {
		t.Fatal(err)
	}
	if fresh, err = fresh.Fork(); err != nil {
		t.Fatal(err)
	}
	if _, err := fresh.Next(ctx, 7); err == nil || !strings.Contains(err.Error(), "257 logits") {
		t.Errorf("a fork that is given the prompt: %v", err)
	}
	fork, err := constrain.NewForker(&babbler{fail: boom}, ab)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fork.Fork(); !errors.Is(err, boom) {
		t.Errorf("a model that does not fork: %v", err)
	}
}

func TestMask(t *testing.T) {
	var m constrain.Mask
	if m.Allow(0) == nil || m.Allows(0) || m.Len() != 0 {
		t.Error("the zero value has tokens")
	}
	m.Reset(70)
	for _, id := range []int{0, 63, 64, 69} {
		if err := m.Allow(id); err != nil {
			t.Fatal(err)
		}
	}
	if m.Allow(70) == nil || m.Allow(-1) == nil || m.Allows(70) || m.Allows(-1) {
		t.Error("tokens that are not in the vocabulary are")
	}
	if m.Allows(1) || m.Len() != 4 || m.Size() != 70 {
		t.Errorf("%d tokens of %d", m.Len(), m.Size())
	}
	inf := float32(math.Inf(1))
	logits := make([]float32, 70)
	logits[0], logits[5], logits[6], logits[63] = 3, inf, float32(math.NaN()), -inf
	got, err := m.Apply(nil, logits)
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range got {
		want := -inf
		switch i {
		case 0, 5, 64, 69:
			want = logits[i]
		case 6:
			if x == x {
				t.Errorf("logit 6 is %v, want NaN", x)
			}
			continue
		}
		if x != want {
			t.Errorf("logit %d is %v, want %v", i, x, want)
		}
	}
	if logits[1] != 0 {
		t.Error("Apply changes what it is given")
	}
	if _, err := m.Apply(nil, logits[1:]); err == nil {
		t.Error("69 logits for 70 tokens are no error")
	}
	m.Reset(-1)
	if m.Size() != 0 || m.Len() != 0 {
		t.Error("Reset leaves tokens")
	}
}

// Clones may be used side by side.
func TestClonesInGoroutines(t *testing.T) {
	schema := []byte(`{"type": "array", "items": {"type": ["string", "integer"]}}`)
	list, err := constrain.Schema(byteVocab(t), schema, constrain.Format{})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	for seed := range uint64(4) {
		model, err := constrain.NewModel(new(babbler), list)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			s := sampler.Sampler{Temperature: 1, Stream: seed, Stop: []int{256}}
			text, err := read(s.Generate(context.Background(), model, []int{1}, 300))
			if err == nil && model.Constraint().Done() && !json.Valid([]byte(text)) {
				err = fmt.Errorf("generated %q", text)
			}
			done <- err
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
