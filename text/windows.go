package text

import (
	"io"

	"github.com/pkg/errors"
)

// Ignore is the target of a place that holds no token. PyTorch and package loss leave it out.
const Ignore = -100

// Windows visits tokens in order, window after window, for evaluation: every token but the first is a target
// exactly once, the same way every time.
//
// A Windows is for one goroutine.
type Windows struct {
	tokens Tokens
	at     int
}

// NewWindows returns the windows of t from the start.
func NewWindows(t Tokens) (*Windows, error) {
	if t == nil || t.Len() < 2 {
		return nil, errors.Errorf("text: Windows need at least two tokens, a token and the one after it")
	}
	return &Windows{tokens: t}, nil
}

// Next fills x and y, both (batch, seq) row by row, with the next batch windows of seq tokens, laid end to
// end, and the token after each. It returns the number of targets. Where the tokens end before the batch is
// full, the places left have token 0 in x and [Ignore] in y. After the last batch it returns io.EOF.
func (w *Windows) Next(x, y []int, batch, seq int) (targets int, err error) {
	if w == nil || w.tokens == nil {
		return 0, errors.Errorf("text: Next of Windows that NewWindows did not make")
	}
	if err := checkBatch(x, y, batch, seq); err != nil {
		return 0, err
	}
	n := min(len(x), w.tokens.Len()-1-w.at)
	if n <= 0 {
		return 0, io.EOF
	}
	// Rows are windows laid end to end, so the whole batch is one long window.
	if err := readWindow(w.tokens, x[:n], y[:n], w.at); err != nil {
		return 0, err
	}
	for i := n; i < len(x); i++ {
		x[i], y[i] = 0, Ignore
	}
	w.at += n
	return n, nil
}
