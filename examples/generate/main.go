// Generate continues a prompt with a model that examples/train has trained, or one from elsewhere.
//
//	go run ./examples/generate -model runs/opticks -prompt "The Rays of "
//	go run ./examples/generate -model stories260K.bin -tokenizer tok512.bin -prompt "Once upon a time"
//	go run ./examples/generate -batch 3 -stop . -stop '?' -prompt "What is Light"
//	echo "The Colours" | go run ./examples/generate -prompt -
//
// The text goes to the standard output as it is written, a character only when all its bytes are there, and what may
// become a stop string only when it is clear that it does not. How fast it was goes to the standard error.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/sampler"
)

// settings are what the flags say.
type settings struct {
	model, tokenizer   string
	prompt, promptFile string
	sampler            sampler.Sampler
	n, batch           int
	stop               []string
	ignoreEOS, int8    bool
}

func main() {
	var s settings
	flag.StringVar(&s.model, "model", "runs/opticks", "`folder` that examples/train has written, or any that layers.Open reads; or a .safetensors, .bin or .gguf file")
	flag.StringVar(&s.tokenizer, "tokenizer", "", "`file` of the tokenizer (default what lies beside the model)")
	flag.StringVar(&s.prompt, "prompt", "The ", "`text` to continue; - reads it from the standard input")
	flag.StringVar(&s.promptFile, "prompt-file", "", "`file` with the text to continue, in place of -prompt")
	flag.IntVar(&s.n, "n", 100, "tokens to write")
	flag.IntVar(&s.batch, "batch", 1, "continuations to write side by side")
	flag.Func("stop", "`text` before which a continuation ends; may be given several times", func(text string) error {
		if text == "" {
			return errors.New("no text")
		}
		s.stop = append(s.stop, text)
		return nil
	})
	flag.BoolVar(&s.ignoreEOS, "ignore-eos", false, "go on after tokens that end a text")
	flag.BoolVar(&s.int8, "int8", false, "round weights to eight bits, which is faster")
	flag.Float64Var(&s.sampler.Temperature, "temperature", 0.8, "0 always takes the most likely token")
	flag.IntVar(&s.sampler.TopK, "top-k", 0, "draw from this many tokens; 0 means all")
	flag.Float64Var(&s.sampler.TopP, "top-p", 0.95, "draw from the tokens that make up this probability")
	flag.Float64Var(&s.sampler.MinP, "min-p", 0, "least probability of a token in relation to the most likely one")
	flag.Uint64Var(&s.sampler.Seed, "seed", 1, "another seed writes another text")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "generate: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := generate(ctx, s, os.Stdin, os.Stdout, os.Stderr); err != nil && ctx.Err() == nil {
		fmt.Fprintf(os.Stderr, "generate: %v\n", err)
		os.Exit(1)
	}
}
