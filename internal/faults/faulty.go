package faults

import (
	"syscall"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/graph"
)

// ErrInjected is the error of a call that was made to fail.
var ErrInjected = errors.New("injected fault")

// Faulty is a folder of which one call fails, or that has room for some bytes only.
type Faulty struct {
	graph.Folder
	FailAt int  // the call that fails, counted from 1 over all methods of the folder and its files; 0 means none
	Full   bool // the disk is full after Room more bytes
	Room   int

	Calls  int    // so far
	Failed string // what the call was that failed
}

// fails counts a call and reports whether it fails.
func (f *Faulty) fails(name string) bool {
	f.Calls++
	if f.Calls == f.FailAt {
		f.Failed = name
		return true
	}
	return false
}

// List, and the methods below, are those of graph.Folder.
func (f *Faulty) List() ([]string, error) {
	if f.fails("list") {
		return nil, ErrInjected
	}
	return f.Folder.List()
}

func (f *Faulty) Open(name string) ([]byte, func() error, error) {
	if f.fails("open " + name) {
		return nil, nil, ErrInjected
	}
	return f.Folder.Open(name)
}

func (f *Faulty) Create(name string) (graph.File, error) {
	if f.fails("create " + name) {
		return nil, ErrInjected
	}
	file, err := f.Folder.Create(name)
	if err != nil {
		return nil, err
	}
	return &faultyFile{file, f, name}, nil
}

func (f *Faulty) Rename(from, to string) error {
	if f.fails("rename " + from) {
		return ErrInjected
	}
	return f.Folder.Rename(from, to)
}

func (f *Faulty) Remove(name string) error {
	if f.fails("remove " + name) {
		return ErrInjected
	}
	return f.Folder.Remove(name)
}

func (f *Faulty) Sync() error {
	if f.fails("sync folder") {
		return ErrInjected
	}
	return f.Folder.Sync()
}

type faultyFile struct {
	graph.File
	f    *Faulty
	name string
}

// Write writes half of p before it fails.
func (w *faultyFile) Write(p []byte) (int, error) {
	if w.f.fails("write " + w.name) {
		n, _ := w.File.Write(p[:len(p)/2])
		return n, ErrInjected
	}
	if !w.f.Full {
		return w.File.Write(p)
	}
	room := min(w.f.Room, len(p))
	w.f.Room -= room
	n, err := w.File.Write(p[:room])
	if err == nil && room < len(p) {
		w.f.Failed = "write " + w.name
		err = syscall.ENOSPC
	}
	return n, err
}

func (w *faultyFile) Sync() error {
	if w.f.fails("sync " + w.name) {
		return ErrInjected
	}
	return w.File.Sync()
}

// Close closes the file even if it fails.
func (w *faultyFile) Close() error {
	err := w.File.Close()
	if w.f.fails("close " + w.name) {
		return ErrInjected
	}
	return err
}
