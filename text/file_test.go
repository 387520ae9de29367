package text

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/pkg/errors"
)

// pieces yields ids two at a time.
func pieces(ids []int) iter.Seq2[[]int, error] {
	return func(yield func([]int, error) bool) {
		for piece := range slices.Chunk(ids, 2) {
			if !yield(piece, nil) {
				return
			}
		}
	}
}

func TestTokenFile(t *testing.T) {
	for _, c := range []struct {
		name      string
		vocabSize int
		ids       []int
		bytes     int64
	}{
		{"16 bits", 65536, []int{0, 1, 65535, 258, 3}, tokenHeader + 5*2},
		{"32 bits", 65537, []int{0, 1, 65536, 258, 3}, tokenHeader + 5*4},
		{"empty", 256, nil, tokenHeader},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "tokens.bin")
			n, err := WriteTokens(path, c.vocabSize, pieces(c.ids))
			if err != nil || n != int64(len(c.ids)) {
				t.Fatalf("WriteTokens = %d, %v, want %d", n, err, len(c.ids))
			}
			if info, err := os.Stat(path); err != nil || info.Size() != c.bytes {
				t.Errorf("the file has %d bytes, want %d", info.Size(), c.bytes)
			}
			f, err := OpenTokens(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			checkTokens(t, f, c.ids)
			f.data = nil // as where a file cannot be mapped
			checkTokens(t, f, c.ids)
		})
	}
}

// checkTokens checks that every range of tokens is that of want.
func checkTokens(t *testing.T, tokens Tokens, want []int) {
	t.Helper()
	if got := tokens.Len(); got != len(want) {
		t.Fatalf("Len() = %d, want %d", got, len(want))
	}
	for at := range len(want) + 1 {
		for n := range len(want) - at + 1 {
			got := make([]int, n)
			if err := tokens.ReadTokens(got, at); err != nil || !slices.Equal(got, want[at:at+n]) {
				t.Errorf("ReadTokens of %d from %d = %v, %v, want %v", n, at, got, err, want[at:at+n])
			}
		}
	}
	if err := tokens.ReadTokens(make([]int, 1), len(want)); err == nil {
		t.Error("ReadTokens beyond the end did not fail")
	}
}

// The header must be that of llm.c, bit for bit.
func TestTokenFileHeader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.bin")
	if _, err := WriteTokens(path, 256, pieces([]int{7, 8, 9})); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var header [256]int32
	if err := binary.Read(bytes.NewReader(data), binary.LittleEndian, &header); err != nil {
		t.Fatal(err)
	}
	if want := [256]int32{20240520, 1, 3}; header != want {
		t.Errorf("the header is %v, want %v", header, want)
	}
}

func TestOpenTokensErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.bin")
	good := append(header(2, 3), 1, 0, 2, 0, 3, 0)
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "header"},
		{"half a header", good[:tokenHeader/2], "header"},
		{"no header", make([]byte, 2000), "no token file"},
		{"version", append([]byte{0xc8, 0xf9, 0x34, 0x01, 2}, good[5:]...), "no token file"},
		{"cut short", good[:len(good)-1], "3 tokens of 2 bytes do not make a file of 1029 bytes"},
		{"token missing", good[:len(good)-2], "do not make a file"},
		{"token too many", append(slices.Clone(good), 4, 0), "do not make a file"},
		{"huge count", append(header(2, -1), 1, 0), "do not make a file"},
		{"huge count of 4", append(header(4, 1<<62), 1, 0, 0, 0), "do not make a file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(path, c.data, 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := OpenTokens(path)
			if err == nil {
				f.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("OpenTokens error is %v, want one with %q", err, c.want)
			}
		})
	}
	if _, err := OpenTokens(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("OpenTokens of no file: %v", err)
	}
	if _, err := OpenTokens(filepath.Dir(path)); err == nil {
		t.Error("OpenTokens of a folder did not fail")
	}
}

func TestOpenRawTokens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "train.bin")
	if err := os.WriteFile(path, []byte{1, 0, 2, 1, 3, 0, 4, 0}, 0o600); err != nil {
		t.Fatal(err)
	}
	for width, want := range map[int][]int{2: {1, 258, 3, 4}, 4: {1 + 258<<16, 3 + 4<<16}} {
		f, err := OpenRawTokens(path, width)
		if err != nil {
			t.Fatal(err)
		}
		checkTokens(t, f, want)
		f.Close()
	}
	for _, width := range []int{-2, 0, 1, 3, 8} {
		if _, err := OpenRawTokens(path, width); err == nil {
			t.Errorf("OpenRawTokens with width %d did not fail", width)
		}
	}
	if err := os.WriteFile(path, make([]byte, 6), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenRawTokens(path, 4); err == nil {
		t.Error("OpenRawTokens of one token and a half did not fail")
	}
}

func TestTokenFileClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.bin")
	if _, err := WriteTokens(path, 256, pieces([]int{1, 2})); err != nil {
		t.Fatal(err)
	}
	f, err := OpenTokens(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.ReadTokens(make([]int, 1), 0); err == nil {
		t.Error("ReadTokens after Close did not fail")
	}
	if err := f.Close(); err == nil {
		t.Error("the second Close did not fail")
	}
}

// A file cut short while it is mapped makes memory fault, which must end in an error.
func TestTokenFileCutShort(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.bin")
	if _, err := WriteTokens(path, 256, pieces(make([]int, 1<<16))); err != nil {
		t.Fatal(err)
	}
	f, err := OpenTokens(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Truncate(path, 1); err != nil {
		t.Skip("cannot cut an open file: ", err)
	}
	if err := f.ReadTokens(make([]int, 10), 1<<15); err == nil {
		t.Error("ReadTokens of what is gone did not fail")
	}
}

func TestStreamOfTokenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.bin")
	if _, err := WriteTokens(path, 1000, pieces(count(1000))); err != nil {
		t.Fatal(err)
	}
	f, err := OpenTokens(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	onDisk, err := NewStream(f, 5)
	if err != nil {
		t.Fatal(err)
	}
	inMemory, err := NewStream(count(1000), 5)
	if err != nil {
		t.Fatal(err)
	}
	var x, y, x2, y2 [32]int
	for range 20 {
		if err := onDisk.Next(x[:], y[:], 4, 8); err != nil {
			t.Fatal(err)
		}
		if err := inMemory.Next(x2[:], y2[:], 4, 8); err != nil {
			t.Fatal(err)
		}
		if x != x2 || y != y2 {
			t.Fatalf("x = %v, y = %v from disk, want %v and %v", x, y, x2, y2)
		}
	}
	if n := testing.AllocsPerRun(100, func() {
		if err := onDisk.Next(x[:], y[:], 4, 8); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("Next allocates %v times", n)
	}
}

// Tokens must not depend on where chunks end, in texts of many chunks and with readers that return little.
func TestEncodeFile(t *testing.T) {
	b, rng := trained(t), rand.New(rand.NewPCG(1, 2))
	long := strings.Repeat(randomText(rng, 1000), chunkSize/1500)
	for len(long) < 2*chunkSize+100 {
		long += randomText(rng, 1000)
	}
	long += strings.Repeat("a", chunkSize+chunkSize/2) + " " + strings.Repeat(" \n", chunkSize/2) + "b"
	path := filepath.Join(t.TempDir(), "tokens.bin")
	for name, c := range map[string]struct {
		tok  Cutter
		text string
		r    func(io.Reader) io.Reader
	}{
		"long":        {b, long, func(r io.Reader) io.Reader { return r }},
		"data at end": {b, long[:chunkSize+chunkSize/2], iotest.DataErrReader},
		"byte wise":   {b, long[:5000], iotest.OneByteReader},
		"empty":       {b, "", iotest.HalfReader},
		"bytes":       {Bytes{}, long, iotest.HalfReader},
		"chars":       {newChars([]rune("a中🙂")), strings.Repeat("a中🙂", chunkSize/5), iotest.HalfReader},
	} {
		t.Run(name, func(t *testing.T) {
			want := encode(t, c.tok, c.text)
			n, err := EncodeFile(t.Context(), path, c.tok, c.r(strings.NewReader(c.text)))
			if err != nil || n != int64(len(want)) {
				t.Fatalf("EncodeFile = %d, %v, want %d", n, err, len(want))
			}
			f, err := OpenTokens(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			got := make([]int, f.Len())
			if err := f.ReadTokens(got, 0); err != nil || !slices.Equal(got, want) {
				t.Errorf("the tokens in the file are not those of the text, error %v", err)
			}
		})
	}
}

// stuck is a tokenizer that cannot be cut, or cuts as no tokenizer should.
type stuck struct {
	Bytes
	cut int
}

func (s stuck) Cut(string) int { return s.cut }

type badReader int

func (r badReader) Read([]byte) (int, error) { return int(r), nil }

func TestEncodeFileErrors(t *testing.T) {
	stopped, stop := context.WithCancel(t.Context())
	stop()
	path := filepath.Join(t.TempDir(), "tokens.bin")
	broken := io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(io.ErrUnexpectedEOF))
	for _, c := range []struct {
		name string
		ctx  context.Context
		tok  Cutter
		r    io.Reader
		want string
	}{
		{"stopped", stopped, Bytes{}, strings.NewReader("a"), "context canceled"},
		{"broken off", t.Context(), Bytes{}, broken, "unexpected EOF"},
		{"nothing read", t.Context(), Bytes{}, badReader(0), "no data or error"},
		{"reads less than nothing", t.Context(), Bytes{}, badReader(-1), "Read returned -1"},
		{"reads too much", t.Context(), Bytes{}, badReader(math.MaxInt), "Read returned"},
		{"unknown character", t.Context(), newChars([]rune("ab")), strings.NewReader("abc"), "character 'c' at 2"},
		{"cut too far", t.Context(), stuck{cut: math.MaxInt}, strings.NewReader(strings.Repeat("a", chunkSize)), "Cut returned"},
		{"no cut", t.Context(), stuck{}, strings.NewReader(strings.Repeat("a", maxChunk)), "no place to cut"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, err := EncodeFile(c.ctx, path, c.tok, c.r)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("EncodeFile = %d, %v, want an error with %q", n, err, c.want)
			}
			if files, _ := os.ReadDir(filepath.Dir(path)); len(files) > 0 {
				t.Errorf("EncodeFile left %v", files)
			}
		})
	}
	for _, id := range []int{-1, 256, 65536} {
		if _, err := WriteTokens(path, 256, pieces([]int{1, id})); err == nil || !strings.Contains(err.Error(), "in a vocabulary of 256") {
			t.Errorf("WriteTokens of id %d: %v", id, err)
		}
	}
}
