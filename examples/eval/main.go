// Eval says how well a model predicts a text: the mean loss in nats a token, the perplexity, and the bits a byte, in which
// models with different tokenizers compare.
//
//	go run ./examples/eval -model runs/opticks -data opticks
//	go run ./examples/eval -model m.gguf -tokenizer tokenizer.json -data stories.txt -documents apart -stride 64
//
// A text longer than the context is seen through windows. With a stride below the context they overlap, and only those
// tokens of a window count that no window before it has counted: every token that counts then has at least context less
// stride tokens before it, from the second window on. That takes longer, and is closer to what the model can do.
//
// Windows begin with the token <s>, as models whose tokenizer has it expect. Documents, which <|endoftext|> parts in a
// text, are one text together, or each is a text of its own, or they are joined as llama2.c does it for training and
// validation: each has <s> before it, or else <|endoftext|>, and windows lie across them. Joined, the tokens between
// documents count as well. The first token of a text that nothing comes before does not count.
//
// With -int8 it prints what the model loses if its weights are rounded to eight bits, too.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

// settings are what the flags say.
type settings struct {
	model, tokenizer string
	data             string
	documents        documents
	bos              bool
	context, stride  int
	batch, limit     int
	decode, int8     bool
}

func main() {
	var s settings
	flag.StringVar(&s.model, "model", "runs/opticks", "`folder` or file of the model")
	flag.StringVar(&s.tokenizer, "tokenizer", "", "`file` of the tokenizer (default what lies beside the model)")
	flag.StringVar(&s.data, "data", "opticks", "`text`: opticks, go (the source of Go), or a file")
	flag.TextVar(&s.documents, "documents", whole, "what documents are: whole, apart or joined")
	flag.BoolVar(&s.bos, "bos", true, "begin windows with the token that begins texts, if there is one")
	flag.IntVar(&s.context, "context", 0, "tokens in a window; 0 means as many as the model takes")
	flag.IntVar(&s.stride, "stride", 0, "tokens from one window to the next; 0 means the context")
	flag.IntVar(&s.batch, "batch", 8, "windows in a run")
	flag.IntVar(&s.limit, "limit", 0, "end after this many tokens; 0 means no limit")
	flag.BoolVar(&s.decode, "decode", false, "use the graph that generates text")
	flag.BoolVar(&s.int8, "int8", false, "compare with weights of eight bits")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "eval: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := eval(ctx, s, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintf(os.Stderr, "eval: %v\n", err)
		os.Exit(1)
	}
}
