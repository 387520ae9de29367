package safetensors

import (
	"encoding/json"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/internal/weights"
)

// maxIndex bounds the size of an index in bytes.
const maxIndex = 64 << 20

// An index says which file holds a tensor.
type index struct {
	Metadata map[string]any    `json:"metadata"` // total_size, and what else people put there
	Map      map[string]string `json:"weight_map"`
}

// openIndex opens the files that an index names, all in its own folder. They hold the tensors that it says they do and
// no others.
func openIndex(fsys fs.FS, at string) (_ *weights.File, err error) {
	name := path.Base(at)
	places, err := readIndex(fsys, at)
	if err != nil {
		return nil, errors.WithMessage(err, name)
	}
	var tensors []weights.Tensor
	var mappings []*weights.Mapping
	defer func() {
		if err != nil {
			for _, m := range mappings {
				m.Close()
			}
		}
	}()
	missing := maps.Clone(places)
	for _, part := range slices.Compact(slices.Sorted(maps.Values(places))) {
		if part == "" || filepath.Base(part) != part || part == "." || part == ".." {
			return nil, errors.Errorf("%s: %q is no file in its folder", name, part)
		}
		m, err := weights.Map(fsys, path.Join(path.Dir(at), part))
		if err != nil {
			return nil, errors.WithMessage(err, name)
		}
		mappings = append(mappings, m)
		held, _, err := parse(m.Data, ofAny)
		if err != nil {
			return nil, errors.WithMessagef(err, "%s: %s", name, part)
		}
		for _, t := range held {
			if places[t.Name] != part {
				return nil, errors.Errorf("%s: %s holds %s, which the index does not say", name, part, t.Name)
			}
			delete(missing, t.Name)
		}
		tensors = append(tensors, held...)
	}
	if len(missing) > 0 {
		return nil, errors.Errorf("%s: missing %s", name, strings.Join(slices.Sorted(maps.Keys(missing)), "; missing "))
	}
	return weights.New(tensors, mappings...)
}

// readIndex returns which file holds a tensor.
func readIndex(fsys fs.FS, name string) (places map[string]string, err error) {
	data, err := weights.ReadFile(fsys, name, maxIndex)
	if err != nil {
		return nil, err
	}
	var x index
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.DisallowUnknownFields()
	if err := d.Decode(&x); err != nil {
		return nil, errors.WithStack(err)
	}
	if len(x.Map) == 0 {
		return nil, errors.New("the index names no tensors")
	}
	return x.Map, nil
}
