package faults

import (
	"fmt"
	"os"
	"strings"

	"github.com/pkg/errors"
)

// Limits of what a reader lets a header claim, which the files here come close to or exceed.
const (
	maxHeader  = 4 << 20
	maxTensors = 16_384
)

// masses adds files with much of something.
func (f *forge) masses() {
	repeated := func(n int, entry func(i int) string) string {
		var b strings.Builder
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(entry(i))
		}
		return b.String()
	}
	// within returns the header of the good file with more inside.
	within := func(more string) string {
		return strings.TrimSuffix(strings.TrimRight(f.header, " "), "}") + "," + more + "}"
	}
	short := func(file []byte) []byte { return file[:len(file)-1] }
	const open = `"format":"pt"`
	end := len(f.data)
	empty := func(i int) string {
		return fmt.Sprintf(`"t%d":{"dtype":"F32","shape":[1],"data_offsets":[%d,%d]}`, i, end+4*i, end+4*i+4)
	}
	few := maxTensors * 3 / 4
	for name, file := range map[string][]byte{
		"many tensors":            withHeader(within(repeated(few, empty)), append(f.data[:end:end], make([]byte, 4*few)...)),
		"too many tensors":        withHeader(within(repeated(maxTensors+1, empty)), append(f.data[:end:end], make([]byte, 4*maxTensors+4)...)),
		"a long shape":            withHeader(within(`"t":{"dtype":"F32","shape":[`+strings.Repeat("1,", 1<<20)+`1],"data_offsets":[0,4]}`), f.data),
		"a long name":             withHeader(within(`"`+strings.Repeat("n", 3<<20)+`":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}`), f.data),
		"much metadata":           short(f.edited(open, open+","+repeated(few, func(i int) string { return fmt.Sprintf(`"k%d":"v"`, i) }))),
		"a long value":            short(f.edited(open, open+`,"k":"`+strings.Repeat("v", 3<<20)+`"`)),
		"a value of escapes":      short(f.edited(open, open+`,"k":"`+strings.Repeat(`\u0000`, 1<<19)+`"`)),
		"many blanks":             withHeader(f.header+strings.Repeat(" ", maxHeader-len(f.header)), f.data[:end-1]),
		"a header of one more":    withHeader(f.header+strings.Repeat(" ", maxHeader-len(f.header)+1), f.data),
		"deep arrays":             withHeader(within(`"t":`+strings.Repeat("[", 1<<20)+strings.Repeat("]", 1<<20)), f.data),
		"deep objects":            withHeader(within(`"t":`+strings.Repeat(`{"a":`, 1<<20)+"1"+strings.Repeat("}", 1<<20)), f.data),
		"deep and open":           withHeader(within(strings.Repeat(`"t":{`, 1<<20)), f.data),
		"a number of many digits": f.edited(`"b.weight":{"dtype":"F32","shape":[7]`, `"b.weight":{"dtype":"F32","shape":[`+strings.Repeat("7", 1<<20)+`]`),
		"a record of many counts": f.made(func(c *content) {
			c.metadata["logits.snapshot"] = `{"version":1,"step":7,"counts":{` + repeated(few, func(i int) string { return fmt.Sprintf(`"c%d":-1`, i) }) + "}}"
		}),
		"a record of deep arrays": f.made(func(c *content) {
			c.metadata["logits.snapshot"] = `{"version":1,"step":7,"states":` + strings.Repeat("[", 1<<20) + strings.Repeat("]", 1<<20) + "}"
		}),
		"a record of a long state": f.made(func(c *content) {
			c.metadata["logits.snapshot"] = `{"version":1,"step":7,"states":{"s":"` + strings.Repeat("A", 3<<20) + `="}}`
		}),
		"a moment of too many numbers": f.made(func(c *content) {
			const n = 16*22 + 1<<16
			c.tensors["optimizer.m"] = tensorOf("F32", make([]byte, 4*n), n)
		}),
		"too many moments": f.made(func(c *content) {
			for i := range 300 {
				c.tensors[fmt.Sprint("optimizer.m", i)] = tensorOf("F64", make([]byte, 8*256), 256)
			}
		}),
	} {
		f.files[name] = file
	}
}

// A SparseFile begins with some bytes and is a hole from there to its size.
type SparseFile struct {
	Name string // what is wrong
	Head []byte
	Size int64
}

// Sparse returns files of a terabyte, as Malformed does: their headers are as they should be, apart from what they claim.
func Sparse() ([]SparseFile, error) {
	f := &forge{files: make(map[string][]byte)}
	f.start()
	const size = 1 << 40
	end := len(f.data)
	// add puts entries into the header, and checksums in their order before those of a tensor.
	add := func(list []SparseFile, name, entries, sums, before string) []SparseFile {
		header := strings.TrimSuffix(strings.TrimRight(f.header, " "), "}") + "," + entries + "}"
		before = `\"` + before + `\":`
		if strings.Count(header, before) != 1 {
			f.fail(errors.Errorf("the header has no checksum of %s", before))
		}
		header = strings.Replace(header, before, sums+","+before, 1)
		file := withHeader(header, f.data)
		return append(list, SparseFile{name, file, int64(len(file) - end + size)})
	}
	entry := func(name string, shape string, lo, hi int) string {
		return fmt.Sprintf(`"%s":{"dtype":"F32","shape":[%s],"data_offsets":[%d,%d]}`, name, shape, lo, hi)
	}
	sum := func(name string) string { return `\"` + name + `\":\"00000000\"` }
	length := fmt.Sprint((size - end) / 4)
	list := add(nil, "a moment of a terabyte", entry("optimizer.0", length, end, size), sum("optimizer.0"), "optimizer.exp_avg.a.weight")
	list = add(list, "a parameter of a terabyte", entry("0", length, end, size), sum("0"), "a.weight")
	var entries, sums []string
	const parts = 64
	for i := range parts {
		name := fmt.Sprintf("optimizer.%02d", i)
		lo, hi := end+i*(size-end)/4/parts*4, end+(i+1)*(size-end)/4/parts*4
		if i == parts-1 {
			hi = size
		}
		entries = append(entries, entry(name, fmt.Sprint((hi-lo)/4), lo, hi))
		sums = append(sums, sum(name))
	}
	list = add(list, "moments of a terabyte", strings.Join(entries, ","), strings.Join(sums, ","), "optimizer.exp_avg.a.weight")
	list = append(list,
		SparseFile{"a good file and a hole", f.good, size},
		SparseFile{"half a file and a hole", f.good[:len(f.good)-end/2], size},
		SparseFile{"a hole", nil, size},
	)
	return list, f.err
}

// Write makes the file on a disk that knows holes.
func (s SparseFile) Write(path string) error {
	if err := os.WriteFile(path, s.Head, 0o600); err != nil {
		return errors.WithStack(err)
	}
	return errors.WithStack(os.Truncate(path, s.Size))
}
