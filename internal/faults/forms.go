package faults

import (
	"bytes"
	le "encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
)

// headers adds files that end early or late, and files whose header as a whole is wrong.
func (f *forge) headers() {
	for name, file := range map[string][]byte{
		"empty":                     {},
		"seven bytes":               f.good[:7],
		"length alone":              f.good[:8],
		"half the header":           f.good[:8+len(f.header)/2],
		"header alone":              f.good[:8+len(f.header)],
		"all but a byte":            f.good[:len(f.good)-1],
		"a byte more":               append(bytes.Clone(f.good), 0),
		"twice":                     append(bytes.Clone(f.good), f.good...),
		"zeros":                     make([]byte, len(f.good)),
		"data of zeros":             append(bytes.Clone(f.good[:8+len(f.header)]), make([]byte, len(f.data))...),
		"length of 2^63":            append(le.LittleEndian.AppendUint64(nil, 1<<63), f.good[8:]...),
		"length of -1":              append(le.LittleEndian.AppendUint64(nil, 1<<64-1), f.good[8:]...),
		"length above the limit":    append(le.LittleEndian.AppendUint64(nil, 16<<20+1), f.good[8:]...),
		"length beyond the file":    append(le.LittleEndian.AppendUint64(nil, uint64(len(f.good)-7)), f.good[8:]...),
		"length off by one":         append(le.LittleEndian.AppendUint64(nil, uint64(len(f.header)-1)), f.good[8:]...),
		"a pickle":                  []byte("\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01K\x01u.          "),
		"a zip":                     []byte("PK\x03\x04                          "),
		"a GGUF":                    []byte("GGUF\x03\x00\x00\x00                        "),
		"header null":               withHeader("null", f.data),
		"header array":              withHeader("["+f.header+"]", f.data),
		"header twice":              withHeader(f.header+f.header, f.data),
		"header with a blank":       withHeader(" "+f.header, f.data),
		"header with a NUL":         withHeader(f.header+"\x00", f.data),
		"no metadata":               withHeader(`{"a.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, f.data[:4]),
		"header of nothing":         withHeader("{}", nil),
		"data moved":                append(append(bytes.Clone(f.good[:8+len(f.header)]), f.data[4:]...), f.data[:4]...),
		"parameters without sums":   f.plain(),
		"tensor twice":              f.edited(`"b.weight":{`, `"b.weight":{"dtype":"F32","shape":[7],"data_offsets":[0,28]},"b.weight":{`),
		"tensor twice in disguise":  f.edited(`"b.weight":{`, `"\u0062.weight":{"dtype":"F32","shape":[7],"data_offsets":[0,28]},"b.weight":{`),
		"metadata twice":            withHeader(strings.TrimSuffix(strings.TrimRight(f.header, " "), "}")+`,"__metadata__":{}}`, f.data),
		"record twice":              f.edited(`"logits.snapshot":`, `"logits.snapshot":"{}","logits.snapshot":`),
		"sums twice":                f.edited(`"logits.crc32c":`, `"logits.crc32c":"{}","logits.crc32c":`),
		"sum of the header twice":   f.edited(`"logits.crc32c":`, `"logits.crc32c.header":"00000000","logits.crc32c":`),
		"sum of the header missing": f.edited(`logits.crc32c.header`, `logits.crc32c.hexder`),
		"metadata of a number":      f.edited(`"format":"pt"`, `"format":1`),
		"metadata null":             f.edited(`"format":"pt"`, `"format":null`),
		"metadata nested":           f.edited(`"format":"pt"`, `"format":{"a":{"b":{"c":{}}}}`),
		"shape of another rank":     f.edited(`"a.weight":{"dtype":"F32","shape":[3,5],`, `"a.weight":{"dtype":"F32","shape":[15],`),
		"shape turned":              f.edited(`"a.weight":{"dtype":"F32","shape":[3,5],`, `"a.weight":{"dtype":"F32","shape":[5,3],`),
	} {
		f.files[name] = file
	}
}

// fields adds files in which the entry of a tensor is wrong.
func (f *forge) fields() {
	const place = `"b.weight":{"dtype":"F32","shape":[7],"data_offsets":[60,88]}`
	fields := func(s string) []byte { return f.edited(place, `"b.weight":{`+s+`}`) }
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
		f.files[fmt.Sprintf("fields %d: %s", i, s)] = fields(s)
	}
}

// records adds files in which what is said of the snapshot is wrong.
func (f *forge) records() {
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
		f.files[fmt.Sprintf("record %d: %.60s", i, s)] = f.made(func(c *content) { c.metadata["logits.snapshot"] = s })
	}
}

// contents adds files of other tensors than the model has.
func (f *forge) contents() {
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
		f.files[name] = f.made(change)
	}
}

// checksums adds files whose checksums are wrong.
func (f *forge) checksums() {
	quoted := func(s string) string { return strings.Trim(f.text(s), `"`) }
	written := f.parsed().Metadata["logits.crc32c"]
	var sums map[string]string
	if err := json.Unmarshal([]byte(written), &sums); err != nil {
		f.fail(err)
	}
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
		f.files[name] = f.edited(quoted(written), quoted(f.text(other)))
	}
	for i, s := range []string{``, `{}`, `null`, `[]`, `{`, written + " "} {
		f.files[fmt.Sprintf("sums %d: %.20s", i, s)] = f.edited(quoted(written), quoted(s))
	}

}
