package gguf

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/internal/weights"
)

// Limits on what a file may claim, far above those of any model.
const (
	maxSettings = 100_000
	maxTensors  = 100_000
	maxRank     = 4 // of ggml
)

// Parse returns the settings and the tensors of a file whose bytes are data, which the tensors keep. A tensor whose type
// this module does not know is an error.
func Parse(data []byte) (settings map[string]any, tensors []weights.Tensor, err error) {
	r := &reader{all: data, rest: data}
	switch m, v := r.uint32(), r.uint32(); {
	case r.err == nil && m != magic:
		return nil, nil, errors.New("gguf: no GGUF file")
	case r.err == nil && v != version:
		return nil, nil, errors.Errorf("gguf: version %d, only %d is supported", v, version)
	}
	count, keys := r.count(maxTensors, 24), r.count(maxSettings, 13) // the least that each takes
	settings = make(map[string]any)
	for range keys {
		key := r.string()
		if _, ok := settings[key]; ok {
			r.fail("%q is there twice", key)
		}
		settings[key] = r.value(r.uint32())
		if r.err != nil {
			return nil, nil, errors.WithMessagef(r.err, "gguf: setting %.80q", key)
		}
	}
	align := alignment
	if v, ok := settings["general.alignment"]; ok {
		n, ok := v.(uint32)
		if !ok || n == 0 || n%8 != 0 || n > 1<<20 {
			return nil, nil, errors.Errorf("gguf: general.alignment %v", v)
		}
		align = int(n)
	}
	end := 0 // of the data of the tensors so far
	for range count {
		var t weights.Tensor
		t, end = r.tensor(end, align)
		if r.err != nil {
			return nil, nil, errors.WithMessagef(r.err, "gguf: tensor %.80q", t.Name)
		}
		tensors = append(tensors, t)
	}
	if r.err != nil {
		return nil, nil, errors.WithMessage(r.err, "gguf")
	}
	used := len(data) - len(r.rest)
	r.take(pad(used, align))
	if r.err != nil {
		return nil, nil, errors.WithMessage(r.err, "gguf")
	}
	if end += pad(end, align); len(r.rest) != end {
		return nil, nil, errors.Errorf("gguf: tensors of %d bytes in %d", end, len(r.rest))
	}
	at := 0
	for i := range tensors {
		n := tensors[i].DType.Bytes(tensors[i].Len())
		tensors[i].Data = r.rest[at : at+n : at+n]
		at += n + pad(n, align)
	}
	return settings, tensors, nil
}

// A reader reads from the front of a file until something is wrong.
type reader struct {
	all, rest []byte
	err       error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = errors.Errorf(format, args...)
	}
}

// take returns the next n bytes, or nil.
func (r *reader) take(n int) []byte {
	if r.err == nil && n > len(r.rest) {
		r.fail("%d bytes at %d of %d", n, len(r.all)-len(r.rest), len(r.all))
	}
	if r.err != nil {
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

// number reads a number in n bytes.
func (r *reader) number(n int) uint64 {
	var b [8]byte
	copy(b[:], r.take(n))
	return binary.LittleEndian.Uint64(b[:])
}

func (r *reader) uint32() uint32 { return uint32(r.number(4)) }

// count reads how many things follow, each of at least so many bytes.
func (r *reader) count(most uint64, bytes int) int {
	n := r.number(8)
	if r.err == nil && (n > most || n > uint64(len(r.rest)/bytes)) {
		r.fail("%d of something, in %d bytes", n, len(r.rest))
	}
	if r.err != nil {
		return 0
	}
	return int(n)
}

func (r *reader) string() string { return string(r.take(r.count(math.MaxUint64, 1))) }

// sizes are the bytes that values of the types take, and 0 for those without a fixed size.
var sizes = [...]int{
	typeUint8: 1, typeInt8: 1, typeUint16: 2, typeInt16: 2, typeUint32: 4, typeInt32: 4, typeFloat32: 4, typeBool: 1,
	typeString: 0, typeArray: 0, typeUint64: 8, typeInt64: 8, typeFloat64: 8,
}

// value reads a value of a type. Arrays of strings, int32 and float32 become slices; others are kept as their bytes.
func (r *reader) value(kind uint32) any {
	switch {
	case r.err != nil:
		return nil
	case kind == typeString:
		return r.string()
	case kind == typeArray:
		return r.array(r.uint32())
	case int(kind) >= len(sizes):
		r.fail("type %d", kind)
		return nil
	}
	n := r.number(sizes[kind])
	switch kind {
	case typeUint8:
		return uint8(n)
	case typeInt8:
		return int8(n)
	case typeUint16:
		return uint16(n)
	case typeInt16:
		return int16(n)
	case typeUint32:
		return uint32(n)
	case typeInt32:
		return int32(n)
	case typeFloat32:
		return math.Float32frombits(uint32(n))
	case typeBool:
		if n > 1 {
			r.fail("bool %d", n)
		}
		return n == 1
	case typeInt64:
		return int64(n)
	case typeFloat64:
		return math.Float64frombits(n)
	}
	return n
}

func (r *reader) array(kind uint32) any {
	switch {
	case r.err != nil:
		return nil
	case kind == typeString:
		list := make([]string, r.count(math.MaxUint64, 8))
		for i := range list {
			if list[i] = r.string(); r.err != nil {
				return nil
			}
		}
		return list
	case int(kind) >= len(sizes) || sizes[kind] == 0:
		r.fail("an array of type %d", kind)
		return nil
	}
	n := r.count(math.MaxUint64, sizes[kind])
	b := bytes.Clone(r.take(n * sizes[kind]))
	switch kind {
	case typeInt32:
		list := make([]int32, n)
		for i := range list {
			list[i] = int32(binary.LittleEndian.Uint32(b[4*i:]))
		}
		return list
	case typeFloat32:
		list := make([]float32, n)
		for i := range list {
			list[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		}
		return list
	}
	return b
}

// tensor reads the description of a tensor whose data follows that of others, which end so far behind their start. It
// returns where its own data ends.
func (r *reader) tensor(end, align int) (weights.Tensor, int) {
	t := weights.Tensor{Name: r.string()}
	rank := r.uint32()
	if rank == 0 || rank > maxRank {
		r.fail("%d axes", rank)
		return t, end
	}
	n := 1
	for range rank {
		d := r.number(8)
		if r.err != nil || d == 0 || d > uint64(8*len(r.all)/n) { // more than any type could hold
			r.fail("an axis of %d", d)
			return t, end
		}
		n *= int(d)
		t.Shape = append(t.Shape, int(d))
	}
	slices.Reverse(t.Shape)
	kind, offset := r.uint32(), r.number(8)
	for d, k := range dtypes {
		if k == kind {
			t.DType = d
		}
	}
	start := end + pad(end, align)
	switch {
	case r.err != nil:
	case t.DType == "":
		r.fail("ggml type %d is not supported", kind)
	case t.DType == weights.Q8_0 && !weights.Blocks(t.Shape[rank-1]):
		r.fail("rows of %d are no whole blocks", t.Shape[rank-1])
	case offset != uint64(start):
		r.fail("it begins at %d, want %d", offset, start)
	}
	return t, start + t.DType.Bytes(n)
}
