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
	if len(tensors) > ofSealed.tensors {
		return errors.Errorf("safetensors: %d tensors, at most %d have checksums", len(tensors), ofSealed.tensors)
	}
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
	if len(s.head) < 8 {
		return len(p), nil // there is more to come
	}
	n, err := headerEnd(s.head)
	if err != nil {
		return 0, err
	}
	if n > len(s.head) {
		return len(p), nil
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
	if err := ofSealed.checkSize(data); err != nil {
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
	s, err := ParseSealed(data)
	if err == nil {
		err = s.Check()
	}
	if err != nil {
		return nil, err
	}
	return s.File, nil
}

// A Sealed is a file whose header is as it was written, and whose tensors have checksums that are yet to be looked at. So
// a reader can refuse what the header says before it reads the rest, and check the copy that it has made of a tensor in
// place of a file that somebody else may change in the meantime.
type Sealed struct {
	*weights.File
	sums map[string]string
}

// ParseSealed does what ParseSummed does, without reading the tensors.
func ParseSealed(data []byte) (*Sealed, error) {
	header, err := checkHeaderSum(data)
	if err != nil {
		return nil, errors.WithMessage(err, "safetensors")
	}
	f, err := parseFile(data, ofSealed)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(data[:len(header)], header) {
		return nil, errors.New("safetensors: the header has changed while it was read")
	}
	sums, err := readSums(f)
	if err != nil {
		return nil, errors.WithMessage(err, "safetensors")
	}
	delete(f.Metadata, headerKey)
	delete(f.Metadata, sumsKey)
	return &Sealed{f, sums}, nil
}

// Check returns an error unless the data of all tensors has the right checksums.
func (s *Sealed) Check() error {
	names := slices.Sorted(maps.Keys(s.Tensors))
	wrong := make([]error, len(names))
	err := weights.Each(len(names), 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			wrong[i] = s.CheckTensor(names[i], s.Tensors[names[i]].Data)
		}
	})
	if err != nil {
		return errors.WithMessage(err, "safetensors")
	}
	for _, err := range wrong {
		if err != nil {
			return err
		}
	}
	return nil
}

// CheckTensor returns an error unless data, which is a tensor of the file or a copy of it, has the right checksum.
func (s *Sealed) CheckTensor(name string, data []byte) error {
	if want := s.sums[name]; sum(data) != want {
		return errors.Errorf("safetensors: the checksum of %s is not %q", name, want)
	}
	return nil
}

// checkHeaderSum returns a copy of the header of a file, with the bytes before it, if its checksum is right.
func checkHeaderSum(data []byte) ([]byte, error) {
	n, err := headerEnd(data)
	if err != nil {
		return nil, err
	}
	if n > len(data) {
		return nil, errors.Errorf("a header of %d bytes in a file of %d", n-8, len(data))
	}
	header := bytes.Clone(data[:n])
	place, err := sumPlace(header)
	if err != nil {
		return nil, err
	}
	digits := header[place : place+len(noSum)]
	want := string(digits)
	copy(digits, noSum)
	if got := sum(header); got != want {
		return nil, errors.Errorf("the header has checksum %s, want %q", got, want)
	}
	copy(digits, want)
	return header, nil
}

// readSums returns the checksums of all tensors of f.
func readSums(f *weights.File) (sums map[string]string, err error) {
	text := f.Metadata[sumsKey]
	if err := json.Unmarshal([]byte(text), &sums); err != nil {
		return nil, errors.Wrap(err, sumsKey)
	}
	if again, err := json.Marshal(sums); err != nil || string(again) != text {
		return nil, errors.Errorf("%s is not written as it should be", sumsKey) // such as with a name twice
	}
	if !slices.Equal(slices.Sorted(maps.Keys(f.Tensors)), slices.Sorted(maps.Keys(sums))) {
		return nil, errors.Errorf("%s has checksums of other tensors than there are", sumsKey)
	}
	return sums, nil
}
