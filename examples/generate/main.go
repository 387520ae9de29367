// Generate continues a prompt with a model that examples/train has trained, or one from elsewhere.
//
//	go run ./examples/generate -model runs/opticks -prompt "The Rays of "
//	go run ./examples/generate -model stories260K.bin -tokenizer tok512.bin -prompt "Once upon a time"
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/examples/internal/run"
	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/sampler"
	"github.com/logits-go/logits/text"
)

func main() {
	model := flag.String("model", "runs/opticks", "`folder` that examples/train has written, or any that layers.Open reads; or a .safetensors, .bin or .gguf file")
	tokenizer := flag.String("tokenizer", "", "`file` of the tokenizer (default what lies beside the model)")
	prompt := flag.String("prompt", "The ", "`text` to continue")
	n := flag.Int("n", 100, "tokens to write")
	var s sampler.Sampler
	flag.Float64Var(&s.Temperature, "temperature", 0.8, "0 always takes the most likely token")
	flag.IntVar(&s.TopK, "top-k", 0, "draw from this many tokens; 0 means all")
	flag.Float64Var(&s.TopP, "top-p", 0.95, "draw from the tokens that make up this probability")
	flag.Float64Var(&s.MinP, "min-p", 0, "least probability of a token in relation to the most likely one")
	flag.Uint64Var(&s.Seed, "seed", 1, "another seed writes another text")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := generate(ctx, &s, *model, *tokenizer, *prompt, *n); err != nil && ctx.Err() == nil {
		fmt.Fprintf(os.Stderr, "generate: %v\n", err)
		os.Exit(1)
	}
}

func generate(ctx context.Context, s *sampler.Sampler, model, tokenizer, prompt string, n int) error {
	r, err := run.Open(model, tokenizer)
	if err != nil {
		return err
	}
	ids, err := r.Tokenizer.Encode(prompt)
	if err != nil {
		return err
	}
	out := text.NewDecoder(r.Tokenizer)
	first := ids
	if bos, ok := r.Tokenizer.Special(text.BOS); ok {
		ids = append([]int{bos}, ids...)
		s.Stop = append(s.Stop, bos)
	}
	if len(ids) == 0 {
		return errors.New("the prompt is empty")
	}
	dec, err := graph.NewDecoder(r.Model.Forward, r.Model.Config.ContextLength)
	if err != nil {
		return err
	}
	if room := dec.Max() - len(ids); n > room {
		n = max(0, room)
		fmt.Fprintf(os.Stderr, "the context of %d tokens leaves room for %d\n", dec.Max(), n)
	}
	for _, special := range []string{text.EndOfText, text.EOS} {
		if end, ok := r.Tokenizer.Special(special); ok {
			s.Stop = append(s.Stop, end)
		}
	}
	for _, id := range first {
		piece, err := out.Write(id)
		if err != nil {
			return err
		}
		fmt.Print(piece)
	}
	start, count := time.Now(), 0
	for token, err := range s.Generate(ctx, dec, ids, n) {
		if err != nil {
			return err
		}
		piece, err := out.Write(token)
		if err != nil {
			return err
		}
		fmt.Print(piece)
		count++
	}
	fmt.Println(out.Flush())
	fmt.Fprintf(os.Stderr, "%d tokens, %.0f a second\n", count, float64(count)/time.Since(start).Seconds())
	return nil
}
