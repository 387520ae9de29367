package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/examples/internal/run"
	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/sampler"
)

// several writes continuations side by side, each from a stream of random numbers of its own. The first is shown as it
// comes, the others after it.
func (s settings) several(ctx context.Context, r *run.Run, ids, shown []int, out io.Writer) (v speed, err error) {
	d, err := graph.NewBatchDecoder(r.Model.Forward, s.batch, r.Model.Config.ContextLength, s.options()...)
	if err != nil {
		return v, err
	}
	rows, later := make([]*continuation, s.batch), make([]bytes.Buffer, s.batch)
	for i := range rows {
		w := io.Writer(&later[i])
		if i == 0 {
			w = out
		}
		if _, err := fmt.Fprintf(w, "-- %d of %d --\n", i+1, s.batch); err != nil {
			return v, errors.WithStack(err)
		}
		rows[i] = newContinuation(r.Tokenizer, s.stop, w)
		if err := rows[i].prompt(shown); err != nil {
			return v, err
		}
	}
	v.begin(len(ids))
	err = writeRows(ctx, s.sampler, d, ids, s.n, rows, &v)
	written := 0
	for i, c := range rows {
		written += c.count
		ended := c.end()
		if i > 0 && ended == nil {
			_, ended = later[i].WriteTo(out)
		}
		if err == nil {
			err = errors.WithStack(ended)
		}
	}
	v.end(written)
	return v, err
}

// writeRows draws up to n tokens into each of rows. The prompt is run once.
func writeRows(ctx context.Context, s sampler.Sampler, d *graph.BatchDecoder, ids []int, n int, rows []*continuation, v *speed) error {
	tokens := make([][]int, len(rows))
	tokens[0] = ids
	logits, err := d.Next(ctx, tokens)
	if err != nil {
		return err
	}
	draw := make([]sampler.Sampler, len(rows))
	for i := range rows {
		if i > 0 {
			if err := d.Copy(i, 0); err != nil {
				return err
			}
		}
		draw[i], logits[i] = s, logits[0]
		draw[i].Stream += uint64(i)
	}
	v.ready(len(rows))
	for step := range n {
		going := false
		for i, c := range rows {
			row := logits[i]
			if tokens[i] = nil; row == nil {
				continue
			}
			token, err := draw[i].Sample(row)
			if err != nil {
				return err
			}
			if slices.Contains(s.Stop, token) {
				continue
			}
			done, err := c.write(token)
			if err != nil {
				return err
			}
			if !done && step+1 < n {
				tokens[i], going = []int{token}, true
			}
		}
		if !going {
			return nil
		}
		if logits, err = d.Next(ctx, tokens); err != nil {
			return err
		}
	}
	return nil
}
