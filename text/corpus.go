package text

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"unicode/utf8"

	"github.com/pkg/errors"
)

// A Corpus is a text to train on.
type Corpus struct {
	Name string // "opticks", "go", or the path of a file
	Path string // the file or folder it came from
	Note string // what the user should know of it, such as that another text was asked for; often ""
	Text string
}

// ReadCorpus finds a text by name.
//
// Every Go installation carries two: "opticks" is Newton's Opticks, 0.6 MB, without the credits of its
// transcribers at the head; "go" is the source of Go itself, 90 MB: all .go files under GOROOT/src that are
// valid UTF-8, in lexical order, each followed by [EndOfText]. An installation without the Opticks gives
// "go" in its place, and Name and Note say so. Any other name is the path of a file, which is taken as it is.
//
// GOROOT is what the environment says or else the go command, or else where this program was built.
func ReadCorpus(ctx context.Context, name string) (*Corpus, error) {
	switch name {
	case "opticks":
		return readOpticks(ctx, goroots(ctx))
	case "go":
		return readGo(ctx, goroots(ctx))
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, errors.Wrap(err, `text: neither "opticks", "go" nor a file`)
	}
	return &Corpus{Name: name, Path: name, Text: string(text)}, nil
}

// goroots returns the folders that may be GOROOT, the likeliest first.
func goroots(ctx context.Context) []string {
	var roots []string
	if root := os.Getenv("GOROOT"); root != "" {
		roots = append(roots, root)
	}
	cmd := exec.CommandContext(ctx, "go", "env", "GOROOT")
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN=local") // or it might download another Go
	if out, err := cmd.Output(); err == nil {
		roots = append(roots, strings.TrimSpace(string(out)))
	}
	// Deprecated because the program may have moved to another machine, which is why it comes last.
	if root := runtime.GOROOT(); root != "" {
		roots = append(roots, root)
	}
	return roots
}

func readOpticks(ctx context.Context, roots []string) (*Corpus, error) {
	for _, root := range roots {
		path := filepath.Join(root, "src", "testdata", "Isaac.Newton-Opticks.txt")
		if text, err := os.ReadFile(path); err == nil {
			return &Corpus{Name: "opticks", Path: path, Text: withoutCredits(string(text))}, nil
		}
	}
	c, err := readGo(ctx, roots)
	if err != nil {
		return nil, errors.WithMessage(err, "text: no Opticks, nor")
	}
	c.Note = "this Go installation has no Opticks; its source stands in"
	return c, nil
}

// withoutCredits returns a Project Gutenberg text without what its transcribers wrote before it.
func withoutCredits(text string) string {
	if !strings.HasPrefix(text, "Produced by ") {
		return text
	}
	_, rest, _ := strings.Cut(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n")
	return strings.TrimLeft(rest, "\n")
}

func readGo(ctx context.Context, roots []string) (*Corpus, error) {
	for _, root := range roots {
		src := filepath.Join(root, "src")
		text, err := readSource(ctx, src)
		if err != nil {
			return nil, err
		}
		if text != "" {
			return &Corpus{Name: "go", Path: src, Text: text}, nil
		}
	}
	return nil, errors.Errorf("text: no Go source under any of %q", roots)
}

// readSource returns the Go source below a folder, or "" if there is none.
func readSource(ctx context.Context, folder string) (string, error) {
	var b strings.Builder
	// GOROOT/src may be a link, which WalkDir would not follow.
	folder, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return "", nil
	}
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err != nil || !d.Type().IsRegular() || filepath.Ext(path) != ".go" {
			return err
		}
		file, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if utf8.Valid(file) {
			b.Write(file)
			b.WriteString(EndOfText)
		}
		return nil
	})
	return b.String(), errors.Wrap(err, "text: reading Go source")
}
