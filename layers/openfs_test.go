package layers_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/logits-go/logits/layers"
)

// A file system that maps no files holds the same models as a disk.
func TestOpenFS(t *testing.T) {
	m := random(t, tinyLlama)
	for _, p := range places {
		path := export(t, layers.Export{Format: p.format}, p.name, m)
		files := fstest.MapFS{}
		err := fs.WalkDir(os.DirFS(filepath.Dir(path)), ".", func(name string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				files["models/"+name] = &fstest.MapFile{Data: read(t, filepath.Join(filepath.Dir(path), name))}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := layers.OpenFS(files, "models/"+p.name)
		if err != nil {
			t.Errorf("%v: %v", p.format, err)
			continue
		}
		if got.Config != m.Config || !same(values(got), values(m)) {
			t.Errorf("%v: the model differs", p.format)
		}
		sub, err := fs.Sub(files, "models/"+p.name)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := layers.OpenFS(sub, "."); filepath.Ext(p.name) == "" && (err != nil || !same(values(got), values(m))) {
			t.Errorf("%v in a folder that is all there is: %v", p.format, err)
		}
		// os.DirFS has files of the system, which are mapped.
		if got, err := layers.OpenFS(os.DirFS(filepath.Dir(path)), p.name); err != nil || !same(values(got), values(m)) {
			t.Errorf("%v on disk: %v", p.format, err)
		}
	}
}

func TestOpenFSRefuses(t *testing.T) {
	dir := export(t, layers.Export{}, "m", random(t, tinyLlama))
	config, model := read(t, filepath.Join(dir, "config.json")), read(t, filepath.Join(dir, "model.safetensors"))
	whole := func() fstest.MapFS {
		return fstest.MapFS{"m/config.json": {Data: config}, "m/model.safetensors": {Data: model}}
	}
	_, err := layers.OpenFS(nil, "m")
	wants(t, "no file system", err, "no file system")
	for _, c := range []struct {
		what   string
		path   string
		change func(files fstest.MapFS)
		want   string
	}{
		{"another name", "n", func(fstest.MapFS) {}, "layers: Open n"},
		{"a path that leaves", "../m", func(fstest.MapFS) {}, "does not exist"},
		{"no config", "m", func(files fstest.MapFS) { delete(files, "m/config.json") }, "config.json"},
		{"no weights", "m", func(files fstest.MapFS) { delete(files, "m/model.safetensors") }, "model.safetensors.index.json"},
		{"a huge config", "m", func(files fstest.MapFS) { files["m/config.json"].Data = make([]byte, 2<<20) }, "1048576 bytes"},
		{"half the weights", "m", func(files fstest.MapFS) { files["m/model.safetensors"].Data = model[:len(model)/2] }, "safetensors"},
		{"a folder for weights", "m", func(files fstest.MapFS) { files["m/model.safetensors"].Mode = fs.ModeDir }, "regular"},
	} {
		files := whole()
		c.change(files)
		_, err := layers.OpenFS(files, c.path)
		wants(t, c.what, err, c.want)
	}
	// The size that a file claims is no reason to take memory for it.
	for _, claim := range []int64{-1, 1 << 50, int64(len(model)) - 1} {
		_, err := layers.OpenFS(claims{whole(), claim}, "m")
		wants(t, "a false size", err, "model.safetensors")
	}
}

// claims are files, of which the weights say they have another size.
type claims struct {
	fstest.MapFS
	size int64
}

func (c claims) Open(name string) (fs.File, error) {
	f, err := c.MapFS.Open(name)
	if filepath.Base(name) != "model.safetensors" {
		return f, err
	}
	return claim{f, c.size}, err
}

type claim struct {
	fs.File
	size int64
}

func (c claim) Stat() (fs.FileInfo, error) {
	info, err := c.File.Stat()
	return sized{info, c.size}, err
}

type sized struct {
	fs.FileInfo
	size int64
}

func (s sized) Size() int64 { return s.size }
