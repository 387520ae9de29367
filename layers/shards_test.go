package layers_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/logits-go/logits/layers"
)

// weightFiles returns the names of files in a folder that begin with model.
func weightFiles(t testing.TB, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "model") {
			names = append(names, e.Name())
		}
	}
	return names
}

// A model comes back from shards of any size with every bit, and no file is larger than asked for unless one tensor is.
func TestShardsKeepEveryBit(t *testing.T) {
	for _, f := range []layers.Format{layers.Native, layers.HuggingFace} {
		for _, c := range []layers.Config{tinyLlama, tinyGPT2} {
			m := random(t, c)
			tokens := []int{1, 5, 10, 0, 3}
			want := logits(t, m, tokens...)
			for _, size := range []int64{1, 1000, 6000, 20000} {
				dir := export(t, layers.Export{Format: f, ShardSize: size}, "m", m)
				got := open(t, dir)
				if got.Config != m.Config || !same(values(got), values(m)) || !slices.Equal(logits(t, got, tokens...), want) {
					t.Errorf("%v in shards of %d: the model differs", f, size)
				}
				shards, most := 0, 0
				for _, name := range weightFiles(t, dir) {
					if !strings.HasSuffix(name, ".safetensors") {
						continue
					}
					shards++
					path := filepath.Join(dir, name)
					held := len(safetensorsIn(t, path))
					most = max(most, held)
					if info, _ := os.Stat(path); info.Size() > size && held > 1 {
						t.Errorf("%v in shards of %d: %s has %d bytes and %d tensors", f, size, name, info.Size(), held)
					}
				}
				switch {
				case shards < 2:
					t.Errorf("%v in shards of %d: %d files", f, size, shards)
				case size == 1 && most != 1, size == 20000 && most < 5:
					t.Errorf("%v in shards of %d: up to %d tensors in a file", f, size, most)
				}
			}
			whole := read(t, filepath.Join(export(t, layers.Export{Format: f}, "m", m), "model.safetensors"))
			dir := export(t, layers.Export{Format: f, ShardSize: int64(len(whole)) + 8000}, "m", m)
			if names := weightFiles(t, dir); !slices.Equal(names, []string{"model.safetensors"}) {
				t.Errorf("%v that fits into one shard: %q", f, names)
			} else if !slices.Equal(read(t, filepath.Join(dir, names[0])), whole) {
				t.Errorf("%v that fits into one shard: the file differs", f)
			}
		}
	}
}

// Shards and their index are as Hugging Face describes them: a script that has read its documentation finds in them what
// one file has.
func TestShardsInPython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3")
	}
	m := random(t, tinyGPT2)
	one := safetensorsIn(t, filepath.Join(export(t, layers.Export{Format: layers.HuggingFace}, "hf", m), "model.safetensors"))
	for _, n := range []layers.Numbers{layers.F32, layers.BF16} {
		dir := export(t, layers.Export{Format: layers.HuggingFace, Numbers: n, ShardSize: 9000}, "hf", m)
		cmd := exec.CommandContext(t.Context(), python, "testdata/shards.py", dir)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v\n%s", err, stderr.String())
		}
		var digests map[string]string
		if err := json.Unmarshal(out, &digests); err != nil {
			t.Fatal(err)
		}
		if len(digests) != len(one) {
			t.Errorf("%v: %d tensors, want %d", n, len(digests), len(one))
		}
		for name, numbers := range one {
			data, _ := binary.Append(nil, binary.LittleEndian, numbers)
			sum := sha256.Sum256(data)
			if n == layers.F32 && digests[name] != hex.EncodeToString(sum[:]) {
				t.Errorf("%s differs", name)
			}
		}
	}
}

// What an earlier export has left in a folder is neither read nor kept, whatever it was.
func TestExportOverAnother(t *testing.T) {
	dir := t.TempDir()
	bystanders := []string{"model-00001-of-2.safetensors", "model-best-of-three.safetensors", "model.txt"}
	for _, name := range bystanders {
		write(t, filepath.Join(dir, name), []byte(name))
	}
	for i, size := range []int64{0, 1, 12000, 0, 6000, 1, 0} {
		c := []layers.Config{tinyLlama, with(tinyLlama, func(c *layers.Config) { c.NormEps = 1e-6 })}[i%2]
		f := []layers.Format{layers.Native, layers.HuggingFace}[i/2%2]
		m := random(t, c)
		if err := (layers.Export{Format: f, ShardSize: size}).Write(dir, m); err != nil {
			t.Fatal(err)
		}
		if got := open(t, dir); got.Config != m.Config || !same(values(got), values(m)) {
			t.Errorf("export %d: the model differs", i)
		}
		fresh := weightFiles(t, export(t, layers.Export{Format: f, ShardSize: size}, "m", m))
		want := slices.Sorted(slices.Values(append(fresh, bystanders...)))
		if got := weightFiles(t, dir); !slices.Equal(got, want) {
			t.Errorf("export %d: files %q, want %q", i, got, want)
		}
	}
}

// An export that cannot be finished leaves the model that was there, or none.
func TestHalfAnExport(t *testing.T) {
	old, other := random(t, tinyLlama), random(t, with(tinyLlama, func(c *layers.Config) { c.NormEps = 1e-6 }))
	for _, size := range []int64{0, 6000} {
		// Files cannot even be written.
		dir := export(t, layers.Export{}, "m", old)
		broken := random(t, tinyLlama)
		broken.Layers[1].FFN.(*layers.SwiGLU).W2.Weight = nil
		if err := (layers.Export{ShardSize: size}).Write(dir, broken); err == nil {
			t.Error("no error from a model without a weight")
		}
		if got := open(t, dir); !same(values(got), values(old)) {
			t.Error("a failed export has changed the model")
		}
		// Files are written, but config.json cannot take its place.
		config := filepath.Join(dir, "config.json")
		whole := read(t, config)
		if err := os.Remove(config); err != nil {
			t.Fatal(err)
		}
		write(t, mkdir(t, config, "in the way"), nil)
		if err := (layers.Export{ShardSize: size}).Write(dir, other); err == nil {
			t.Error("no error from a file that cannot take its place")
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "*.tmp")); len(left) > 0 {
			t.Errorf("an export leaves %q", left)
		}
		if err := os.RemoveAll(config); err != nil {
			t.Fatal(err)
		}
		write(t, config, whole)
		_, err := layers.Open(dir)
		wants(t, "an export that stopped in between", err, "model.safetensors.index.json")
	}
}

// mkdir makes a folder and returns the path of a file in it.
func mkdir(t testing.TB, dir, file string) string {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, file)
}

// Shards that are missing, cut, exchanged or of another model, and an index that does not fit them, are refused.
func TestHostileShards(t *testing.T) {
	m := random(t, tinyLlama)
	e := layers.Export{Format: layers.HuggingFace, ShardSize: 9000}
	count := len(weightFiles(t, export(t, e, "m", m))) - 1
	shard := func(i int) string { return fmt.Sprintf("model-%05d-of-%05d.safetensors", i, count) }
	const index = "model.safetensors.index.json"
	for _, c := range []struct {
		what   string
		change func(dir string)
		want   string
	}{
		{"no index", func(dir string) { os.Remove(filepath.Join(dir, index)) }, index},
		{"no shard", func(dir string) { os.Remove(filepath.Join(dir, shard(2))) }, shard(2)},
		{"an empty shard", func(dir string) { write(t, filepath.Join(dir, shard(2)), nil) }, shard(2)},
		{"a cut shard", func(dir string) {
			path := filepath.Join(dir, shard(count))
			write(t, path, read(t, path)[:500])
		}, shard(count)},
		{"shards exchanged", func(dir string) {
			one, two := filepath.Join(dir, shard(1)), filepath.Join(dir, shard(2))
			a, b := read(t, one), read(t, two)
			write(t, one, b)
			write(t, two, a)
		}, "which the index does not say"},
		{"a shard of another model", func(dir string) {
			other := export(t, e, "m", random(t, with(tinyLlama, func(c *layers.Config) { c.VocabSize = 12 })))
			write(t, filepath.Join(dir, shard(1)), read(t, filepath.Join(other, weightFiles(t, other)[0])))
		}, "is (12, 32), want (11, 32)"},
		{"half an index", func(dir string) {
			path := filepath.Join(dir, index)
			write(t, path, read(t, path)[:300])
		}, index},
		{"an index that leaves", func(dir string) {
			path := filepath.Join(dir, index)
			write(t, path, []byte(strings.ReplaceAll(string(read(t, path)), shard(1), "../"+shard(1))))
		}, "no file in its folder"},
		{"another config", func(dir string) {
			edit(t, filepath.Join(dir, "config.json"), map[string]any{"num_hidden_layers": 3})
		}, "missing model.layers.2"},
	} {
		dir := export(t, e, "m", m)
		c.change(dir)
		_, err := layers.Open(dir)
		wants(t, c.what, err, c.want)
	}
}
