package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/examples/internal/run"
	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/loss"
	"github.com/logits-go/logits/optim"
	"github.com/logits-go/logits/text"
)

// train runs until the steps are done, the time is up or ctx ends. Then it saves the model.
func train(ctx context.Context, s settings) error {
	if s.evalEvery <= 0 || s.steps <= 0 || s.accumulate <= 0 || s.batch <= 0 {
		return errors.New("steps, batch, accumulate and eval-every must be positive")
	}

	// The text, as tokens.
	data, err := open(ctx, s)
	if err != nil {
		return err
	}

	// The model: parameters and layers, and no graph yet.
	r, err := run.New(s.model, data.tokenizer, s.seed)
	if err != nil {
		return err
	}
	if err := r.SaveConfig(s.out); err != nil {
		return err
	}

	// The graph ends in the cross-entropy of logits (batch, seq, vocab), which are made a part at a time. One program
	// trains, the other validates.
	seq := s.model.ContextLength
	g := graph.New(graph.Seed(s.seed))
	tokens, targets := g.Tokens("tokens", s.batch, seq), g.Tokens("targets", s.batch, seq)
	hidden := r.Model.Hidden(tokens) // (batch, seq, dim)
	cost := graph.Apply3(loss.LinearCrossEntropy, hidden, hidden.Param(r.Model.Head()), targets)
	trainer, err := graph.CompileTrain(cost)
	if err != nil {
		return err
	}
	trainer.SetProfile(s.profile)
	judge, err := graph.Compile(cost)
	if err != nil {
		return err
	}
	feeds := make([]graph.Feed, s.accumulate)
	x, y := make([][]int, s.accumulate), make([][]int, s.accumulate)
	for i := range feeds {
		x[i], y[i] = make([]int, s.batch*seq), make([]int, s.batch*seq)
		feeds[i] = graph.Feed{tokens: graph.Ints(x[i], s.batch, seq), targets: graph.Ints(y[i], s.batch, seq)}
	}
	validate := func(ctx context.Context) (float64, error) {
		w, err := text.NewWindows(data.validation)
		if err != nil {
			return 0, err
		}
		return evaluate(ctx, judge, cost, feeds[0], func() (int, error) { return w.Next(x[0], y[0], s.batch, seq) }, s.evalSize)
	}

	// The loop. A step that has begun is finished even if ctx ends.
	stream, err := text.NewStream(data.training, s.seed)
	if err != nil {
		return err
	}
	weights := r.Params.ValueGrads()
	schedule := optim.Cosine{Peak: s.lr, Floor: s.minLR, Warmup: s.warmup, Steps: s.steps}
	opt := &optim.AdamW{LR: schedule, Beta1: s.beta1, Beta2: s.beta2, WeightDecay: s.weightDecay, Decay: optim.Matrices, MaxNorm: s.clip}
	log, err := newReport(s, data, r)
	if err != nil {
		return err
	}
	defer log.close()
	whole := context.WithoutCancel(ctx)
	start := time.Now()
	step := 0
	for step < s.steps && ctx.Err() == nil && (s.limit == 0 || time.Since(start) < s.limit) {
		for i := range feeds {
			if err := stream.Next(x[i], y[i], s.batch, seq); err != nil {
				return err
			}
		}
		cost, err := trainer.Accumulate(whole, feeds...)
		if err != nil {
			return err
		}
		if err := opt.Step(weights); err != nil {
			return err
		}
		step++
		log.step(step, cost, opt.GradNorm(), schedule.At(step))
		if step%s.evalEvery == 0 || step == s.steps {
			v, err := validate(whole)
			if err != nil {
				return err
			}
			if err := log.validation(step, v); err != nil {
				return err
			}
		}
		if s.sampleEvery > 0 && step%s.sampleEvery == 0 && step < s.steps {
			if err := sample(ctx, s, r, log, 60); err != nil {
				return err
			}
		}
	}

	if s.profile {
		log.printf("\n%v", trainer.Profile())
	}

	// The result.
	if err := r.SaveModel(s.out, map[string]string{"format": "pt", "step": fmt.Sprint(step), "data": data.name}); err != nil {
		return err
	}
	if err := log.finish(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		log.printf("\nstopped after step %d", step)
	} else if err := sample(ctx, s, r, log, 200); err != nil {
		return err
	}
	log.printf("\nsaved %s\ncontinue a text with: go run ./examples/generate -model %s -prompt %q", s.out, s.out, s.prompt)
	return nil
}

// corpus is a text as tokens.
type corpus struct {
	name                 string
	bytes                int
	tokenizer            text.Tokenizer
	training, validation text.Tokens
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
	d.bytesPerToken = float64(len(c.Text)) / float64(len(ids))
	d.training, d.validation, err = text.Split(text.Slice(ids), 0.9)
	return d, err
}
