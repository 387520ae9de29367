package loss_test

import (
	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/loss"
)

// A student learns the distributions of a teacher, softened so that what is unlikely counts too.
func ExampleDistillation() {
	for _, m := range []loss.Measure{loss.ForwardKL, loss.ReverseKL, loss.JensenShannon} {
		g := gorgonia.NewGraph()
		student, teacher := matrix(g, "student", 1, 3, 1, 0, 0), matrix(g, "teacher", 1, 3, 4, 2, 0)
		cost, err := loss.Distillation{Measure: m, Temperature: 2}.Divergence(student, teacher)
		show(g, cost, err, student)
	}
	// Output:
	// 0.5174, gradient [-0.4268 0.0587 0.3681]
	// 0.6455, gradient [-0.4954 -0.0264 0.5218]
	// 0.1401, gradient [-0.1100 0.0065 0.1035]
}

// How probable a model finds two tokens, of which the second is not counted.
func ExampleSequenceLogProb() {
	g := gorgonia.NewGraph()
	logits := matrix(g, "logits", 2, 2, 1, 1, 7, 0)
	cost, err := loss.SequenceLogProb(logits, tokens(g, "targets", 0, loss.Ignored))
	show(g, cost, err, logits)
	// Output:
	// -0.6931, gradient [0.5000 -0.5000 0.0000 0.0000]
}

// The policy has come to favour the chosen answer of the first pair more than the reference does, and of the second less.
func ExampleDPO() {
	g := gorgonia.NewGraph()
	chosen := vector(g, "chosen", -10, -14)
	cost, err := loss.DPO{Beta: 0.5}.Loss(loss.Pairs{
		Chosen:      chosen,
		Rejected:    vector(g, "rejected", -13, -11),
		RefChosen:   vector(g, "reference of chosen", -12, -12),
		RefRejected: vector(g, "reference of rejected", -12, -12),
	})
	show(g, cost, err, chosen)
	// Output:
	// 0.9514, gradient [-0.0456 -0.2044]
}

// A good token has become 1.65 times as likely, which is as much as it may; a bad one has not changed.
func ExamplePolicyGradient() {
	g := gorgonia.NewGraph()
	now := vector(g, "now", -1, -2)
	cost, err := loss.PolicyGradient{}.Loss(loss.Rollout{
		LogProbs:   now,
		Old:        vector(g, "old", -1.5, -2),
		Advantages: vector(g, "advantages", 1, -1),
	})
	show(g, cost, err, now)
	// Output:
	// -0.1000, gradient [0.0000 0.5000]
}
