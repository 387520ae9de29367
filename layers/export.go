package layers

import (
	"encoding/json"
	"io"
	"path/filepath"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/internal/safetensors"
	"github.com/logits-go/logits/internal/weights"
)

// An Export writes models to files, for [Open] and for other programs. Its zero value writes what Open reads back bit
// for bit.
type Export struct {
	Format  Format
	Numbers Numbers
	// Tokenizer is the content of a tokenizer.json of Hugging Face, as text.Save writes it, for formats with a place for
	// it. Without one, those who open the model must know its tokens.
	Tokenizer []byte
	// ShardSize is how many bytes a file of weights in a folder may have; 0 means that one file has them all. Weights that
	// are too many become shards as Hugging Face writes them, model-00001-of-00003.safetensors and so on, which
	// model.safetensors.index.json lists. A tensor that is larger has a shard to itself.
	ShardSize int64
}

// A Format is a way to keep a model in files.
type Format int

// The formats.
const (
	// Native is a folder with a config.json, which holds the Config, a model.safetensors or its shards with weights under
	// the names of their parameters and, if there is one, a tokenizer.json. If the path ends in .safetensors it is one
	// file, with the Config in its metadata and without a tokenizer.
	Native Format = iota
	// HuggingFace is a folder for AutoModelForCausalLM and, if there is a tokenizer, AutoTokenizer. A model of RMSNorm,
	// RoPE and SwiGLU is a Llama, with biases or without; one of LayerNorm, learned positions and biases, whose keys and
	// values have as many heads as queries, is a GPT-2. They have no others.
	HuggingFace
	// Llama2C is the .bin file of llama2.c, of a Llama without biases and with its RoPETheta and NormEps, in F32 and without a tokenizer.
	Llama2C
	// GGUF is a file of llama.cpp, of a Llama or of a GPT-2 with GELUTanh. NormEps and RoPETheta become float32. Its
	// tokenizer is byte-level BPE as in GPT-2 or SentencePiece's as in Llama 2; llama.cpp puts the space that begins a
	// text behind special tokens, too.
	GGUF
)

var formats = []string{"native", "huggingface", "llama2c", "gguf"}

// Numbers is the type of weights in files. Numbers round to the nearest, ties to even.
type Numbers int

// The types of weights.
const (
	F32 Numbers = iota
	F16
	BF16
	// Q8_0 has blocks of 32 integers of 8 bits with a common scale, in GGUF alone. Vectors and learned positions
	// stay in F32, as they do with F16 and BF16 there, and matrices whose rows are no whole blocks in F16.
	Q8_0
)

var numberTypes = []string{"f32", "f16", "bf16", "q8_0"}

// dtypes are the Numbers as files have them.
var dtypes = []weights.DType{weights.F32, weights.F16, weights.BF16, weights.Q8_0}

// MarshalText and UnmarshalText, as below, let flags and JSON name the kinds.
func (f Format) MarshalText() ([]byte, error)     { return marshal("format", formats, int(f)) }
func (f *Format) UnmarshalText(text []byte) error { return unmarshal("format", formats, f, text) }
func (f Format) String() string                   { return name(formats, int(f)) }

func (n Numbers) MarshalText() ([]byte, error)     { return marshal("numbers", numberTypes, int(n)) }
func (n *Numbers) UnmarshalText(text []byte) error { return unmarshal("numbers", numberTypes, n, text) }
func (n Numbers) String() string                   { return name(numberTypes, int(n)) }

// Write writes m to path, which a Format says is a folder or a file. Each file appears whole or not at all.
//
// A folder may hold an earlier model. It stays as it is until the new files are on the disk beside it. Then its weights
// are removed, with all shards of any number, the new files take their places, and the one that [Open] begins with comes
// last, model.safetensors or the index of shards. So a folder holds the old model, the new one, or for the moment between
// them none that opens. Files of other names stay, a tokenizer.json that none replaces among them.
//
// What the format cannot hold is an error; only Dropout and Checkpoint, which concern training alone, stay behind where
// it has no place for them.
func (e Export) Write(path string, m *TransformerLM) (err error) {
	defer func() {
		if r := recover(); r != nil { // of a model that was put together by hand
			err = errors.Errorf("layers: Export: %v", r)
		}
	}()
	return errors.WithMessagef(e.write(path, m), "layers: Export to %s as %v", path, e.Format)
}

func (e Export) write(path string, m *TransformerLM) error {
	switch {
	case m == nil:
		return errors.New("no model")
	case m.TokenEmbeddings == nil || m.Norm == nil:
		return errors.New("the model has no embedding or no norm")
	case e.Numbers < F32 || e.Numbers > Q8_0:
		return errors.Errorf("numbers %d", e.Numbers)
	case e.Numbers == Q8_0 && e.Format != GGUF, e.Numbers != F32 && e.Format == Llama2C:
		return errors.Errorf("the format has no numbers of type %v", e.Numbers)
	case e.ShardSize < 0:
		return errors.Errorf("shards of %d bytes", e.ShardSize)
	case e.ShardSize != 0 && e.Format != Native && e.Format != HuggingFace:
		return errors.New("the format has no shards")
	case e.Tokenizer != nil && !json.Valid(e.Tokenizer):
		return errors.New("the tokenizer is no JSON")
	}
	d := dtypes[e.Numbers]
	switch e.Format {
	case Native:
		return e.writeNative(path, m, d)
	case HuggingFace:
		return e.writeHuggingFace(path, m, d)
	case GGUF:
		return weights.WriteFile(path, func(w io.Writer) error { return writeGGUF(w, m, d, e.Tokenizer) })
	case Llama2C:
		if e.Tokenizer != nil {
			return errors.New("the format has no place for a tokenizer")
		}
		return weights.WriteFile(path, func(w io.Writer) error { return writeLlama2C(w, m) })
	}
	return errors.Errorf("format %d", e.Format)
}

// configKey is what the Config is called in the metadata of a file.
const configKey = "config"

func (e Export) writeNative(path string, m *TransformerLM, d weights.DType) error {
	slots, err := m.slots(nil, m.Config.SplitRoPE)
	if err != nil {
		return err
	}
	if filepath.Ext(path) == ".safetensors" {
		switch {
		case e.Tokenizer != nil:
			return errors.New("a single file has no place for a tokenizer")
		case e.ShardSize != 0:
			return errors.New("a single file has no shards")
		}
		config, err := json.Marshal(m.Config)
		if err != nil {
			return errors.WithStack(err)
		}
		metadata := map[string]string{"format": "pt", configKey: string(config)}
		return weights.WriteFile(path, func(w io.Writer) error { return safetensors.Write(w, sources(slots, d), metadata) })
	}
	return e.writeFolder(path, map[string]any{"config.json": m.Config}, slots, d)
}
