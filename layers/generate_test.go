package layers_test

import (
	"context"
	"encoding/json"
	"iter"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/sampler"
	"github.com/logits-go/logits/sampler/constrain"
	"github.com/logits-go/logits/text"
)

// What package sampler asks of models, a Decoder has.
var (
	_ sampler.Scorer                 = (*graph.Decoder)(nil)
	_ sampler.Forker[*graph.Decoder] = (*graph.Decoder)(nil)
)

// generated returns the tokens of a text.
func generated(t *testing.T, tokens iter.Seq2[int, error]) (out []int) {
	t.Helper()
	for token, err := range tokens {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, token)
	}
	return out
}

// afresh is a Model that begins its text anew at every call, and so shares nothing with its forks but the decoder.
type afresh struct {
	d    *graph.Decoder
	text []int
}

func (a *afresh) Next(ctx context.Context, tokens ...int) ([]float32, error) {
	a.text = append(a.text, tokens...)
	a.d.Reset()
	return a.d.Next(ctx, a.text...)
}

func (a *afresh) Fork() (*afresh, error) { return &afresh{a.d, slices.Clone(a.text)}, nil }

// A greedy text is the same to the last token whatever proposes it, up to the last place of the context.
func TestDecodersSpeculate(t *testing.T) {
	steps := sampler.Chain{sampler.RepetitionPenalty{Penalty: 1.3}, sampler.NoRepeatNGram{N: 3}, sampler.Temperature(0)}
	for name, c := range generators {
		t.Run(name, func(t *testing.T) {
			m := generator(t, c)
			other := generator(t, layers.Config{VocabSize: 50, ContextLength: 64, DModel: 8, NumLayers: 1, NumHeads: 1})
			for _, s := range []sampler.Sampler{{}, {Steps: steps}} {
				alone := newDecoder(t, m)
				prompt := words(4, 12)
				n := alone.Max() - len(prompt) + 1
				one := s
				want := generated(t, one.Generate(t.Context(), alone, prompt, n))
				if len(want) != n {
					t.Fatalf("%d tokens, want %d", len(want), n)
				}
				for kind, draft := range map[string]*graph.Decoder{
					"itself": newDecoder(t, m), "eight bits": newDecoder(t, m, graph.Int8()), "another": newDecoder(t, other),
				} {
					target, two := newDecoder(t, m), s
					sp := &sampler.Speculative{Target: target, Draft: draft, Lookahead: 5}
					got := generated(t, sp.Generate(t.Context(), &two, prompt, n))
					if !slices.Equal(got, want) || target.Len() != alone.Len() {
						t.Errorf("with %s: wrote %v and holds %d tokens, want %v and %d", kind, got, target.Len(), want, alone.Len())
					}
					if kind == "itself" && sp.Accepted != sp.Proposed || kind == "another" && sp.Accepted == sp.Proposed || sp.Calls > n {
						t.Errorf("with %s: %d of %d tokens accepted in %d calls", kind, sp.Accepted, sp.Proposed, sp.Calls)
					}
				}
			}
		})
	}
}

// A beam has its logits from its own text, whatever forks of the decoder do.
func TestDecodersAreSearched(t *testing.T) {
	for name, c := range generators {
		m := generator(t, c)
		prompt := words(2, 20)
		for _, b := range []sampler.Beam{
			{}, {Width: 4, Stop: []int{7, 11}, LengthPenalty: 1}, {Width: 6, Groups: 3, Diversity: 0.5},
		} {
			got, err := sampler.BeamSearch(t.Context(), b, newDecoder(t, m), prompt, 15)
			if err != nil {
				t.Fatal(err)
			}
			want, err := sampler.BeamSearch(t.Context(), b, &afresh{d: newDecoder(t, m)}, prompt, 15)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(want) || len(got) != max(b.Width, 1) {
				t.Fatalf("%s, %d beams: %d hypotheses, want %d", name, b.Width, len(got), len(want))
			}
			for i, h := range got {
				w := want[i]
				if !slices.Equal(h.Tokens, w.Tokens) || h.LogProb != w.LogProb || h.Score != w.Score || h.Stop != w.Stop {
					t.Errorf("%s, %d beams: hypothesis %d is %+v, want %+v", name, b.Width, i, h, w)
				}
			}
			if b.Width == 0 {
				greedy := generated(t, new(sampler.Sampler).Generate(t.Context(), newDecoder(t, m), prompt, 15))
				if !slices.Equal(got[0].Tokens, greedy) {
					t.Errorf("%s: one beam found %v, want %v", name, got[0].Tokens, greedy)
				}
			}
		}
	}
}

// Two decoders of the same weights guide, and a small model contrasts.
func TestDecodersInPairs(t *testing.T) {
	ctx, m := t.Context(), generator(t, generators["grouped"])
	small := generator(t, generators["llama"])
	prompt := words(6, 30)
	write := func(model sampler.Model) []int {
		return generated(t, (&sampler.Sampler{Temperature: 0.5, Seed: 9}).Generate(ctx, model, prompt, 30))
	}
	alone := write(newDecoder(t, m))
	for name, pair := range map[string][2]sampler.Model{
		"guidance": {
			&sampler.Guidance{Cond: newDecoder(t, m), Uncond: newDecoder(t, m), Scale: 3, Negative: words(7, 5)},
			&sampler.Guidance{
				Cond: &afresh{d: newDecoder(t, m)}, Uncond: &afresh{d: newDecoder(t, m)}, Scale: 3, Negative: words(7, 5),
			},
		},
		"contrastive": {
			&sampler.Contrastive{Expert: newDecoder(t, m), Amateur: newDecoder(t, small), Alpha: 0.1},
			&sampler.Contrastive{Expert: &afresh{d: newDecoder(t, m)}, Amateur: &afresh{d: newDecoder(t, small)}, Alpha: 0.1},
		},
	} {
		got, want := write(pair[0]), write(pair[1])
		if !slices.Equal(got, want) || slices.Equal(got, alone) || len(got) != 30 {
			t.Errorf("%s: wrote %v, want %v, and %v alone", name, got, want, alone)
		}
	}
	one := &sampler.Guidance{Cond: newDecoder(t, m), Uncond: newDecoder(t, m), Scale: 1}
	if got := write(one); !slices.Equal(got, alone) {
		t.Errorf("guidance of scale 1 wrote %v, want %v", got, alone)
	}
}

// A contrastive search of weight 0 is greedy, and with weight it repeats itself less.
func TestDecodersOfVectors(t *testing.T) {
	m := generator(t, generators["llama"])
	hidden, err := graph.NewDecoder(m.Hidden, m.Config.ContextLength)
	if err != nil {
		t.Fatal(err)
	}
	prompt := words(3, 10)
	greedy := generated(t, new(sampler.Sampler).Generate(t.Context(), newDecoder(t, m), prompt, 40))
	distinct := func(tokens []int) int { return len(slices.Compact(slices.Sorted(slices.Values(tokens)))) }
	for _, alpha := range []float64{0, 0.9} {
		e := &sampler.Encoding{Logits: newDecoder(t, m), Hidden: hidden}
		hidden.Reset()
		got := generated(t, sampler.ContrastiveSearch{Alpha: alpha, TopK: 6}.Generate(t.Context(), e, prompt, 40))
		if alpha == 0 && !slices.Equal(got, greedy) || alpha > 0 && distinct(got) <= distinct(greedy) {
			t.Errorf("alpha %v: wrote %v, greedy search %v", alpha, got, greedy)
		}
	}
}

// Whatever a model that knows nothing likes to say, it says it in the form that is asked for.
func TestDecodersAreConstrained(t *testing.T) {
	ctx := t.Context()
	tok, err := text.TrainBPE(ctx, strings.NewReader(strings.Repeat(`{"name":"Ada","born":1815} 2024-05-06 `, 20)),
		text.TrainConfig{VocabSize: 300, Special: []string{text.EndOfText}})
	if err != nil {
		t.Fatal(err)
	}
	end, _ := tok.Special(text.EndOfText)
	vocab, err := constrain.VocabOf(tok, end)
	if err != nil {
		t.Fatal(err)
	}
	m := generator(t, layers.Config{VocabSize: tok.VocabSize(), ContextLength: 128, DModel: 32, NumLayers: 2, NumHeads: 2})
	prompt, err := tok.Encode("Ada was born in")
	if err != nil {
		t.Fatal(err)
	}
	date := `(19|20)\d\d-(0[1-9]|1[0-2])-[0-3]\d( and [a-z]{1,5})?`
	dates, err := constrain.Regexp(vocab, date)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := constrain.Schema(vocab, []byte(`{"type": "object", "properties": {
		"name": {"type": "string", "maxLength": 12},
		"born": {"enum": [1815, 1912]},
		"tags": {"type": "array", "items": {"enum": ["a", "b", null]}, "maxItems": 4}
	}, "required": ["name", "born"], "additionalProperties": false}`), constrain.Format{Space: 1})
	if err != nil {
		t.Fatal(err)
	}
	full := regexp.MustCompile("^(?:" + date + ")$")
	isDate := func(s string) bool { return full.MatchString(s) }
	isObject := func(s string) bool {
		var v struct {
			Name *string
			Born int
			Tags []*string
		}
		dec := json.NewDecoder(strings.NewReader(s))
		dec.DisallowUnknownFields()
		return dec.Decode(&v) == nil && v.Name != nil && (v.Born == 1815 || v.Born == 1912) && len(v.Tags) <= 4
	}
	for _, c := range []struct {
		form *constrain.Matcher
		ok   func(string) bool
	}{{dates, isDate}, {objects, isObject}} {
		said := make(map[string]bool)
		for seed := range uint64(25) {
			model, err := constrain.NewModel(newDecoder(t, m), c.form)
			if err != nil {
				t.Fatal(err)
			}
			s := &sampler.Sampler{Temperature: 1, Seed: seed, Stop: []int{end}}
			out, err := tok.Decode(generated(t, s.Generate(ctx, model, prompt, 100)))
			if err != nil {
				t.Fatal(err)
			}
			if !c.ok(out) {
				t.Errorf("seed %d: %q", seed, out)
			}
			said[out] = true
		}
		if len(said) < 20 {
			t.Errorf("%d different texts of 25 seeds", len(said))
		}
		// As a step it holds for drafts too, so the greedy text is the same with one.
		plain, err := constrain.NewModel(newDecoder(t, m), c.form)
		if err != nil {
			t.Fatal(err)
		}
		want := generated(t, (&sampler.Sampler{Stop: []int{end}}).Generate(ctx, plain, prompt, 100))
		step, err := constrain.NewStep(c.form)
		if err != nil {
			t.Fatal(err)
		}
		s := &sampler.Sampler{Steps: sampler.Chain{step, sampler.Temperature(0)}, Stop: []int{end}}
		sp := &sampler.Speculative{Target: newDecoder(t, m), Draft: newDecoder(t, m, graph.Int8())}
		if got := generated(t, sp.Generate(ctx, s, prompt, 100)); !slices.Equal(got, want) || sp.Accepted == 0 {
			t.Errorf("with a draft: wrote %v, want %v; %d of %d accepted", got, want, sp.Accepted, sp.Proposed)
		}
		model, err := constrain.NewForker(newDecoder(t, m), c.form)
		if err != nil {
			t.Fatal(err)
		}
		found, err := sampler.BeamSearch(ctx, sampler.Beam{Width: 3, Stop: []int{end}}, model, prompt, 60)
		if err != nil || len(found) != 3 {
			t.Fatalf("%d hypotheses, %v", len(found), err)
		}
		for _, h := range found {
			if out, err := tok.Decode(h.Tokens); h.Stop != end || err != nil || !c.ok(out) {
				t.Errorf("a search found %q, %v", out, err)
			}
		}
	}
}

// Texts of different lengths, settings and histories are written side by side as each is alone, until the last one ends.
func TestBatchesOfTexts(t *testing.T) {
	const n = 24
	m := generator(t, generators["grouped"])
	stop := []int{3, 19, 31}
	rows := []sampler.Sampler{
		{Stop: stop},
		{Temperature: 1, Seed: 1, Stop: stop},
		{Temperature: 1.2, TopP: 0.9, Seed: 1, Stream: 1},
		{
			Steps: sampler.Chain{sampler.PresencePenalty{Penalty: 1}, sampler.XTC{Probability: 0.5, Threshold: 0.05}},
			Seed:  2, Stop: stop,
		},
		{Steps: sampler.Chain{sampler.DRY{Multiplier: 1}, &sampler.Mirostat{Tau: 4, Eta: 0.2}}, Seed: 3},
	}
	prompts, want := make([][]int, len(rows)), make([][]int, len(rows))
	var b sampler.Batch
	for i := range rows {
		prompts[i] = words(i, 5+7*i)
		row, err := rows[i].Clone()
		if err != nil {
			t.Fatal(err)
		}
		want[i] = generated(t, row.Generate(t.Context(), newDecoder(t, m), prompts[i], n))
		if rows[i].Steps != nil {
			rows[i].History = sampler.NewHistory(prompts[i]...)
		}
		b.Rows = append(b.Rows, rows[i])
	}
	d := newBatchDecoder(t, m, len(rows))
	got, given, tokens := make([][]int, len(rows)), prompts, make([]int, len(rows))
	ended := 0
	for range n {
		logits, err := d.Next(t.Context(), given)
		if err == nil {
			err = b.Sample(tokens, logits)
		}
		if err != nil {
			t.Fatal(err)
		}
		given = make([][]int, len(rows))
		for i, token := range tokens {
			if token < 0 || slices.Contains(b.Rows[i].Stop, token) {
				ended++
				continue
			}
			got[i], given[i] = append(got[i], token), []int{token}
		}
	}
	for i := range rows {
		if !slices.Equal(got[i], want[i]) {
			t.Errorf("text %d: wrote %v, want %v", i, got[i], want[i])
		}
	}
	if ended == 0 {
		t.Error("no text has ended; these seeds will not do")
	}
}

// A trained model writes its text with itself in eight bits for a draft, which is right most of the time, and ends what it
// is asked for in a form.
func TestStoriesAreJoined(t *testing.T) {
	m := open(t, stories(t, "stories260K.bin"))
	tok, err := text.ReadFile(stories(t, "tok512.bin"))
	if err != nil {
		t.Fatal(err)
	}
	bos, _ := tok.Special(text.BOS)
	eos, _ := tok.Special(text.EOS)
	ids, err := tok.Encode("Once upon a time")
	if err != nil {
		t.Fatal(err)
	}
	prompt := append([]int{bos}, ids...)
	want := generated(t, new(sampler.Sampler).Generate(t.Context(), newDecoder(t, m), prompt, 200))
	sp := &sampler.Speculative{Target: newDecoder(t, m), Draft: newDecoder(t, m, graph.Int8())}
	got := generated(t, sp.Generate(t.Context(), new(sampler.Sampler), prompt, 200))
	if !slices.Equal(got, want) || sp.Accepted < sp.Proposed*8/10 || sp.Calls > 60 {
		t.Errorf("wrote %v in %d calls, %d of %d accepted, want %v", got, sp.Calls, sp.Accepted, sp.Proposed, want)
	}

	vocab, err := constrain.VocabOf(tok, bos, eos)
	if err != nil {
		t.Fatal(err)
	}
	const form = `, there was a (little|big) (girl|boy) named [A-Z][a-z]+\.( [A-Z][a-z ]{5,40}\.){2}`
	sentence, err := constrain.Regexp(vocab, form)
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(10) {
		model, err := constrain.NewModel(newDecoder(t, m), sentence)
		if err != nil {
			t.Fatal(err)
		}
		s := &sampler.Sampler{Temperature: 1, Seed: seed, Stop: []int{bos, eos}}
		d := text.NewDecoder(tok)
		out := ""
		for i, id := range append(slices.Clone(prompt), generated(t, s.Generate(t.Context(), model, prompt, 150))...) {
			piece, err := d.Write(id)
			if err != nil {
				t.Fatal(err)
			}
			if i >= len(prompt) {
				out += piece
			}
		}
		if !regexp.MustCompile("^" + form + "$").MatchString(out) {
			t.Errorf("seed %d: %q", seed, out)
		}
	}
}
