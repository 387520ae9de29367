package main

import "strings"

// A target is a package that is mutated.
type target struct {
	dir    string   // from the root of the module
	files  []string // nil is all
	suites []suite  // tests that should catch the mutants; the next run only where those before have not
}

// A suite is the tests of a package, with a variable of the environment or none.
type suite struct{ dir, env string }

func (s suite) String() string {
	if _, value, ok := strings.Cut(s.env, "="); ok {
		return s.dir + " (" + value + ")"
	}
	return s.dir
}

const portable = "LOGITS_KERNEL=portable"

var targets = []target{
	{dir: "sampler", suites: []suite{{dir: "sampler"}, {"sampler", portable}, {dir: "sampler/samplertest"}, {dir: "internal/misuse"}}},
	{dir: "loss", suites: []suite{{dir: "loss"}, {dir: "internal/misuse"}}},
	{
		dir: "internal/op",
		files: []string{
			"crossentropy.go", "divergence.go", "linearcrossentropy.go", "policy.go", "preference.go", "reduction.go",
			"rowloss.go", "sequence.go", "softcrossentropy.go", "binary.go",
		},
		suites: []suite{{dir: "loss"}, {dir: "internal/op"}, {dir: "internal/misuse"}, {dir: "graph"}},
	},
	{
		dir: "internal/kernel",
		files: []string{
			"sampling.go", "crossentropy.go", "softcrossentropy.go", "focal.go", "divergence.go",
			"preference.go", "rowloss.go", "logsumexp.go", "binary.go", "exp.go", "exp_rows.go",
		},
		suites: []suite{
			{dir: "internal/kernel"}, {"internal/kernel", portable}, {"loss", portable}, {dir: "loss"}, {"sampler", portable},
			{dir: "internal/op"},
		},
	},
}
