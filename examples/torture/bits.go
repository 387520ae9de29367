package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"runtime"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/sampler"
)

// wide is large enough that threads share the work of its operations.
var wide = size{batch: 4, seq: 32, config: layers.Config{
	NumLayers: 2, DModel: 128, NumHeads: 4, NumKVHeads: 2, VocabSize: 512, ContextLength: 64, Dropout: 0.1,
}}

// wideSteps is how long a training of that size is: enough for every bit to depend on every other.
const wideSteps = 5

// oneHash trains again and again, on one thread and on two, and generates from what it has trained. All must end with the
// same bits.
func oneHash(ctx context.Context, s settings, _ string) (sc score, err error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	weights, texts := make(map[string]bool), make(map[string]bool)
	for range s.hashes {
		for threads := 1; threads <= 2; threads++ {
			if sc.short = ctx.Err() != nil; sc.short {
				return sc, nil
			}
			runtime.GOMAXPROCS(threads)
			t, err := newTraining(wide)
			if err != nil {
				return sc, err
			}
			for range wideSteps {
				if err := t.step(context.Background()); err != nil {
					return sc, err
				}
			}
			hash, err := t.hash()
			if err != nil {
				return sc, err
			}
			text, err := hashOfText(t.model)
			if err != nil {
				return sc, err
			}
			weights[hash], texts[text] = true, true
			sc.tries += 2
			sc.wrong = len(weights) - 1 + len(texts) - 1
		}
	}
	sc.note = fmt.Sprintf("hashes: %d of trainings, %d of generations", len(weights), len(texts))
	return sc, nil
}

// hashOfText generates a text and returns the hash of its tokens and of the logits that they were drawn from.
func hashOfText(m *layers.TransformerLM) (string, error) {
	d, err := graph.NewDecoder(m.Forward, m.Config.ContextLength)
	if err != nil {
		return "", err
	}
	watched := &hashing{model: d}
	draw := sampler.Sampler{Temperature: 0.9, TopP: 0.95, Seed: 1}
	for _, err := range draw.Generate(context.Background(), watched, []int{5, 17, 3, 400, 5, 17, 3, 401, 9, 30}, 40) {
		if err != nil {
			return "", err
		}
	}
	sum := sha256.Sum256(watched.seen)
	return hex.EncodeToString(sum[:]), nil
}

// hashing is a model whose tokens and logits are noted.
type hashing struct {
	model sampler.Model
	seen  []byte
}

func (h *hashing) Next(ctx context.Context, tokens ...int) ([]float32, error) {
	logits, err := h.model.Next(ctx, tokens...)
	if err != nil {
		return nil, err
	}
	for _, token := range tokens {
		h.seen = binary.LittleEndian.AppendUint64(h.seen, uint64(token))
	}
	h.seen, err = binary.Append(h.seen, binary.LittleEndian, logits)
	return logits, err
}
