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
func (s settings) several(ctx context.Context, r *run.Run, ids, shown []int, out, notes io.Writer) (v speed, err error) {
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
	draw, err := s.samplers(ids)
	if err != nil {
		return v, err
	}
	v.begin(len(ids))
	err = writeRows(ctx, draw, d, ids, s.n, rows, &v)
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
		if !complete(&draw.Rows[i]) {
			fmt.Fprintf(notes, "text %d is not complete\n", i+1)
		}
	}
	v.end(written)
	return v, err
}

// samplers returns one for each continuation of a prompt.
func (s settings) samplers(ids []int) (*sampler.Batch, error) {
	b := new(sampler.Batch)
	for i := range s.batch {
		row, err := s.sampler.Clone()
		if err != nil {
			return nil, err
		}
		row.Stream += uint64(i)
		if row.Steps != nil {
			row.History = sampler.NewHistory(ids...)
		}
		b.Rows = append(b.Rows, *row)
	}
	return b, nil
}

// writeRows draws up to n tokens into each of rows. The prompt is run once.
func writeRows(
	ctx context.Context, draw *sampler.Batch, d *graph.BatchDecoder, ids []int, n int, rows []*continuation, v *speed,
) error {
	given, tokens := make([][]int, len(rows)), make([]int, len(rows))
	given[0] = ids
	logits, err := d.Next(ctx, given)
	if err != nil {
		return err
	}
	for i := range rows {
		if err := d.Copy(i, 0); err != nil {
			return err
		}
		logits[i] = logits[0]
	}
	v.ready(len(rows))
	for step := range n {
		if err := draw.Sample(tokens, logits); err != nil {
			return err
		}
		going := false
		for i, token := range tokens {
			if given[i] = nil; token < 0 || slices.Contains(draw.Rows[i].Stop, token) {
				continue
			}
			done, err := rows[i].write(token)
			if err != nil {
				return err
			}
			if !done {
				given[i], going = []int{token}, true
			}
		}
		if !going || step+1 == n {
			return nil
		}
		if logits, err = d.Next(ctx, given); err != nil {
			return err
		}
	}
	return nil
}
