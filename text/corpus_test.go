package text

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pkg/errors"
)

func TestCorpusOpticks(t *testing.T) {
	c, err := ReadCorpus(t.Context(), "opticks")
	if err != nil {
		t.Fatal(err)
	}
	if c.Name != "opticks" {
		if c.Note == "" {
			t.Errorf("opticks is %q, without a note", c.Name)
		}
		t.Skip("this Go installation has no Opticks")
	}
	if got, want := c.Text[:24], "OPTICKS:\n\nOR, A\n\nTREATIS"; got != want {
		t.Errorf("Opticks starts with %q, want %q", got, want)
	}
	if got, want := c.Text[len(c.Text)-11:], "themselves."; !strings.HasSuffix(strings.TrimSpace(c.Text), want) {
		t.Errorf("Opticks ends with %q, want %q", got, want)
	}
}

// goroot makes a folder that looks like GOROOT.
func goroot(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, "src", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestCorpusGo(t *testing.T) {
	t.Setenv("GOROOT", goroot(t, map[string]string{
		"b/b.go": "package b\n", "a.go": "package a\n", "c.txt": "no Go", "d.go/e.go": "package e\n", "bad.go": "package \xff\n",
	}))
	c, err := ReadCorpus(t.Context(), "go")
	if err != nil {
		t.Fatal(err)
	}
	want := "package a\n<|endoftext|>package b\n<|endoftext|>package e\n<|endoftext|>"
	if c.Text != want || c.Name != "go" || c.Note != "" {
		t.Errorf("ReadCorpus(go) = %+v, want the text %q", c, want)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := ReadCorpus(stopped, "go"); !errors.Is(err, context.Canceled) {
		t.Errorf("ReadCorpus stopped: %v", err)
	}
}

func TestCorpusFallsBack(t *testing.T) {
	root := goroot(t, map[string]string{"a.go": "package a\n"})
	c, err := readOpticks(t.Context(), []string{filepath.Join(root, "none"), root})
	if err != nil {
		t.Fatal(err)
	}
	if c.Name != "go" || !strings.Contains(c.Note, "no Opticks") || c.Text != "package a\n"+EndOfText {
		t.Errorf("without Opticks the corpus is %+v", c)
	}
	if c, err := readOpticks(t.Context(), nil); err == nil {
		t.Errorf("without Go the corpus is %+v", c)
	}
}

func TestCorpusFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "my.txt")
	if err := os.WriteFile(path, []byte("Produced by me\n\nmine\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := ReadCorpus(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if want := "Produced by me\n\nmine\r\n"; c.Text != want || c.Name != path || c.Path != path {
		t.Errorf("ReadCorpus(%s) = %+v, want the text %q", path, c, want)
	}
	if _, err := ReadCorpus(t.Context(), path+"x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("ReadCorpus of no file: %v", err)
	}
}

func TestWithoutCredits(t *testing.T) {
	for text, want := range map[string]string{
		"Produced by A,\nB\nand C.\n\n\n\nTITLE\n\ntext":     "TITLE\n\ntext",
		"Produced by A.\r\n\r\n\r\nTITLE\r\n\r\nProduced by": "TITLE\n\nProduced by",
		"TITLE\n\nProduced by A.\n\n":                        "TITLE\n\nProduced by A.\n\n",
		"":                                                   "",
	} {
		if got := withoutCredits(text); got != want {
			t.Errorf("withoutCredits(%q) = %q, want %q", text, got, want)
		}
	}
}
