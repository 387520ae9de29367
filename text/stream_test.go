package text

import (
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

func count(n int) Slice {
	s := make(Slice, n)
	for i := range s {
		s[i] = i
	}
	return s
}

func TestStream(t *testing.T) {
	const n, batch, seq = 10, 50, 4
	s, err := NewStream(count(n), 1)
	if err != nil {
		t.Fatal(err)
	}
	x, y := make([]int, batch*seq), make([]int, batch*seq)
	starts := map[int]int{}
	for range 20 {
		if err := s.Next(x, y, batch, seq); err != nil {
			t.Fatal(err)
		}
		for i := range x {
			if i%seq > 0 && x[i] != x[i-1]+1 || y[i] != x[i]+1 {
				t.Fatalf("x = %v, y = %v", x, y)
			}
			if i%seq == 0 {
				starts[x[i]]++
			}
		}
	}
	// 1000 windows at 6 places: 167 each, give or take.
	for at := range n - seq {
		if starts[at] < 120 || starts[at] > 220 {
			t.Errorf("of 1000 windows %d start at %d", starts[at], at)
		}
	}
	if got, want := len(starts), n-seq; got != want {
		t.Errorf("windows start at %d places, want %d", got, want)
	}
	if got, want := s.Drawn(), uint64(1000); got != want {
		t.Errorf("Drawn() = %d, want %d", got, want)
	}
}

// The windows of a seed never change, or a training run could not be repeated.
func TestStreamSeed(t *testing.T) {
	s, err := NewStream(count(1000), 42)
	if err != nil {
		t.Fatal(err)
	}
	x, y := make([]int, 5), make([]int, 5)
	if err := s.Next(x, y, 5, 1); err != nil {
		t.Fatal(err)
	}
	if want := []int{856, 959, 136, 88, 185}; !slices.Equal(x, want) {
		t.Errorf("the windows of seed 42 start at %v, want %v", x, want)
	}
}

func TestStreamState(t *testing.T) {
	const batch, seq = 3, 2
	a, err := NewStream(count(100), 1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewStream(count(100), 2)
	if err != nil {
		t.Fatal(err)
	}
	var x, y, x2, y2 [batch * seq]int
	for range 5 {
		if err := a.Next(x[:], y[:], batch, seq); err != nil {
			t.Fatal(err)
		}
	}
	state, err := a.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.UnmarshalBinary(state); err != nil {
		t.Fatal(err)
	}
	if got, want := b.Drawn(), a.Drawn(); got != want {
		t.Errorf("Drawn() = %d after UnmarshalBinary, want %d", got, want)
	}
	for range 5 {
		if err := a.Next(x[:], y[:], batch, seq); err != nil {
			t.Fatal(err)
		}
		if err := b.Next(x2[:], y2[:], batch, seq); err != nil {
			t.Fatal(err)
		}
		if x != x2 || y != y2 {
			t.Fatalf("restored, a Stream draws %v, want %v", x2, x)
		}
	}
	other, err := NewStream(count(101), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.UnmarshalBinary(state); err == nil || !strings.Contains(err.Error(), "over 100 tokens, and here are 101") {
		t.Errorf("UnmarshalBinary over other tokens: %v", err)
	}
	for n := range state {
		if err := b.UnmarshalBinary(state[:n]); err == nil {
			t.Errorf("UnmarshalBinary of %d of %d bytes did not fail", n, len(state))
		}
	}
	var none *Stream
	if err := none.UnmarshalBinary(state); err == nil {
		t.Error("UnmarshalBinary of no Stream did not fail")
	}
}

func TestStreamErrors(t *testing.T) {
	for _, tokens := range []Tokens{nil, count(0), count(1)} {
		if _, err := NewStream(tokens, 1); err == nil {
			t.Errorf("NewStream(%v) did not fail", tokens)
		}
		if _, err := NewWindows(tokens); err == nil {
			t.Errorf("NewWindows(%v) did not fail", tokens)
		}
	}
	s, err := NewStream(count(10), 1)
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWindows(count(10))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ x, y, batch, seq int }{
		{10, 10, 1, 10}, // no token left to follow the last
		{4, 4, 0, 4}, {4, 4, -2, -2}, {4, 4, 4, 0}, {4, 4, 1, 3}, {4, 3, 2, 2}, {4, 4, math.MaxInt/4 + 1, 4},
	} {
		x, y := make([]int, c.x), make([]int, c.y)
		if err := s.Next(x, y, c.batch, c.seq); err == nil {
			t.Errorf("Stream.Next of %+v did not fail", c)
		}
		if _, err := w.Next(x, y, c.batch, c.seq); err == nil && c.x < 10 {
			t.Errorf("Windows.Next of %+v did not fail", c)
		}
	}
	if err := s.Next(make([]int, 9), make([]int, 9), 1, 9); err != nil {
		t.Errorf("Next of all there is: %v", err)
	}
	if err := new(Stream).Next(nil, nil, 1, 1); err == nil {
		t.Error("Next of an empty Stream did not fail")
	}
}

func TestStreamAllocatesNothing(t *testing.T) {
	s, err := NewStream(count(1000), 1)
	if err != nil {
		t.Fatal(err)
	}
	x, y := make([]int, 64), make([]int, 64)
	if n := testing.AllocsPerRun(100, func() {
		if err := s.Next(x, y, 4, 16); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("Next allocates %v times", n)
	}
}

func TestWindows(t *testing.T) {
	const batch, seq = 2, 3
	for n := 2; n < 30; n++ {
		w, err := NewWindows(count(n))
		if err != nil {
			t.Fatal(err)
		}
		x, y := make([]int, batch*seq), make([]int, batch*seq)
		next := 0 // the token that comes next in x
		for {
			targets, err := w.Next(x, y, batch, seq)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			for i := range x {
				wantX, wantY := next, next+1
				if i >= targets {
					wantX, wantY = 0, Ignore
				} else {
					next++
				}
				if x[i] != wantX || y[i] != wantY {
					t.Fatalf("of %d tokens: x = %v, y = %v with %d targets", n, x, y, targets)
				}
			}
		}
		if got, want := next, n-1; got != want {
			t.Errorf("of %d tokens %d were targets, want %d", n, got, want)
		}
	}
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		n        int
		fraction float64
		want     int
	}{{100, 0.9, 90}, {1115394, 0.9, 1003854}, {7, 0.5, 3}, {5, 0, 0}, {5, 1, 5}, {0, 0.9, 0}} {
		train, val, err := Split(count(c.n), c.fraction)
		if err != nil {
			t.Fatal(err)
		}
		if train.Len() != c.want || val.Len() != c.n-c.want {
			t.Errorf("Split of %d at %v gives %d and %d, want %d and %d", c.n, c.fraction, train.Len(), val.Len(), c.want, c.n-c.want)
		}
		var token [1]int
		if val.Len() > 0 {
			if err := val.ReadTokens(token[:], 0); err != nil || token[0] != c.want {
				t.Errorf("validation starts with %d, %v, want %d", token[0], err, c.want)
			}
		}
		// Training must not see validation, nor read past its end.
		if err := train.ReadTokens(token[:], c.want); err == nil {
			t.Errorf("training tokens gave %d from beyond their end", token[0])
		}
	}
	nan := 0.0
	nan /= nan
	for _, fraction := range []float64{-0.1, 1.1, nan} {
		if _, _, err := Split(count(10), fraction); err == nil {
			t.Errorf("Split at %v did not fail", fraction)
		}
	}
	if _, _, err := Split(nil, 0.9); err == nil {
		t.Error("Split of nothing did not fail")
	}
}

func TestSliceReadTokens(t *testing.T) {
	const most = int(^uint(0) >> 1)
	for _, c := range []struct{ n, at int }{{1, -1}, {1, 10}, {11, 0}, {1, 11}, {0, 11}, {1, most}, {1, -most - 1}} {
		if err := count(10).ReadTokens(make([]int, c.n), c.at); err == nil {
			t.Errorf("ReadTokens of %d from %d did not fail", c.n, c.at)
		}
	}
}
