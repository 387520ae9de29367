// Custom builds its own graph: an embedding, one gated layer with a skip connection, and tied logits.
package main

import (
	"context"
	"fmt"
	"log"

	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/layers"
)

func main() {
	params := graph.NewParams(1)
	emb := layers.NewEmbedding(params.Root().At("emb"), 10, 16)
	ffn := layers.NewSwiGLU(params.Root().At("ffn"), 16, 32)

	g := graph.New()
	tokens := g.Tokens("tokens", 1, 3)                    // (batch, seq)
	x := emb.Forward(tokens)                              // (batch, seq, dim)
	x = x.Add(graph.Apply(gorgonia.Tanh, ffn.Forward(x))) // any Gorgonia function fits in
	logits := emb.Logits(x)                               // (batch, seq, vocab)

	prog, err := graph.Compile(logits)
	if err != nil {
		log.Fatal(err)
	}
	if err := prog.Run(context.Background(), graph.Feed{tokens: graph.Ints([]int{4, 2, 7}, 1, 3)}); err != nil {
		log.Fatal(err)
	}
	v, err := prog.Value(logits)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(v.Shape(), params.Size(), "parameters")
}
