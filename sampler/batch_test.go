package sampler_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/logits-go/logits/sampler"
	"gorgonia.org/tensor"
)

// batch is of n rows, no two with the same settings.
func batch(n int) *sampler.Batch {
	b := new(sampler.Batch)
	for i := range n {
		s := sampler.Sampler{Seed: uint64(i % 2), Stream: uint64(i)}
		switch i % 4 {
		case 1:
			s.Temperature, s.TopP = 1.2, 0.95
		case 2:
			s.Steps, s.History = everything(), sampler.NewHistory(1, 2, i)
		case 3:
			s.Steps = sampler.Chain{sampler.PresencePenalty{Penalty: 2}, sampler.Temperature(1.5)}
		}
		b.Rows = append(b.Rows, s)
	}
	return b
}

// A row gets the tokens that it gets alone, whatever the batch and the number of threads, before and after saving.
func TestBatch(t *testing.T) {
	const n, steps = 9, 16
	logits := make([][]float32, n)
	for i := range logits {
		logits[i] = row([]string{"gauss", "flat"}[i%2], 400+i)
	}
	want := make([][]int, steps)
	alone := batch(n)
	for step := range want {
		for i := range alone.Rows {
			want[step] = append(want[step], sample(t, &alone.Rows[i], logits[i]))
		}
	}
	for _, procs := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(procs)
		b := batch(n)
		tokens := make([]int, n)
		for step := range want {
			if err := b.Sample(tokens, logits); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(tokens, want[step]) {
				t.Fatalf("%d threads, step %d: %v, want %v", procs, step, tokens, want[step])
			}
			switch step {
			case 3:
				data, err := json.Marshal(b)
				b = new(sampler.Batch)
				if err := firstError(err, json.Unmarshal(data, b)); err != nil {
					t.Fatal(err)
				}
			case 6:
				var buf bytes.Buffer
				err := gob.NewEncoder(&buf).Encode(b)
				b = new(sampler.Batch)
				if err := firstError(err, gob.NewDecoder(&buf).Decode(b)); err != nil {
					t.Fatal(err)
				}
			case 9:
				c, err := b.Clone()
				if err == nil {
					err = b.Sample(tokens, logits) // which the clone knows nothing of
				}
				if b = c; err != nil {
					t.Fatal(err)
				}
			}
		}
		runtime.GOMAXPROCS(old)
	}
}

// Rows without logits stay where they are.
func TestBatchWithoutSome(t *testing.T) {
	b, alone := batch(4), batch(4)
	tokens := make([]int, 4)
	for step := range 6 {
		logits, want := make([][]float32, 4), []int{-1, -1, -1, -1}
		for i := range logits {
			if step%(i+1) == 0 {
				logits[i] = row("gauss", 100+i)
				want[i] = sample(t, &alone.Rows[i], logits[i])
			}
		}
		if err := b.Sample(tokens, logits); err != nil || !slices.Equal(tokens, want) {
			t.Fatalf("step %d: %v, %v, want %v", step, tokens, err, want)
		}
	}
	if err := b.Sample(tokens, [][]float32{nil, nil, {}, nil}); err == nil || b.Rows[0].Step != 6 || b.Rows[3].Step != 2 {
		t.Errorf("an empty row: %v; rows are at steps %d and %d", err, b.Rows[0].Step, b.Rows[3].Step)
	}
}

// A row with an error keeps all rows where they are.
func TestBatchErrors(t *testing.T) {
	b := batch(3)
	good := [][]float32{row("gauss", 100), row("gauss", 100), row("gauss", 100)}
	bad := [][]float32{good[0], {float32(inf)}, good[2]}
	tokens := make([]int, 3)
	for name, err := range map[string]error{
		"logits": b.Sample(tokens, bad), "rows": b.Sample(tokens, good[:2]), "tokens": b.Sample(tokens[:2], good),
	} {
		want := map[string]string{"logits": "row 1 of 3: sampler: logit 0 is +Inf", "rows": "2 rows of logits",
			"tokens": "2 of tokens"}[name]
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error is %v, want %q", name, err, want)
		}
	}
	for i := range b.Rows {
		if b.Rows[i].Step != 0 || len(b.Rows[i].History.Tokens) > 3 {
			t.Errorf("row %d is at step %d with history %v", i, b.Rows[i].Step, b.Rows[i].History)
		}
	}
	if err := new(sampler.Batch).Sample(nil, nil); err != nil {
		t.Errorf("a batch of no rows: %v", err)
	}
	b.Rows[1].Steps, b.Rows[1].Temperature, b.Rows[1].TopP = sampler.Chain{new(foreign)}, 0, 0
	if _, err := b.Clone(); err == nil || !strings.Contains(err.Error(), "row 1 of 3") {
		t.Errorf("Clone: %v", err)
	}
}

// Tensors of either type give the tokens of their rows.
func TestBatchSampleTensor(t *testing.T) {
	const vocab = 50
	var flat []float32
	var rows [][]float32
	for i := range 3 {
		rows = append(rows, row("gauss", vocab+i)[:vocab])
		flat = append(flat, rows[i]...)
	}
	wide := make([]float64, len(flat))
	for i, x := range flat {
		wide[i] = float64(x)
	}
	want := make([]int, 3)
	if err := batch(3).Sample(want, rows); err != nil {
		t.Fatal(err)
	}
	for _, backing := range []any{flat, wide} {
		got, err := batch(3).SampleTensor(tensor.New(tensor.WithShape(3, vocab), tensor.WithBacking(backing)))
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%T: %v, %v, want %v", backing, got, err, want)
		}
	}
	for name, x := range map[string]tensor.Tensor{
		"no tensor": nil, "ints": tensor.New(tensor.WithShape(3, 2), tensor.WithBacking(make([]int, 6))),
		"rows": tensor.New(tensor.WithShape(2, 2), tensor.WithBacking(make([]float32, 4))),
		"rank": tensor.New(tensor.WithShape(1, 1, 3, 2), tensor.WithBacking(make([]float64, 6))),
	} {
		if _, err := batch(3).SampleTensor(x); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// One sampler serves the rows of a tensor only if its steps do not look at what came before.
func TestSampleTensorOfSteps(t *testing.T) {
	x := tensor.New(tensor.WithShape(2, 50), tensor.WithBacking(append(row("gauss", 50), row("flat", 50)...)))
	s := sampler.Sampler{Steps: sampler.Chain{sampler.TopK(20), sampler.Temperature(1.3),
		sampler.XTC{Probability: 0.5, Threshold: 0.05}}, Seed: 3}
	var want []int
	for i, kind := range []string{"gauss", "flat"} {
		one := s
		one.Stream = uint64(i)
		want = append(want, sample(t, &one, row(kind, 50)))
	}
	if got, err := s.SampleTensor(x); err != nil || !slices.Equal(got, want) || s.Step != 1 || len(s.History.Tokens) != 0 {
		t.Errorf("%v, %v at step %d, want %v", got, err, s.Step, want)
	}
	for _, step := range []sampler.Step{sampler.PresencePenalty{}, &sampler.Mirostat{}, new(foreign)} {
		s.Steps = sampler.Chain{sampler.TopK(2), step}
		if _, err := s.SampleTensor(x); err == nil || !strings.Contains(err.Error(), "step 1 of 2") {
			t.Errorf("%T: error is %v", step, err)
		}
	}
}
