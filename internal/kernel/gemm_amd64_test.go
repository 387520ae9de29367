//go:build !purego

package kernel

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// usePath makes kernels take the path and returns the one they took.
func usePath(to string) (from string) {
	from, activePath = activePath, to
	samplingAVX2, samplingAVX512 = to == pathAVX2, to == pathAVX512
	sgemmKernels, exps, linears, int8s = microkernelsOf(to), expKernelsOf(to), linearKernelsOf(to), int8KernelsOf(to, hasVNNI)
	return from
}

// A processor with AVX-512 and without VNNI multiplies bytes as one with AVX2 does.
func TestInt8WithoutVNNI(t *testing.T) {
	with, without, avx2 := int8KernelsOf(pathAVX512, true), int8KernelsOf(pathAVX512, false), int8KernelsOf(pathAVX2, false)
	if n := len(avx2.rows); len(without.rows) != n || len(with.rows) <= n {
		t.Errorf("AVX-512 takes %d rows without VNNI and %d with it, AVX2 %d", len(without.rows), len(with.rows), n)
	}
}

// The assembly that is checked in is what the generator writes.
func TestAssemblyIsUpToDate(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the generator")
	}
	dir := t.TempDir()
	generator := filepath.Join(dir, "asm")
	offline := func(args ...string) ([]byte, error) {
		cmd := exec.Command("go", append([]string{"-C", "asm"}, args...)...)
		cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=readonly", "GOOS=", "GOARCH=", "GOWORK=off")
		return cmd.CombinedOutput()
	}
	if out, err := offline("mod", "download"); err != nil {
		t.Skipf("the modules of the generator are not here: %v\n%s", err, out)
	}
	if out, err := offline("build", "-o", generator, "."); err != nil {
		t.Fatalf("the generator does not build: %v\n%s", err, out)
	}
	if out, err := exec.Command(generator, "-dir", dir).CombinedOutput(); err != nil {
		t.Fatalf("the generator fails: %v\n%s", err, out)
	}
	for _, name := range generatedFiles(t) {
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the generator writes; run go generate", name)
		}
	}
}

func generatedFiles(t *testing.T) []string {
	names, err := filepath.Glob("*_avx*_amd64.*")
	if err != nil || len(names) < 4 || len(names)%4 != 0 {
		t.Fatalf("generated files: %v, %v; want four a family", names, err)
	}
	return names
}

// Registers beyond the sixteenth exist in AVX-512 alone, as do opmasks and Z registers. The assembler takes them in any
// function, and a processor without AVX-512 stops there.
func TestAVX2AssemblyNeedsNoAVX512(t *testing.T) {
	beyond := regexp.MustCompile(`\b([XY](1[6-9]|2[0-9]|3[01])|Z[0-9]+|K[0-7])\b|\.Z\b|\.BCST\b`)
	for _, name := range generatedFiles(t) {
		if !strings.HasSuffix(name, "_avx2_amd64.s") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if found := beyond.FindString(line); found != "" {
				t.Errorf("%s:%d: %s in %q", name, i+1, found, line)
			}
		}
	}
}

// Every function leaves the upper halves of the vector registers clean, or SSE code after it would be slow.
func TestAssemblyEndsWithVZEROUPPER(t *testing.T) {
	for _, name := range generatedFiles(t) {
		if filepath.Ext(name) != ".s" {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(text), "\n")
		for i, line := range lines {
			if strings.TrimSpace(line) == "RET" && strings.TrimSpace(lines[i-1]) != "VZEROUPPER" {
				t.Errorf("%s:%d: RET after %q", name, i+1, lines[i-1])
			}
		}
	}
}
