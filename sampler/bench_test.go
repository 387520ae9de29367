package sampler_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/logits-go/logits/sampler"
	"github.com/logits-go/logits/sampler/samplertest"
)

// BenchmarkSample reports microseconds a row; BenchmarkPlain is the same work as samplertest.Plain does it.
func BenchmarkSample(b *testing.B) {
	bench(b, func(s *sampler.Sampler, logits []float32) {
		if _, err := s.Sample(logits); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkPlain(b *testing.B) {
	bench(b, func(s *sampler.Sampler, logits []float32) {
		plain(*s).Draw(logits, sampler.Uniform(s.Seed, s.Stream, s.Step))
		s.Step++
	})
}

// BenchmarkBesidePlain runs both in turns and reports the least time a row that each took, in microseconds, and how many
// times as long samplertest.Plain takes.
func BenchmarkBesidePlain(b *testing.B) {
	const rows = 8 // that ours samples in a turn: it is faster
	eachCase(b, func(b *testing.B, s sampler.Sampler, logits []float32) {
		ours, theirs := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
		for b.Loop() {
			start := time.Now()
			plain(s).Draw(logits, sampler.Uniform(s.Seed, s.Stream, s.Step))
			middle := time.Now()
			for range rows {
				if _, err := s.Sample(logits); err != nil {
					b.Fatal(err)
				}
			}
			ours = min(ours, time.Since(middle)/rows)
			theirs = min(theirs, middle.Sub(start))
		}
		b.ReportMetric(float64(ours.Nanoseconds())/1e3, "us/row")
		b.ReportMetric(float64(theirs.Nanoseconds())/1e3, "plain-us/row")
		b.ReportMetric(float64(theirs)/float64(ours), "x")
	})
}

func plain(s sampler.Sampler) samplertest.Plain {
	return samplertest.Plain{Temperature: s.Temperature, TopK: s.TopK, TopP: s.TopP, MinP: s.MinP}
}

func bench(b *testing.B, sample func(s *sampler.Sampler, logits []float32)) {
	eachCase(b, func(b *testing.B, s sampler.Sampler, logits []float32) {
		b.ReportAllocs()
		for b.Loop() {
			sample(&s, logits)
		}
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N), "us/row")
	})
}

// eachCase runs a benchmark of each setting on rows of each size.
func eachCase(b *testing.B, run func(b *testing.B, s sampler.Sampler, logits []float32)) {
	for _, vocab := range []int{500, 32000, 131072} {
		for _, c := range []struct {
			name, row string
			s         sampler.Sampler
		}{
			{"greedy", "gauss", sampler.Sampler{}},
			{"draw", "gauss", sampler.Sampler{Temperature: 0.8}},
			{"top-p/peaked", "peaked", sampler.Sampler{Temperature: 0.8, TopP: 0.9}},
			{"top-p/gauss", "gauss", sampler.Sampler{Temperature: 0.8, TopP: 0.9}},
			{"top-p/flat", "flat", sampler.Sampler{Temperature: 0.8, TopP: 0.9}},
			{"top-k40+top-p", "gauss", sampler.Sampler{Temperature: 0.8, TopK: 40, TopP: 0.95}},
			{"top-k256+top-p", "gauss", sampler.Sampler{Temperature: 0.8, TopK: 256, TopP: 0.95}},
			{"min-p", "gauss", sampler.Sampler{Temperature: 0.8, MinP: 0.05}},
		} {
			b.Run(fmt.Sprintf("V=%d/%s", vocab, c.name), func(b *testing.B) {
				run(b, c.s, row(c.row, vocab))
			})
		}
	}
}
