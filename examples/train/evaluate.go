package main

import (
	"context"
	"io"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/examples/internal/run"
	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/sampler"
	"github.com/logits-go/logits/text"
)

// evaluate returns the mean loss per target over up to batches that next fills; 0 means all of them.
func evaluate(ctx context.Context, judge *graph.Program, cost graph.Node, feed graph.Feed, next func() (targets int, err error), batches int) (float64, error) {
	var sum float64
	count := 0
	for i := 0; batches == 0 || i < batches; i++ {
		n, err := next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, err
		}
		if err := judge.Run(ctx, feed); err != nil {
			return 0, err
		}
		sum += judge.Scalar(cost) * float64(n)
		count += n
	}
	if count == 0 {
		return 0, errors.New("the validation text is empty")
	}
	return sum / float64(count), nil
}

// sample lets the model write n tokens after the prompt.
func sample(ctx context.Context, s settings, r *run.Run, log *report, n int) error {
	prompt, err := r.Tokenizer.Encode(s.prompt)
	if err != nil || len(prompt) == 0 {
		prompt = []int{0} // a tokenizer that cannot write the prompt begins with its first token
	}
	n = min(n, r.Model.Config.ContextLength-len(prompt))
	dec, err := graph.NewDecoder(r.Model.Forward, r.Model.Config.ContextLength)
	if err != nil {
		return err
	}
	stream := text.NewDecoder(r.Tokenizer)
	for _, id := range prompt { // what comes next goes on from there
		if _, err := stream.Write(id); err != nil {
			return err
		}
	}
	out := s.prompt
	draw := sampler.Sampler{Temperature: s.temperature, TopP: s.topP, Seed: s.seed}
	for token, err := range draw.Generate(ctx, dec, prompt, n) {
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		piece, err := stream.Write(token)
		if err != nil {
			return err
		}
		out += piece
	}
	log.printf("\n%s\n", out+stream.Flush())
	return nil
}
