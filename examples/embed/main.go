// Embed is a language model in one file: the program carries weights and tokenizer, and needs nothing else.
//
//	go run ./examples/embed
//	CGO_ENABLED=0 go build -o newton ./examples/embed && ./newton -prompt "The Colours of "
//
// The model in the folder beside it has learned English from Newton's Opticks for two minutes. It was made by
//
//	go run ./examples/train -layers 3 -dim 64 -heads 4 -kv-heads 2 -tie -vocab 512 -context 256 -steps 1500 -lr 4e-3 -out runs/small
//	go run ./examples/export -model runs/small -numbers f16 -out examples/embed/model
package main

import (
	"context"
	"embed"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/sampler"
	"github.com/logits-go/logits/text"
)

//go:embed model
var files embed.FS

func main() {
	var s sampler.Sampler
	prompt := flag.String("prompt", "The Rays of ", "`text` to continue")
	n := flag.Int("n", 120, "tokens to write")
	flag.Float64Var(&s.Temperature, "temperature", 0.7, "0 always takes the most likely token")
	flag.Float64Var(&s.TopP, "top-p", 0.95, "draw from the tokens that make up this probability")
	flag.Uint64Var(&s.Seed, "seed", 1, "another seed writes another text")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := write(ctx, os.Stdout, &s, *prompt, *n); err != nil && ctx.Err() == nil {
		fmt.Fprintf(os.Stderr, "embed: %v\n", err)
		os.Exit(1)
	}
}

// write writes the prompt and up to n tokens that the model goes on with.
func write(ctx context.Context, w io.Writer, s *sampler.Sampler, prompt string, n int) error {
	model, err := layers.OpenFS(files, "model")
	if err != nil {
		return err
	}
	f, err := files.Open("model/tokenizer.json")
	if err != nil {
		return err
	}
	defer f.Close()
	tokenizer, err := text.Load(f)
	if err != nil {
		return err
	}
	ids, err := tokenizer.Encode(prompt)
	if err != nil {
		return err
	}
	decoder, err := graph.NewDecoder(model.Forward, model.Config.ContextLength)
	if err != nil {
		return err
	}
	out := text.NewDecoder(tokenizer) // shows no part of a character
	fmt.Fprint(w, prompt)
	for token, err := range s.Generate(ctx, decoder, ids, min(n, decoder.Max()-len(ids)+1)) {
		if err != nil {
			return err
		}
		piece, err := out.Write(token)
		if err != nil {
			return err
		}
		fmt.Fprint(w, piece)
	}
	_, err = fmt.Fprintln(w, out.Flush())
	return err
}
