package text

import (
	"context"
	"io"
	"iter"

	"github.com/pkg/errors"
)

const (
	chunkSize = 1 << 20 // what is read at once
	maxChunk  = 1 << 26 // the longest text without a place to cut
)

// EncodeReader yields the ids of everything in r, piece by piece; the slice is valid until the next. The ids
// are those of Encode on the whole text, but memory is bounded by about a megabyte of text or, where it is
// longer, by the longest stretch in which t finds no place to cut, of which more than 64 MiB is an error.
// The first error ends the sequence.
func EncodeReader(ctx context.Context, t Cutter, r io.Reader) iter.Seq2[[]int, error] {
	return func(yield func([]int, error) bool) {
		if t == nil || r == nil {
			yield(nil, errors.Errorf("text: encoding needs a tokenizer and a reader"))
			return
		}
		var read int64
		encode := t.Encode
		for text, err := range chunks(ctx, r, t.Cut) {
			if err != nil {
				yield(nil, err)
				return
			}
			ids, err := encode(text)
			if err != nil {
				yield(nil, errors.WithMessagef(err, "in the %d bytes from %d", len(text), read))
				return
			}
			if !yield(ids, nil) {
				return
			}
			read += int64(len(text))
			if c, ok := t.(continuer); ok {
				encode = c.EncodeRest
			}
		}
	}
}

// A continuer is a Cutter that encodes text another way after a cut.
type continuer interface {
	EncodeRest(text string) ([]int, error)
}

// chunks yields the text in r cut where cut allows.
func chunks(ctx context.Context, r io.Reader, cut func(string) int) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		buf := make([]byte, 0, chunkSize)
		for {
			if err := ctx.Err(); err != nil {
				yield("", errors.Wrap(err, "text: reading stopped"))
				return
			}
			if len(buf) == cap(buf) {
				// Twice the size each time, so that looking for a cut stays linear.
				buf = append(make([]byte, 0, 2*cap(buf)), buf...)
			}
			n, err := fill(r, buf[len(buf):cap(buf)])
			buf = buf[:len(buf)+n]
			if err == io.EOF {
				if len(buf) > 0 {
					yield(string(buf), nil)
				}
				return
			}
			if err != nil {
				yield("", errors.Wrap(err, "text: reading"))
				return
			}
			text := string(buf)
			n = cut(text)
			if n < 0 || n > len(text) {
				yield("", errors.Errorf("text: Cut returned %d for a text of %d bytes", n, len(text)))
				return
			}
			if n == 0 && len(buf) >= maxChunk {
				yield("", errors.Errorf("text: no place to cut in %d bytes", len(buf)))
				return
			}
			if n > 0 && !yield(text[:n], nil) {
				return
			}
			buf = append(buf[:0], text[n:]...)
		}
	}
}

// fill reads until p is full. Unlike io.ReadFull it tells the end of r, which is io.EOF, from a source that
// breaks off with io.ErrUnexpectedEOF.
func fill(r io.Reader, p []byte) (n int, err error) {
	empty := 0
	for n < len(p) && err == nil {
		var m int
		m, err = r.Read(p[n:])
		if m < 0 || m > len(p)-n {
			return n, errors.Errorf("Read returned %d for %d bytes", m, len(p)-n)
		}
		if empty++; m > 0 {
			empty = 0
		}
		if empty == 100 && err == nil {
			err = io.ErrNoProgress
		}
		n += m
	}
	if n == len(p) && err == io.EOF {
		err = nil // the next call says so
	}
	return n, err
}
