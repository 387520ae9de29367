package main

import (
	"io"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/sampler"
	"github.com/logits-go/logits/text"
)

// A continuation turns the tokens of a sequence into text as they come, up to the first stop string.
type continuation struct {
	tokens  *text.Decoder
	stop    sampler.StopStrings
	out     io.Writer
	count   int // tokens written
	stopped bool
}

func newContinuation(t text.Tokenizer, stop []string, out io.Writer) *continuation {
	return &continuation{tokens: text.NewDecoder(t), stop: sampler.StopStrings{Strings: stop}, out: out}
}

// prompt writes the text before the continuation, in which nothing stops.
func (c *continuation) prompt(ids []int) error {
	for _, id := range ids {
		piece, err := c.tokens.Write(id)
		if err != nil {
			return err
		}
		if err := c.print(piece); err != nil {
			return err
		}
	}
	return nil
}

// write adds a token and reports whether the continuation has come to a stop string.
func (c *continuation) write(token int) (done bool, err error) {
	c.count++
	piece, err := c.tokens.Write(token)
	if err != nil {
		return false, err
	}
	piece, c.stopped = c.stop.Write(piece)
	return c.stopped, c.print(piece)
}

// end writes what was held back, and a newline.
func (c *continuation) end() error {
	rest := ""
	if !c.stopped {
		rest, c.stopped = c.stop.Write(c.tokens.Flush())
	}
	if !c.stopped {
		rest += c.stop.Flush()
	}
	return c.print(rest + "\n")
}

func (c *continuation) print(s string) error {
	if s == "" {
		return nil
	}
	_, err := io.WriteString(c.out, s)
	return errors.WithStack(err)
}
