package layers_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/layers"
)

// A language model maps tokens to logits. The config needs five numbers; the rest is that of Llama.
func Example() {
	params := graph.NewParams(1)
	model, err := layers.NewTransformerLM(params.Root(), layers.Config{
		VocabSize: 50, ContextLength: 16, DModel: 32, NumLayers: 2, NumHeads: 4,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	g := graph.New()
	tokens := g.Tokens("tokens", 1, 3)
	logits := model.Forward(tokens)
	prog, err := graph.Compile(logits)
	if err != nil {
		fmt.Println(err)
		return
	}
	err = prog.Run(context.Background(), graph.Feed{tokens: graph.Ints([]int{1, 2, 3}, 1, 3)})
	fmt.Println(logits.Shape(), params.Size(), "parameters", err)
	// Output: (1, 3, 50) 36128 parameters <nil>
}

// Parameters have the names of PyTorch's state dicts.
func ExampleNewBlock() {
	params := graph.NewParams(1)
	config, err := layers.Config{VocabSize: 10, ContextLength: 8, DModel: 16, NumLayers: 1, NumHeads: 2, NumKVHeads: 1}.WithDefaults()
	if err != nil {
		fmt.Println(err)
		return
	}
	layers.NewBlock(params.Root().At("layers", 0), config)
	for _, p := range params.All() {
		fmt.Println(p)
	}
	// Output:
	// layers.0.ln1.weight (16)
	// layers.0.attn.q_proj.weight (16, 16)
	// layers.0.attn.k_proj.weight (8, 16)
	// layers.0.attn.v_proj.weight (8, 16)
	// layers.0.attn.output_proj.weight (16, 16)
	// layers.0.ln2.weight (16)
	// layers.0.ffn.w1.weight (64, 16)
	// layers.0.ffn.w2.weight (16, 64)
	// layers.0.ffn.w3.weight (64, 16)
}

// A model that was trained here becomes one that Hugging Face's Transformers opens, and comes back.
func ExampleExport() {
	dir, err := os.MkdirTemp("", "model")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	trained, err := layers.NewTransformerLM(graph.NewParams(1).Root(), layers.Config{
		VocabSize: 50, ContextLength: 16, DModel: 32, NumLayers: 2, NumHeads: 4,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	export := layers.Export{Format: layers.HuggingFace, Numbers: layers.BF16}
	if err := export.Write(filepath.Join(dir, "tiny-llama"), trained); err != nil {
		fmt.Println(err)
		return
	}
	model, err := layers.Open(filepath.Join(dir, "tiny-llama"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(model.Config == trained.Config, model.Params.Size(), "parameters")
	// Output: true 36128 parameters
}
