package weights

import (
	"encoding/binary"
	"math"
	"runtime/debug"
	"slices"
	"unsafe"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/internal/half"
	"github.com/logits-go/logits/internal/kernel"
)

// A DType is the type of the numbers of a tensor, under the name that safetensors has for it, or ggml. It may be one
// that no model has, such as BOOL.
type DType string

// The types that numbers of a model have in files.
const (
	F64  DType = "F64"
	F32  DType = "F32"
	F16  DType = "F16"
	BF16 DType = "BF16"
	Q8_0 DType = "Q8_0" // blocks of 32 integers and their scale
)

var floats = []DType{F64, F32, F16, BF16, Q8_0}

// Floats reports whether numbers of a model may have the type d.
func (d DType) Floats() bool { return slices.Contains(floats, d) }

// Bytes returns the size of n numbers of type d, whose rows are whole blocks.
func (d DType) Bytes(n int) int {
	switch d {
	case F64:
		return 8 * n
	case F32:
		return 4 * n
	case F16, BF16:
		return 2 * n
	case Q8_0:
		return n / blockSize * blockBytes
	}
	return 0
}

// Len returns how many numbers t holds.
func (t Tensor) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// littleEndian says that memory holds numbers as files do.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// Read fills dst with the numbers of t from the given one on.
func Read[F kernel.Float](dst []F, t Tensor, from int) {
	le, data := binary.LittleEndian, t.Data
	switch t.DType {
	case F64:
		data = data[8*from : 8*(from+len(dst))]
		for i := range dst {
			dst[i] = F(math.Float64frombits(le.Uint64(data[8*i:])))
		}
	case F32:
		data = data[4*from : 4*(from+len(dst))]
		if x, ok := any(dst).([]float32); ok && littleEndian && len(x) > 0 {
			copy(unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), len(data)), data)
			return
		}
		for i := range dst {
			dst[i] = F(math.Float32frombits(le.Uint32(data[4*i:])))
		}
	case F16:
		data = data[2*from : 2*(from+len(dst))]
		for i := range dst {
			dst[i] = F(half.FromF16(le.Uint16(data[2*i:])))
		}
	case BF16:
		data = data[2*from : 2*(from+len(dst))]
		for i := range dst {
			dst[i] = F(half.FromBF16(le.Uint16(data[2*i:])))
		}
	case Q8_0:
		readBlocks(dst, data, from)
	}
}

// Copy fills dst with the numbers of t.
func Copy[F kernel.Float](dst []F, t Tensor) error {
	return Each(len(dst), 1<<14, func(lo, hi int) { Read(dst[lo:hi], t, lo) })
}

// Append appends the numbers of x as type d. Numbers round to the nearest, ties to even.
func Append[F kernel.Float](data []byte, d DType, x []F) []byte {
	le := binary.LittleEndian
	data = slices.Grow(data, d.Bytes(len(x)))
	switch d {
	case F64:
		for _, v := range x {
			data = le.AppendUint64(data, math.Float64bits(float64(v)))
		}
	case F32:
		for _, v := range x {
			data = le.AppendUint32(data, math.Float32bits(float32(v)))
		}
	case F16:
		for _, v := range x {
			data = le.AppendUint16(data, half.ToF16(float32(v)))
		}
	case BF16:
		for _, v := range x {
			data = le.AppendUint16(data, half.ToBF16(float32(v)))
		}
	case Q8_0:
		data = appendBlocks(data, x)
	}
	return data
}

// Bytes returns the numbers of x as type d, as Append does, but in the memory of x where they lie there so already.
func Bytes[F kernel.Float](d DType, x []F) []byte {
	if width := int(unsafe.Sizeof(F(0))); little && len(x) > 0 && (d == F32 && width == 4 || d == F64 && width == 8) {
		return unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), len(x)*width)
	}
	return Append(nil, d, x)
}

// little says that this machine keeps numbers with the little end first, as files do.
var little = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// Each calls f on disjoint ranges [lo, hi) that together cover [0, n), on several threads, as kernel.Parallel does. f
// may read the data of tensors: where a file has been cut short since it was mapped, memory faults, which becomes an
// error.
func Each(n, grain int, f func(lo, hi int)) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = errors.Errorf("reading a mapped file: %v", fault)
		}
	}()
	kernel.Parallel(n, grain, func(lo, hi int) {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		f(lo, hi)
	})
	return nil
}
