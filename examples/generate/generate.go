package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/examples/internal/run"
	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/sampler"
	"github.com/logits-go/logits/text"
)

// generate writes what the model makes of the prompt to out, and what else there is to say to notes.
func generate(ctx context.Context, s settings, in io.Reader, out, notes io.Writer) error {
	if s.n < 0 || s.batch < 1 {
		return errors.Errorf("%d continuations of %d tokens", s.batch, s.n)
	}
	prompt, err := s.readPrompt(in)
	if err != nil {
		return err
	}
	r, err := run.Open(s.model, s.tokenizer)
	if err != nil {
		return err
	}
	shown, err := r.Tokenizer.Encode(prompt)
	if err != nil {
		return err
	}
	ids := shown
	if bos, ok := r.Tokenizer.Special(text.BOS); ok {
		ids = append([]int{bos}, ids...)
	}
	if len(ids) == 0 {
		return errors.New("the prompt is empty")
	}
	if !s.ignoreEOS {
		for _, special := range []string{text.BOS, text.EOS, text.EndOfText} { // the next text begins where one ends
			if id, ok := r.Tokenizer.Special(special); ok {
				s.sampler.Stop = append(s.sampler.Stop, id)
			}
		}
	}
	if err := s.steps(r.Tokenizer); err != nil {
		return err
	}

	// The last token of a text is not given to the model.
	most := r.Model.Config.ContextLength
	if len(ids) > most {
		return errors.Errorf("a prompt of %d tokens in a context of %d", len(ids), most)
	}
	if room := most - len(ids) + 1; s.n > room {
		s.n = room
		fmt.Fprintf(notes, "the context of %d tokens leaves room for %d\n", most, room)
	}

	var v speed
	if s.batch > 1 {
		v, err = s.several(ctx, r, ids, shown, out, notes)
	} else {
		v, err = s.one(ctx, r, ids, shown, out, notes)
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(notes, v)
	return nil
}

// options are those of the graphs that generate.
func (s settings) options() (opts []graph.Option) {
	if s.int8 {
		opts = append(opts, graph.Int8())
	}
	return opts
}

// one writes a continuation of the tokens in ids, of which those in shown are text.
func (s settings) one(ctx context.Context, r *run.Run, ids, shown []int, out, notes io.Writer) (v speed, err error) {
	dec, err := graph.NewDecoder(r.Model.Forward, r.Model.Config.ContextLength, s.options()...)
	if err != nil {
		return v, err
	}
	c := newContinuation(r.Tokenizer, s.stop, out)
	if err := c.prompt(shown); err != nil {
		return v, err
	}
	v.begin(len(ids))
	err = write(ctx, &s.sampler, dec, ids, s.n, c, &v)
	v.end(c.count)
	if ended := c.end(); err == nil { // an interrupted text is shown as far as it goes
		err = ended
	}
	if !complete(&s.sampler) {
		fmt.Fprintln(notes, "the text is not complete")
	}
	return v, err
}

// write draws up to n tokens into c.
func write(ctx context.Context, s *sampler.Sampler, model sampler.Model, ids []int, n int, c *continuation, v *speed) error {
	for token, err := range s.Generate(ctx, model, ids, n) {
		if err != nil {
			return err
		}
		v.ready(1)
		if done, err := c.write(token); done || err != nil {
			return err
		}
	}
	return nil
}

// A speed counts tokens and the time they take: those of the prompt, and those that follow one by one. The first of a
// continuation comes with the prompt.
type speed struct {
	prompt, first, written int
	began, answered, ended time.Time
}

func (v *speed) begin(prompt int) { v.prompt, v.began = prompt, time.Now() }

// ready notes that the model has worked through the prompt, of which so many continuations take their first token.
func (v *speed) ready(continuations int) {
	if v.answered.IsZero() {
		v.first, v.answered = continuations, time.Now()
	}
}

func (v *speed) end(written int) { v.written, v.ended = written, time.Now() }

func (v speed) String() string {
	if v.answered.IsZero() {
		return fmt.Sprintf("prompt of %d tokens, nothing written", v.prompt)
	}
	s := fmt.Sprintf("prompt of %d tokens, %.0f a second; %d written", v.prompt, rate(v.prompt, v.answered.Sub(v.began)), v.written)
	if v.written > v.first {
		s += fmt.Sprintf(", %.0f a second", rate(v.written-v.first, v.ended.Sub(v.answered)))
	}
	return s
}

func rate(tokens int, d time.Duration) float64 { return float64(tokens) / max(d, 1).Seconds() }
