package safetensors

import (
	"encoding/json"
	"math"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/internal/weights"
)

// Split deals out tensors to files of up to size bytes each, headers and all, and returns the names in each. It fills one
// file after the other, in the order of names. A tensor that is too large for any has one to itself.
func Split(names []string, tensors map[string]Source, metadata map[string]string, size int64) ([][]string, error) {
	least, err := entrySize("__metadata__", metadata)
	if err != nil {
		return nil, err
	}
	least += 16 // the length of the header, and blanks that make it whole words
	var files [][]string
	var held int64
	for _, name := range names {
		t := tensors[name]
		n, err := entrySize(name, map[string]any{"dtype": t.DType, "shape": t.Shape, "data_offsets": [2]int64{math.MaxInt64, math.MaxInt64}})
		if err != nil {
			return nil, err
		}
		n += t.Bytes()
		if files == nil || held+n > size {
			files, held = append(files, nil), least
		}
		files[len(files)-1] = append(files[len(files)-1], name)
		held += n
	}
	return files, nil
}

// entrySize bounds the bytes that an entry takes in a header.
func entrySize(name string, entry any) (int64, error) {
	text, err := json.Marshal(map[string]any{name: entry}) // braces instead of a comma
	return int64(len(text)), errors.Wrap(err, "safetensors")
}

// Bytes returns how many bytes the numbers of the tensor take.
func (s Source) Bytes() int64 {
	t := weights.Tensor{Shape: s.Shape}
	return int64(s.DType.Bytes(t.Len()))
}

// Index returns the content of an index, such as model.safetensors.index.json, of tensors in files. places has the name of
// the file by that of the tensor.
func Index(places map[string]string, tensors map[string]Source) ([]byte, error) {
	var total int64
	for name := range places {
		total += tensors[name].Bytes()
	}
	text, err := json.MarshalIndent(index{Metadata: map[string]any{"total_size": total}, Map: places}, "", "  ")
	return append(text, '\n'), errors.Wrap(err, "safetensors")
}
