package text

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A countdown is a context that ends after some looks at it. Work counts what is done after the last look that found
// nothing wrong.
type countdown struct {
	context.Context
	left, work int
}

func (c *countdown) Err() error {
	if c.left > 0 {
		c.left--
		return nil
	}
	return context.Canceled
}

func (c *countdown) did() {
	if c.left == 0 {
		c.work++
	}
}

// A watchedReader notes when it is read.
type watchedReader struct {
	io.Reader
	c *countdown
}

func (r watchedReader) Read(p []byte) (int, error) {
	r.c.did()
	return r.Reader.Read(p)
}

// A watchedCutter notes when it encodes.
type watchedCutter struct {
	Cutter
	c *countdown
}

func (w watchedCutter) Encode(text string) ([]int, error) {
	w.c.did()
	return w.Cutter.Encode(text)
}

// Whatever takes a context stops at any look at it, with the error of the context, and does no more than the piece of work
// that the last look was for: it reads and encodes one chunk of text, joins one pair, reads one file. What it was to make
// does not appear.
func TestCancellation(t *testing.T) {
	dir := t.TempDir()
	long := bytes.Repeat([]byte("the cat sat on the mat. "), 6*chunkSize/24)
	source := filepath.Join(dir, "goroot", "src", "a")
	if err := os.MkdirAll(source, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.go", "b.go", "c.go", "d.go"} {
		if err := os.WriteFile(filepath.Join(source, name), []byte("package a\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GOROOT", filepath.Join(dir, "goroot"))
	file := filepath.Join(dir, "tokens")
	reader := func(c *countdown) io.Reader { return watchedReader{bytes.NewReader(long), c} }
	for name, do := range map[string]struct {
		run   func(c *countdown) error
		looks int // at least
		work  int // of the last look, at most
	}{
		"EncodeReader": {func(c *countdown) error {
			for ids, err := range EncodeReader(c, watchedCutter{Bytes{}, c}, reader(c)) {
				if err != nil {
					if ids != nil {
						t.Error("there are ids with an error")
					}
					return err
				}
			}
			return nil
		}, 6, 2}, // it reads and encodes
		"EncodeFile": {func(c *countdown) error {
			_, err := EncodeFile(c, file, watchedCutter{Bytes{}, c}, reader(c))
			return err
		}, 6, 2},
		"TrainBPE, reading": {func(c *countdown) error {
			_, err := TrainBPE(c, reader(c), TrainConfig{VocabSize: 257})
			return err
		}, 7, 2}, // and finds the end of what it reads
		"TrainBPE, learning": {func(c *countdown) error {
			looks := c.left
			b, err := TrainBPE(c, strings.NewReader("low low lower widest newest the cat sat on the mat"), TrainConfig{VocabSize: 276})
			if (b == nil) != (err != nil) {
				t.Error("there is a tokenizer with an error")
			}
			if err != nil && looks > 0 && !strings.Contains(err.Error(), "stopped") {
				t.Errorf("%v does not say what stopped", err)
			}
			return err
		}, 20, 1},
		"ReadCorpus": {func(c *countdown) error {
			_, err := ReadCorpus(c, "go")
			return err
		}, 5, 1},
	} {
		looks := 0
		for ; ; looks++ {
			c := &countdown{Context: t.Context(), left: looks}
			err := do.run(c)
			if err == nil {
				break
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("%s ends with %v", name, err)
			}
			if c.work > do.work {
				t.Fatalf("%s does %d pieces of work after its context has ended", name, c.work)
			}
			if left, err := filepath.Glob(filepath.Join(dir, "*tokens*")); err != nil || len(left) > 0 {
				t.Fatalf("%s leaves %v, %v", name, left, err)
			}
		}
		if looks < do.looks {
			t.Errorf("%s looks at its context %d times, want %d", name, looks, do.looks)
		}
		if err := os.RemoveAll(file); err != nil {
			t.Fatal(err)
		}
	}
}
