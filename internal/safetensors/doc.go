// Package safetensors reads and writes files in the safetensors format, one or several for a model.
//
// The format, https://github.com/huggingface/safetensors, is a header in JSON of names, types and shapes, and the numbers
// behind it. The module github.com/nlpodyssey/safetensors knows it. This package adds what files from strangers need,
// which is limits and no name twice, files in parts, and checksums, which the format does not have.
package safetensors
