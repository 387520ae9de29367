package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The test is its own child: with arguments of the program, it is the program.
func TestMain(m *testing.M) {
	if slices.Contains(os.Args[1:], "-child") {
		main()
		return
	}
	flag.Parse()
	os.Exit(m.Run())
}

// lines decodes the figures of all lines of a kind.
func lines[T any](t *testing.T, file, kind string) (all []T) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(bytes.NewReader(data)); d.More(); {
		var line struct {
			Kind    string          `json:"kind"`
			Figures json.RawMessage `json:"figures"`
		}
		var v T
		if err := d.Decode(&line); err != nil {
			t.Fatal(err)
		}
		if line.Kind != kind {
			continue
		}
		if err := json.Unmarshal(line.Figures, &v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}

// Every pass is measured in a process of its own, and has a line in the table and in the file with all its figures.
func TestSpeeds(t *testing.T) {
	var b bytes.Buffer
	file := filepath.Join(t.TempDir(), "results.json")
	r, err := newReport(&b, file)
	if err != nil {
		t.Fatal(err)
	}
	s := settings{models: "tiny", seconds: time.Millisecond, pairs: 1, steps: 1}
	if err := speeds(t.Context(), s, r); err != nil {
		t.Fatal(err)
	}
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	rows := lines[speedRow](t, file, "speed")
	if len(rows) != len(passes) || len(lines[any](t, file, "machine")) != 1 {
		t.Fatalf("%d rows, want %d and the machine", len(rows), len(passes))
	}
	for i, row := range rows {
		if row.Model != "tiny" || row.Pass != passes[i] || !(row.Tokens > 0 && row.Best >= row.Tokens && row.GFLOPs > 0 && row.Peak > 0) {
			t.Errorf("row %+v", row)
		}
		if !strings.Contains(b.String(), "\ntiny   "+row.Pass) {
			t.Errorf("no %s in the table\n%s", row.Pass, b.String())
		}
	}
	s.models = "tiny,none"
	if err := speeds(t.Context(), s, r); err == nil {
		t.Error("an unknown model is measured")
	}
}

// A flag that does not matter is an error, and so is a number that makes no sense.
func TestRunRefuses(t *testing.T) {
	good := settings{models: "none", seconds: 1, pairs: 1, steps: 1}
	for _, test := range []struct {
		name  string
		set   func(s *settings)
		given []string
		want  string
	}{
		{"gemm and growth", func(s *settings) { s.gemm, s.growth = true, true }, []string{"gemm", "growth"}, "-growth"},
		{"gemm and torch", func(s *settings) { s.gemm, s.torch = true, "x" }, []string{"gemm", "torch"}, "-torch"},
		{"openblas alone", func(s *settings) { s.openblas = true }, []string{"openblas"}, "-openblas"},
		{"naive alone", func(s *settings) { s.naive = true }, []string{"naive"}, "-naive"},
		{"naive recipe", func(s *settings) { s.naive, s.recipe = true, "x" }, []string{"naive", "recipe"}, "-naive"},
		{"pairs of nothing", func(s *settings) {}, []string{"pairs"}, "-pairs"},
		{"no pairs", func(s *settings) { s.torch, s.pairs = "x", 0 }, []string{"torch", "pairs"}, "0 pairs"},
		{"no steps", func(s *settings) { s.recipe, s.steps = "x", 0 }, []string{"recipe", "steps"}, "0 steps"},
		{"no time", func(s *settings) { s.seconds = 0 }, []string{"time"}, "0s of time"},
		{"threads", func(s *settings) { s.threads = -1 }, []string{"threads"}, "-1 threads"},
		{"an unknown model", func(s *settings) {}, []string{"models", "threads", "json"}, `unknown model "none"`},
	} {
		s := good
		test.set(&s)
		if err := run(t.Context(), s, test.given, nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
	if err := run(t.Context(), good, nil, []string{"left"}); err == nil || !strings.Contains(err.Error(), `"left"`) {
		t.Errorf("an argument: %v", err)
	}
}

// The work of a token, in millions of operations: 5.5, 20.5 and 108.6.
func TestFLOPs(t *testing.T) {
	for name, want := range map[string]float64{"tiny": 5.5, "small": 20.5, "ts": 108.6} {
		if got := sizes[name].flops(passTrain) / 1e6; math.Abs(got-want) > 0.06 {
			t.Errorf("%s takes %.2f million operations a token, want %v", name, got, want)
		}
	}
}

func TestPowers(t *testing.T) {
	for _, test := range []struct {
		values  []int
		times   []float64
		p, last float64
	}{
		{[]int{1, 2, 4, 8}, []float64{1, 4, 16, 64}, 2, 2},
		{[]int{1, 2, 4}, []float64{1, 1, 2}, 0.5, 1},
		{[]int{500, 50000}, []float64{3, 30}, 0.5, 0.5},
	} {
		if p, last := powers(test.values, test.times); math.Abs(p-test.p) > 1e-9 || math.Abs(last-test.last) > 1e-9 {
			t.Errorf("powers(%v, %v) = %v, %v, want %v, %v", test.values, test.times, p, last, test.p, test.last)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		x    []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{5, 1, 2}, 2}, {[]float64{4, 1, 2, 9}, 3}} {
		if got := median(test.x); got != test.want {
			t.Errorf("median(%v) = %v, want %v", test.x, got, test.want)
		}
	}
	if got := each([]float64{1.234, 0.5}); got != "1.23 0.50" {
		t.Errorf("each = %q", got)
	}
}

func TestInTurns(t *testing.T) {
	order := ""
	note := func(s string) func() error { return func() error { order += s; return nil } }
	if err := inTurns(3, note("a"), note("b")); err != nil || order != "abbaab" {
		t.Errorf("turns %q, %v; want abbaab", order, err)
	}
}

func TestParseMemory(t *testing.T) {
	if got := parseMemory("Name:\tbench\nVmPeak:\t 9 kB\nVmHWM:\t    2048 kB\n"); got != 2 {
		t.Errorf("parseMemory = %v, want 2", got)
	}
	if got := parseMemory("Name:\tbench\nVmHWM:\n"); got != 0 {
		t.Errorf("parseMemory = %v without a figure", got)
	}
}

// Figures are in the last line of what a process prints.
func TestFigures(t *testing.T) {
	if _, err := exec.LookPath("echo"); err != nil {
		t.Skip(err)
	}
	var v speed
	if err := figures(exec.Command("echo", "a warning\n"+`{"tokens_per_second": 7}`), &v); err != nil || v.Tokens != 7 {
		t.Errorf("figures = %+v, %v", v, err)
	}
	if err := figures(exec.Command("echo", "no figures"), &v); err == nil {
		t.Error("words are figures")
	}
}
