package graph_test

import (
	"bytes"
	le "encoding/binary"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/faults"
)

// edited returns a good file with another text in place of one in its header, and the checksum of that.
func edited(t testing.TB, old, new string) []byte {
	t.Helper()
	file := snapshotBytes(t, someSnapshot(7, tensor.Float32), someParams(1, tensor.Float32))
	end := 8 + le.LittleEndian.Uint64(file)
	header := string(file[8:end])
	if strings.Count(header, old) != 1 {
		t.Fatalf("%q is there %d times in %s", old, strings.Count(header, old), header)
	}
	header = strings.Replace(header, old, new, 1)
	return faults.Seal(append(append(le.LittleEndian.AppendUint64(nil, uint64(len(header))), header...), file[end:]...))
}

// At least a hundred files that are wrong, each in its way, are refused; no parameter changes and little memory is used:
// all that is ever taken for a file, the least that several attempts take, is a bound of what is in use at a time.
func TestHostileSnapshots(t *testing.T) {
	files, err := faults.Malformed()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 100 {
		t.Errorf("%d files, want at least 100", len(files))
	}
	ps, before := faults.Model(2), faults.Model(2)
	var most uint64
	for name, file := range files {
		least := uint64(1 << 63)
		for range 3 {
			var start, end runtime.MemStats
			runtime.ReadMemStats(&start)
			_, err := graph.ReadSnapshot(file, ps)
			runtime.ReadMemStats(&end)
			if err == nil {
				t.Errorf("%s: accepted", name)
			}
			least = min(least, end.TotalAlloc-start.TotalAlloc)
		}
		if least > 64<<20 {
			t.Errorf("%s: it takes %d bytes of memory", name, least)
		}
		most = max(most, least)
	}
	sameParams(t, ps, before)
	t.Logf("%d files refused, with at most %d KiB of memory", len(files), most>>10)
}

// A file of a terabyte, of which the disk holds a few kilobytes, is refused by what its header says: its numbers, which
// would take minutes, are not read.
func TestSnapshotOfATerabyte(t *testing.T) {
	files, err := faults.Sparse()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, file := range files {
		if err := file.Write(filepath.Join(dir, "file")); err != nil {
			t.Skipf("the disk does not know holes: %v", err)
		}
		data, release, err := graph.Dir(dir).Open("file")
		if err != nil {
			t.Fatal(err)
		}
		ps := faults.Model(2)
		_, err = graph.ReadSnapshot(data, ps)
		if err == nil || strings.Contains(err.Error(), "the checksum of") ||
			strings.Contains(file.Name, "moment") && !strings.Contains(err.Error(), "the optimizer remembers 27487") ||
			strings.Contains(file.Name, "parameter") && !strings.Contains(err.Error(), "unknown 0") {
			t.Errorf("%s: %v", file.Name, err)
		}
		sameParams(t, ps, faults.Model(2))
		if err := release(); err != nil {
			t.Error(err)
		}
	}
}

// Every bit of a file counts, and every byte at its end.
func TestSnapshotFlips(t *testing.T) {
	file := snapshotBytes(t, someSnapshot(7, tensor.Float32), someParams(1, tensor.Float32))
	ps, before := someParams(2, tensor.Float32), someParams(2, tensor.Float32)
	for bit := range 8 * len(file) {
		file[bit/8] ^= 1 << (bit % 8)
		if _, err := graph.ReadSnapshot(file, ps); err == nil {
			t.Fatalf("bit %d of byte %d makes no difference", bit%8, bit/8)
		}
		file[bit/8] ^= 1 << (bit % 8)
	}
	for n := range file {
		if _, err := graph.ReadSnapshot(file[:n], ps); err == nil {
			t.Fatalf("the first %d of %d bytes are accepted", n, len(file))
		}
	}
	sameParams(t, ps, before)
	t.Logf("%d bits and %d lengths", 8*len(file), len(file))
}

// FuzzSnapshot checks that no file makes ReadSnapshot panic or change parameters and then fail, and that what it accepts
// can be written and read again. Checksums are made right, or hardly any input would get past them.
//
// Threads make coverage vary from run to run, over which the fuzzer broods unless it is called with -fuzzminimizetime 1x.
func FuzzSnapshot(f *testing.F) {
	file := snapshotBytes(f, someSnapshot(7, tensor.Float32), someParams(1, tensor.Float32))
	f.Add(file, false)
	f.Add(file, true)
	f.Add(snapshotBytes(f, graph.Snapshot{}, someParams(1, tensor.Float32)), true)
	f.Fuzz(func(t *testing.T, data []byte, seal bool) {
		if seal {
			data = faults.Reseal(data)
		}
		ps := someParams(2, tensor.Float32)
		s, err := graph.ReadSnapshot(data, ps)
		if err != nil {
			sameParams(t, ps, someParams(2, tensor.Float32))
			return
		}
		again := someParams(3, tensor.Float32)
		back, err := graph.ReadSnapshot(snapshotBytes(t, s, ps), again)
		if err != nil {
			t.Fatalf("what was read and written: %v", err)
		}
		if !bytes.Equal(snapshotBytes(t, back, again), snapshotBytes(t, s, ps)) {
			t.Fatal("a snapshot changes when it is written and read")
		}
	})
}
