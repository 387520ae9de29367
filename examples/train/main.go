// Train fits a Transformer to a text and lets it write some more of it.
//
//	go run ./examples/train
//	go run ./examples/train -data go -layers 6 -dim 256 -out runs/go
//
// Without arguments it learns English from Newton's Opticks, which every Go installation has, in about two minutes.
// Ctrl-C finishes the step, saves the model and ends. The folder that -out names holds model.safetensors, config.json,
// tokenizer.json, log.jsonl and loss.svg; examples/generate continues a prompt from it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/logits-go/logits/layers"
)

// settings are what the flags say.
type settings struct {
	data, tokenizer, out string
	vocab                int
	model                layers.Config
	lr, minLR            float64
	weightDecay, clip    float64
	beta1, beta2         float64
	warmup, steps        int
	limit                time.Duration
	batch, accumulate    int
	seed                 uint64
	evalEvery, evalSize  int
	sampleEvery          int
	prompt               string
	temperature, topP    float64
	profile              bool
}

func main() {
	var s settings
	flag.StringVar(&s.data, "data", "opticks", "`text` to learn: opticks, go (the source of Go), or a file")
	flag.StringVar(&s.tokenizer, "tokenizer", "bpe", "`tokens`: bpe (learned from the text), bytes, chars, or a tokenizer.json")
	flag.IntVar(&s.vocab, "vocab", 1024, "size of the vocabulary that bpe learns")
	flag.StringVar(&s.out, "out", "", "`folder` for the model and its log; runs/ and the name of the text if empty")

	flag.IntVar(&s.model.NumLayers, "layers", 4, "Transformer blocks")
	flag.IntVar(&s.model.DModel, "dim", 128, "width of the model")
	flag.IntVar(&s.model.NumHeads, "heads", 4, "attention heads")
	flag.IntVar(&s.model.NumKVHeads, "kv-heads", 0, "heads of keys and values; 0 means as many as heads")
	flag.IntVar(&s.model.DFF, "ff", 0, "width of the feed-forward networks; 0 means the usual one")
	flag.IntVar(&s.model.ContextLength, "context", 128, "tokens in a sequence")
	flag.TextVar(&s.model.Activation, "activation", layers.GatedSiLU, "swiglu, gelu, gelu_tanh, relu or silu")
	flag.TextVar(&s.model.Norm, "norm", layers.NormRMS, "rmsnorm or layernorm")
	flag.TextVar(&s.model.Position, "position", layers.Rotary, "rope, learned or none")
	flag.BoolVar(&s.model.Bias, "bias", false, "biases in linear layers")
	flag.BoolVar(&s.model.TieEmbeddings, "tie", false, "use the embedding as output layer too")
	flag.Float64Var(&s.model.Dropout, "dropout", 0, "share of elements that training drops")
	flag.BoolVar(&s.model.Checkpoint, "checkpoint", false, "compute blocks again in the backward pass, which takes less memory and more time")

	flag.Float64Var(&s.lr, "lr", 3e-3, "peak learning rate")
	flag.Float64Var(&s.minLR, "min-lr", 3e-4, "learning rate at the end")
	flag.IntVar(&s.warmup, "warmup", -1, "steps of rising learning rate; -1 means a tenth of the steps, and at most 100")
	flag.Float64Var(&s.weightDecay, "weight-decay", 0.1, "weight decay of matrices")
	flag.Float64Var(&s.beta1, "beta1", 0.9, "decay of AdamW's mean of gradients")
	flag.Float64Var(&s.beta2, "beta2", 0.99, "decay of AdamW's mean of their squares")
	flag.Float64Var(&s.clip, "clip", 1, "largest norm of the gradient; 0 does not clip")
	flag.IntVar(&s.steps, "steps", 600, "training steps")
	flag.DurationVar(&s.limit, "time", 0, "end after this time, such as 90s; 0 means no limit")
	flag.IntVar(&s.batch, "batch", 16, "sequences in a run")
	flag.IntVar(&s.accumulate, "accumulate", 1, "runs in a step, whose gradients are averaged")
	flag.Uint64Var(&s.seed, "seed", 1, "seed of weights, batches, dropout and samples")

	flag.IntVar(&s.evalEvery, "eval-every", 100, "steps between validations")
	flag.IntVar(&s.evalSize, "eval-batches", 20, "batches of a validation; 0 means the whole validation text")
	flag.IntVar(&s.sampleEvery, "sample-every", 200, "steps between samples; 0 means only one at the end")
	flag.StringVar(&s.prompt, "prompt", "The ", "beginning of samples")
	flag.Float64Var(&s.temperature, "temperature", 0.8, "temperature of samples")
	flag.Float64Var(&s.topP, "top-p", 0.95, "probability mass samples are drawn from")
	flag.BoolVar(&s.profile, "profile", false, "print at the end where the time of training went")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "train: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	if s.warmup == -1 {
		s.warmup = min(100, s.steps/10)
	}
	if s.out == "" {
		s.out = filepath.Join("runs", filepath.Base(s.data))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := train(ctx, s); err != nil {
		fmt.Fprintf(os.Stderr, "train: %v\n", err)
		os.Exit(1)
	}
}
