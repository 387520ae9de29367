package gguf

import (
	"encoding/binary"
	"io"
	"math"
	"slices"

	"github.com/pkg/errors"
)

// Write writes settings and tensors in their order.
func Write(w io.Writer, settings []Setting, tensors []Source) error {
	le := binary.LittleEndian
	h := le.AppendUint32(nil, magic)
	h = le.AppendUint32(h, version)
	h = le.AppendUint64(h, uint64(len(tensors)))
	h = le.AppendUint64(h, uint64(len(settings)))
	for _, s := range settings {
		var err error
		if h, err = appendValue(appendString(h, s.Key), s.Value); err != nil {
			return errors.WithMessagef(err, "gguf: %s", s.Key)
		}
	}
	sizes, offset := make([]int, len(tensors)), 0
	for i, t := range tensors {
		kind, ok := dtypes[t.DType]
		if !ok {
			return errors.Errorf("gguf: %s holds %v", t.Name, t.DType)
		}
		h = appendString(h, t.Name)
		h = le.AppendUint32(h, uint32(len(t.Shape)))
		n := 1
		for _, d := range slices.Backward(t.Shape) { // the fastest axis comes first
			h = le.AppendUint64(h, uint64(d))
			n *= d
		}
		h = le.AppendUint32(h, kind)
		h = le.AppendUint64(h, uint64(offset))
		sizes[i] = t.DType.Bytes(n)
		offset += sizes[i] + pad(sizes[i], alignment)
	}
	h = append(h, make([]byte, pad(len(h), alignment))...)
	if _, err := w.Write(h); err != nil {
		return errors.WithStack(err)
	}
	for i, t := range tensors {
		data := t.Data()
		if len(data) != sizes[i] {
			return errors.Errorf("gguf: %s %v of %v has %d bytes, want %d", t.Name, t.Shape, t.DType, len(data), sizes[i])
		}
		if _, err := w.Write(data); err != nil {
			return errors.WithStack(err)
		}
		if _, err := w.Write(make([]byte, pad(len(data), alignment))); err != nil {
			return errors.WithStack(err)
		}
	}
	return nil
}

func appendString(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint64(b, uint64(len(s))), s...)
}

// appendValue appends a value behind its type.
func appendValue(b []byte, value any) ([]byte, error) {
	le := binary.LittleEndian
	array := func(kind uint32, n int) []byte {
		return le.AppendUint64(le.AppendUint32(le.AppendUint32(b, typeArray), kind), uint64(n))
	}
	switch v := value.(type) {
	case uint32:
		return le.AppendUint32(le.AppendUint32(b, typeUint32), v), nil
	case float32:
		return le.AppendUint32(le.AppendUint32(b, typeFloat32), math.Float32bits(v)), nil
	case bool:
		b = le.AppendUint32(b, typeBool)
		if v {
			return append(b, 1), nil
		}
		return append(b, 0), nil
	case string:
		return appendString(le.AppendUint32(b, typeString), v), nil
	case []string:
		b = array(typeString, len(v))
		for _, s := range v {
			b = appendString(b, s)
		}
		return b, nil
	case []int32:
		b = array(typeInt32, len(v))
		for _, x := range v {
			b = le.AppendUint32(b, uint32(x))
		}
		return b, nil
	case []float32:
		b = array(typeFloat32, len(v))
		for _, x := range v {
			b = le.AppendUint32(b, math.Float32bits(x))
		}
		return b, nil
	}
	return nil, errors.Errorf("a setting of type %T", value)
}
