package graph_test

import (
	"bytes"
	le "encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"maps"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/safetensors"
	"github.com/logits-go/logits/internal/weights"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sealed returns a file whose checksum of the header is right, as far as it has one.
func sealed(file []byte) []byte {
	file = bytes.Clone(file)
	if len(file) < 8 {
		return file
	}
	end := le.LittleEndian.Uint64(file)
	if end > uint64(len(file)-8) {
		return file
	}
	head := file[:8+end]
	if at := regexp.MustCompile(`"logits\.crc32c\.header":"(.{8})"`).FindSubmatchIndex(head); at != nil {
		copy(head[at[2]:], "00000000")
		copy(head[at[2]:], fmt.Sprintf("%08x", crc32.Checksum(head, castagnoli)))
	}
	return file
}

// resealed also makes the checksums of tensors right.
func resealed(file []byte) []byte {
	f, err := safetensors.Parse(file)
	if err != nil {
		return sealed(file)
	}
	file = bytes.Clone(file)
	head := file[:8+le.LittleEndian.Uint64(file)]
	for name, t := range f.Tensors {
		at := regexp.MustCompile(`\\"` + regexp.QuoteMeta(name) + `\\":\\"([0-9a-f]{8})\\"`).FindSubmatchIndex(head)
		if at != nil {
			copy(head[at[2]:], fmt.Sprintf("%08x", crc32.Checksum(t.Data, castagnoli)))
		}
	}
	return sealed(file)
}

// withHeader returns a sealed file of a header and data.
func withHeader(header string, data []byte) []byte {
	file := le.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return sealed(append(append(file, header...), data...))
}

// whole returns a good file and its header and data.
func whole(t testing.TB) (file []byte, header string, data []byte) {
	t.Helper()
	file = snapshotBytes(t, someSnapshot(7, tensor.Float32), someParams(1, tensor.Float32))
	end := 8 + le.LittleEndian.Uint64(file)
	return file, string(file[8:end]), file[end:]
}

// edited returns a good file with another text in place of one in its header, and the checksum of that.
func edited(t testing.TB, old, new string) []byte {
	t.Helper()
	_, header, data := whole(t)
	if strings.Count(header, old) != 1 {
		t.Fatalf("%q is there %d times in %s", old, strings.Count(header, old), header)
	}
	return withHeader(strings.Replace(header, old, new, 1), data)
}

// content is what a file is made of whose checksums are right whatever it holds.
type content struct {
	tensors  map[string]safetensors.Source
	metadata map[string]string
}

func made(t testing.TB, change func(*content)) []byte {
	t.Helper()
	file, _, _ := whole(t)
	f, err := safetensors.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	c := content{make(map[string]safetensors.Source), map[string]string{"logits.snapshot": f.Metadata["logits.snapshot"]}}
	for name, x := range f.Tensors {
		c.tensors[name] = tensorOf(string(x.DType), x.Data, x.Shape...)
	}
	change(&c)
	var buf bytes.Buffer
	if err := safetensors.WriteSummed(&buf, c.tensors, c.metadata); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func tensorOf(dtype string, data []byte, shape ...int) safetensors.Source {
	return safetensors.Source{DType: weights.DType(dtype), Shape: shape, Data: func() []byte { return data }}
}

// hostile returns files that must be refused, by what is wrong with them.
func hostile(t testing.TB) map[string][]byte {
	t.Helper()
	good, header, data := whole(t)
	files := map[string][]byte{
		"empty":                     {},
		"seven bytes":               good[:7],
		"length alone":              good[:8],
		"half the header":           good[:8+len(header)/2],
		"header alone":              good[:8+len(header)],
		"all but a byte":            good[:len(good)-1],
		"a byte more":               append(bytes.Clone(good), 0),
		"twice":                     append(bytes.Clone(good), good...),
		"zeros":                     make([]byte, len(good)),
		"data of zeros":             append(bytes.Clone(good[:8+len(header)]), make([]byte, len(data))...),
		"length of 2^63":            append(le.LittleEndian.AppendUint64(nil, 1<<63), good[8:]...),
		"length of -1":              append(le.LittleEndian.AppendUint64(nil, 1<<64-1), good[8:]...),
		"length above the limit":    append(le.LittleEndian.AppendUint64(nil, 16<<20+1), good[8:]...),
		"length beyond the file":    append(le.LittleEndian.AppendUint64(nil, uint64(len(good)-7)), good[8:]...),
		"length off by one":         append(le.LittleEndian.AppendUint64(nil, uint64(len(header)-1)), good[8:]...),
		"a pickle":                  []byte("\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01K\x01u.          "),
		"a zip":                     []byte("PK\x03\x04                          "),
		"a GGUF":                    []byte("GGUF\x03\x00\x00\x00                        "),
		"header null":               withHeader("null", data),
		"header array":              withHeader("["+header+"]", data),
		"header twice":              withHeader(header+header, data),
		"header with a blank":       withHeader(" "+header, data),
		"header with a NUL":         withHeader(header+"\x00", data),
		"no metadata":               withHeader(`{"a.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, data[:4]),
		"header of nothing":         withHeader("{}", nil),
		"data moved":                append(append(bytes.Clone(good[:8+len(header)]), data[4:]...), data[:4]...),
		"parameters without sums":   paramsFile(t),
		"tensor twice":              edited(t, `"b.weight":{`, `"b.weight":{"dtype":"F32","shape":[7],"data_offsets":[0,28]},"b.weight":{`),
		"tensor twice in disguise":  edited(t, `"b.weight":{`, `"\u0062.weight":{"dtype":"F32","shape":[7],"data_offsets":[0,28]},"b.weight":{`),
		"metadata twice":            withHeader(strings.TrimSuffix(strings.TrimRight(header, " "), "}")+`,"__metadata__":{}}`, data),
		"record twice":              edited(t, `"logits.snapshot":`, `"logits.snapshot":"{}","logits.snapshot":`),
		"sums twice":                edited(t, `"logits.crc32c":`, `"logits.crc32c":"{}","logits.crc32c":`),
		"sum of the header twice":   edited(t, `"logits.crc32c":`, `"logits.crc32c.header":"00000000","logits.crc32c":`),
		"sum of the header missing": edited(t, `logits.crc32c.header`, `logits.crc32c.hexder`),
		"metadata of a number":      edited(t, `"format":"pt"`, `"format":1`),
		"metadata null":             edited(t, `"format":"pt"`, `"format":null`),
		"metadata nested":           edited(t, `"format":"pt"`, `"format":{"a":{"b":{"c":{}}}}`),
		"shape of another rank":     edited(t, `"a.weight":{"dtype":"F32","shape":[3,5],`, `"a.weight":{"dtype":"F32","shape":[15],`),
		"shape turned":              edited(t, `"a.weight":{"dtype":"F32","shape":[3,5],`, `"a.weight":{"dtype":"F32","shape":[5,3],`),
	}
	const place = `"b.weight":{"dtype":"F32","shape":[7],"data_offsets":[60,88]}`
	fields := func(s string) []byte { return edited(t, place, `"b.weight":{`+s+`}`) }
	for i, s := range []string{
		``,
		`"dtype":"F32","shape":[7]`,
		`"dtype":"F32","data_offsets":[60,88]`,
		`"shape":[7],"data_offsets":[60,88]`,
		`"dtype":"F32","shape":[7],"data_offsets":[60,88],"extra":1`,
		`"dtype":"F32","shape":[7],"data_offsets":[60]`,
		`"dtype":"F32","shape":[7],"data_offsets":[60,62,88]`,
		`"dtype":"F32","shape":[7],"data_offsets":null`,
		`"dtype":"F32","shape":null,"data_offsets":[60,88]`,
		`"dtype":"F32","shape":7,"data_offsets":[60,88]`,
		`"dtype":"F32","shape":[-7],"data_offsets":[60,88]`,
		`"dtype":"F32","shape":[7.5],"data_offsets":[60,88]`,
		`"dtype":"F32","shape":["7"],"data_offsets":[60,88]`,
		`"dtype":"F32","shape":[8],"data_offsets":[60,88]`,
		`"dtype":"F32","shape":[7,0],"data_offsets":[60,88]`,
		`"dtype":"F32","shape":[7,1],"data_offsets":[60,88]`,
		`"dtype":"F32","shape":[7,1,1,1,1,1,1,1,1],"data_offsets":[60,88]`,
		`"dtype":"F32","shape":[9223372036854775807],"data_offsets":[60,88]`,
		`"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[60,88]`,
		`"dtype":"F32","shape":[4611686018427387911],"data_offsets":[60,88]`,
		`"dtype":"F32","shape":[1099511627776],"data_offsets":[60,4398046511164]`,
		`"dtype":"F32","shape":[7],"data_offsets":[88,60]`,
		`"dtype":"F32","shape":[7],"data_offsets":[0,28]`,
		`"dtype":"F32","shape":[7],"data_offsets":[64,92]`,
		`"dtype":"F32","shape":[7],"data_offsets":[-60,88]`,
		`"dtype":"F32","shape":[7],"data_offsets":[60,18446744073709551616]`,
		`"dtype":"f32","shape":[7],"data_offsets":[60,88]`,
		`"DTYPE":"F32","shape":[7],"data_offsets":[60,88]`,
		`"dtype":"F64","shape":[7],"data_offsets":[60,88]`,
		`"dtype":"F9","shape":[7],"data_offsets":[60,88]`,
		`"dtype":4,"shape":[7],"data_offsets":[60,88]`,
		`"dtype":"I32","shape":[7],"data_offsets":[60,88]`,
		`"dtype":"F16","shape":[14],"data_offsets":[60,88]`,
		`"dtype":"F32","dtype":"F32","shape":[7],"data_offsets":[60,88]`,
	} {
		files[fmt.Sprintf("fields %d: %s", i, s)] = fields(s)
	}
	for i, s := range []string{
		``, ` `, `null`, `1`, `[]`, `{`, `{}`, `"x"`, `{"version":1}x`, `{"version":1,"step":7}{}`,
		`{"version":1}`,
		`{"version":0,"step":7}`,
		`{"version":-1,"step":7}`,
		`{"version":1.5,"step":7}`,
		`{"version":"1","step":7}`,
		`{"version":null,"step":7}`,
		`{"version":99999999999999999999,"step":7}`,
		`{"step":7}`,
		`{"version":1,"step":-7}`,
		`{"version":1,"step":7.5}`,
		`{"version":1,"step":7e0}`,
		`{"version":1,"step":"7"}`,
		`{"version":1,"step":99999999999999999999}`,
		`{"version":1,"step":7,"step":7}`,
		`{"version":1,"Step":7}`,
		`{"version":1, "step":7}`,
		`{"step":7,"version":1}`,
		`{"version":1,"step":7,"extra":0}`,
		`{"version":1,"step":7,"counts":null}`,
		`{"version":1,"step":7,"counts":[]}`,
		`{"version":1,"step":7,"counts":{"runs":-1}}`,
		`{"version":1,"step":7,"counts":{"runs":1.5}}`,
		`{"version":1,"step":7,"counts":{"runs":18446744073709551616}}`,
		`{"version":1,"step":7,"counts":{"runs":1,"runs":2}}`,
		`{"version":1,"step":7,"states":{"stream":"?"}}`,
		`{"version":1,"step":7,"states":{"stream":"AAE"}}`,
		`{"version":1,"step":7,"states":{"stream":[0,1]}}`,
		`{"version":1,"step":7,"states":[]}`,
		strings.Repeat("[", 100_000),
	} {
		files[fmt.Sprintf("record %d: %.60s", i, s)] = made(t, func(c *content) { c.metadata["logits.snapshot"] = s })
	}
	for name, change := range map[string]func(*content){
		"no record":                  func(c *content) { delete(c.metadata, "logits.snapshot") },
		"no parameter":               func(c *content) { delete(c.tensors, "a.weight") },
		"no tensor":                  func(c *content) { clear(c.tensors) },
		"another parameter":          func(c *content) { c.tensors["c.weight"] = c.tensors["b.weight"] },
		"a parameter renamed":        func(c *content) { c.tensors["B.weight"] = c.tensors["b.weight"]; delete(c.tensors, "b.weight") },
		"a parameter in F64":         func(c *content) { c.tensors["b.weight"] = tensorOf("F64", make([]byte, 56), 7) },
		"a parameter in F16":         func(c *content) { c.tensors["b.weight"] = tensorOf("F16", make([]byte, 14), 7) },
		"a parameter in BF16":        func(c *content) { c.tensors["b.weight"] = tensorOf("BF16", make([]byte, 14), 7) },
		"a parameter of integers":    func(c *content) { c.tensors["b.weight"] = tensorOf("I32", make([]byte, 28), 7) },
		"a parameter of truths":      func(c *content) { c.tensors["b.weight"] = tensorOf("BOOL", make([]byte, 7), 7) },
		"a parameter too short":      func(c *content) { c.tensors["b.weight"] = tensorOf("F32", make([]byte, 24), 6) },
		"a parameter too long":       func(c *content) { c.tensors["b.weight"] = tensorOf("F32", make([]byte, 32), 8) },
		"a parameter of one more":    func(c *content) { c.tensors["b.weight"] = tensorOf("F32", make([]byte, 28), 7, 1) },
		"a parameter as a scalar":    func(c *content) { c.tensors["b.weight"] = tensorOf("F32", make([]byte, 4)) },
		"a moment in F16":            func(c *content) { c.tensors["optimizer.m"] = tensorOf("F16", make([]byte, 2), 1) },
		"a moment in BF16":           func(c *content) { c.tensors["optimizer.m"] = tensorOf("BF16", make([]byte, 2), 1) },
		"a moment of integers":       func(c *content) { c.tensors["optimizer.m"] = tensorOf("I64", make([]byte, 8), 1) },
		"an optimizer without a dot": func(c *content) { c.tensors["optimizer"] = tensorOf("F32", make([]byte, 4), 1) },
	} {
		files[name] = made(t, change)
	}
	var sums map[string]string
	f, err := safetensors.Parse(good)
	if err != nil || json.Unmarshal([]byte(f.Metadata["logits.crc32c"]), &sums) != nil {
		t.Fatal(err)
	}
	quoted := func(s string) string { return strings.Trim(string(must(json.Marshal(s))), `"`) }
	for name, change := range map[string]func(map[string]string){
		"a sum of another tensor": func(m map[string]string) { m["b.weight"] = m["a.weight"] },
		"a sum in capitals":       func(m map[string]string) { m["b.weight"] = strings.ToUpper(m["b.weight"]) + " " },
		"a sum of zero":           func(m map[string]string) { m["b.weight"] = "00000000" },
		"a sum too short":         func(m map[string]string) { m["b.weight"] = m["b.weight"][1:] },
		"no sum of a tensor":      func(m map[string]string) { delete(m, "b.weight") },
		"a sum of no tensor":      func(m map[string]string) { m["c.weight"] = "00000000" },
	} {
		other := maps.Clone(sums)
		change(other)
		files[name] = edited(t, quoted(f.Metadata["logits.crc32c"]), quoted(string(must(json.Marshal(other)))))
	}
	for i, s := range []string{``, `{}`, `null`, `[]`, `{`, f.Metadata["logits.crc32c"] + " "} {
		files[fmt.Sprintf("sums %d: %.20s", i, s)] = edited(t, quoted(f.Metadata["logits.crc32c"]), quoted(s))
	}
	return files
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func paramsFile(t testing.TB) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := someParams(1, tensor.Float32).Write(&buf, nil); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// At least a hundred files that are wrong, each in its way, are refused; no parameter changes and little memory is used.
func TestHostileSnapshots(t *testing.T) {
	file, header, data := whole(t)
	if !bytes.Equal(withHeader(header, data), file) || !bytes.Equal(resealed(file), file) {
		t.Fatal("the test does not know how files are sealed")
	}
	if _, err := graph.ReadSnapshot(made(t, func(*content) {}), someParams(2, tensor.Float32)); err != nil {
		t.Fatal(err)
	}
	files := hostile(t)
	if len(files) < 100 {
		t.Errorf("%d files, want at least 100", len(files))
	}
	ps, before := someParams(2, tensor.Float32), someParams(2, tensor.Float32)
	var most uint64
	for name, file := range files {
		var start, end runtime.MemStats
		runtime.ReadMemStats(&start)
		_, err := graph.ReadSnapshot(file, ps)
		runtime.ReadMemStats(&end)
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
		most = max(most, end.TotalAlloc-start.TotalAlloc)
	}
	sameParams(t, ps, before)
	if most > 64<<20 {
		t.Errorf("a file took %d bytes of memory", most)
	}
	t.Logf("%d files refused, with at most %d KiB of memory", len(files), most>>10)
}

// Every bit of a file counts, and every byte at its end.
func TestSnapshotFlips(t *testing.T) {
	file, _, _ := whole(t)
	ps, before := someParams(2, tensor.Float32), someParams(2, tensor.Float32)
	for bit := range 8 * len(file) {
		file[bit/8] ^= 1 << (bit % 8)
		if _, err := graph.ReadSnapshot(file, ps); err == nil {
			t.Fatalf("bit %d of byte %d makes no difference", bit%8, bit/8)
		}
		file[bit/8] ^= 1 << (bit % 8)
	}
	for n := range file {
		if _, err := graph.ReadSnapshot(file[:n], ps); err == nil {
			t.Fatalf("the first %d of %d bytes are accepted", n, len(file))
		}
	}
	sameParams(t, ps, before)
	t.Logf("%d bits and %d lengths", 8*len(file), len(file))
}

// FuzzSnapshot checks that no file makes ReadSnapshot panic or change parameters and then fail, and that what it accepts
// can be written and read again. Checksums are made right, or hardly any input would get past them.
//
// Threads make coverage vary from run to run, over which the fuzzer broods unless it is called with -fuzzminimizetime 1x.
func FuzzSnapshot(f *testing.F) {
	file, _, _ := whole(f)
	f.Add(file, false)
	f.Add(file, true)
	f.Add(snapshotBytes(f, graph.Snapshot{}, someParams(1, tensor.Float32)), true)
	f.Fuzz(func(t *testing.T, data []byte, seal bool) {
		if seal {
			data = resealed(data)
		}
		ps := someParams(2, tensor.Float32)
		s, err := graph.ReadSnapshot(data, ps)
		if err != nil {
			sameParams(t, ps, someParams(2, tensor.Float32))
			return
		}
		again := someParams(3, tensor.Float32)
		back, err := graph.ReadSnapshot(snapshotBytes(t, s, ps), again)
		if err != nil {
			t.Fatalf("what was read and written: %v", err)
		}
		if !bytes.Equal(snapshotBytes(t, back, again), snapshotBytes(t, s, ps)) {
			t.Fatal("a snapshot changes when it is written and read")
		}
	})
}
