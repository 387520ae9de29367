package main

import (
	"bytes"
	"context"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestMain trains in processes that the test starts to kill them.
func TestMain(m *testing.M) {
	if child() {
		return
	}
	os.Exit(m.Run())
}

// A short torture finds nothing wrong. On a slow disk it ends before it has tried all, and says so.
func TestTorture(t *testing.T) {
	var out bytes.Buffer
	s := settings{limit: time.Minute, kills: 6, flips: 400, cuts: 400, rooms: 20, power: 2, generations: 320, hashes: 1, seed: 1, dir: t.TempDir()}
	wrong, err := torture(t.Context(), s, &out)
	t.Logf("\n%s", out.String())
	if wrong != 0 || err != nil {
		t.Errorf("%d wrong, %v", wrong, err)
	}
	if lines := strings.Count(out.String(), "\n"); lines < 1+len(campaigns) {
		t.Errorf("%d lines for %d campaigns", lines, len(campaigns))
	}
	for _, line := range strings.Split(out.String(), "\n")[1:] {
		if fields := regexp.MustCompile(`  +`).Split(line, 5); len(fields) == 5 && fields[1] == "0" &&
			!strings.HasPrefix(fields[4], "skipped: ") && !strings.Contains(fields[4], "stopped when its time was up") {
			t.Errorf("nothing was tried: %s", line)
		}
	}
	if entries, err := os.ReadDir(s.dir); err != nil || len(entries) > 0 {
		t.Errorf("it leaves %v, %v", entries, err)
	}
}

// When the time is up, the scorecard says what was not tried.
func TestTortureIsShort(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	s := settings{kills: 1, flips: 1, cuts: 1, rooms: 1, power: 1, generations: 1, hashes: 1, dir: t.TempDir()}
	if wrong, err := torture(ctx, s, &out); wrong != 0 || err != nil {
		t.Errorf("%d wrong, %v", wrong, err)
	}
	if n := strings.Count(out.String(), "stopped when its time was up"); n != len(campaigns) {
		t.Errorf("%d of %d campaigns say that they have not tried all:\n%s", n, len(campaigns), out.String())
	}
	if _, err := torture(ctx, settings{}, &out); err == nil {
		t.Error("no error")
	}
}

// What is wrong is noticed: a training that goes on with another batch, and a checkpoint that is another one.
func TestTortureNotices(t *testing.T) {
	one, err := trained(t.Context(), tiny, 2)
	if err != nil {
		t.Fatal(err)
	}
	other, err := trained(t.Context(), tiny, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.stream.Next(other.x[0], other.y[0], other.batch, other.seq); err != nil {
		t.Fatal(err)
	}
	first, err := one.hash()
	if err != nil {
		t.Fatal(err)
	}
	if second, err := other.hash(); err != nil || first == second {
		t.Errorf("streams in other states have one hash, %v", err)
	}
	file, err := one.file()
	if err != nil {
		t.Fatal(err)
	}
	large, err := newTraining(wide)
	if err != nil {
		t.Fatal(err)
	}
	text, err := hashOfText(large.model)
	if err != nil {
		t.Fatal(err)
	}
	weight := large.model.Head().Value().Data().([]float32)
	weight[0] = math.Nextafter32(weight[0], 1)
	if again, err := hashOfText(large.model); err != nil || again == text {
		t.Errorf("a model with another bit generates with the same bits, %v", err)
	}
	var sc score
	if sc.refused(file, other); sc.wrong != 1 {
		t.Error("a checkpoint that is whole counts as refused")
	}
	if sc.refused(file[1:], other); sc.wrong != 1 || sc.tries != 2 {
		t.Error("a checkpoint that is damaged counts as accepted")
	}
}
