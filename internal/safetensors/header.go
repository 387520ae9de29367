package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"

	"github.com/pkg/errors"
)

// Limits are what a header may claim.
type limits struct{ bytes, tensors int }

// Those of any file are far above those of any model. Those of files with checksums, which are one for each program that
// trains, are such that whatever a header holds it takes less than 64 MiB of memory to refuse it.
var (
	ofAny    = limits{bytes: 16 << 20, tensors: 100_000}
	ofSealed = limits{bytes: 4 << 20, tensors: 16_384}
)

const maxRank = 8

// checkHeader refuses a file whose header is too long or holds too much, or a key twice, before anything is made of it.
// All else about a header is checked by the module that parses it.
func (l limits) checkHeader(file []byte) error {
	if err := l.checkSize(file); err != nil {
		return err
	}
	size := headerSize(file)
	if size > len(file)-8 {
		return errors.Errorf("a header of %d bytes in a file of %d", size, len(file))
	}
	header := file[8 : 8+size]
	if len(header) == 0 || header[0] != '{' {
		return errors.New("the header is no JSON object")
	}
	w := walker{json.NewDecoder(bytes.NewReader(header)), l.tensors}
	w.UseNumber()
	if err := w.value(0); err != nil {
		return errors.WithMessage(err, "header")
	}
	if _, err := w.Token(); err != io.EOF {
		return errors.New("header: there is more than one JSON value")
	}
	return nil
}

// checkSize refuses a file that claims a header that is too long.
func (l limits) checkSize(file []byte) error {
	if len(file) < 8 {
		return errors.Errorf("%d bytes are no safetensors file", len(file))
	}
	if size := binary.LittleEndian.Uint64(file); size > uint64(l.bytes) {
		return errors.Errorf("a header of %d bytes, at most %d are allowed", size, l.bytes)
	}
	return nil
}

// headerSize returns how many bytes the header has, after checkSize.
func headerSize(file []byte) int { return int(binary.LittleEndian.Uint64(file)) }

// A walker looks at each token of a header once.
type walker struct {
	*json.Decoder
	tensors int // that there may be
}

// value walks over the next value, which lies so deep.
func (w walker) value(depth int) error {
	token, err := w.Token()
	if err != nil {
		return errors.WithStack(err)
	}
	delim, ok := token.(json.Delim)
	switch {
	case !ok:
		return nil
	case depth > 2: // tensors, their fields, and the axes of a shape
		return errors.New("values lie too deep")
	case delim == '[':
		return w.array(depth)
	default:
		return w.object(depth)
	}
}

func (w walker) array(depth int) error {
	for n := 0; w.More(); n++ {
		if n == maxRank {
			return errors.Errorf("a tensor has more than %d axes", maxRank)
		}
		if err := w.value(depth + 1); err != nil {
			return err
		}
	}
	_, err := w.Token()
	return errors.WithStack(err)
}

func (w walker) object(depth int) error {
	seen := make(map[string]bool)
	for w.More() {
		token, err := w.Token()
		if err != nil {
			return errors.WithStack(err)
		}
		key := token.(string) // More and Token let nothing else be a key
		if seen[key] {
			return errors.Errorf("%q is there twice", key)
		}
		seen[key] = true
		if len(seen) > w.tensors+1 { // and __metadata__
			return errors.Errorf("more than %d tensors", w.tensors)
		}
		if err := w.value(depth + 1); err != nil {
			return errors.WithMessagef(err, "%q", key)
		}
	}
	_, err := w.Token()
	return errors.WithStack(err)
}
