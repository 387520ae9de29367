// Generate continues a prompt with a model that examples/train has trained, or one from elsewhere.
//
//	go run ./examples/generate -model runs/opticks -prompt "The Rays of "
//	go run ./examples/generate -model stories260K.bin -tokenizer tok512.bin -prompt "Once upon a time"
//	go run ./examples/generate -batch 3 -stop . -stop '?' -prompt "What is Light"
//	echo "The Colours" | go run ./examples/generate -prompt -
//	go run ./examples/generate -regexp '[A-Z][a-z ]{20,60}[.]' -prompt "What is Light? "
//	go run ./examples/generate -steps '[{"RepetitionPenalty":{"Penalty":1.1}},{"Temperature":0.8},{"TypicalP":0.9}]'
//
// The text goes to the standard output as it is written, a character only when all its bytes are there, and what may
// become a stop string only when it is clear that it does not. How fast it was goes to the standard error.
//
// With -json-schema or -regexp what is written after the prompt has this form as a whole: it ends at a token that ends a
// text, which the tokenizer has to have, and is incomplete, as the standard error then says, if -n tokens or a stop string
// come first.
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
	repetition         float64
	schema, regexp     string
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
	s.drawingFlags(flag.CommandLine)
	flag.Parse()
	if err := s.settle(flag.CommandLine); err != nil {
		fmt.Fprintf(os.Stderr, "generate: %v\n", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := generate(ctx, s, os.Stdin, os.Stdout, os.Stderr); err != nil && ctx.Err() == nil {
		fmt.Fprintf(os.Stderr, "generate: %v\n", err)
		os.Exit(1)
	}
}
