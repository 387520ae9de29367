package kernel

import (
	"slices"
	"strings"
	"testing"
)

// onPath runs f on a path this processor supports.
func onPath(path string, f func()) {
	defer usePath(usePath(path))
	f()
}

// onEachPath runs f as a subtest or benchmark on all paths this processor supports.
func onEachPath[T interface {
	testing.TB
	Run(string, func(T)) bool
}](t T, f func(T)) {
	for _, path := range supportedPaths() {
		t.Run(path, func(t T) { onPath(path, func() { f(t) }) })
	}
}

func TestPath(t *testing.T) {
	all := []string{pathPortable, pathAVX2, pathAVX512}
	for _, test := range []struct {
		want      string
		supported []string
		path      string
		err       string
	}{
		{"", all, pathAVX512, ""},
		{"", all[:2], pathAVX2, ""},
		{"", all[:1], pathPortable, ""},
		{pathPortable, all, pathPortable, ""},
		{pathAVX2, all, pathAVX2, ""},
		{pathAVX512, all[:2], pathPortable, `LOGITS_KERNEL is "avx512"; supported here: portable, avx2`},
		{"AVX2", all, pathPortable, `LOGITS_KERNEL is "AVX2"; supported here: portable, avx2, avx512`},
	} {
		path, err := choosePath(test.want, test.supported)
		if path != test.path || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("choosePath(%q, %q) = %q, %v; want %q, error with %q", test.want, test.supported, path, err, test.path, test.err)
		}
	}
	if path, err := Path(); !slices.Contains(supportedPaths(), path) {
		t.Errorf("Path() = %q, %v; supported are %q", path, err, supportedPaths())
	}
}
