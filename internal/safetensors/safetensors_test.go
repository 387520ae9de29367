package safetensors

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/logits-go/logits/internal/weights"
)

// file returns a file with the given header and so many bytes of data.
func file(header string, size int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, size)...)
}

// small returns a file of two tensors as Write makes it.
func small(t testing.TB) []byte {
	t.Helper()
	var buf bytes.Buffer
	err := Write(&buf, map[string]Source{
		"a": {weights.F32, []int{2, 3}, func() []byte { return weights.Append(nil, weights.F32, []float32{1, 2, 3, 4, 5, 6}) }},
		"b": {weights.BF16, []int{4}, func() []byte { return weights.Append(nil, weights.BF16, []float32{1, -2, 0.5, 0}) }},
	}, map[string]string{"k": "v"})
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// What Write has written comes back, from memory and from a file.
func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := os.WriteFile(path, small(t), 0o644); err != nil {
		t.Fatal(err)
	}
	opened, err := Open(weights.Disk, path)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := Parse(small(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []*weights.File{opened, parsed} {
		if f.Metadata["k"] != "v" || len(f.Metadata) != 1 || len(f.Tensors) != 2 {
			t.Errorf("metadata %v and %d tensors", f.Metadata, len(f.Tensors))
		}
		for name, want := range map[string][]float32{"a": {1, 2, 3, 4, 5, 6}, "b": {1, -2, 0.5, 0}} {
			got := make([]float32, len(want))
			if err := weights.Copy(got, f.Tensors[name]); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s is %v, %v, want %v", name, got, err, want)
			}
		}
	}
	if err := opened.Close(); err != nil {
		t.Error(err)
	}
}

// Files that are wrong in any way are refused, with an error that says how, and without much memory.
func TestHostileFiles(t *testing.T) {
	const one = `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`
	many := make([]string, ofAny.tensors+2)
	for i := range many {
		many[i] = fmt.Sprintf(`"%x":{}`, i)
	}
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "no safetensors"},
		{"no header", file("", 0), "JSON object"},
		{"huge header", binary.LittleEndian.AppendUint64(nil, 1<<40), "at most"},
		{"negative header", binary.LittleEndian.AppendUint64(nil, 1<<64-1), "at most"},
		{"header beyond the file", binary.LittleEndian.AppendUint64(nil, 100), "in a file of"},
		{"null", file("null", 0), "JSON object"},
		{"array", file("[]", 0), "JSON object"},
		{"blank before", file(" "+one+"}", 4), "JSON object"},
		{"cut JSON", file(one, 4), "EOF"},
		{"two values", file(one+"}{}", 4), "more than one"},
		{"twice", file(one+`,"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), `"a" is there twice`},
		{"twice in disguise", file(one+`,"\u0061":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), `"a" is there twice`},
		{"field twice", file(`{"a":{"dtype":"F32","dtype":"F64","shape":[1],"data_offsets":[0,4]}}`, 4), `"dtype" is there twice`},
		{"metadata twice", file(`{"__metadata__":{},"__metadata__":{}}`, 0), "twice"},
		{"metadata of numbers", file(`{"__metadata__":{"a":1}}`, 0), "__metadata__"},
		{"deep", file(`{"a":{"shape":[[[1]]]}}`, 0), "too deep"},
		{"rank 9", file(`{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}`, 4), "more than 8 axes"},
		{"many tensors", file("{"+strings.Join(many, ",")+"}", 0), "more than 100000"},
		{"unknown field", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}`, 4), "keys"},
		{"missing field", file(`{"a":{"dtype":"F32","shape":[1]}}`, 4), "keys"},
		{"unknown type", file(`{"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}}`, 4), "F8_E4M3"},
		{"negative axis", file(`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, 4), "shape"},
		{"half an axis", file(`{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}`, 4), "shape"},
		{"no elements", file(`{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}`, 0), "shape"},
		{"no elements, many rows", file(`{"a":{"dtype":"F32","shape":[18446744073709551615,0],"data_offsets":[0,0]}}`, 0), "shape"},
		{"overflowing shape", file(`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}`, 4), "shape"},
		{"overflowing bytes", file(`{"a":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}}`, 4), "num bytes"},
		{"overflowing offsets", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551616]}}`, 4), "data_offsets"},
		{"negative offset", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}`, 4), "data_offsets"},
		{"offsets backwards", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}`, 4), "offset"},
		{"offsets of another size", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}`, 8), "mismatch"},
		{"a gap at the start", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), "offset"},
		{"a gap", file(one+`,"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}`, 12), "offset"},
		{"overlap", file(one+`,"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4), "offset"},
		{"data missing", file(one+"}", 3), "incomplete"},
		{"data to spare", file(one+"}", 5), "incomplete"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Parse(c.file)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", c.name, err, c.want)
		}
		if used, limit := after.TotalAlloc-before.TotalAlloc, uint64(1<<20+64*len(c.file)); used > limit {
			t.Errorf("%s: %d bytes of memory for a file of %d", c.name, used, len(c.file))
		}
	}
	whole := small(t)
	if _, err := Parse(whole); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, err := Parse(whole[:n]); err == nil {
			t.Fatalf("Parse accepts the first %d of %d bytes", n, len(whole))
		}
	}
}

// Shards are one file, whose index must say the truth about them.
func TestIndex(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("1.safetensors", string(small(t)))
	write("2.safetensors", string(file(`{"c":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4)))
	write("bad.safetensors", "bad")
	index := write("m.index.json", `{"metadata":{"total_size":36},"weight_map":{"a":"1.safetensors","b":"1.safetensors","c":"2.safetensors"}}`)
	f, err := Open(weights.Disk, index)
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(f.Tensors)); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("tensors %v, want a, b and c", got)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	for _, c := range []struct{ weightMap, want string }{
		{`{}`, "no tensors"},
		{`{"a":"1.safetensors","b":"1.safetensors","d":"2.safetensors"}`, "2.safetensors holds c"},
		{`{"a":"1.safetensors","c":"2.safetensors"}`, "1.safetensors holds b"},
		{`{"a":"1.safetensors","b":"1.safetensors","e":"1.safetensors"}`, "missing e"},
		{`{"a":"../1.safetensors"}`, "no file in its folder"},
		{`{"a":".."}`, "no file in its folder"},
		{`{"a":""}`, "no file in its folder"},
		{`{"a":"3.safetensors"}`, "3.safetensors"},
		{`{"a":"bad.safetensors"}`, "bad.safetensors"},
		{`{"a":1}`, "weight_map"},
	} {
		_, err := Open(weights.Disk, write("wrong.index.json", `{"weight_map":`+c.weightMap+`}`))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", c.weightMap, err, c.want)
		}
	}
}

// Tensors fill files in their order, and one that fits into none is alone. Files are no larger than Split says.
func TestSplit(t *testing.T) {
	tensors, names := make(map[string]Source), []string{"a", "b", "c", "<d>", "e", "f"}
	for i, n := range []int{100, 100, 1000, 3, 100, 100} {
		tensors[names[i]] = Source{weights.F32, []int{n}, func() []byte { return make([]byte, 4*n) }}
	}
	for _, c := range []struct {
		size int64
		want string
	}{
		{1, "[[a] [b] [c] [<d>] [e] [f]]"},
		{1000, "[[a] [b] [c] [<d> e] [f]]"},
		{1500, "[[a b] [c] [<d> e f]]"},
		{1 << 20, "[[a b c <d> e f]]"},
	} {
		files, err := Split(names, tensors, map[string]string{"format": "pt"}, c.size)
		if got := fmt.Sprint(files); err != nil || got != c.want {
			t.Errorf("Split to %d is %s, %v, want %s", c.size, got, err, c.want)
		}
		for _, file := range files {
			part := make(map[string]Source)
			for _, name := range file {
				part[name] = tensors[name]
			}
			var b bytes.Buffer
			if err := Write(&b, part, map[string]string{"format": "pt"}); err != nil {
				t.Fatal(err)
			}
			if int64(b.Len()) > c.size && len(file) > 1 {
				t.Errorf("Split to %d: %v makes a file of %d", c.size, file, b.Len())
			}
		}
	}
}

// A file that is cut short while it is open is an error, not the end of the program.
func TestCutWhileOpen(t *testing.T) {
	const n = 1 << 20
	path := filepath.Join(t.TempDir(), "m.safetensors")
	if err := os.WriteFile(path, file(fmt.Sprintf(`{"a":{"dtype":"F32","shape":[%d],"data_offsets":[0,%d]}}`, n, 4*n), 4*n), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := Open(weights.Disk, path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Truncate(path, 100); err != nil {
		if runtime.GOOS == "linux" {
			t.Fatal(err)
		}
		t.Skip("files that are mapped cannot be cut: ", err)
	}
	if err := weights.Copy(make([]float32, n), f.Tensors["a"]); err == nil {
		if runtime.GOOS == "linux" {
			t.Error("no error from a file that was cut while mapped")
		}
		t.Skip("the file was read, not mapped")
	} else if !strings.Contains(err.Error(), "mapped file") {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(small(f))
	f.Add(file(`{}`, 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse(data)
		if err != nil {
			return
		}
		for _, tensor := range file.Tensors {
			if want := tensor.DType.Bytes(tensor.Len()); tensor.DType.Floats() && len(tensor.Data) != want {
				t.Errorf("%s has %d bytes, want %d", tensor.Name, len(tensor.Data), want)
			}
		}
	})
}
