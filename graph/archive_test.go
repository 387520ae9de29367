package graph_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/faults"
)

// save adds the snapshot of a step, with parameters that tell it from others.
func save(a graph.Archive, step int) error {
	_, err := a.Save(someParams(uint64(step), tensor.Float32), someSnapshot(step, tensor.Float32))
	return err
}

// checkLoad loads from an archive and checks that all is of one step, which it returns, with what was skipped.
func checkLoad(t testing.TB, a graph.Archive) (step int, skipped []graph.Skipped) {
	t.Helper()
	ps := someParams(1000, tensor.Float32)
	s, skipped, err := a.Load(ps)
	if err != nil {
		t.Fatal(err)
	}
	sameSnapshot(t, s, someSnapshot(s.Step, tensor.Float32))
	sameParams(t, ps, someParams(uint64(s.Step), tensor.Float32))
	peeked, again, err := a.Peek()
	if s.Tensors = nil; err != nil || len(again) != len(skipped) {
		t.Errorf("Peek: %v, %v", again, err)
	}
	sameSnapshot(t, peeked, s)
	return s.Step, skipped
}

func names(t testing.TB, f graph.Folder) string {
	t.Helper()
	list, err := f.List()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(list, " ")
}

// An archive keeps the last snapshots, and removes what an earlier program has left.
func TestArchive(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run", "checkpoints")
	a := graph.Archive{Folder: graph.Dir(dir)}
	if _, _, err := a.Load(someParams(1, tensor.Float32)); !errors.Is(err, graph.ErrNoSnapshot) {
		t.Errorf("%v, want ErrNoSnapshot", err)
	}
	for step := range 4 {
		if err := save(a, step); err != nil {
			t.Fatal(err)
		}
		if got, _ := checkLoad(t, a); got != step {
			t.Errorf("step %d, want %d", got, step)
		}
	}
	if got, want := names(t, a.Folder), "step-00000002.safetensors step-00000003.safetensors"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	// Files of others stay, and so do those of later steps.
	for _, name := range []string{"step-00000009.safetensors.tmp", "step-9.safetensors", "step-00000001.safetensors.bak", "notes.tmp"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	a.Keep = 1
	if err := save(a, 1); err != nil {
		t.Fatal(err)
	}
	const rest = " step-00000001.safetensors.bak step-00000002.safetensors step-00000003.safetensors step-9.safetensors"
	if got, want := names(t, a.Folder), "notes.tmp step-00000001.safetensors"+rest; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if err := save(a, 123456789); err != nil {
		t.Fatal(err)
	}
	if got, _ := checkLoad(t, a); got != 123456789 {
		t.Errorf("step %d", got)
	}
	for _, bad := range []graph.Archive{{}, {Folder: a.Folder, Keep: -1}} {
		if err := save(bad, 1); err == nil {
			t.Error("no error")
		}
	}
	if _, _, err := (graph.Archive{}).Load(someParams(1, tensor.Float32)); err == nil {
		t.Error("no error")
	}
	if err := save(a, -1); err == nil || !strings.Contains(err.Error(), "step -1") {
		t.Errorf("%v, want an error", err)
	}
}

// Damaged files are skipped, with reasons; files of another model or a newer version are not.
func TestArchiveSkips(t *testing.T) {
	dir := t.TempDir()
	a := graph.Archive{Folder: graph.Dir(dir), Keep: 9}
	for step := range 5 {
		if err := save(a, step); err != nil {
			t.Fatal(err)
		}
	}
	path := func(step int) string { return filepath.Join(dir, fmt.Sprintf("step-%08d.safetensors", step)) }
	file, err := os.ReadFile(path(4))
	if err != nil {
		t.Fatal(err)
	}
	put := func(step int, data []byte) {
		t.Helper()
		if err := os.WriteFile(path(step), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put(7, file)
	file[len(file)-1] ^= 1
	put(4, file)
	put(3, file[:100])
	if err := os.Mkdir(path(8), 0o755); err != nil {
		t.Fatal(err)
	}
	step, skipped := checkLoad(t, a)
	if step != 2 || len(skipped) != 4 {
		t.Fatalf("step %d, skipped %v", step, skipped)
	}
	for i, want := range []string{"8.safetensors: .*regular", "7.safetensors: it holds step 4", "4.safetensors: safetensors: the checksum of",
		"3.safetensors: safetensors: a header of"} {
		got := skipped[i].String()
		if parts := strings.Split(want, ".*"); !strings.Contains(got, parts[0]) || !strings.Contains(got, parts[len(parts)-1]) {
			t.Errorf("%s, want %s", got, want)
		}
	}
	// A run that goes on from there replaces them, one by one.
	for step := 3; step < 6; step++ {
		if err := save(a, step); err != nil {
			t.Fatal(err)
		}
		if got, _ := checkLoad(t, a); got != step {
			t.Errorf("step %d, want %d", got, step)
		}
	}

	put(9, edited(t, `{\"version\":1,\"step\":7`, `{\"version\":3,\"step\":9`))
	ps := someParams(50, tensor.Float32)
	_, _, err = a.Load(ps)
	var newer *graph.VersionError
	if !errors.As(err, &newer) || newer.Version != 3 {
		t.Errorf("%v, want a VersionError", err)
	}
	if err := os.Remove(path(9)); err != nil {
		t.Fatal(err)
	}
	other := graph.NewParams(1)
	other.Root().At("a").Param("weight", graph.Ones, 3, 5)
	if _, skipped, err = a.Load(other); err == nil || !strings.Contains(err.Error(), "unknown b.weight") || len(skipped) != 2 {
		t.Errorf("%v, want an error", err)
	}
	other = graph.NewParams(1, graph.DType(tensor.Float64))
	other.Root().At("a").Param("weight", graph.Ones, 3, 5)
	other.Root().At("b").Param("weight", graph.Ones, 7)
	if _, skipped, err = a.Load(other); err == nil || !strings.Contains(err.Error(), "a.weight holds F32, want F64") || len(skipped) != 2 {
		t.Errorf("%v, want an error", err)
	}
	sameParams(t, ps, someParams(50, tensor.Float32))
	for step := range 6 {
		put(step, nil)
	}
	if _, skipped, err = a.Load(ps); err == nil || len(skipped) != 8 || errors.Is(err, graph.ErrNoSnapshot) {
		t.Errorf("%v, skipped %v", err, skipped)
	}
}

// Each call that saving makes fails once, and a disk is full after any number of bytes: the error is returned, the
// snapshot before is there, and the next attempt succeeds.
func TestArchiveFaults(t *testing.T) {
	var calls []string
	for at := 1; ; at++ {
		memory := &faults.Memory{}
		good := graph.Archive{Folder: memory, Keep: 1}
		if err := save(good, 1); err != nil {
			t.Fatal(err)
		}
		if _, err := memory.Create("step-00000005.safetensors.tmp"); err != nil {
			t.Fatal(err)
		}
		faulty := &faults.Faulty{Folder: memory, FailAt: at}
		err := save(graph.Archive{Folder: faulty, Keep: 1}, 2)
		if faulty.Failed == "" {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		calls = append(calls, faulty.Failed)
		if !errors.Is(err, faults.ErrInjected) {
			t.Errorf("%s fails: error %v", faulty.Failed, err)
		}
		if step, skipped := checkLoad(t, good); step != 1 && step != 2 || len(skipped) > 0 {
			t.Errorf("%s fails: step %d, skipped %v", faulty.Failed, step, skipped)
		}
		if err := save(good, 2); err != nil {
			t.Errorf("%s fails: then %v", faulty.Failed, err)
		}
		if got := names(t, memory); got != "step-00000002.safetensors" {
			t.Errorf("%s fails: in the end there are %s", faulty.Failed, got)
		}
	}
	const temporary = "step-00000002.safetensors.tmp"
	want := []string{"list", "remove step-00000005.safetensors.tmp", "create " + temporary, "write " + temporary, "sync " + temporary,
		"close " + temporary, "rename " + temporary, "sync folder", "remove step-00000001.safetensors"}
	if !slices.Equal(calls, want) {
		t.Errorf("calls %q, want %q", calls, want)
	}

	size := len(snapshotBytes(t, someSnapshot(2, tensor.Float32), someParams(2, tensor.Float32)))
	for room := range size + 1 {
		memory := &faults.Memory{}
		good := graph.Archive{Folder: memory}
		if err := save(good, 1); err != nil {
			t.Fatal(err)
		}
		err := save(graph.Archive{Folder: &faults.Faulty{Folder: memory, Full: true, Room: room}}, 2)
		if room < size && !errors.Is(err, syscall.ENOSPC) || room == size && err != nil {
			t.Errorf("room for %d of %d bytes: error %v", room, size, err)
		}
		if got := names(t, memory); room < size && got != "step-00000001.safetensors" {
			t.Errorf("a full disk leaves %s", got)
		}
		checkLoad(t, good)
	}
}

// The power fails at any call, with any of what was not durable lost: what was saved before is there, whole.
func TestArchivePowerLoss(t *testing.T) {
	const steps, rounds = 5, 40
	crashes, lost := 0, 0
	for at := 1; ; at++ {
		done := true
		for round := range rounds {
			rng := rand.New(rand.NewPCG(uint64(at), uint64(round)))
			memory := &faults.Memory{CrashAt: at}
			a := graph.Archive{Folder: memory, Keep: 1 + round%2}
			acknowledged := -1
			for step := range steps {
				if save(a, step) != nil {
					break
				}
				acknowledged = step
			}
			if acknowledged == steps-1 && memory.Calls < at {
				continue
			}
			done = false
			crashes++
			a.Folder = memory.Crash(rng)
			if acknowledged < 0 {
				// There may be nothing yet, or the first one if only the news of it was lost.
				if s, _, err := a.Load(someParams(1, tensor.Float32)); err == nil && s.Step != 0 || err != nil && errors.Is(err, faults.ErrPower) {
					t.Errorf("call %d: step %d, %v", at, s.Step, err)
				}
			} else if step, _ := checkLoad(t, a); step < acknowledged {
				lost++
				t.Errorf("power fails at call %d: step %d, although %d was saved", at, step, acknowledged)
			}
			// Training goes on from there.
			if err := save(a, steps); err != nil {
				t.Fatal(err)
			}
			if step, _ := checkLoad(t, a); step != steps {
				t.Errorf("step %d after a crash, want %d", step, steps)
			}
		}
		if done {
			break
		}
	}
	t.Logf("%d crashes, %d lost", crashes, lost)
	if crashes < 1000 {
		t.Errorf("only %d crashes", crashes)
	}
}

// The simulation of power loss finds what it is for: saving without one of the calls that make things durable.
func TestPowerLossIsFound(t *testing.T) {
	for _, forgotten := range []string{"sync file", "sync folder"} {
		found := false
		for round := range uint64(200) {
			memory := &faults.Memory{}
			a := graph.Archive{Folder: forgetful{memory, forgotten}, Keep: 1}
			for step := range 3 {
				if err := save(a, step); err != nil {
					t.Fatal(err)
				}
			}
			a.Folder = memory.Crash(rand.New(rand.NewPCG(round, 0)))
			s, _, err := a.Load(someParams(1, tensor.Float32))
			found = found || err != nil || s.Step < 2
		}
		if !found {
			t.Errorf("nobody notices that saving forgets: %s", forgotten)
		}
	}
}

// forgetful is a folder that forgets to make something durable.
type forgetful struct {
	graph.Folder
	what string
}

func (f forgetful) Sync() error {
	if f.what == "sync folder" {
		return nil
	}
	return f.Folder.Sync()
}

func (f forgetful) Create(name string) (graph.File, error) {
	file, err := f.Folder.Create(name)
	if f.what == "sync file" {
		return unsynced{file}, err
	}
	return file, err
}

type unsynced struct{ graph.File }

func (unsynced) Sync() error { return nil }

// Names that lead out of the folder are errors, as are files that are none.
func TestDir(t *testing.T) {
	dir := t.TempDir()
	d := graph.Dir(filepath.Join(dir, "in"))
	if list, err := d.List(); err != nil || len(list) != 0 {
		t.Errorf("%v, %v", list, err)
	}
	for _, name := range []string{"", ".", "..", "../out", "a/b", "/out"} {
		if _, err := d.Create(name); err == nil {
			t.Errorf("Create(%q) succeeds", name)
		}
		if _, _, err := d.Open(name); err == nil {
			t.Errorf("Open(%q) succeeds", name)
		}
		if d.Remove(name) == nil || d.Rename(name, "a") == nil || d.Rename("a", name) == nil {
			t.Errorf("%q is removed or renamed", name)
		}
	}
	f, err := d.Create("a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("text")); err != nil {
		t.Error(err)
	}
	if err := errors.Wrap(f.Sync(), "sync"); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := d.Rename("a", "b"); err != nil {
		t.Error(err)
	}
	if err := d.Sync(); err != nil {
		t.Error(err)
	}
	data, release, err := d.Open("b")
	if err != nil || !bytes.Equal(data, []byte("text")) {
		t.Errorf("%q, %v", data, err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	if err := d.Remove("b"); err != nil {
		t.Error(err)
	}
	if err := graph.Dir(filepath.Join(dir, "none")).Sync(); err == nil && runtime.GOOS != "windows" {
		t.Error("a folder that is not there is durable")
	}
}
