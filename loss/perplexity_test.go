package loss_test

import (
	"math"
	"testing"

	"github.com/logits-go/logits/loss"
)

func TestBitsPerByte(t *testing.T) {
	for _, c := range []struct {
		nats          float64
		tokens, bytes int
		want          float64
	}{
		{math.Ln2, 1, 1, 1}, {math.Ln2, 3, 12, 0.25}, {0, 3, 1, 0}, {2 * math.Ln2, 0, 1, 0},
		{1, 1, 0, nan}, {0, 0, 0, nan}, {1, 1, -1, nan},
	} {
		got := loss.BitsPerByte(c.nats, c.tokens, c.bytes)
		if got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("%v nats of %d tokens in %d bytes are %v bits per byte, want %v", c.nats, c.tokens, c.bytes, got, c.want)
		}
	}
}
