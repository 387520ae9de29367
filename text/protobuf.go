package text

import (
	"encoding/binary"

	"github.com/pkg/errors"
)

// protobuf is what is left of a message in the format of Protocol Buffers, see
// https://protobuf.dev/programming-guides/encoding. It has what the file of SentencePiece needs.
type protobuf []byte

// field is one field of a message. Which of value and data holds it depends on the type that it has there.
type field struct {
	number uint64
	wire   uint64
	value  uint64 // of a number
	data   []byte // of a string, of bytes or of a message
}

const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

// next takes a field from m, which is not empty.
func (m *protobuf) next() (f field, err error) {
	tag, err := m.varint()
	if err != nil {
		return f, err
	}
	if f.number, f.wire = tag>>3, tag&7; f.number == 0 || f.number >= 1<<29 {
		return f, errors.Errorf("a field has number %d", f.number)
	}
	switch f.wire {
	case wireVarint:
		f.value, err = m.varint()
	case wireFixed64:
		if f.data, err = m.take(8); err == nil {
			f.value = binary.LittleEndian.Uint64(f.data)
		}
	case wireBytes:
		var n uint64
		if n, err = m.varint(); err == nil {
			f.data, err = m.take(n)
		}
	case wireFixed32:
		if f.data, err = m.take(4); err == nil {
			f.value = uint64(binary.LittleEndian.Uint32(f.data))
		}
	default:
		err = errors.Errorf("field %d has wire type %d", f.number, f.wire)
	}
	return f, err
}

func (m *protobuf) varint() (uint64, error) {
	v, n := binary.Uvarint(*m)
	if n <= 0 {
		return 0, errors.Errorf("a number is cut off or too long")
	}
	*m = (*m)[n:]
	return v, nil
}

func (m *protobuf) take(n uint64) ([]byte, error) {
	if n > uint64(len(*m)) {
		return nil, errors.Errorf("a field of %d bytes is cut off after %d", n, len(*m))
	}
	data := (*m)[:n]
	*m = (*m)[n:]
	return data, nil
}

// each calls do with the fields of a message. A field that has another wire type than wire says is an error;
// wire has those of the fields that matter.
func (m protobuf) each(wire map[uint64]uint64, do func(f field) error) error {
	for len(m) > 0 {
		f, err := m.next()
		if err != nil {
			return err
		}
		want, ok := wire[f.number]
		if !ok {
			continue
		}
		if f.wire != want {
			return errors.Errorf("field %d has wire type %d, not %d", f.number, f.wire, want)
		}
		if err := do(f); err != nil {
			return err
		}
	}
	return nil
}
