package main

import (
	"context"
	"strconv"
	"time"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/kernel"
	"github.com/logits-go/logits/layers"
)

// decodeBatch is how many sequences are generated side by side.
const decodeBatch = 16

// A decoding is what one process measured of generating with a model, in tokens per second over whole sequences.
type decoding struct {
	Single    float64 `json:"tokens_per_second"`
	Batch     float64 `json:"batch_tokens_per_second"`
	Prompt    float64 `json:"prompt_tokens_per_second"`
	Int8      float64 `json:"int8_tokens_per_second"`
	Int8Batch float64 `json:"int8_batch_tokens_per_second"`
	Bandwidth float64 `json:"gb_per_second"` // of memory, the larger of before and after
	Message   float64 `json:"message_ns"`    // from one thread to another, the smaller of before and after
	Weights   float64 `json:"weights_mb"`    // in the matrices that every token needs, as float32
}

// measureDecoding generates for the time that -time gives in each way.
func measureDecoding(ctx context.Context, s settings, name string) (d decoding, err error) {
	size, ok := sizes[name]
	if !ok {
		return d, errors.Errorf("no model %q", name)
	}
	d.Bandwidth, d.Message = measureBandwidth(kernel.Threads()), measureMessage()
	model, err := layers.NewTransformerLM(graph.NewParams(1).Root(), size.config)
	if err != nil {
		return d, err
	}
	for _, m := range []struct {
		to     *float64
		batch  int
		prompt bool
		opts   []graph.Option
	}{
		{&d.Single, 1, false, nil}, {&d.Batch, decodeBatch, false, nil}, {&d.Prompt, 1, true, nil},
		{&d.Int8, 1, false, []graph.Option{graph.Int8()}}, {&d.Int8Batch, decodeBatch, false, []graph.Option{graph.Int8()}},
	} {
		if *m.to, err = decodeRate(ctx, s.seconds, model, m.batch, m.prompt, m.opts); err != nil {
			return d, err
		}
	}
	c := size.config
	d.Weights = 4e-6 * float64(c.NumLayers*(4*c.DModel*c.DModel+3*c.DModel*c.DFF)+c.DModel*c.VocabSize)
	d.Bandwidth, d.Message = max(d.Bandwidth, measureBandwidth(kernel.Threads())), min(d.Message, measureMessage())
	return d, nil
}

// decodeRate returns the median tokens per second of sequences as long as the model takes, generated token by token or, as
// prompts, at once.
func decodeRate(ctx context.Context, d time.Duration, model *layers.TransformerLM, batch int, prompt bool, opts []graph.Option) (float64, error) {
	seq, vocab := model.Config.ContextLength, model.Config.VocabSize
	dec, err := graph.NewBatchDecoder(model.Forward, batch, seq, opts...)
	if err != nil {
		return 0, err
	}
	tokens := make([][]int, batch)
	for i := range tokens {
		tokens[i] = make([]int, 1)
		if prompt {
			tokens[i] = make([]int, seq)
		}
	}
	times, err := timeSteps(ctx, func(ctx context.Context) error {
		dec.Reset()
		for at := 0; at < seq; at += len(tokens[0]) {
			for i, t := range tokens {
				for j := range t {
					t[j] = (at + j + i) * 7919 % vocab
				}
			}
			if _, err := dec.Next(ctx, tokens); err != nil {
				return err
			}
		}
		return nil
	}, d)
	if err != nil {
		return 0, err
	}
	return float64(seq*batch) / median(times), nil
}

// A decodeRow is a line of the table.
type decodeRow struct {
	Model   string `json:"model"`
	Threads int    `json:"threads"`
	decoding
	Share float64 `json:"share_of_bandwidth"` // that reading the weights for each single token takes
}

// decodes prints how fast models generate: alone, side by side, and with weights of eight bits, and how fast they read
// prompts; on one thread and on all.
func decodes(ctx context.Context, s settings, r *report) error {
	models, err := s.chosen()
	if err != nil {
		return err
	}
	r.say("tokens per second of generating whole sequences, medians; prompt: of reading them; of memory: what reading float32 weights\n" +
		"for each token of a single sequence takes of the bandwidth of memory (caches hold the weights of small models); message: from\n" +
		"thread to thread\n")
	r.say("%-6s %7s %10s %12s %10s %10s %12s %10s %10s %8s %8s", "model", "threads", "single", "batch of "+strconv.Itoa(decodeBatch),
		"prompt", "int8", "int8 batch", "int8 gain", "of memory", "GB/s", "message")
	threads := []int{1}
	if n := kernel.Threads(); n > 1 {
		threads = append(threads, n)
	}
	for _, model := range models {
		for _, n := range threads {
			row := decodeRow{Model: model, Threads: n}
			s.threads = n
			if err := s.here(ctx, &row.decoding, "decode", model); err != nil {
				return err
			}
			row.Share = row.Single * row.Weights * 1e-3 / row.Bandwidth
			err := r.row("decode", row, "%-6s %7d %10.0f %12.0f %10.0f %10.0f %12.0f %10.2f %9.0f%% %8.1f %5.0f ns", row.Model, row.Threads,
				row.Single, row.Batch, row.Prompt, row.Int8, row.Int8Batch, row.Int8/row.Single, 100*row.Share, row.Bandwidth, row.Message)
			if err != nil {
				return err
			}
		}
	}
	return nil
}
