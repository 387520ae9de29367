package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkCrossEntropy measures the loss of rows of logits and its gradient, in float32, beside what softmax in plain Go
// takes for the same. Both are in nanoseconds per logit and thread.
func BenchmarkCrossEntropy(b *testing.B) {
	rng := rand.New(rand.NewPCG(5, 1))
	for _, classes := range []int{512, 10000, 131072} {
		rows := max(4, 1<<20/classes)
		x, dx := make([]float32, rows*classes), make([]float32, rows*classes)
		for i := range x {
			x[i] = float32(rng.NormFloat64()) * 3
		}
		losses, sums, targets := make([]float32, rows), make([]float32, 2*rows), make([]int, rows)
		for i := range targets {
			targets[i] = rng.IntN(classes)
		}
		all := RowFactors[float32]{All: 1 / float64(rows)}
		run := func(name string, ce CrossEntropy[float32]) {
			ce.Classes = classes
			b.Run(fmt.Sprintf("%s/%d", name, classes), func(b *testing.B) {
				onEachPath(b, func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						ce.Forward(losses, sums, x, targets, nil)
						ce.Backward(dx, sums, x, targets, all, all)
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())*float64(Threads())/float64(b.N)/float64(len(x)), "ns/logit")
				})
			})
		}
		run("plain", CrossEntropy[float32]{})
		run("smoothing", CrossEntropy[float32]{Smoothing: 0.1})
		run("soft-cap", CrossEntropy[float32]{SoftCap: 30})
		run("focal", CrossEntropy[float32]{Focal: 2})
	}
}
