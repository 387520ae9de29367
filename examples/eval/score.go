package main

import (
	"context"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/loss"
	"github.com/logits-go/logits/sampler"
	"github.com/logits-go/logits/text"
)

// batches returns the loss of all targets in windows of up to seq tokens, of which a program takes so many at a time.
// Windows that are far shorter go through a program of half the length, or of half of that.
func batches(ctx context.Context, m *layers.TransformerLM, seq, batch int, windows []window) (nats float64, err error) {
	for ; seq > 0; seq /= 2 {
		var some, shorter []window
		for _, w := range windows {
			if len(w.tokens) > seq/2 {
				some = append(some, w)
			} else {
				shorter = append(shorter, w)
			}
		}
		windows = shorter
		if len(some) == 0 {
			continue
		}
		p, err := newProgram(m, min(batch, len(some)), seq)
		if err != nil {
			return 0, err
		}
		for ; len(some) > 0; some = some[min(p.batch, len(some)):] {
			n, err := p.score(ctx, some[:min(p.batch, len(some))])
			if err != nil {
				return 0, err
			}
			nats += n
		}
	}
	return nats, nil
}

// A program computes the losses of windows of up to seq tokens.
type program struct {
	batch, seq      int
	tokens, targets []int // (batch, seq)
	prog            *graph.Program
	feed            graph.Feed
	losses          graph.Node
}

func newProgram(m *layers.TransformerLM, batch, seq int) (*program, error) {
	p := &program{batch: batch, seq: seq, tokens: make([]int, batch*seq), targets: make([]int, batch*seq)}
	g := graph.New()
	tokens, targets := g.Tokens("tokens", batch, seq), g.Tokens("targets", batch, seq)
	hidden := m.Hidden(tokens) // (batch, seq, dim)
	each := loss.Options{Reduction: loss.None}
	p.losses = graph.Apply3(each.LinearCrossEntropy, hidden, hidden.Param(m.Head()), targets) // (batch, seq)
	p.feed = graph.Feed{tokens: graph.Ints(p.tokens, batch, seq), targets: graph.Ints(p.targets, batch, seq)}
	var err error
	p.prog, err = graph.Compile(p.losses)
	return p, err
}

// score returns the loss of up to batch windows. What lies behind a window does not change what comes before.
func (p *program) score(ctx context.Context, windows []window) (nats float64, err error) {
	clear(p.tokens)
	for i := range p.targets {
		p.targets[i] = text.Ignore
	}
	for i, w := range windows {
		copy(p.tokens[i*p.seq:], w.tokens)
		copy(p.targets[i*p.seq:], w.targets)
	}
	if err := p.prog.Run(ctx, p.feed); err != nil {
		return 0, err
	}
	v, err := p.prog.Value(p.losses)
	if err != nil {
		return 0, err
	}
	for _, x := range v.Data().([]float32) { // 0 where nothing counts
		nats += float64(x)
	}
	return nats, nil
}

// decodePart is how many rows of logits there are at a time.
const decodePart = 64

// decoding returns the loss of all targets in windows of up to seq tokens as a graph that generates sees them: it gives
// them the same bits in parts as one by one.
func decoding(ctx context.Context, m *layers.TransformerLM, seq int, windows []window, opts []graph.Option) (nats float64, err error) {
	d, err := graph.NewDecoder(m.Forward, seq, opts...)
	if err != nil {
		return 0, err
	}
	for _, w := range windows {
		d.Reset()
		for at := 0; at < len(w.tokens); at += decodePart {
			end := min(at+decodePart, len(w.tokens))
			rows, err := d.NextAll(ctx, w.tokens[at:end]...)
			if err != nil {
				return 0, err
			}
			for i, target := range w.targets[at:end] {
				if target == text.Ignore {
					continue
				}
				p, err := sampler.LogProb(rows[i], target)
				if err != nil {
					return 0, err
				}
				nats -= p
			}
		}
	}
	return nats, nil
}
