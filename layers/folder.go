package layers

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/internal/safetensors"
	"github.com/logits-go/logits/internal/weights"
)

// What the files of weights in a folder are called. Shards have their number and how many there are in their names.
const (
	weightsName  = "model.safetensors"
	indexName    = "model.safetensors.index.json"
	shardName    = "model-%05d-of-%05d.safetensors"
	shardPattern = "model-[0-9][0-9][0-9][0-9][0-9]-of-[0-9][0-9][0-9][0-9][0-9].safetensors"
)

// writeFolder writes a folder: JSON files by name, the tokenizer if there is one, and the weights.
func (e Export) writeFolder(dir string, files map[string]any, slots []slot, d weights.DType) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return errors.WithStack(err)
	}
	contents := make(map[string][]byte)
	if e.Tokenizer != nil {
		contents["tokenizer.json"] = e.Tokenizer
	}
	for name, value := range files {
		data, err := json.MarshalIndent(value, "", "  ")
		if err != nil {
			return errors.Wrap(err, name)
		}
		contents[name] = append(data, '\n')
	}
	stage := weights.Stage{Dir: dir}
	defer stage.Discard()
	for _, name := range slices.Sorted(maps.Keys(contents)) {
		if err := stage.Write(name, bytesOf(contents[name])); err != nil {
			return errors.WithMessage(err, name)
		}
	}
	if err := e.stageWeights(&stage, slots, d); err != nil {
		return err
	}
	stale, err := weightsIn(dir)
	if err != nil {
		return err
	}
	return stage.Place(stale...)
}

// stageWeights writes the weights as one file or as shards, whose index comes last.
func (e Export) stageWeights(stage *weights.Stage, slots []slot, d weights.DType) error {
	tensors, metadata := sources(slots, d), map[string]string{"format": "pt"}
	var names []string
	for _, s := range slots {
		names = append(names, s.name)
	}
	shards := [][]string{names}
	if e.ShardSize > 0 {
		var err error
		if shards, err = safetensors.Split(names, tensors, metadata, e.ShardSize); err != nil {
			return err
		}
	}
	places := make(map[string]string)
	for i, shard := range shards {
		file := weightsName
		if len(shards) > 1 {
			file = fmt.Sprintf(shardName, i+1, len(shards))
		}
		part := make(map[string]safetensors.Source)
		for _, name := range shard {
			part[name], places[name] = tensors[name], file
		}
		err := stage.Write(file, func(w io.Writer) error { return safetensors.Write(w, part, metadata) })
		if err != nil {
			return errors.WithMessage(err, file)
		}
	}
	if len(shards) == 1 {
		return nil
	}
	index, err := safetensors.Index(places, tensors)
	if err != nil {
		return err
	}
	return errors.WithMessage(stage.Write(indexName, bytesOf(index)), indexName)
}

// sources returns the tensors of a file by name.
func sources(slots []slot, d weights.DType) map[string]safetensors.Source {
	tensors := make(map[string]safetensors.Source)
	for _, s := range slots {
		tensors[s.name] = safetensors.Source{DType: d, Shape: s.shape(), Data: func() []byte {
			return weights.Append(nil, d, s.numbers())
		}}
	}
	return tensors
}

// weightsIn returns the names of files of weights in a folder, shards of any number included. The index is first: without
// it shards are nothing, and one file is all the same.
func weightsIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, errors.WithStack(err)
	}
	names := []string{indexName, weightsName}
	for _, entry := range entries {
		if match, _ := path.Match(shardPattern, entry.Name()); match && !entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

func bytesOf(data []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
}
