package faults

import (
	"bytes"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/graph"
)

// Memory is a folder in memory that knows what a disk would have of it if the machine lost its power. The zero Memory is
// empty.
type Memory struct {
	names map[string]*inode
	disk  map[string]*inode // names after the last Sync
	loose []change          // to the names since then

	// CrashAt, if it is not 0, is the call, counted from 1, from which on every call fails since the power is gone.
	CrashAt int
	Calls   int // so far
}

// ErrPower is the error of calls after the power has gone.
var ErrPower = errors.New("the power is gone")

// inode is the content of a file.
type inode struct {
	data   []byte
	synced []byte // what Sync has made durable
}

// change is one of the changes to names that Sync makes durable.
type change struct {
	from, to string // a file is removed if to is "", and made if from is ""
	file     *inode
}

func (m *Memory) call() error {
	if m.names == nil {
		m.names, m.disk = make(map[string]*inode), make(map[string]*inode)
	}
	m.Calls++
	if m.CrashAt > 0 && m.Calls >= m.CrashAt {
		return ErrPower
	}
	return nil
}

// Crash returns what is on the disk after the power has gone: of the names, what Sync has made durable and any of the
// later changes; of contents, what Sync has made durable and of the others any beginning, perhaps with zeros or noise in
// place of the rest.
func (m *Memory) Crash(rng *rand.Rand) *Memory {
	names := maps.Clone(m.disk)
	for _, c := range m.loose {
		if rng.IntN(2) == 0 {
			continue
		}
		if c.from != "" && names[c.from] == c.file {
			delete(names, c.from)
		}
		if c.to != "" {
			names[c.to] = c.file
		}
	}
	after := &Memory{names: make(map[string]*inode), disk: make(map[string]*inode)}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		data := names[name].after(rng)
		f := &inode{data: data, synced: bytes.Clone(data)}
		after.names[name], after.disk[name] = f, f
	}
	return after
}

// after returns what is left of a file.
func (f *inode) after(rng *rand.Rand) []byte {
	if bytes.Equal(f.data, f.synced) {
		return bytes.Clone(f.data)
	}
	switch rng.IntN(4) {
	case 0:
		return bytes.Clone(f.synced)
	case 1:
		return bytes.Clone(f.data[:rng.IntN(len(f.data)+1)])
	}
	data := bytes.Clone(f.data)
	noise := rng.IntN(2) == 0
	for i := rng.IntN(len(data) + 1); i < len(data); i++ {
		if data[i] = 0; noise {
			data[i] = byte(rng.Uint32())
		}
	}
	return data
}

// List, and the methods below, are those of graph.Folder.
func (m *Memory) List() ([]string, error) {
	if err := m.call(); err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(m.names)), nil
}

func (m *Memory) Open(name string) ([]byte, func() error, error) {
	if err := m.call(); err != nil {
		return nil, nil, err
	}
	f := m.names[name]
	if f == nil {
		return nil, nil, fs.ErrNotExist
	}
	return bytes.Clone(f.data), func() error { return nil }, nil
}

func (m *Memory) Create(name string) (graph.File, error) {
	if err := m.call(); err != nil {
		return nil, err
	}
	f := m.names[name]
	if f == nil {
		f = &inode{}
		m.names[name] = f
		m.loose = append(m.loose, change{to: name, file: f})
	}
	f.data = nil
	return &memoryFile{m, f}, nil
}

func (m *Memory) Rename(from, to string) error {
	if err := m.call(); err != nil {
		return err
	}
	f := m.names[from]
	if f == nil {
		return fs.ErrNotExist
	}
	delete(m.names, from)
	m.names[to] = f
	m.loose = append(m.loose, change{from, to, f})
	return nil
}

func (m *Memory) Remove(name string) error {
	if err := m.call(); err != nil {
		return err
	}
	f := m.names[name]
	if f == nil {
		return fs.ErrNotExist
	}
	delete(m.names, name)
	m.loose = append(m.loose, change{from: name, file: f})
	return nil
}

func (m *Memory) Sync() error {
	if err := m.call(); err != nil {
		return err
	}
	m.disk, m.loose = maps.Clone(m.names), nil
	return nil
}

type memoryFile struct {
	m *Memory
	f *inode
}

func (w *memoryFile) Write(p []byte) (int, error) {
	if err := w.m.call(); err != nil {
		n := len(p) / 2 // it went while writing
		if w.m.Calls == w.m.CrashAt {
			w.f.data = append(w.f.data, p[:n]...)
		}
		return n, err
	}
	w.f.data = append(w.f.data, p...)
	return len(p), nil
}

func (w *memoryFile) Sync() error {
	if err := w.m.call(); err != nil {
		return err
	}
	w.f.synced = bytes.Clone(w.f.data)
	return nil
}

func (w *memoryFile) Close() error { return w.m.call() }
