package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/logits-go/logits/examples/internal/run"
	"github.com/logits-go/logits/layers"
)

// small returns settings that train in a moment, on a text of their own.
func small(t *testing.T) settings {
	t.Helper()
	dir := t.TempDir()
	data := filepath.Join(dir, "text")
	if err := os.WriteFile(data, []byte(strings.Repeat("a prism parts the light. ", 200)), 0o644); err != nil {
		t.Fatal(err)
	}
	return settings{
		data: data, tokenizer: "bpe", vocab: 270, out: filepath.Join(dir, "run"),
		model: layers.Config{NumLayers: 1, DModel: 16, NumHeads: 2, ContextLength: 16, Dropout: 0.1},
		lr:    1e-2, minLR: 1e-3, warmup: 2, steps: 30, beta1: 0.9, beta2: 0.99, clip: 1,
		batch: 4, accumulate: 2, seed: 1, evalEvery: 10, prompt: "a", temperature: 1,
	}
}

// Training learns, logs every step, and leaves a model that can be opened.
func TestTrain(t *testing.T) {
	s := small(t)
	if err := train(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(filepath.Join(s.out, "log.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var entries []entry
	for _, line := range strings.Split(strings.TrimSpace(string(log)), "\n") {
		var e entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	if len(entries) != s.steps {
		t.Fatalf("%d lines for %d steps", len(entries), s.steps)
	}
	first, last := entries[0], entries[len(entries)-1]
	if last.Loss >= first.Loss-1 || last.ValidationLoss == nil || last.Step != s.steps {
		t.Errorf("training began with %+v and ended with %+v", first, last)
	}
	if _, err := run.Open(s.out, ""); err != nil {
		t.Error(err)
	}
	if svg, err := os.ReadFile(filepath.Join(s.out, "loss.svg")); err != nil || !strings.Contains(string(svg), "<svg") {
		t.Errorf("loss.svg: %v", err)
	}
}

// Training that is interrupted saves what it has and succeeds.
func TestInterrupt(t *testing.T) {
	s := small(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := train(ctx, s); err == nil {
		t.Error("a text is read although the context has ended")
	}
	s.limit = 1 // a nanosecond
	if err := train(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if _, err := run.Open(s.out, ""); err != nil {
		t.Error(err)
	}
}
