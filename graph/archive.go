package graph

import (
	"bufio"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"
)

// An Archive keeps the newest snapshots of a training run in a folder, such that no end of the program or the machine
// costs more than the steps since the last one. A new snapshot is written beside the others, made durable and renamed,
// and older ones are removed after that. Loading takes the newest that is whole.
//
// One program at a time saves to an archive; any number may load.
type Archive struct {
	Folder Folder // where the files are, such as Dir("runs/a/checkpoints")
	Keep   int    // how many snapshots are kept; 0 means 2, math.MaxInt all. While one is saved there is one more
}

// ErrNoSnapshot is what [Archive.Load] returns, in a wrapping that says more, where there is no snapshot at all.
var ErrNoSnapshot = errors.New("no snapshot")

// A Skipped is a file that [Archive.Load] could not use.
type Skipped struct {
	Name string
	Err  error // why
}

func (s Skipped) String() string { return fmt.Sprintf("%s: %v", s.Name, s.Err) }

const (
	snapshotPrefix = "step-"
	snapshotSuffix = ".safetensors"
	temporary      = ".tmp"
)

// snapshotName returns the name of the file of a step.
func snapshotName(step int) string {
	return fmt.Sprintf("%s%08d%s", snapshotPrefix, step, snapshotSuffix)
}

// snapshotStep returns the step that a name is for.
func snapshotStep(name string) (step int, ok bool) {
	digits, _ := strings.CutPrefix(strings.TrimSuffix(name, snapshotSuffix), snapshotPrefix)
	step, err := strconv.Atoi(digits)
	return step, err == nil && snapshotName(step) == name
}

// Save adds a snapshot and returns the name of its file. When it returns without error, the snapshot survives a crash of
// the machine. A snapshot of the same step is replaced. Of the others those of the Keep-1 last steps before are kept;
// snapshots of later steps, which a run leaves that has gone back to an earlier one, stay as well.
//
// After an error in writing the earlier snapshots are as they were. An error in removing them comes after the new one is
// durable, and says so.
func (a Archive) Save(ps *Params, s Snapshot) (name string, err error) {
	name, err = a.save(ps, s)
	return name, errors.WithMessage(err, "graph: Archive.Save")
}

func (a Archive) save(ps *Params, s Snapshot) (string, error) {
	keep := a.Keep
	switch {
	case a.Folder == nil:
		return "", errors.New("the archive has no folder")
	case keep < 0:
		return "", errors.Errorf("keeping %d snapshots", keep)
	case keep == 0:
		keep = 2
	}
	steps, stale, err := a.list()
	if err != nil {
		return "", err
	}
	for _, name := range stale {
		if err := a.Folder.Remove(name); err != nil {
			return "", errors.Wrap(err, "removing what an earlier program left")
		}
	}
	name := snapshotName(s.Step)
	if err := a.write(name+temporary, ps, s); err != nil {
		a.Folder.Remove(name + temporary) // the first error says it all; the next Save tries again
		return "", err
	}
	if err := a.Folder.Rename(name+temporary, name); err != nil {
		a.Folder.Remove(name + temporary)
		return "", errors.WithStack(err)
	}
	if err := a.Folder.Sync(); err != nil {
		return "", errors.WithStack(err)
	}
	older := slices.DeleteFunc(steps, func(step int) bool { return step >= s.Step })
	for len(older) >= keep {
		if err := a.Folder.Remove(snapshotName(older[0])); err != nil {
			return name, errors.Wrapf(err, "%s is saved, but an older one cannot be removed", name)
		}
		older = older[1:]
	}
	return name, nil
}

// write makes a durable file of s.
func (a Archive) write(name string, ps *Params, s Snapshot) (err error) {
	f, err := a.Folder.Create(name)
	if err != nil {
		return errors.WithStack(err)
	}
	buf := bufio.NewWriterSize(f, 64<<10)
	err = s.write(buf, ps)
	if err == nil {
		err = errors.WithStack(buf.Flush())
	}
	if err == nil {
		err = errors.WithStack(f.Sync())
	}
	if closing := f.Close(); err == nil {
		err = errors.WithStack(closing)
	}
	return err
}

// list returns the steps of the snapshots, the earliest first, and the names of temporary files.
func (a Archive) list() (steps []int, stale []string, err error) {
	names, err := a.Folder.List()
	if err != nil {
		return nil, nil, errors.WithStack(err)
	}
	for _, name := range names {
		whole := strings.TrimSuffix(name, temporary)
		switch step, ok := snapshotStep(whole); {
		case !ok: // not ours
		case whole != name:
			stale = append(stale, name)
		default:
			steps = append(steps, step)
		}
	}
	slices.Sort(steps)
	return steps, stale, nil
}

// Load fills the parameters from the newest snapshot that is whole, and returns what else it holds. Newer files that are
// damaged or cannot be read are skipped; Load says which, and why. Nothing but damage is skipped: a file of a newer
// format is a [VersionError], and a snapshot of another model is an error that lists all that does not fit. Where the
// folder has no snapshot the error is [ErrNoSnapshot], which [errors.Is] finds. After an error no parameter has changed.
func (a Archive) Load(ps *Params) (s Snapshot, skipped []Skipped, err error) {
	s, skipped, err = a.load(ps)
	return s, skipped, errors.WithMessage(err, "graph: Archive.Load")
}

func (a Archive) load(ps *Params) (s Snapshot, skipped []Skipped, err error) {
	if ps == nil {
		return s, nil, errors.New("no parameters")
	}
	skipped, err = a.newest(func(f *sealedSnapshot) error {
		s, err = f.open(ps)
		return err
	})
	return s, skipped, err
}

// Peek returns what Load would, without the parameters and the tensors of the optimizer. So a model can be built as the
// metadata of the snapshot says, which then loads it.
func (a Archive) Peek() (s Snapshot, skipped []Skipped, err error) {
	skipped, err = a.newest(func(f *sealedSnapshot) error {
		if err := f.check(); err != nil {
			return err
		}
		s = f.words()
		return nil
	})
	return s, skipped, errors.WithMessage(err, "graph: Archive.Peek")
}

// newest opens the newest file that is whole.
func (a Archive) newest(open func(*sealedSnapshot) error) (skipped []Skipped, err error) {
	if a.Folder == nil {
		return nil, errors.New("the archive has no folder")
	}
	steps, _, err := a.list()
	if err != nil {
		return nil, err
	}
	for _, step := range slices.Backward(steps) {
		name := snapshotName(step)
		damage, err := a.read(name, step, open)
		switch {
		case err != nil:
			return skipped, errors.WithMessage(err, name)
		case damage == nil:
			return skipped, nil
		}
		skipped = append(skipped, Skipped{name, damage})
	}
	if len(skipped) == 0 {
		return nil, errors.WithStack(ErrNoSnapshot)
	}
	return skipped, errors.Errorf("no snapshot is whole: %v", skipped)
}

// read opens a file. Damage is why that is not possible, and err why it must not be.
func (a Archive) read(name string, step int, open func(*sealedSnapshot) error) (damage, err error) {
	data, release, err := a.Folder.Open(name)
	if err != nil {
		return errors.WithStack(err), nil
	}
	defer release() // nothing was written
	sealed, err := openSnapshot(data)
	var newer *VersionError
	switch {
	case errors.As(err, &newer):
		return nil, err
	case err != nil:
		return err, nil
	case sealed.Step != step:
		return errors.Errorf("it holds step %d", sealed.Step), nil
	}
	if err = open(sealed); errors.As(err, new(damagedError)) {
		return err, nil
	}
	return nil, err
}
