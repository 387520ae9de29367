package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/sampler"
)

const (
	writers    = 64      // goroutines that generate at the same time
	texts      = 256     // that they generate, over and over
	textLength = 24      // tokens of each
	rounds     = 4       // between which memory is measured; the first is to warm up
	growth     = 1 << 20 // bytes that the heap may differ by from the first round to the last
)

// generations generates on many goroutines from one model and compares every text with what it is when nothing else runs.
// Memory and goroutines must end where they were.
func generations(ctx context.Context, s settings, _ string) (sc score, err error) {
	m, err := layers.NewTransformerLM(graph.NewParams(1).Root(), layers.Config{
		NumLayers: 2, DModel: 32, NumHeads: 4, VocabSize: 61, ContextLength: 64,
	})
	if err != nil {
		return sc, err
	}
	want := make([][]int, texts)
	alone := writer{model: m}
	for i := range want {
		if want[i], err = alone.write(context.Background(), i, 0); err != nil {
			return sc, err
		}
	}
	started, before := runtime.NumGoroutine(), heap()
	var next, unequal atomic.Int64
	var warm, after uint64
	for round := range rounds {
		end := int64(s.generations) * int64(round+1) / rounds
		var group sync.WaitGroup
		failed := make([]error, writers)
		for i := range writers {
			group.Go(func() {
				w := writer{model: m}
				for ctx.Err() == nil && failed[i] == nil {
					at := next.Add(1) - 1
					if at >= end {
						next.Add(-1)
						return
					}
					var got []int
					if got, failed[i] = w.write(ctx, int(at%texts), int(at)/texts); failed[i] == nil && !slices.Equal(got, want[at%texts]) {
						unequal.Add(1)
					}
				}
			})
		}
		group.Wait()
		for _, err := range failed {
			if err != nil && ctx.Err() == nil {
				return sc, err
			}
		}
		if after = heap(); round == 0 {
			warm = after
		}
	}
	sc.tries, sc.wrong = int(next.Load()), int(unequal.Load())
	sc.short = ctx.Err() != nil
	left := runtime.NumGoroutine() - started
	if left > 0 {
		sc.wrong++
	}
	if int64(after-warm) > growth {
		sc.wrong++
	}
	sc.note = fmt.Sprintf("%d goroutines at a time; %d texts differ from those written alone; heap %d KiB before, %d warm, %d after; %d goroutines left",
		writers, unequal.Load(), before>>10, warm>>10, after>>10, max(left, 0))
	return sc, nil
}

// heap returns how many bytes are in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // the first one leaves what finalizers and pools still hold
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A writer generates texts, one after the other.
type writer struct {
	model *layers.TransformerLM
	d     *graph.Decoder
}

// write generates text number i: with a new decoder, with the last one, or with a fork of it that goes on from half the
// prompt, which must make no difference.
func (w *writer) write(ctx context.Context, i, way int) (tokens []int, err error) {
	prompt := []int{i % 61, i / 61 % 61, 7, (i * i) % 61, 8, 9}
	draw := sampler.Sampler{Temperature: 0.9, TopP: 0.9, Seed: uint64(i)}
	if w.d == nil || way%8 == 7 {
		if w.d, err = graph.NewDecoder(w.model.Forward, 64); err != nil {
			return nil, err
		}
	}
	w.d.Reset()
	d := w.d
	if way%3 == 1 {
		if _, err := d.Next(ctx, prompt[:3]...); err != nil {
			return nil, err
		}
		if d, err = d.Fork(); err != nil {
			return nil, err
		}
		prompt = prompt[3:]
	}
	for token, err := range draw.Generate(ctx, d, prompt, textLength) {
		if err != nil {
			return nil, errors.WithMessagef(err, "text %d", i)
		}
		tokens = append(tokens, token)
	}
	return tokens, nil
}
