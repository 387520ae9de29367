package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/examples/internal/run"
	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/loss"
	"github.com/logits-go/logits/text"
)

// A result is the loss of a text.
type result struct {
	nats          float64 // of all tokens together
	tokens, bytes int     // that count
}

func (r result) String() string {
	mean := r.nats / float64(r.tokens)
	return fmt.Sprintf("loss %.4f nats a token, perplexity %.3f, %.4f bits a byte; %d tokens, %d bytes",
		mean, loss.Perplexity(mean), loss.BitsPerByte(mean, r.tokens, r.bytes), r.tokens, r.bytes)
}

// eval writes the result to out, and how fast it came to notes.
func eval(ctx context.Context, s settings, out, notes io.Writer) error {
	start := time.Now()
	r, err := s.measure(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(notes, "%.0f tokens a second\n", float64(r.tokens)/time.Since(start).Seconds())
	if _, err = fmt.Fprintln(out, r); err != nil || !s.int8 {
		return errors.WithStack(err)
	}
	rounded, err := s.measure(ctx, graph.Int8())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%v\nweights of eight bits change the perplexity by %+.3f %%\n", rounded,
		100*math.Expm1((rounded.nats-r.nats)/float64(r.tokens)))
	return errors.WithStack(err)
}

// measure returns the loss of a model on a text. With options it is that of a graph which generates and has them.
func (s settings) measure(ctx context.Context, opts ...graph.Option) (result, error) {
	r, err := run.Open(s.model, s.tokenizer)
	if err != nil {
		return result{}, err
	}
	if s.context == 0 {
		s.context = r.Model.Config.ContextLength
	}
	if s.stride == 0 {
		s.stride = s.context
	}
	switch {
	case s.context < 1 || s.context > r.Model.Config.ContextLength:
		return result{}, errors.Errorf("a context of %d for a model of %d", s.context, r.Model.Config.ContextLength)
	case s.stride < 1 || s.stride > s.context:
		return result{}, errors.Errorf("a stride of %d in a context of %d", s.stride, s.context)
	case s.batch < 1:
		return result{}, errors.Errorf("a batch of %d", s.batch)
	case s.limit < 0:
		return result{}, errors.Errorf("a limit of %d", s.limit)
	}
	corpus, err := text.ReadCorpus(ctx, s.data)
	if err != nil {
		return result{}, err
	}
	sequences, err := s.documents.sequences(r.Tokenizer, corpus.Text, s.bos)
	if err != nil {
		return result{}, err
	}
	var windows []window
	var sum result
	for _, q := range sequences {
		if s.limit > 0 {
			q.end = min(q.end, s.limit-sum.tokens+1)
		}
		n, err := q.bytes(r.Tokenizer)
		if err != nil {
			return result{}, err
		}
		windows = append(windows, q.windows(s.context, s.stride)...)
		sum.tokens, sum.bytes = sum.tokens+q.end-1, sum.bytes+n
		if sum.tokens == s.limit && s.limit > 0 {
			break
		}
	}
	if sum.tokens == 0 {
		return result{}, errors.New("the text has no token that another comes before")
	}
	if s.decode || len(opts) > 0 {
		sum.nats, err = decoding(ctx, r.Model, s.context, windows, opts)
	} else {
		sum.nats, err = batches(ctx, r.Model, s.context, s.batch, windows)
	}
	return sum, err
}
