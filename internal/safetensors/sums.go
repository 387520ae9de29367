package safetensors

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"slices"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/internal/weights"
)

// What a file with checksums says in its metadata. Both stay where they are in all versions of whatever is built on
// them.
const (
	sumsKey   = "logits.crc32c"        // a JSON object of the sums of tensors by name
	headerKey = "logits.crc32c.header" // the sum of the first 8 bytes and the header, taken with zeros in its own place
)

// Checksums are CRC32C, which finds any error in a single bit, or in 32 neighbours, written as 8 hexadecimal digits.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const noSum = "00000000"

// WriteSummed writes tensors and metadata as Write does, with a checksum for every tensor and one for the header, so that
// ParseSummed finds any bit that has changed since. Data of every tensor is called twice.
func WriteSummed(w io.Writer, tensors map[string]Source, metadata map[string]string) error {
	if w == nil {
		return errors.New("safetensors: no writer")
	}
	metadata = maps.Clone(metadata)
	if metadata == nil {
		metadata = make(map[string]string)
	}
	for _, key := range []string{sumsKey, headerKey} {
		if _, ok := metadata[key]; ok {
			return errors.Errorf("safetensors: the metadata has a %s already", key)
		}
	}
	sums := make(map[string]string, len(tensors))
	for name, t := range tensors {
		sums[name] = sum(t.Data())
	}
	text, err := json.Marshal(sums)
	if err != nil {
		return errors.WithStack(err)
	}
	metadata[sumsKey], metadata[headerKey] = string(text), noSum
	return Write(&sealer{w: w}, tensors, metadata)
}

func sum(data []byte) string { return fmt.Sprintf("%08x", crc32.Checksum(data, castagnoli)) }

// A sealer holds back the header of a file that is written to it until it is whole, and puts its checksum in.
type sealer struct {
	w      io.Writer
	head   []byte
	sealed bool
}

func (s *sealer) Write(p []byte) (int, error) {
	if s.sealed {
		return s.w.Write(p)
	}
	s.head = append(s.head, p...)
	n, err := headerEnd(s.head)
	if err != nil || n > len(s.head) {
		return len(p), nil // there is more to come
	}
	place, err := sumPlace(s.head[:n])
	if err != nil {
		return 0, err
	}
	copy(s.head[place:], sum(s.head[:n]))
	if _, err := s.w.Write(s.head); err != nil {
		return 0, err
	}
	s.head, s.sealed = nil, true
	return len(p), nil
}

// headerEnd returns where the header of a file ends.
func headerEnd(data []byte) (int, error) {
	if err := checkSize(data); err != nil {
		return 0, err
	}
	return 8 + headerSize(data), nil
}

// sumPlace returns where the digits of the header's checksum stand in the header.
func sumPlace(header []byte) (int, error) {
	before := fmt.Appendf(nil, `"%s":"`, headerKey)
	switch bytes.Count(header, before) { // inside a string its quotes would follow backslashes
	case 0:
		return 0, errors.New("the header has no checksum")
	case 1:
	default:
		return 0, errors.New("the header has more than one checksum")
	}
	place := bytes.Index(header, before) + len(before)
	if digits := header[place:]; len(digits) <= len(noSum) || digits[len(noSum)] != '"' {
		return 0, errors.New("the checksum of the header is not 8 digits")
	}
	return place, nil
}

// ParseSummed returns the tensors of a file that WriteSummed has written, whose bytes are data, which they keep. It is
// an error unless all checksums are there and right. The metadata is without them.
func ParseSummed(data []byte) (*weights.File, error) {
	if err := checkHeaderSum(data); err != nil {
		return nil, errors.WithMessage(err, "safetensors")
	}
	f, err := Parse(data)
	if err != nil {
		return nil, err
	}
	if err := checkSums(f); err != nil {
		return nil, errors.WithMessage(err, "safetensors")
	}
	delete(f.Metadata, headerKey)
	delete(f.Metadata, sumsKey)
	return f, nil
}

func checkHeaderSum(data []byte) error {
	n, err := headerEnd(data)
	if err != nil {
		return err
	}
	if n > len(data) {
		return errors.Errorf("a header of %d bytes in a file of %d", n-8, len(data))
	}
	header := bytes.Clone(data[:n])
	place, err := sumPlace(header)
	if err != nil {
		return err
	}
	want := string(header[place : place+len(noSum)])
	copy(header[place:], noSum)
	if got := sum(header); got != want {
		return errors.Errorf("the header has checksum %s, want %q", got, want)
	}
	return nil
}

// checkSums checks the sums of all tensors of f.
func checkSums(f *weights.File) error {
	text := f.Metadata[sumsKey]
	var sums map[string]string
	if err := json.Unmarshal([]byte(text), &sums); err != nil {
		return errors.Wrap(err, sumsKey)
	}
	if again, err := json.Marshal(sums); err != nil || string(again) != text {
		return errors.Errorf("%s is not written as it should be", sumsKey) // such as with a name twice
	}
	names := slices.Sorted(maps.Keys(f.Tensors))
	if want := slices.Sorted(maps.Keys(sums)); !slices.Equal(names, want) {
		return errors.Errorf("%s has checksums of other tensors than there are", sumsKey)
	}
	wrong := make([]bool, len(names))
	err := weights.Each(len(names), 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			wrong[i] = sum(f.Tensors[names[i]].Data) != sums[names[i]]
		}
	})
	if err != nil {
		return err
	}
	if i := slices.Index(wrong, true); i >= 0 {
		return errors.Errorf("the checksum of %s is not %q", names[i], sums[names[i]])
	}
	return nil
}
