package main

import (
	"testing"
	"time"
)

// A child process measures something for every model and pass.
func TestMeasure(t *testing.T) {
	for _, child := range []string{"tiny/train", "tiny/forward"} {
		f, err := measure(t.Context(), settings{child: child, seconds: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		if !(f.Tokens > 0 && f.Best >= f.Tokens && f.GFLOPs > 0) {
			t.Errorf("%s: %+v", child, f)
		}
	}
	if _, err := measure(t.Context(), settings{child: "none/train"}); err == nil {
		t.Error("an unknown model is measured")
	}
}

// The work of a token, in millions of operations: 5.5, 20.5 and 108.6.
func TestFLOPs(t *testing.T) {
	for name, want := range map[string]float64{"tiny": 5.5, "small": 20.5, "ts": 108.6} {
		if got := sizes[name].flops() / 1e6; got < want-0.06 || got > want+0.06 {
			t.Errorf("%s takes %.2f million operations a token, want %v", name, got, want)
		}
	}
}

func TestShapes(t *testing.T) {
	if n := len(shapes()); n != 36 {
		t.Errorf("%d products, want 36", n)
	}
}
