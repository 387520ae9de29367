package main

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/sampler"
	"github.com/logits-go/logits/sampler/samplertest"
)

//go:embed sampling_torch.py
var samplingSource string

// A draw is a way to draw a token, from rows of a kind.
type draw struct {
	name, row string
	s         sampler.Sampler
}

// draws lists what is measured. sampling_torch.py knows it by the fields.
var draws = []draw{
	{"greedy", "gauss", sampler.Sampler{}},
	{"draw", "gauss", sampler.Sampler{Temperature: 0.8}},
	{"min-p 0.05", "gauss", sampler.Sampler{Temperature: 0.8, MinP: 0.05}},
	{"top-k 40, top-p 0.95", "gauss", sampler.Sampler{Temperature: 0.8, TopK: 40, TopP: 0.95}},
	{"top-k 256, top-p 0.95", "gauss", sampler.Sampler{Temperature: 0.8, TopK: 256, TopP: 0.95}},
	{"top-p 0.9", "peaked", sampler.Sampler{Temperature: 0.8, TopP: 0.9}},
	{"top-p 0.9", "gauss", sampler.Sampler{Temperature: 0.8, TopP: 0.9}},
	{"top-p 0.9", "flat", sampler.Sampler{Temperature: 0.8, TopP: 0.9}},
}

var vocabs = []int{500, 32000, 131072}

// rows are logits as they occur: of a trained model, where a few tokens hold most of the mass; noisy; and untrained.
var rows = map[string]func(rng *rand.Rand) float64{
	"peaked": func(rng *rand.Rand) float64 { return rng.ExpFloat64()*1.1 - 8 },
	"gauss":  func(rng *rand.Rand) float64 { return rng.NormFloat64() * 3 },
	"flat":   func(rng *rand.Rand) float64 { return rng.Float64()*2 - 1 },
}

// rowFile names the file with a row, which all engines read.
func rowFile(kind string, vocab int) string { return fmt.Sprintf("%s-%d.f32", kind, vocab) }

// writeRows writes all rows to a folder.
func writeRows(dir string) error {
	for kind, next := range rows {
		for _, vocab := range vocabs {
			rng := rand.New(rand.NewPCG(uint64(vocab), 1))
			row := make([]byte, 4*vocab)
			for i := range vocab {
				binary.LittleEndian.PutUint32(row[4*i:], math.Float32bits(float32(next(rng))))
			}
			if err := os.WriteFile(filepath.Join(dir, rowFile(kind, vocab)), row, 0o600); err != nil {
				return errors.WithStack(err)
			}
		}
	}
	return nil
}

func readRow(file string) ([]float32, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, errors.WithStack(err)
	}
	row := make([]float32, len(data)/4)
	for i := range row {
		row[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return row, nil
}

// serveDraws is an engine that answers every line
//
//	temperature, top-k, top-p, min-p, file of logits, seconds
//
// with the microseconds that it takes to draw a token on one thread, the median over that time.
func serveDraws(plain bool, in io.Reader, out io.Writer) error {
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var s sampler.Sampler
		var file string
		var seconds float64
		if _, err := fmt.Sscan(lines.Text(), &s.Temperature, &s.TopK, &s.TopP, &s.MinP, &file, &seconds); err != nil {
			return errors.Wrapf(err, "reading %q", lines.Text())
		}
		logits, err := readRow(file)
		if err != nil {
			return err
		}
		next := func() error {
			_, err := s.Sample(logits)
			return err
		}
		if plain {
			p := samplertest.Plain{Temperature: s.Temperature, TopK: s.TopK, TopP: s.TopP, MinP: s.MinP}
			next = func() error {
				p.Draw(logits, sampler.Uniform(s.Seed, s.Stream, s.Step))
				s.Step++
				return nil
			}
		}
		took, err := microseconds(time.Duration(seconds*float64(time.Second)), next)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out, took); err != nil {
			return errors.WithStack(err)
		}
	}
	return nil
}

// microseconds calls f for a time and returns the median of what it took. The clock is read after so many calls that
// reading it does not matter.
func microseconds(d time.Duration, f func() error) (float64, error) {
	const least = 20 * time.Microsecond // between two looks at the clock
	calls := 1
	var took []float64
	for start := time.Now(); len(took) < 3 || time.Since(start) < d; {
		before := time.Now()
		for range calls {
			if err := f(); err != nil {
				return 0, err
			}
		}
		passed := time.Since(before)
		if passed < least {
			calls *= 2
			continue
		}
		took = append(took, float64(passed.Nanoseconds())/1e3/float64(calls))
	}
	return median(took), nil
}

// A drawRow is how long a draw takes the engines.
type drawRow struct {
	Vocab        int                `json:"vocab"`
	Draw         string             `json:"draw"`
	Row          string             `json:"row"`
	Microseconds map[string]float64 `json:"microseconds"` // by engine
}

// sampling prints how long drawing a token takes on one thread: here, as most code does it, and with PyTorch.
func sampling(ctx context.Context, s settings, r *report) error {
	dir, err := os.MkdirTemp("", "rows")
	if err != nil {
		return errors.WithStack(err)
	}
	defer os.RemoveAll(dir)
	if err := writeRows(dir); err != nil {
		return err
	}
	engines, err := s.drawEngines(ctx, dir)
	defer stopEngines(engines)
	if err != nil {
		return err
	}
	r.say("microseconds to draw a token, on one thread, medians; in brackets how many times as long as here\n")
	header := fmt.Sprintf("%-7s %-22s %-7s", "vocab", "", "logits")
	for _, e := range engines {
		header += fmt.Sprintf(" %17s", e.name)
	}
	r.say("%s", header)
	for _, vocab := range vocabs {
		for _, d := range draws {
			row, err := d.compare(s, engines, vocab)
			if err != nil {
				return err
			}
			ours := row.Microseconds[engines[0].name]
			line := fmt.Sprintf("%-7d %-22s %-7s %17.2f", vocab, d.name, d.row, ours)
			for _, e := range engines[1:] {
				line += fmt.Sprintf(" %8.1f (%6.1f)", row.Microseconds[e.name], row.Microseconds[e.name]/ours)
			}
			if err := r.row("draw", row, "%s", line); err != nil {
				return err
			}
		}
	}
	return nil
}

// drawEngines starts this program, ours first, and PyTorch if -torch asks for it, in the folder with the rows.
func (s settings) drawEngines(ctx context.Context, dir string) (engines []*engine, err error) {
	s.threads = 1
	for _, e := range []struct{ name, what string }{{"here", "draws"}, {"plain Go", "plain draws"}} {
		cmd, err := s.command(ctx, e.what)
		if err != nil {
			return engines, err
		}
		cmd.Dir = dir
		started, err := startEngine(e.name, cmd)
		if err != nil {
			return engines, err
		}
		engines = append(engines, started)
	}
	if s.torch == "" {
		return engines, nil
	}
	cmd := s.script(ctx, samplingSource, 1)
	cmd.Dir = dir
	started, err := startEngine("PyTorch", cmd)
	if err != nil {
		return engines, err
	}
	return append(engines, started), nil
}

// compare asks all engines in turns and returns the medians of their answers.
func (d draw) compare(s settings, engines []*engine, vocab int) (drawRow, error) {
	answers := make(map[string][]float64)
	var turns []func() error
	for _, e := range engines {
		turns = append(turns, func() error {
			took, err := e.ask(d.s.Temperature, d.s.TopK, d.s.TopP, d.s.MinP, rowFile(d.row, vocab), s.seconds.Seconds()/16/float64(s.pairs))
			answers[e.name] = append(answers[e.name], took)
			return err
		})
	}
	row := drawRow{vocab, d.name, d.row, make(map[string]float64)}
	if err := inTurns(s.pairs, turns...); err != nil {
		return row, err
	}
	for name, a := range answers {
		row.Microseconds[name] = median(a)
	}
	return row, nil
}
