package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pkg/errors"
)

// Every way to draw from every vocabulary has a line, with a time here and one of plain Go.
func TestSampling(t *testing.T) {
	var b bytes.Buffer
	file := filepath.Join(t.TempDir(), "results.json")
	r, err := newReport(&b, file)
	if err != nil {
		t.Fatal(err)
	}
	if err := sampling(t.Context(), settings{seconds: time.Millisecond, pairs: 1, steps: 1}, r); err != nil {
		t.Fatal(err)
	}
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	rows := lines[drawRow](t, file, "draw")
	if len(rows) != len(vocabs)*len(draws) {
		t.Errorf("%d rows, want %d", len(rows), len(vocabs)*len(draws))
	}
	for _, row := range rows {
		if len(row.Microseconds) != 2 || !(row.Microseconds["here"] > 0 && row.Microseconds["plain Go"] > 0) {
			t.Errorf("row %+v", row)
		}
	}
	if !strings.Contains(b.String(), "\n131072  top-p 0.9              flat ") {
		t.Errorf("no top-p of a flat row in the table\n%s", b.String())
	}
}

func TestMicroseconds(t *testing.T) {
	calls := 0
	took, err := microseconds(0, func() error {
		calls++
		time.Sleep(time.Millisecond)
		return nil
	})
	if err != nil || calls != 3 || took < 1000 {
		t.Errorf("%d calls of %v µs, %v; want 3 of 1000 at least", calls, took, err)
	}
	wrong := errors.New("wrong")
	if _, err := microseconds(0, func() error { return wrong }); err != wrong {
		t.Errorf("error %v, want that of the call", err)
	}
}

// An engine ends at a question that it does not understand.
func TestServeDrawsRefuses(t *testing.T) {
	for _, question := range []string{"greedy", "0 0 0 0 missing.f32 0.1"} {
		if err := serveDraws(false, strings.NewReader(question+"\n"), &bytes.Buffer{}); err == nil {
			t.Errorf("%q is answered", question)
		}
	}
}
