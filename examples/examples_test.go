// Package examples holds the test that every example builds and runs.
package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// runs are commands, in the order in which they find what they need.
var runs = []struct {
	command string
	in      string
	want    string // in what the command writes
}{
	{"train -data text -out runs/opticks -vocab 270 -layers 1 -dim 16 -heads 2 -context 32 -batch 2 -steps 4 -eval-every 4 -eval-batches 1", "", "saved runs/opticks"},
	{"generate -n 5", "", "prompt of"},
	{"generate -n 5 -batch 2 -seed 3 -stop . -ignore-eos -prompt -", "A prism\n", "-- 2 of 2 --\nA prism"},
	{"generate -n 20 -regexp (light){3} -repetition-penalty 1.1 -prompt A", "", "Alightlightlight\n"},
	{"generate -n 5 -prompt-file text", "", "a prompt of"}, // which is too long, an error
	{"export -out small -numbers bf16", "", ""},
	{"export -out m.gguf -format gguf -numbers q8_0", "", ""},
	{"eval -model small -data text -limit 100", "", "bits a byte; 100 tokens"},
	{"eval -model m.gguf -tokenizer small -data text -limit 20 -decode -documents apart -stride 8", "", "bits a byte; 20 tokens"},
	{"embed -n 5", "", "The Rays of "},
	{"custom", "", "parameters"},
	{"loss", "", "."},
	{"sampler", "", "probability"},
	{"torture -time 0 -kills 1 -flips 20 -cuts 20 -rooms 2 -power 1 -hashes 1 -generations 64", "", "64 goroutines"},
	{"bench -h", "", "-recipe"}, // all it measures takes a while
	{"torture -h", "", "-kills"},
}

func TestExamples(t *testing.T) {
	bin, dir := t.TempDir(), t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "./...").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "text"), []byte(strings.Repeat("A prism parts the light. ", 100)), 0o644); err != nil {
		t.Fatal(err)
	}
	var ran []string
	for _, r := range runs {
		args := strings.Fields(r.command)
		ran = append(ran, args[0])
		cmd := exec.CommandContext(t.Context(), filepath.Join(bin, args[0]), args[1:]...)
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(r.in)
		out, err := cmd.CombinedOutput()
		if fails := r.want == "a prompt of"; (err != nil) != fails || !strings.Contains(string(out), r.want) {
			t.Errorf("%s: %v, %q in\n%s", r.command, err, r.want, out)
		}
	}
	programs, err := os.ReadDir(bin)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range programs {
		if !slices.Contains(ran, strings.TrimSuffix(p.Name(), ".exe")) {
			t.Errorf("nothing runs %s", p.Name())
		}
	}
}
