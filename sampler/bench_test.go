package sampler_test

import (
	"fmt"
	"testing"

	"github.com/logits-go/logits/sampler"
)

// BenchmarkSample reports microseconds a row; BenchmarkPlain is the same work as plain does it.
func BenchmarkSample(b *testing.B) {
	bench(b, func(s *sampler.Sampler, logits []float32) {
		if _, err := s.Sample(logits); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkPlain(b *testing.B) {
	bench(b, func(s *sampler.Sampler, logits []float32) {
		plain(*s, logits)
		s.Step++
	})
}

func bench(b *testing.B, sample func(s *sampler.Sampler, logits []float32)) {
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
				logits := row(c.row, vocab)
				b.ReportAllocs()
				for b.Loop() {
					sample(&c.s, logits)
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N), "us/row")
			})
		}
	}
}
