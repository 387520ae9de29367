// Package gguf reads and writes files of llama.cpp, in version 3 of the GGUF format: settings by name, descriptions of
// tensors, and their numbers. See https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
package gguf

import "github.com/logits-go/logits/internal/weights"

// A Setting is a value with a name, such as llama.context_length. Values are uint32, float32, bool, string, []string,
// []int32 or []float32; files that others wrote may hold any other type of numbers too.
type Setting struct {
	Key   string
	Value any
}

// A Source is a tensor that is yet to be written: Data is called when its turn has come.
type Source struct {
	Name  string
	DType weights.DType
	Shape []int
	Data  func() []byte
}

const (
	magic     = 0x46554747 // "GGUF"
	version   = 3
	alignment = 32 // of tensors, unless general.alignment says otherwise
)

// The types of settings, as they are numbered in files.
const (
	typeUint8 = iota
	typeInt8
	typeUint16
	typeInt16
	typeUint32
	typeInt32
	typeFloat32
	typeBool
	typeString
	typeArray
	typeUint64
	typeInt64
	typeFloat64
)

// dtypes are ggml's numbers of the types of tensors.
var dtypes = map[weights.DType]uint32{weights.F32: 0, weights.F16: 1, weights.Q8_0: 8, weights.F64: 28, weights.BF16: 30}

// pad returns how many bytes follow n for the next to be aligned.
func pad(n, align int) int { return (align - n%align) % align }
