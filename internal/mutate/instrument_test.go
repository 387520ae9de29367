package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestInstrument(t *testing.T) {
	for _, test := range []struct{ expr, want string }{
		{"a < b", "mutantLess(1, a , b)"},
		{"a >= b", "mutantAtLeast(1, a , b)"},
		{"a == nil", "mutantFlip(1, a == nil)"},
		{"a || b", "(((a) != mutantOn(1) || (b) != mutantOn(1)) != mutantOn(1))"},
		{"a && b <= 1", "(((a) != mutantOn(1) && (mutantAtMost(2, b , 1)) != mutantOn(1)) != mutantOn(1))"},
		{"min(a, 1) > 2", "mutantMore(1, mutantMin(3, a, 1) , 2)"},
		{"max(min(a, b), c)", "mutantMax(1, mutantMin(2, a, b), c)"},
		{"(a < b) == (b < c)", "mutantFlip(1, (mutantLess(2, a , b)) == (mutantLess(4, b , c)))"},
		{"[2 << min(1, 2)]int{}", "[2 << min(1, 2)]int{}"},
		{"func(x int) bool { return x < 0 }", "func(x int) bool { return mutantLess(1, x , 0) }"},
	} {
		const head = "package p\n\nconst k = 1 < 2\n\nvar x = "
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "p.go"), []byte(head+test.expr+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		files, _, err := parsePackage(dir, target{dir: "."})
		if err != nil {
			t.Fatal(err)
		}
		got, err := files[0].instrument()
		if err != nil {
			t.Fatal(err)
		}
		if want := head + test.want + "\n"; string(got) != want {
			t.Errorf("%s becomes\n%s, want\n%s", test.expr, got, want)
		}
	}
}

func TestCulprit(t *testing.T) {
	for _, test := range []struct{ output, want string }{
		{"=== RUN   TestA\n--- PASS: TestA (0.00s)\n=== RUN   TestB\n    b_test.go:1: no\n--- FAIL: TestB (0.00s)\nFAIL\n", "TestB"},
		{"=== RUN   TestA\n=== RUN   TestA/part\n--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/part (0.00s)\npanic: no\n", "TestA"},
		{"=== RUN   TestA\n--- PASS: TestA (0.00s)\n=== RUN   TestB\n=== RUN   TestB/part\nfatal error: no\n", "TestB"},
		{"=== RUN   TestA\n--- PASS: TestA (0.00s)\nPASS\ngoleak: no\n", "TestMain"},
		{"panic: no\n", "TestMain"},
	} {
		if got := culprit([]byte(test.output)); got != test.want {
			t.Errorf("culprit is %s, want %s, of\n%s", got, test.want, test.output)
		}
	}
}
