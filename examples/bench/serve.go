package main

import (
	"bufio"
	"fmt"
	"io"
	"time"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/internal/kernel"
)

// serveProducts is the engine of this program: see engine.
func serveProducts(in io.Reader, out io.Writer) error {
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var ta, tb int
		var p shape
		var seconds float64
		if _, err := fmt.Sscan(lines.Text(), &ta, &tb, &p.m, &p.n, &p.k, &seconds); err != nil {
			return errors.Wrapf(err, "reading %q", lines.Text())
		}
		p.ta, p.tb = ta == 1, tb == 1
		if _, err := fmt.Fprintln(out, p.rate(time.Duration(seconds*float64(time.Second)))); err != nil {
			return errors.WithStack(err)
		}
	}
	return nil
}

// rate computes the product once to warm up, then at least once until the time is over, and returns the median GFLOP/s.
func (p shape) rate(d time.Duration) float64 {
	f := p.product()
	f()
	work := 2 * float64(p.m) * float64(p.n) * float64(p.k)
	var rates []float64
	for start := time.Now(); len(rates) == 0 || time.Since(start) < d; {
		before := time.Now()
		f()
		rates = append(rates, work/time.Since(before).Seconds()/1e9)
	}
	return median(rates)
}

// product returns a function that computes the product.
func (p shape) product() func() {
	a, b, c := kernel.Make[float32](p.m*p.k), kernel.Make[float32](p.k*p.n), kernel.Make[float32](p.m*p.n)
	for i := range a {
		a[i] = float32(i%31) - 15
	}
	for i := range b {
		b[i] = float32(i%31) - 15
	}
	lda, ldb := p.k, p.n
	if p.ta {
		lda = p.m
	}
	if p.tb {
		ldb = p.k
	}
	return func() { kernel.Gemm(p.ta, p.tb, p.m, p.n, p.k, a, lda, b, ldb, c, p.n, false) }
}
