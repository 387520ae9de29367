package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/examples/internal/run"
	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/loss"
	"github.com/logits-go/logits/optim"
	"github.com/logits-go/logits/text"
)

// train runs until the steps are done, the time is up or ctx ends. Then it saves the model.
func train(ctx context.Context, s settings) error {
	t, err := begin(ctx, s)
	if err != nil {
		return err
	}
	defer t.log.close()

	// A step that has begun is finished even if ctx ends.
	whole := context.WithoutCancel(ctx)
	start := time.Now()
	for t.step < s.steps && ctx.Err() == nil && (s.limit == 0 || time.Since(start) < s.limit) {
		if err := t.next(whole); err != nil {
			return err
		}
		if t.step%s.evalEvery == 0 || t.step == s.steps {
			if err := t.validate(whole); err != nil {
				return err
			}
		}
		if s.sampleEvery > 0 && t.step%s.sampleEvery == 0 && t.step < s.steps {
			if err := sample(ctx, s, t.run, t.log, 60); err != nil {
				return err
			}
		}
		if s.saveEvery > 0 && t.step%s.saveEvery == 0 && t.step < s.steps {
			if err := t.save(); err != nil {
				return err
			}
		}
	}
	if s.profile {
		t.log.printf("\n%v", t.trainer.Profile())
	}
	return t.end(ctx)
}

// A training is a model on its way.
type training struct {
	s    settings
	data *corpus
	run  *run.Run
	log  *report

	trainer, judge *graph.Program
	cost           graph.Node
	feeds          []graph.Feed
	x, y           [][]int // what the feeds share
	stream         *text.Stream
	weights        []gorgonia.ValueGrad
	schedule       optim.Schedule
	opt            *optim.AdamW

	step    int // steps done, of which some may have been
	skipped int // left out
}

// begin readies training, from the start or from the last checkpoint.
func begin(ctx context.Context, s settings) (*training, error) {
	if s.evalEvery <= 0 || s.steps <= 0 || s.accumulate <= 0 || s.batch <= 0 {
		return nil, errors.New("steps, batch, accumulate and eval-every must be positive")
	}
	if s.saveEvery < 0 || s.keep < 0 || s.skip < 0 || !(s.spike >= 0) {
		return nil, errors.New("save-every, keep, skip and spike must not be negative")
	}

	// The text, as tokens.
	data, err := open(ctx, s)
	if err != nil {
		return nil, err
	}

	// The model: parameters and layers, and no graph yet.
	r, err := run.New(s.model, data.tokenizer, s.seed)
	if err != nil {
		return nil, err
	}

	// The graph ends in the cross-entropy of logits (batch, seq, vocab), which are made a part at a time. One program
	// trains, the other validates.
	t := &training{s: s, data: data, run: r, weights: r.Params.ValueGrads()}
	seq := s.model.ContextLength
	g := graph.New(graph.Seed(s.seed))
	tokens, targets := g.Tokens("tokens", s.batch, seq), g.Tokens("targets", s.batch, seq)
	hidden := r.Model.Hidden(tokens) // (batch, seq, dim)
	t.cost = graph.Apply3(loss.LinearCrossEntropy, hidden, hidden.Param(r.Model.Head()), targets)
	if t.trainer, err = graph.CompileTrain(t.cost); err != nil {
		return nil, err
	}
	t.trainer.SetProfile(s.profile)
	if t.judge, err = graph.Compile(t.cost); err != nil {
		return nil, err
	}
	for range s.accumulate {
		x, y := make([]int, s.batch*seq), make([]int, s.batch*seq)
		t.x, t.y = append(t.x, x), append(t.y, y)
		t.feeds = append(t.feeds, graph.Feed{tokens: graph.Ints(x, s.batch, seq), targets: graph.Ints(y, s.batch, seq)})
	}
	if t.stream, err = text.NewStream(data.training, s.seed); err != nil {
		return nil, err
	}
	t.schedule = optim.Cosine{Peak: s.lr, Floor: s.minLR, Warmup: s.warmup, Steps: s.steps}
	t.opt = &optim.AdamW{
		LR: t.schedule, Beta1: orNone(s.beta1), Beta2: orNone(s.beta2),
		WeightDecay: orNone(s.weightDecay), Decay: optim.Matrices, MaxNorm: s.clip,
	}

	news, err := t.load()
	if err != nil {
		return nil, err
	}
	if err := r.SaveConfig(s.out); err != nil {
		return nil, err
	}
	if t.log, err = newReport(s, data, r, t.step); err != nil {
		return nil, err
	}
	for _, line := range news {
		t.log.printf("%s", line)
	}
	return t, nil
}

// orNone returns x as a setting of an optimizer, where 0 stands for a default.
func orNone(x float64) float64 {
	if x == 0 {
		return optim.None
	}
	return x
}

// next takes a step.
func (t *training) next(ctx context.Context) error {
	for i := range t.feeds {
		if err := t.stream.Next(t.x[i], t.y[i], t.s.batch, t.s.model.ContextLength); err != nil {
			return err
		}
	}
	loss, err := t.trainer.Accumulate(ctx, t.feeds...)
	if err == nil {
		err = finite(loss)
	}
	if err == nil {
		err = t.opt.Step(t.weights)
	}
	t.step++
	if err != nil {
		return t.refused(ctx, err)
	}
	t.log.step(t.step, loss, t.opt.GradNorm(), t.schedule.At(t.opt.Steps()))
	return nil
}

// validate reports the loss on the validation text.
func (t *training) validate(ctx context.Context) error {
	w, err := text.NewWindows(t.data.validation)
	if err != nil {
		return err
	}
	next := func() (int, error) { return w.Next(t.x[0], t.y[0], t.s.batch, t.s.model.ContextLength) }
	v, err := evaluate(ctx, t.judge, t.cost, t.feeds[0], next, t.s.evalSize)
	if err != nil {
		return err
	}
	return t.log.validation(t.step, v)
}

// end saves a last checkpoint and the model.
func (t *training) end(ctx context.Context) error {
	s := t.s
	if err := t.save(); err != nil {
		return err
	}
	if err := t.run.SaveModel(s.out, map[string]string{"format": "pt", "step": fmt.Sprint(t.step), "data": t.data.name}); err != nil {
		return err
	}
	if err := t.log.finish(); err != nil {
		return err
	}
	if t.skipped > 0 {
		t.log.printf("\n%d of %d steps were left out", t.skipped, t.step)
	}
	if ctx.Err() == nil {
		if err := sample(ctx, s, t.run, t.log, 200); err != nil {
			return err
		}
	}
	if t.step < s.steps {
		t.log.printf("\nstopped after step %d of %d\ngo on with: go run ./examples/train -resume -out %s", t.step, s.steps, s.out)
	}
	t.log.printf("\nsaved %s\ncontinue a text with: go run ./examples/generate -model %s -prompt %q", s.out, s.out, s.prompt)
	return nil
}

// corpus is a text as tokens.
type corpus struct {
	name                 string
	bytes                int
	tokenizer            text.Tokenizer
	training, validation text.Tokens
	sum                  string // of all tokens
	bytesPerToken        float64
	note                 string
}

// open reads the text, makes or reads the tokenizer, and parts the tokens: the first nine tenths train.
func open(ctx context.Context, s settings) (*corpus, error) {
	c, err := text.ReadCorpus(ctx, s.data)
	if err != nil {
		return nil, err
	}
	d := &corpus{name: c.Name, bytes: len(c.Text), note: c.Note}
	switch s.tokenizer {
	case "bpe":
		d.tokenizer, err = text.TrainBPE(ctx, strings.NewReader(c.Text), text.TrainConfig{VocabSize: s.vocab, Special: []string{text.EndOfText}})
	case "bytes":
		d.tokenizer = text.Bytes{}
	case "chars":
		d.tokenizer, err = text.NewChars(c.Text)
	default:
		d.tokenizer, err = text.ReadFile(s.tokenizer)
	}
	if err != nil {
		return nil, err
	}
	ids, err := d.tokenizer.Encode(c.Text)
	if err != nil {
		return nil, err
	}
	d.sum = checksum(ids)
	d.bytesPerToken = float64(len(c.Text)) / float64(len(ids))
	d.training, d.validation, err = text.Split(text.Slice(ids), 0.9)
	return d, err
}

// checksum tells a sequence of tokens from others.
func checksum(ids []int) string {
	h := sha256.New()
	var buf []byte
	for part := range slices.Chunk(ids, 4096) {
		buf = buf[:0]
		for _, id := range part {
			buf = binary.LittleEndian.AppendUint32(buf, uint32(id))
		}
		h.Write(buf)
	}
	return hex.EncodeToString(h.Sum(nil))
}
