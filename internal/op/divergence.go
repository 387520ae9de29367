package op

import (
	"math"

	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/kernel"
)

// Divergence is how far the softmax of a student is from that of a teacher. See kernel.Divergence.
type Divergence struct {
	Reduction   Reduction
	Measure     kernel.Measure
	Beta        float64 // of JensenShannon
	Temperature float64
}

// Apply compares logits (..., classes) of a student with those of a teacher, with a weight of every row unless weights is
// nil. Teacher and weights have no gradient. That the student gives probability to a class that the teacher rules out is
// an error of the run with ReverseKL, which has no gradient there.
func (d Divergence) Apply(student, teacher, weights *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(student) {
		return divergence[float64](d, student, teacher, weights)
	}
	return divergence[float32](d, student, teacher, weights)
}

func divergence[F kernel.Float](d Divergence, student, teacher, weights *gorgonia.Node) (*gorgonia.Node, error) {
	names := map[kernel.Measure]string{
		kernel.ForwardKL:     "KLDivergence",
		kernel.ReverseKL:     "ReverseKLDivergence",
		kernel.JensenShannon: "JensenShannonDivergence",
	}
	o := operands{op: names[d.Measure]}
	if o.op == "" {
		o.op = "Divergence"
		o.fail("unknown measure %d", d.Measure)
	}
	l := rowLoss[F]{
		name: o.op, x: "student", y: "teacher",
		rule: &kernel.Divergence[F]{Measure: d.Measure, Beta: d.Beta, Temperature: d.Temperature},
		wrong: func(loss F, x, y []F) (string, string) {
			switch {
			case math.IsInf(float64(loss), 0) && d.Measure == kernel.ReverseKL:
				return "teacher", "rules out a class that the student does not"
			case loss == loss:
				return "", ""
			case softmaxless(x):
				return "logits of the student", without
			}
			return "logits of the teacher", without
		},
	}
	xs := l.shape(&o, d.Reduction, student, teacher)
	if t := float64(F(d.Temperature)); !(t > 0) || math.IsInf(t*t, 1) {
		o.fail("temperature is %v, want a finite number above 0", d.Temperature)
	}
	if d.Measure == kernel.JensenShannon && !(d.Beta > 0 && d.Beta < 1) {
		o.fail("beta is %v, want a number between 0 and 1", d.Beta)
	}
	return l.apply(&o, d.Reduction, xs, student, teacher, weights)
}
