package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/optim"
)

// What the metadata of a checkpoint says beside what graph.Snapshot does.
const (
	flagsKey  = "flags"  // those that decide what is learned, as a JSON object
	tokensKey = "tokens" // the checksum of the text
	doneKey   = "done"   // whether all steps are done: "" or "true"
)

// save adds a checkpoint.
func (t *training) save() error {
	flags, err := json.Marshal(t.s.decisive)
	if err != nil {
		return errors.WithStack(err)
	}
	stream, err := t.stream.MarshalBinary()
	if err != nil {
		return err
	}
	metadata := map[string]string{flagsKey: string(flags), tokensKey: t.data.sum}
	if t.step == t.s.steps {
		metadata[doneKey] = "true"
	}
	state := t.opt.State(t.weights)
	_, err = t.s.archive().Save(t.run.Params, graph.Snapshot{
		Step:     t.step,
		Tensors:  state.Tensors,
		Counts:   map[string]uint64{"runs": t.trainer.Runs(), "skipped": uint64(t.skipped)},
		States:   map[string][]byte{"stream": stream},
		Metadata: metadata,
	})
	return err
}

// load goes on from the last checkpoint, if training is to be resumed and there is one, and returns what the user should
// know of that. A new training takes the place of one that is done, and of no other.
func (t *training) load() (news []string, err error) {
	archive := t.s.archive()
	if !t.s.resume {
		last, _, err := archive.Peek()
		switch {
		case errors.Is(err, graph.ErrNoSnapshot):
			return nil, nil
		case err == nil && last.Metadata[doneKey] != "":
			return nil, errors.WithStack(os.RemoveAll(t.s.checkpoints()))
		}
		return nil, errors.Errorf("%s holds a training that is not done: go on with -resume, or remove it, or choose another -out",
			t.s.checkpoints())
	}
	s, skipped, err := archive.Load(t.run.Params)
	for _, f := range skipped {
		news = append(news, fmt.Sprintf("skipped checkpoint %v", f))
	}
	if errors.Is(err, graph.ErrNoSnapshot) {
		return append(news, "there is no checkpoint to go on from, so training begins"), nil
	}
	if err != nil {
		return nil, err
	}
	if s.Metadata[tokensKey] != t.data.sum {
		return nil, errors.Errorf("-resume: the text or the tokenizer is not what it was at the checkpoint")
	}
	t.step, t.skipped = s.Step, int(s.Counts["skipped"])
	if err := t.opt.SetState(t.weights, optim.State{Step: t.step - t.skipped, Tensors: s.Tensors}); err != nil {
		return nil, err
	}
	if err := t.stream.UnmarshalBinary(s.States["stream"]); err != nil {
		return nil, err
	}
	t.trainer.SetRuns(s.Counts["runs"])
	return append(news, fmt.Sprintf("going on after step %d", t.step)), nil
}
