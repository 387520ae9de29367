package main

import (
	"encoding/json"
	"flag"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/graph"
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

	resume    bool
	saveEvery int
	keep      int
	skip      int
	spike     float64

	decisive map[string]string // the flags that decide what is learned
}

// flags returns flags that set s.
func flags(s *settings, errs io.Writer) *flag.FlagSet {
	f := flag.NewFlagSet("train", flag.ContinueOnError)
	f.SetOutput(errs)
	f.StringVar(&s.data, "data", "opticks", "`text` to learn: opticks, go (the source of Go), or a file")
	f.StringVar(&s.tokenizer, "tokenizer", "bpe", "`tokens`: bpe (learned from the text), bytes, chars, or a tokenizer.json")
	f.IntVar(&s.vocab, "vocab", 1024, "size of the vocabulary that bpe learns")
	f.StringVar(&s.out, "out", "", "`folder` for the model and its log; runs/ and the name of the text if empty")

	f.IntVar(&s.model.NumLayers, "layers", 4, "Transformer blocks")
	f.IntVar(&s.model.DModel, "dim", 128, "width of the model")
	f.IntVar(&s.model.NumHeads, "heads", 4, "attention heads")
	f.IntVar(&s.model.NumKVHeads, "kv-heads", 0, "heads of keys and values; 0 means as many as heads")
	f.IntVar(&s.model.DFF, "ff", 0, "width of the feed-forward networks; 0 means the usual one")
	f.IntVar(&s.model.ContextLength, "context", 128, "tokens in a sequence")
	f.TextVar(&s.model.Activation, "activation", layers.GatedSiLU, "swiglu, gelu, gelu_tanh, relu or silu")
	f.TextVar(&s.model.Norm, "norm", layers.NormRMS, "rmsnorm or layernorm")
	f.TextVar(&s.model.Position, "position", layers.Rotary, "rope, learned or none")
	f.BoolVar(&s.model.Bias, "bias", false, "biases in linear layers")
	f.BoolVar(&s.model.TieEmbeddings, "tie", false, "use the embedding as output layer too")
	f.Float64Var(&s.model.Dropout, "dropout", 0, "share of elements that training drops")
	f.BoolVar(&s.model.Checkpoint, "checkpoint", false, "compute blocks again in the backward pass, which takes less memory and more time")

	f.Float64Var(&s.lr, "lr", 3e-3, "peak learning rate")
	f.Float64Var(&s.minLR, "min-lr", 3e-4, "learning rate at the end")
	f.IntVar(&s.warmup, "warmup", -1, "steps of rising learning rate; -1 means a tenth of the steps, and at most 100")
	f.Float64Var(&s.weightDecay, "weight-decay", 0.1, "weight decay of matrices")
	f.Float64Var(&s.beta1, "beta1", 0.9, "decay of AdamW's mean of gradients")
	f.Float64Var(&s.beta2, "beta2", 0.99, "decay of AdamW's mean of their squares")
	f.Float64Var(&s.clip, "clip", 1, "largest norm of the gradient; 0 does not clip")
	f.IntVar(&s.steps, "steps", 600, "training steps")
	f.DurationVar(&s.limit, "time", 0, "end after this time, such as 90s; 0 means no limit")
	f.IntVar(&s.batch, "batch", 16, "sequences in a run")
	f.IntVar(&s.accumulate, "accumulate", 1, "runs in a step, whose gradients are averaged")
	f.Uint64Var(&s.seed, "seed", 1, "seed of weights, batches, dropout and samples")

	f.BoolVar(&s.resume, "resume", false, "go on from the last checkpoint in the folder, if there is one")
	f.IntVar(&s.saveEvery, "save-every", 50, "steps between checkpoints; 0 means only when training is stopped")
	f.IntVar(&s.keep, "keep", 2, "checkpoints to keep")
	f.IntVar(&s.skip, "skip", 0, "leave out up to so many steps whose loss or gradient is NaN or infinite, instead of ending")
	f.Float64Var(&s.spike, "spike", 8, "report losses so many deviations above the median of the last 100; 0 reports none")

	f.IntVar(&s.evalEvery, "eval-every", 100, "steps between validations")
	f.IntVar(&s.evalSize, "eval-batches", 20, "batches of a validation; 0 means the whole validation text")
	f.IntVar(&s.sampleEvery, "sample-every", 200, "steps between samples; 0 means only one at the end")
	f.StringVar(&s.prompt, "prompt", "The ", "beginning of samples")
	f.Float64Var(&s.temperature, "temperature", 0.8, "temperature of samples")
	f.Float64Var(&s.topP, "top-p", 0.95, "probability mass samples are drawn from")
	f.BoolVar(&s.profile, "profile", false, "print at the end where the time of training went")
	return f
}

// indifferent are the flags that may differ when training goes on, since the weights do not depend on them.
var indifferent = []string{
	"out", "time", "resume", "save-every", "keep", "skip", "spike",
	"eval-every", "eval-batches", "sample-every", "prompt", "temperature", "top-p", "profile",
}

// parse returns the settings of a command line. If it says -resume, what it leaves open is as in the last checkpoint.
func parse(args []string, errs io.Writer) (settings, error) {
	var s settings
	f := flags(&s, errs)
	if err := f.Parse(args); err != nil {
		return s, err
	}
	if f.NArg() > 0 {
		return s, errors.Errorf("unexpected argument %q", f.Arg(0))
	}
	if s.out == "" {
		s.out = filepath.Join("runs", filepath.Base(s.data))
	}
	if s.resume {
		if err := s.goOn(f); err != nil {
			return s, err
		}
	}
	s.decisive = make(map[string]string)
	f.VisitAll(func(g *flag.Flag) {
		if !slices.Contains(indifferent, g.Name) {
			s.decisive[g.Name] = g.Value.String()
		}
	})
	if s.warmup == -1 {
		s.warmup = min(100, s.steps/10)
	}
	return s, nil
}

// archive is where the checkpoints of a run are.
func (s *settings) archive() graph.Archive {
	return graph.Archive{Folder: graph.Dir(s.checkpoints()), Keep: s.keep}
}

func (s *settings) checkpoints() string { return filepath.Join(s.out, "checkpoints") }

// goOn sets the flags that the command line leaves open as the last checkpoint has them. An error lists all that it has
// otherwise.
func (s *settings) goOn(f *flag.FlagSet) error {
	last, _, err := s.archive().Peek() // what it skips is reported when it is loaded
	if errors.Is(err, graph.ErrNoSnapshot) {
		return nil
	}
	if err != nil {
		return err
	}
	var before map[string]string
	if err := json.Unmarshal([]byte(last.Metadata[flagsKey]), &before); err != nil {
		return errors.Wrap(err, "the checkpoint does not tell its flags")
	}
	given := make(map[string]bool)
	f.Visit(func(g *flag.Flag) { given[g.Name] = true })
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(before)) {
		g := f.Lookup(name)
		switch {
		case g == nil || slices.Contains(indifferent, name):
			wrong = append(wrong, errors.Errorf("the checkpoint has -%s %s, which is unknown here", name, before[name]).Error())
		case given[name] && g.Value.String() != before[name]:
			wrong = append(wrong, errors.Errorf("-%s is %s, but %s in the checkpoint", name, g.Value, before[name]).Error())
		case !given[name]:
			if err := f.Set(name, before[name]); err != nil {
				wrong = append(wrong, errors.Wrapf(err, "the checkpoint has -%s", name).Error())
			}
		}
	}
	if wrong != nil {
		return errors.Errorf("-resume: %s", strings.Join(wrong, "; "))
	}
	return nil
}
