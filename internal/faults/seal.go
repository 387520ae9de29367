package faults

import (
	"bytes"
	le "encoding/binary"
	"fmt"
	"hash/crc32"
	"regexp"

	"github.com/logits-go/logits/internal/safetensors"
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	headerSum  = regexp.MustCompile(`"logits\.crc32c\.header":"(.{8})"`)
)

// Seal returns a checkpoint whose checksum of the header is right, as far as it has one.
func Seal(file []byte) []byte {
	file = bytes.Clone(file)
	if len(file) < 8 {
		return file
	}
	end := le.LittleEndian.Uint64(file)
	if end > uint64(len(file)-8) {
		return file
	}
	head := file[:8+end]
	if at := headerSum.FindSubmatchIndex(head); at != nil {
		copy(head[at[2]:], "00000000")
		copy(head[at[2]:], fmt.Sprintf("%08x", crc32.Checksum(head, castagnoli)))
	}
	return file
}

// Reseal also makes the checksums of tensors right.
func Reseal(file []byte) []byte {
	f, err := safetensors.Parse(file)
	if err != nil {
		return Seal(file)
	}
	file = bytes.Clone(file)
	head := file[:8+le.LittleEndian.Uint64(file)]
	for name, t := range f.Tensors {
		at := regexp.MustCompile(`\\"` + regexp.QuoteMeta(name) + `\\":\\"([0-9a-f]{8})\\"`).FindSubmatchIndex(head)
		if at != nil {
			copy(head[at[2]:], fmt.Sprintf("%08x", crc32.Checksum(t.Data, castagnoli)))
		}
	}
	return Seal(file)
}

// withHeader returns a sealed file of a header and data.
func withHeader(header string, data []byte) []byte {
	file := le.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return Seal(append(append(file, header...), data...))
}
