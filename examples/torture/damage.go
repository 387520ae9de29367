package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/logits-go/logits/graph"
)

// target returns a checkpoint and the training that is to refuse it once it is damaged.
func target(ctx context.Context) (file []byte, t *training, before []byte, err error) {
	done, err := trained(ctx, tiny, 3)
	if err != nil {
		return nil, nil, nil, err
	}
	if file, err = done.file(); err != nil {
		return nil, nil, nil, err
	}
	if t, err = newTraining(tiny); err != nil {
		return nil, nil, nil, err
	}
	before, err = t.file()
	return file, t, before, err
}

// refused counts a damaged checkpoint.
func (sc *score) refused(file []byte, t *training) {
	sc.tries++
	if _, err := graph.ReadSnapshot(file, t.params); err == nil {
		sc.wrong++
	}
}

// unchanged counts it as wrong if the parameters have changed.
func (sc *score) unchanged(t *training, before []byte) error {
	after, err := t.file()
	if !bytes.Equal(after, before) {
		sc.wrong++
		sc.note += "; parameters have changed"
	}
	return err
}

// bitFlips flips single bits.
func bitFlips(ctx context.Context, s settings, _ string) (sc score, err error) {
	file, t, before, err := target(context.WithoutCancel(ctx))
	if err != nil {
		return sc, err
	}
	bits := rand.New(rand.NewPCG(s.seed, 2)).Perm(8 * len(file))
	for _, bit := range bits[:min(s.flips, len(bits))] {
		if sc.short = ctx.Err() != nil; sc.short {
			break
		}
		file[bit/8] ^= 1 << (bit % 8)
		sc.refused(file, t)
		file[bit/8] ^= 1 << (bit % 8)
	}
	sc.note = fmt.Sprintf("of %d bits; every one is noticed", len(bits))
	return sc, sc.unchanged(t, before)
}

// truncations cuts a checkpoint short.
func truncations(ctx context.Context, s settings, _ string) (sc score, err error) {
	file, t, before, err := target(context.WithoutCancel(ctx))
	if err != nil {
		return sc, err
	}
	for n := range evenly(len(file), s.cuts) {
		if sc.short = ctx.Err() != nil; sc.short {
			break
		}
		sc.refused(file[:n], t)
	}
	sc.note = fmt.Sprintf("of %d bytes; every length is refused", len(file))
	return sc, sc.unchanged(t, before)
}
