// Train fits a Transformer to a text and lets it write some more of it.
//
//	go run ./examples/train
//	go run ./examples/train -data go -layers 6 -dim 256 -out runs/go
//	go run ./examples/train -resume -out runs/go
//
// Without arguments it learns English from Newton's Opticks, which every Go installation has, in about two minutes. The
// folder that -out names holds model.safetensors, config.json, tokenizer.json, log.jsonl and loss.svg; examples/generate
// continues a prompt from it.
//
// Ctrl-C, or SIGTERM, finishes the step, saves the model and ends; a second one ends at once. However training ends, also
// by kill -9 or when the machine does, -resume goes on from the last checkpoint in the folder checkpoints and comes to the
// bits that it would have come to without a break. What the flags do not say is as it was; flags that say otherwise are
// errors, unless they change nothing of what is learned, as -out, -time and those of reports do.
//
// A loss or a gradient that is NaN or infinite ends training before the weights change, with the operation it comes from,
// or costs the step only, with -skip.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal does what signals do
	s, err := parse(os.Args[1:], os.Stderr)
	if err == flag.ErrHelp {
		os.Exit(2)
	}
	if err == nil {
		err = train(ctx, s)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "train: %v\n", err)
		os.Exit(1)
	}
}
