package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/logits-go/logits/internal/kernel"
)

// A shape is one product of a training step.
type shape struct {
	name    string
	ta, tb  bool
	m, n, k int
}

// shapes lists the products of the linear layers of all models: outputs y, and gradients dx and dw. They have 27 sizes
// m x n x k. Where two have the same, they are transposed in different ways or belong to different layers.
func shapes() (list []shape) {
	for _, name := range modelNames {
		s := sizes[name]
		c, rows := s.config, s.tokens()
		for _, l := range []struct {
			name    string
			in, out int
		}{{"d->d", c.DModel, c.DModel}, {"d->ff", c.DModel, c.DFF}, {"ff->d", c.DFF, c.DModel}, {"d->V", c.DModel, c.VocabSize}} {
			list = append(list,
				shape{name + " " + l.name + " y", false, true, rows, l.out, l.in},
				shape{name + " " + l.name + " dx", false, false, rows, l.in, l.out},
				shape{name + " " + l.name + " dw", true, false, l.out, l.in, rows})
		}
	}
	return list
}

func (p shape) size() string { return fmt.Sprintf("%dx%dx%d", p.m, p.n, p.k) }

// distinctSizes counts the different sizes.
func distinctSizes(list []shape) int {
	seen := make(map[string]bool)
	for _, p := range list {
		seen[p.size()] = true
	}
	return len(seen)
}

// A productRow is how fast the engines are at a product.
type productRow struct {
	Name    string             `json:"name"`
	TransA  bool               `json:"transpose_a"`
	TransB  bool               `json:"transpose_b"`
	M       int                `json:"m"`
	N       int                `json:"n"`
	K       int                `json:"k"`
	Threads int                `json:"threads"`
	GFLOPs  map[string]float64 `json:"gflops"` // by engine
}

// products prints the speed of each shape on one thread and on all, for the kernels with assembly that this machine has
// and for OpenBLAS if that is asked for.
func products(ctx context.Context, s settings, r *report) error {
	var openBLAS string // the program
	if s.openblas {
		program, remove, err := buildOpenBLAS(ctx)
		if err != nil {
			return err
		}
		defer remove()
		openBLAS = program
	}
	r.say("%d products of %d sizes, float32, GFLOP/s, medians", len(shapes()), distinctSizes(shapes()))
	counts := []int{1, kernel.Threads()}
	for _, threads := range slices.Compact(counts) {
		s.threads = threads
		if err := productsOn(ctx, s, r, openBLAS); err != nil {
			return err
		}
	}
	return nil
}

// productsOn prints the speeds on as many threads as s says.
func productsOn(ctx context.Context, s settings, r *report, openBLAS string) error {
	engines, err := startEngines(ctx, s, openBLAS)
	defer stopEngines(engines)
	if err != nil {
		return err
	}
	peak := measurePeak(s.threads)
	names := ""
	for _, e := range engines {
		names += fmt.Sprintf(" %9s", e.name)
	}
	r.say("\n%-16s %16s%s", fmt.Sprintf("threads: %d", s.threads), "m x n x k", names)
	var rows []productRow
	for _, p := range shapes() {
		rates, err := p.compare(s, engines)
		if err != nil {
			return err
		}
		row, line := productRow{p.name, p.ta, p.tb, p.m, p.n, p.k, s.threads, rates}, ""
		for _, e := range engines {
			line += fmt.Sprintf(" %9.1f", rates[e.name])
		}
		if err := r.row("product", row, "%-16s %16s%s", p.name, p.size(), line); err != nil {
			return err
		}
		rows = append(rows, row)
	}
	return summarize(r, engines, rows, max(peak, measurePeak(s.threads)))
}

// An engineRow is what an engine reaches in all products.
type engineRow struct {
	Engine  string   `json:"engine"`
	Threads int      `json:"threads"`
	Median  float64  `json:"median_gflops"`
	Slowest float64  `json:"slowest_gflops"`
	Peak    float64  `json:"peak_gflops"`
	Share   float64  `json:"share_of_peak"`
	Ratio   float64  `json:"ratio_to_openblas,omitzero"` // the median
	Under   []string `json:"under_openblas,omitempty"`   // slower products
}

// summarize prints the medians of the engines, their share of the peak, and the products where OpenBLAS is faster.
func summarize(r *report, engines []*engine, rows []productRow, peak float64) error {
	r.say("")
	for _, e := range engines {
		row := engineRow{Engine: e.name, Threads: rows[0].Threads, Peak: peak}
		var rates, ratios []float64
		for _, p := range rows {
			rates = append(rates, p.GFLOPs[e.name])
			if theirs, ok := p.GFLOPs[openBLASName]; ok && e.name != openBLASName {
				ratios = append(ratios, p.GFLOPs[e.name]/theirs)
				if p.GFLOPs[e.name] < theirs {
					row.Under = append(row.Under, fmt.Sprintf("%s (%.2f)", p.Name, p.GFLOPs[e.name]/theirs))
				}
			}
		}
		row.Median, row.Slowest, row.Share = median(rates), slices.Min(rates), median(rates)/peak
		line := fmt.Sprintf("%-9s median %.1f, %.1f%% of a peak of %.1f; slowest %.1f", e.name, row.Median, 100*row.Share, peak, row.Slowest)
		if len(ratios) > 0 {
			row.Ratio = median(ratios)
			line += fmt.Sprintf("; %.2f times OpenBLAS, from %.2f; under it: %s", row.Ratio, slices.Min(ratios), list(row.Under))
		}
		if err := r.row("products", row, "%s", line); err != nil {
			return err
		}
	}
	return nil
}

// list joins names, or says that there are none.
func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}
