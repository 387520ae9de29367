// Export writes a model in another format, or with smaller numbers, for other programs or to take less room.
//
//	go run ./examples/export -model runs/opticks -format huggingface -out runs/opticks-hf
//	go run ./examples/export -model runs/opticks -format gguf -numbers q8_0 -out opticks.gguf
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/examples/internal/run"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/text"
)

func main() {
	var e layers.Export
	model := flag.String("model", "runs/opticks", "`folder` or file of the model")
	tokenizer := flag.String("tokenizer", "", "`file` of the tokenizer (default what lies beside the model)")
	out := flag.String("out", "", "`path` to write to: a folder for native and huggingface, a file for the others; a native path may end in .safetensors")
	flag.TextVar(&e.Format, "format", layers.Native, "native, huggingface, llama2c (a .bin file) or gguf")
	flag.TextVar(&e.Numbers, "numbers", layers.F32, "f32, f16, bf16 or, in gguf, q8_0")
	flag.Int64Var(&e.ShardSize, "shard-size", 0, "most `bytes` of a file of weights in a folder, for native and huggingface (default one file)")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "export: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := export(e, *model, *tokenizer, *out); err != nil {
		fmt.Fprintf(os.Stderr, "export: %v\n", err)
		os.Exit(1)
	}
}

// export writes the model to out, and the tokenizer with it where the format has a place for one.
func export(e layers.Export, model, tokenizer, out string) error {
	if out == "" {
		return errors.New("-out must say where to")
	}
	r, err := run.Open(model, tokenizer)
	if err != nil {
		return err
	}
	if e.Format != layers.Llama2C && filepath.Ext(out) != ".safetensors" {
		var b bytes.Buffer
		if err := text.Save(&b, r.Tokenizer); err != nil {
			return err
		}
		e.Tokenizer = b.Bytes()
	}
	return e.Write(out, r.Model)
}
