package text

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"iter"
	"math"
	"os"
	"runtime/debug"
	"sync"

	"github.com/pkg/errors"
)

// Token files have the layout of llm.c: a header of 256 little-endian 32-bit words, of which the first is a
// magic number, the second a version and the third the number of tokens, then the tokens, as 16 bits each
// under one magic number and as 32 bits each under the other. The fourth word continues the count, which llm.c
// leaves at 0. See https://github.com/karpathy/llm.c/blob/master/dev/data/data_common.py.
const (
	tokenHeader    = 256 * 4
	magic16        = 20240520
	version16      = 1
	magic32        = 20240801
	version32      = 7
	fileBufferSize = 1 << 16
)

// EncodeFile writes the ids of all text in r to a token file, see [OpenTokens], in bounded memory, see
// [EncodeReader]. Ids take 16 bits if the vocabulary allows it and else 32. It returns the number of tokens.
// The file appears when it is complete and not before.
func EncodeFile(ctx context.Context, path string, t Cutter, r io.Reader) (int64, error) {
	if t == nil {
		return 0, errors.Errorf("text: encoding needs a tokenizer")
	}
	return WriteTokens(path, t.VocabSize(), EncodeReader(ctx, t, r))
}

// WriteTokens writes pieces, one after the other, to a token file, see [OpenTokens]. Ids lie in
// [0, vocabSize) and take 16 bits if that allows it and else 32. It returns the number of tokens. The file
// appears when it is complete and not before.
func WriteTokens(path string, vocabSize int, pieces iter.Seq2[[]int, error]) (tokens int64, err error) {
	if pieces == nil {
		return 0, errors.Errorf("text: WriteTokens of no tokens")
	}
	if vocabSize <= 0 {
		return 0, errors.Errorf("text: WriteTokens with a vocabulary of %d", vocabSize)
	}
	width := 2
	if vocabSize-1 > math.MaxUint16 {
		width = 4
	}
	err = replaceFile(path, func(f *os.File) error {
		w := bufio.NewWriterSize(f, fileBufferSize)
		if _, err := w.Write(make([]byte, tokenHeader)); err != nil {
			return err
		}
		var buf []byte
		for ids, err := range pieces {
			if err != nil {
				return err
			}
			buf = buf[:0]
			for i, id := range ids {
				switch {
				case id < 0 || id >= vocabSize || id > maxID:
					return errors.Errorf("token %d has id %d in a vocabulary of %d", tokens+int64(i), id, vocabSize)
				case width == 2:
					buf = binary.LittleEndian.AppendUint16(buf, uint16(id))
				default:
					buf = binary.LittleEndian.AppendUint32(buf, uint32(id))
				}
			}
			if _, err := w.Write(buf); err != nil {
				return err
			}
			tokens += int64(len(ids))
		}
		if err := w.Flush(); err != nil {
			return err
		}
		_, err := f.WriteAt(header(width, tokens), 0)
		return err
	})
	if err != nil {
		return 0, errors.Wrapf(err, "text: writing %s", path)
	}
	return tokens, nil
}

func header(width int, tokens int64) []byte {
	magic, version := uint32(magic16), uint32(version16)
	if width == 4 {
		magic, version = magic32, version32
	}
	h := binary.LittleEndian.AppendUint32(nil, magic)
	h = binary.LittleEndian.AppendUint32(h, version)
	h = binary.LittleEndian.AppendUint64(h, uint64(tokens))
	return append(h, make([]byte, tokenHeader-len(h))...)
}

// A TokenFile is Tokens on disk. Where the system allows it the file is mapped into memory, so that it may be
// larger than memory and reading a window costs no system call. Any number of goroutines may read it.
type TokenFile struct {
	file       *os.File
	start      int64
	width, len int

	mu   sync.RWMutex // held to read data, and to write data and buf
	data []byte       // the whole file if it is mapped, nil if not
	buf  []byte
}

var _ Tokens = (*TokenFile)(nil)

// OpenTokens opens a token file that [EncodeFile], [WriteTokens] or llm.c wrote. The caller closes it.
func OpenTokens(path string) (*TokenFile, error) {
	return openTokens(path, func(f *os.File, size int64) (start, tokens int64, width int, err error) {
		var h [tokenHeader]byte
		if _, err := f.ReadAt(h[:], 0); err != nil {
			return 0, 0, 0, errors.Wrap(err, "header")
		}
		magic, version := binary.LittleEndian.Uint32(h[:]), binary.LittleEndian.Uint32(h[4:])
		switch {
		case magic == magic16 && version == version16:
			width = 2
		case magic == magic32 && version == version32:
			width = 4
		default:
			return 0, 0, 0, errors.Errorf("no token file: it starts with %d, version %d; without a header it can be opened by OpenRawTokens", magic, version)
		}
		count := binary.LittleEndian.Uint64(h[8:])
		if room := size - tokenHeader; count != uint64(room)/uint64(width) || room%int64(width) != 0 {
			return 0, 0, 0, errors.Errorf("%d tokens of %d bytes do not make a file of %d bytes", count, width, size)
		}
		return tokenHeader, int64(count), width, nil
	})
}

// OpenRawTokens opens a file of nothing but little-endian ids, as nanoGPT writes them, of width bytes each:
// 2 or 4. Nothing in such a file says which, so the caller must. The caller closes it.
func OpenRawTokens(path string, width int) (*TokenFile, error) {
	return openTokens(path, func(_ *os.File, size int64) (int64, int64, int, error) {
		if width != 2 && width != 4 {
			return 0, 0, 0, errors.Errorf("ids of %d bytes; they have 2 or 4", width)
		}
		if size%int64(width) != 0 {
			return 0, 0, 0, errors.Errorf("ids of %d bytes do not make a file of %d bytes", width, size)
		}
		return 0, size / int64(width), width, nil
	})
}

// openTokens opens a file of which layout says where the tokens start, how many there are and their width.
func openTokens(path string, layout func(f *os.File, size int64) (start, tokens int64, width int, err error)) (_ *TokenFile, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.Wrap(err, "text: opening tokens")
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Wrap(err, "text: opening tokens")
	}
	if !info.Mode().IsRegular() {
		return nil, errors.Errorf("text: %s is not a regular file", path)
	}
	start, tokens, width, err := layout(f, info.Size())
	if err != nil {
		return nil, errors.WithMessagef(err, "text: %s", path)
	}
	if int64(int(info.Size())) != info.Size() {
		return nil, errors.Errorf("text: %s is too large for this system", path)
	}
	t := &TokenFile{file: f, start: start, width: width, len: int(tokens)}
	if data, err := mapFile(f, int(info.Size())); err == nil {
		t.data = data // some file systems cannot map, and there plain reading does
	}
	return t, nil
}

// Len returns the number of tokens in the file.
func (t *TokenFile) Len() int { return t.len }

// ReadTokens fills dst with the tokens from at on.
func (t *TokenFile) ReadTokens(dst []int, at int) error {
	if err := checkRange(t.len, len(dst), at); err != nil {
		return err
	}
	t.mu.RLock()
	if t.data != nil {
		defer t.mu.RUnlock()
		return t.readMapped(dst, int(t.start)+at*t.width)
	}
	t.mu.RUnlock()
	return t.readFile(dst, t.start+int64(at)*int64(t.width))
}

// readMapped reads from the mapping. Should the file have been cut short meanwhile, memory faults, which is
// turned into an error.
func (t *TokenFile) readMapped(dst []int, from int) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			err = errors.Errorf("text: reading tokens from %s: %v", t.file.Name(), fault)
		}
	}()
	decode(dst, t.data[from:], t.width)
	return nil
}

// readFile reads from the file.
func (t *TokenFile) readFile(dst []int, from int64) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.buf == nil {
		t.buf = make([]byte, fileBufferSize)
	}
	for len(dst) > 0 {
		n := min(len(dst), len(t.buf)/t.width)
		buf := t.buf[:n*t.width]
		if _, err := t.file.ReadAt(buf, from); err != nil {
			return errors.Wrap(err, "text: reading tokens")
		}
		decode(dst[:n], buf, t.width)
		dst, from = dst[n:], from+int64(len(buf))
	}
	return nil
}

// decode fills dst with the ids in data, of width bytes each.
func decode(dst []int, data []byte, width int) {
	if width == 2 {
		data = data[:2*len(dst)]
		for i := range dst {
			dst[i] = int(binary.LittleEndian.Uint16(data[2*i:]))
		}
		return
	}
	data = data[:4*len(dst)]
	for i := range dst {
		dst[i] = int(binary.LittleEndian.Uint32(data[4*i:]))
	}
}

// Close closes the file. Reading is an error from then on.
func (t *TokenFile) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	data := t.data
	t.data = nil
	unmapped := unmapFile(data)
	if err := t.file.Close(); err != nil {
		return errors.Wrap(err, "text: closing tokens")
	}
	return errors.Wrap(unmapped, "text: closing tokens")
}
