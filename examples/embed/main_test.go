package main

import (
	"io/fs"
	"runtime"
	"strings"
	"testing"

	"github.com/logits-go/logits/sampler"
)

// newton is what the model takes to be most likely.
const newton = `The Colours of Veins, and the
distances of the Vibrations of the Rays of Light, and the Rays of Light
which the Rays of the Rays of Light, and the Rays of Light of the
Rays of the Prism, and the
`

// The program writes the same text at any number of threads.
func TestWrite(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, threads := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(threads)
		var out, drawn strings.Builder
		if err := write(t.Context(), &out, &sampler.Sampler{}, "The Colours of ", 60); err != nil {
			t.Fatal(err)
		}
		if out.String() != newton {
			t.Errorf("%d threads: %q, want %q", threads, out.String(), newton)
		}
		if err := write(t.Context(), &drawn, &sampler.Sampler{Temperature: 0.8}, "The Colours of ", 1000); err != nil {
			t.Fatal(err)
		}
		if n := len(drawn.String()); n < 2*len(newton) {
			t.Errorf("%d bytes fill the context", n)
		}
	}
}

// What the program carries stays small.
func TestSize(t *testing.T) {
	size := int64(0)
	err := fs.WalkDir(files, ".", func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		size += info.Size()
		return err
	})
	if err != nil || size == 0 || size > 1<<20 {
		t.Errorf("%d bytes, %v", size, err)
	}
}
