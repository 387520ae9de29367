package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/internal/kernel"
)

//go:embed openblas/sgemm.c
var sgemmSource []byte

const openBLASName = "OpenBLAS"

// An engine is a process that measures what it is asked for: a line on its input names a measurement, a line on its output
// is the figure. Engines wait for one another, so they are compared in turns.
type engine struct {
	name    string
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers *bufio.Reader
}

// ask returns the answer to a question.
func (e *engine) ask(question ...any) (figure float64, err error) {
	if _, err := fmt.Fprintln(e.in, question...); err != nil {
		return 0, errors.Wrapf(err, "asking %s", e.name)
	}
	_, err = fmt.Fscanln(e.answers, &figure)
	return figure, errors.Wrapf(err, "reading what %s reached", e.name)
}

// startEngines starts the kernels to compare, and OpenBLAS if there is a program for it. These engines answer
//
//	transpose a, transpose b (0 or 1), m, n, k, seconds
//
// with the median of the GFLOP/s of that product over that time.
func startEngines(ctx context.Context, s settings, openBLAS string) (engines []*engine, err error) {
	paths, err := kernelPaths()
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		cmd, err := s.command(ctx, "products")
		if err != nil {
			return engines, err
		}
		cmd.Env = append(os.Environ(), "LOGITS_KERNEL="+path)
		e, err := startEngine(path, cmd)
		if err != nil {
			return engines, err
		}
		engines = append(engines, e)
	}
	if openBLAS == "" {
		return engines, nil
	}
	cmd := exec.CommandContext(ctx, openBLAS)
	cmd.Env = append(os.Environ(), fmt.Sprintf("OPENBLAS_NUM_THREADS=%d", s.threads), fmt.Sprintf("OMP_NUM_THREADS=%d", s.threads))
	e, err := startEngine(openBLASName, cmd)
	if err != nil {
		return engines, err
	}
	return append(engines, e), nil
}

// kernelPaths returns the kernels in use and, where those are for AVX-512 because nobody chose, those for AVX2 before.
func kernelPaths() ([]string, error) {
	path, err := kernel.Path()
	if path == "avx512" && os.Getenv("LOGITS_KERNEL") == "" {
		return []string{"avx2", path}, err
	}
	return []string{path}, err
}

func startEngine(name string, cmd *exec.Cmd) (*engine, error) {
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, errors.WithStack(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, errors.WithStack(err)
	}
	return &engine{name, cmd, in, bufio.NewReader(out)}, errors.Wrapf(cmd.Start(), "starting %s", name)
}

// stopEngines ends processes. They have given all their answers or failed, so how they end does not matter.
func stopEngines(engines []*engine) {
	for _, e := range engines {
		e.in.Close()
		e.cmd.Wait()
	}
}

// buildOpenBLAS compiles the program that measures OpenBLAS.
func buildOpenBLAS(ctx context.Context) (program string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "openblas")
	if err != nil {
		return "", nil, errors.WithStack(err)
	}
	remove = func() { os.RemoveAll(dir) }
	program = filepath.Join(dir, "sgemm")
	cmd := exec.CommandContext(ctx, "cc", "-O2", "-o", program, "-x", "c", "-", "-lopenblas")
	cmd.Stdin = bytes.NewReader(sgemmSource)
	if message, err := cmd.CombinedOutput(); err != nil {
		remove()
		return "", nil, errors.Wrapf(err, "compiling for OpenBLAS: %s", message)
	}
	return program, remove, nil
}

// enginePause is how long OpenBLAS's threads wait for work, at most, without sleeping.
const enginePause = 250 * time.Millisecond

// compare asks all engines for a product in turns and returns the medians of their answers, in GFLOP/s.
func (p shape) compare(s settings, engines []*engine) (map[string]float64, error) {
	flag := map[bool]int{true: 1}
	rates := make(map[string][]float64)
	var turns []func() error
	for _, e := range engines {
		turns = append(turns, func() error {
			seconds := s.seconds.Seconds() / 16 / float64(s.pairs)
			rate, err := e.ask(flag[p.ta], flag[p.tb], p.m, p.n, p.k, seconds)
			if err != nil {
				return err
			}
			rates[e.name] = append(rates[e.name], rate)
			if e.name == openBLASName {
				time.Sleep(enginePause)
			}
			return nil
		})
	}
	err := inTurns(s.pairs, turns...)
	medians := make(map[string]float64)
	for name, r := range rates {
		medians[name] = median(r)
	}
	return medians, err
}
