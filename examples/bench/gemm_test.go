package main

import (
	"bytes"
	"testing"
	"time"
)

func TestShapes(t *testing.T) {
	list := shapes()
	seen := make(map[shape]bool)
	for _, p := range list {
		p.name = ""
		seen[p] = true
	}
	if len(list) != 36 || len(seen) != 36 || distinctSizes(list) != 27 {
		t.Errorf("%d products, %d of them different, of %d sizes; want 36, 36, 27", len(list), len(seen), distinctSizes(list))
	}
}

// An engine answers in turn, ours as OpenBLAS does where there are a compiler and OpenBLAS.
func TestEngines(t *testing.T) {
	program, remove, err := buildOpenBLAS(t.Context())
	if err == nil {
		defer remove()
	}
	s := settings{seconds: 16 * time.Millisecond, pairs: 2, threads: 1, steps: 1}
	engines, err := startEngines(t.Context(), s, program)
	defer stopEngines(engines)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []shape{{"", true, false, 40, 30, 20}, {"", false, true, 7, 50, 33}} {
		rates, err := p.compare(s, engines)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range engines {
			if !(rates[e.name] > 0) {
				t.Errorf("%s reaches %v GFLOP/s", e.name, rates[e.name])
			}
		}
	}
}

// The summary tells which products are slower than OpenBLAS's.
func TestSummarize(t *testing.T) {
	var b bytes.Buffer
	rows := []productRow{
		{Name: "quick", Threads: 2, GFLOPs: map[string]float64{"avx2": 150, openBLASName: 100}},
		{Name: "slow", Threads: 2, GFLOPs: map[string]float64{"avx2": 90, openBLASName: 100}},
	}
	if err := summarize(&report{table: &b}, []*engine{{name: "avx2"}, {name: openBLASName}}, rows, 200); err != nil {
		t.Fatal(err)
	}
	want := `
avx2      median 120.0, 60.0% of a peak of 200.0; slowest 90.0; 1.20 times OpenBLAS, from 0.90; under it: slow (0.90)
OpenBLAS  median 100.0, 50.0% of a peak of 200.0; slowest 100.0
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}
