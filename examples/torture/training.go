package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/loss"
	"github.com/logits-go/logits/optim"
	"github.com/logits-go/logits/text"
)

// A training is as small as one can be that has a state of every kind: weights, moments, a schedule, dropout, gradients
// that are accumulated, and a stream of batches.
type training struct {
	size
	params *graph.Params
	model  *layers.TransformerLM
	prog   *graph.Program
	opt    *optim.AdamW
	stream *text.Stream
	feeds  []graph.Feed
	x, y   [2][]int
}

// steps is how long a training is that is to be stopped.
const steps = 40

// A size is that of a model and of its batches.
type size struct {
	config     layers.Config
	batch, seq int
}

// tiny makes checkpoints of a few kilobytes.
var tiny = size{batch: 2, seq: 8, config: layers.Config{
	NumLayers: 1, DModel: 8, NumHeads: 2, VocabSize: 29, ContextLength: 8, Dropout: 0.2,
}}

func newTraining(s size) (*training, error) {
	t := &training{size: s, params: graph.NewParams(1)}
	batch, seq := s.batch, s.seq
	model, err := layers.NewTransformerLM(t.params.Root(), s.config)
	if err != nil {
		return nil, err
	}
	t.model = model
	g := graph.New(graph.Seed(1))
	x, y := g.Tokens("x", batch, seq), g.Tokens("y", batch, seq)
	if t.prog, err = graph.CompileTrain(graph.Apply2(loss.CrossEntropy, model.Forward(x), y)); err != nil {
		return nil, err
	}
	for i := range t.x {
		t.x[i], t.y[i] = make([]int, batch*seq), make([]int, batch*seq)
		t.feeds = append(t.feeds, graph.Feed{x: graph.Ints(t.x[i], batch, seq), y: graph.Ints(t.y[i], t.batch, t.seq)})
	}
	ids := make(text.Slice, 500)
	for i := range ids {
		ids[i] = (i*i + i/7) % s.config.VocabSize
	}
	if t.stream, err = text.NewStream(ids, 1); err != nil {
		return nil, err
	}
	t.opt = &optim.AdamW{LR: optim.Cosine{Peak: 1e-2, Warmup: 5, Steps: steps}, MaxNorm: 1}
	return t, nil
}

// step takes a step.
func (t *training) step(ctx context.Context) error {
	for i := range t.feeds {
		if err := t.stream.Next(t.x[i], t.y[i], t.batch, t.seq); err != nil {
			return err
		}
	}
	if _, err := t.prog.Accumulate(ctx, t.feeds...); err != nil {
		return err
	}
	return t.opt.Step(t.params.ValueGrads())
}

func (t *training) snapshot() (graph.Snapshot, error) {
	stream, err := t.stream.MarshalBinary()
	state := t.opt.State(t.params.ValueGrads())
	return graph.Snapshot{
		Step: state.Step, Tensors: state.Tensors,
		Counts: map[string]uint64{"runs": t.prog.Runs()}, States: map[string][]byte{"stream": stream},
	}, err
}

// restore goes on from a snapshot, whose parameters are loaded.
func (t *training) restore(s graph.Snapshot) error {
	t.prog.SetRuns(s.Counts["runs"])
	if err := t.stream.UnmarshalBinary(s.States["stream"]); err != nil {
		return err
	}
	return t.opt.SetState(t.params.ValueGrads(), optim.State{Step: s.Step, Tensors: s.Tensors})
}

// file returns a checkpoint.
func (t *training) file() ([]byte, error) {
	s, err := t.snapshot()
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	err = s.Write(&buf, t.params)
	return buf.Bytes(), err
}

// hash tells all that training has come to from anything else.
func (t *training) hash() (string, error) {
	file, err := t.file()
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:]), err
}

// trained returns a training after some steps.
func trained(ctx context.Context, s size, n int) (*training, error) {
	t, err := newTraining(s)
	if err != nil {
		return nil, err
	}
	for range n {
		if err := t.step(ctx); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// trainIn trains in a folder, as a child to be killed. It says what it has loaded and saved as it goes.
func trainIn(dir string) error {
	t, err := newTraining(tiny)
	if err != nil {
		return err
	}
	a := graph.Archive{Folder: graph.Dir(filepath.Join(dir, "checkpoints"))}
	s, skipped, err := a.Load(t.params)
	for _, f := range skipped {
		fmt.Println("skipped", f)
	}
	switch {
	case err == nil:
		err = t.restore(s)
	case errors.Is(err, graph.ErrNoSnapshot):
		err = nil
	}
	if err != nil {
		return err
	}
	fmt.Println("loaded", t.opt.Steps())
	for t.opt.Steps() < steps {
		if err := t.step(context.Background()); err != nil {
			return err
		}
		s, err := t.snapshot()
		if err != nil {
			return err
		}
		if _, err := a.Save(t.params, s); err != nil {
			return err
		}
		fmt.Println("saved " + strconv.Itoa(s.Step))
	}
	hash, err := t.hash()
	if err != nil {
		return err
	}
	fmt.Println("end", hash)
	return nil
}
