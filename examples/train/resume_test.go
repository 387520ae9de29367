package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/graph"
)

// TestMain runs the program itself in processes that tests start to end them.
func TestMain(m *testing.M) {
	if os.Getenv("LOGITS_TEST_TRAIN") != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// arguments returns a command line that trains in a moment, with dropout and accumulation.
func arguments(t testing.TB, out string, more ...string) []string {
	t.Helper()
	data := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(data, []byte(strings.Repeat("a prism parts the light. ", 200)), 0o644); err != nil {
		t.Fatal(err)
	}
	return append([]string{
		"-data", data, "-vocab", "270", "-out", out, "-layers", "1", "-dim", "16", "-heads", "2", "-context", "16", "-dropout", "0.2",
		"-steps", "12", "-batch", "3", "-accumulate", "2", "-eval-every", "5", "-sample-every", "0", "-prompt", "a",
	}, more...)
}

func parsed(t testing.TB, args ...string) settings {
	t.Helper()
	s, err := parse(args, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// result is what training has come to.
type result struct {
	model      []byte
	checkpoint []byte // the last, in which the optimizer is too
	losses     []float64
}

func resultOf(t testing.TB, out string) (r result) {
	t.Helper()
	var err error
	if r.model, err = os.ReadFile(filepath.Join(out, "model.safetensors")); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(out, "checkpoints", "*.safetensors"))
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	if r.checkpoint, err = os.ReadFile(names[len(names)-1]); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(filepath.Join(out, "log.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(log) {
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		r.losses = append(r.losses, e.Loss)
	}
	return r
}

// Training that was stopped after any step goes on to the bits it would have come to: weights, optimizer, and every logged
// loss, on one thread and on two.
func TestResume(t *testing.T) {
	dir := t.TempDir()
	args := arguments(t, filepath.Join(dir, "whole"))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if err := train(t.Context(), parsed(t, args...)); err != nil {
		t.Fatal(err)
	}
	want := resultOf(t, filepath.Join(dir, "whole"))
	if len(want.losses) != 12 {
		t.Fatalf("%d losses, want 12", len(want.losses))
	}
	for _, threads := range []int{1, 2} {
		for cut := range 13 {
			runtime.GOMAXPROCS(threads)
			out := filepath.Join(dir, fmt.Sprint(threads, "-", cut))
			args := append(args, "-out", out, "-save-every", "0")
			first, err := begin(t.Context(), parsed(t, args...))
			if err != nil {
				t.Fatal(err)
			}
			for range cut {
				if err := first.next(t.Context()); err != nil {
					t.Fatal(err)
				}
				if first.step%first.s.evalEvery == 0 || first.step == first.s.steps {
					if err := first.validate(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := first.save(); err != nil {
				t.Fatal(err)
			}
			if cut < 12 { // steps that are lost, which the log has
				if err := first.next(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			first.log.close()
			runtime.GOMAXPROCS(3 - threads)
			if err := train(t.Context(), parsed(t, append(args, "-resume")...)); err != nil {
				t.Fatal(err)
			}
			got := resultOf(t, out)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("stopped after step %d on %d threads: losses %v, want %v, or other weights", cut, threads, got.losses, want.losses)
			}
		}
	}
}

// What a command line leaves open is as it was; what it says otherwise is an error that names it all. Neither the text
// nor a training that is not done gets lost.
func TestResumeFlags(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	args := arguments(t, out, "-time", "1ns")
	s := parsed(t, args...)
	if err := train(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	again := parsed(t, "-resume", "-out", out)
	if !reflect.DeepEqual(again.decisive, s.decisive) || again.model != s.model || again.warmup != s.warmup || again.limit != 0 {
		t.Errorf("%+v, want %+v", again, s)
	}
	if _, err := parse([]string{"-resume", "-out", out, "-lr", "0.003", "-dropout", "0.20", "-eval-every", "3"}, io.Discard); err != nil {
		t.Error(err)
	}
	_, err := parse([]string{"-resume", "-out", out, "-lr", "0.1", "-dim", "32", "-seed", "1"}, io.Discard)
	const want = "-resume: -dim is 32, but 16 in the checkpoint; -lr is 0.1, but 0.003 in the checkpoint"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if err := train(t.Context(), s); err == nil || !strings.Contains(err.Error(), "go on with -resume") {
		t.Errorf("%v, want an error", err)
	}
	if err := os.WriteFile(s.data, []byte(strings.Repeat("a prism parts the light! ", 200)), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := train(t.Context(), again); err == nil || !strings.Contains(err.Error(), "is not what it was") {
		t.Errorf("%v, want an error", err)
	}
	if _, err := parse([]string{"-resume", "-out", filepath.Join(out, "none"), "-dim", "32"}, io.Discard); err != nil {
		t.Error(err)
	}
}

// A new training takes the place of one that is done, which can be resumed and has nothing left to do.
func TestAgain(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	args := arguments(t, out)
	if err := train(t.Context(), parsed(t, args...)); err != nil {
		t.Fatal(err)
	}
	want := resultOf(t, out)
	if err := train(t.Context(), parsed(t, "-resume", "-out", out)); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(resultOf(t, out), want) {
		t.Error("a training that was done has changed")
	}
	if err := train(t.Context(), parsed(t, append(args, "-steps", "5")...)); err != nil {
		t.Fatal(err)
	}
	if got := resultOf(t, out); len(got.losses) != 5 {
		t.Errorf("%d losses, want 5", len(got.losses))
	}
	if s, _, err := (&settings{out: out}).archive().Peek(); err != nil || s.Step != 5 {
		t.Errorf("step %d, %v", s.Step, err)
	}
}

// Signals finish the step and keep what there is; kill -9 leaves a checkpoint. Resumed as often as it takes, training
// comes to the same bits.
func TestSignals(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signals to send")
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	long := []string{"-steps", "400", "-save-every", "20", "-eval-every", "1000"}
	whole := arguments(t, filepath.Join(dir, "whole"), long...)
	if err := train(t.Context(), parsed(t, whole...)); err != nil {
		t.Fatal(err)
	}
	want := resultOf(t, filepath.Join(dir, "whole"))
	out := filepath.Join(dir, "ended")
	args := append(whole, "-out", out, "-resume")
	ended := make(map[os.Signal]int)
	for round := 0; ; round++ {
		cmd := exec.Command(program, args...)
		cmd.Env = append(os.Environ(), "LOGITS_TEST_TRAIN=1", fmt.Sprintf("GOMAXPROCS=%d", 1+round%2))
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		signal := []os.Signal{syscall.SIGTERM, syscall.SIGKILL, os.Interrupt}[round%3]
		var err error
		if round < 12 {
			waitForSteps(out, done)
		}
		select {
		case err = <-done:
		default:
			if round < 12 {
				_ = cmd.Process.Signal(signal)
			}
			err = <-done
		}
		switch {
		case signal != syscall.SIGKILL && err != nil:
			t.Fatalf("after %v: %v\n%s", signal, err, said.String())
		case err != nil || strings.Contains(said.String(), "stopped after step"):
			ended[signal]++
			continue
		}
		break
	}
	t.Logf("training was ended by %v", ended)
	if got := resultOf(t, out); !reflect.DeepEqual(got, want) {
		t.Error("training that was ended and resumed comes to something else")
	}
}

// waitForSteps returns when a process has logged some steps more, or has ended.
func waitForSteps(out string, done chan error) {
	size := func() int64 {
		info, err := os.Stat(filepath.Join(out, "log.jsonl"))
		if err != nil {
			return 0
		}
		return info.Size()
	}
	var shrunk int64 = math.MaxInt64 // a process that goes on first leaves out what was lost
	for range 60_000 {
		select {
		case err := <-done:
			done <- err
			return
		case <-time.After(time.Millisecond):
		}
		n := size()
		shrunk = min(shrunk, n)
		if n > shrunk+1500 {
			return
		}
	}
}

// A NaN ends training before it changes anything, and is traced to where it comes from; or it costs a step, also if
// training is stopped and resumed after it.
func TestGuard(t *testing.T) {
	dir := t.TempDir()
	args := arguments(t, filepath.Join(dir, "a"), "-save-every", "0")
	t1, err := begin(t.Context(), parsed(t, args...))
	if err != nil {
		t.Fatal(err)
	}
	defer t1.log.close()
	spoil := func(r *training, next func() error) error {
		w := r.run.Params.Get("layers.0.ffn.w2.weight").Value().Data().([]float32)
		was := w[3]
		w[3] = float32(math.NaN())
		defer func() { w[3] = was }()
		return next()
	}
	next := func(r *training) func() error { return func() error { return r.next(t.Context()) } }
	if err := t1.next(t.Context()); err != nil {
		t.Fatal(err)
	}
	err = spoil(t1, next(t1))
	var node *graph.NonFiniteError
	if !errors.As(err, &node) || node.Node != "layers.0.ffn.w2.weight" || !strings.HasPrefix(err.Error(), "step 2 has not changed the weights") {
		t.Errorf("%v, want an error of step 2 that names layers.0.ffn.w2.weight", err)
	}

	// With -skip the step is left out.
	var ends [][]byte
	for i, stop := range []bool{false, true} {
		out := filepath.Join(dir, fmt.Sprint("skip", i))
		args := append(args, "-out", out, "-skip", "1")
		r, err := begin(t.Context(), parsed(t, args...))
		if err != nil {
			t.Fatal(err)
		}
		if err := r.next(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := spoil(r, next(r)); err != nil || r.skipped != 1 || r.step != 2 || r.opt.Steps() != 1 {
			t.Fatalf("%v, skipped %d of %d", err, r.skipped, r.step)
		}
		if stop {
			if err := r.save(); err != nil {
				t.Fatal(err)
			}
			r.log.close()
			if r, err = begin(t.Context(), parsed(t, append(args, "-resume")...)); err != nil {
				t.Fatal(err)
			}
			if r.skipped != 1 || r.step != 2 || r.opt.Steps() != 1 || r.log.log[1].Skipped == "" {
				t.Errorf("resumed with %d of %d left out, and %+v", r.skipped, r.step, r.log.log)
			}
		}
		for r.step < 6 {
			if err := r.next(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := spoil(r, next(r)); !errors.As(err, &node) {
			t.Errorf("%v: a second step is left out although one may be", err)
		}
		if err := r.end(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
		r.log.close()
		ends = append(ends, resultOf(t, out).model)
	}
	if !bytes.Equal(ends[0], ends[1]) {
		t.Error("training that was resumed after a step left out comes to something else")
	}
}

// A spike stands out from losses that fall and vary, and those do not.
func TestSpike(t *testing.T) {
	var losses []float64
	for i := range 300 {
		losses = append(losses, 3+2*math.Exp(-float64(i)/50)+0.05*math.Sin(float64(i*i)))
		if z := spike(losses); z > 4 {
			t.Errorf("step %d: an ordinary loss of %.3f is %.1f deviations off", i, losses[i], z)
		}
	}
	if z := spike(append(losses, 4)); z < 10 {
		t.Errorf("a spike is %.1f deviations off", z)
	}
	for i := range 20 { // earlier spikes hide no later one
		losses[290-5*i] = 9
	}
	if z := spike(append(losses, 4)); z < 8 {
		t.Errorf("a spike after spikes is %.1f deviations off", z)
	}
	if z := spike([]float64{1, 9}); z != 0 {
		t.Errorf("a second loss is %.1f deviations off", z)
	}
	flat := make([]float64, 50)
	if z := spike(flat); z != 0 {
		t.Errorf("the same loss is %v deviations off", z)
	}
	if z := spike(append(flat, 1)); math.IsInf(z, 0) || z < 100 {
		t.Errorf("a spike above a flat line is %v deviations off", z)
	}
}
