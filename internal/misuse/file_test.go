package misuse

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/layers"
)

// twoParams returns a.weight (3, 5) and b.weight (7).
func twoParams(opts ...graph.Option) *graph.Params {
	ps := graph.NewParams(1, opts...)
	ps.Root().At("a").Param("weight", graph.Normal(1), 3, 5)
	ps.Root().At("b").Param("weight", graph.Normal(1), 7)
	return ps
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func checkpoints(t *testing.T) []mistake {
	dir := t.TempDir()
	var good bytes.Buffer
	if err := twoParams().Write(&good, nil); err != nil {
		t.Fatal(err)
	}
	// loaded returns the error of reading into other parameters.
	loaded := func(change func(s graph.Scope), rename func(string) string) func() error {
		return func() error {
			ps := graph.NewParams(2)
			change(ps.Root())
			_, err := ps.Read(good.Bytes(), rename)
			return err
		}
	}
	asWere := func(s graph.Scope) {
		s.Param("a.weight", graph.Ones, 3, 5)
		s.Param("b.weight", graph.Ones, 7)
	}
	written := func(s graph.Snapshot) func() error {
		return func() error { return s.Write(&bytes.Buffer{}, twoParams()) }
	}
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, []byte("not a folder"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(dir, "broken")
	if err := os.MkdirAll(broken, 0o700); err != nil {
		t.Fatal(err)
	}
	a := graph.Archive{Folder: graph.Dir(broken)}
	name := must[string](t)(a.Save(twoParams(), graph.Snapshot{Step: 3}))
	data := must[[]byte](t)(os.ReadFile(filepath.Join(broken, name)))
	var snap bytes.Buffer
	if err := (graph.Snapshot{Step: 3}).Write(&snap, twoParams()); err != nil {
		t.Fatal(err)
	}
	data[len(data)-1] ^= 1
	if err := os.WriteFile(filepath.Join(broken, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
	bad := graph.NewParams(1)
	bad.Root().Param("w", nil, 2)
	return []mistake{
		{"a parameter of another shape", loaded(func(s graph.Scope) {
			s.Param("a.weight", graph.Ones, 5, 3)
			s.Param("b.weight", graph.Ones, 7)
		}, nil), []string{"a.weight is (3, 5), want (5, 3)"}},
		{"a parameter too many in the file", loaded(func(s graph.Scope) { s.Param("a.weight", graph.Ones, 3, 5) }, nil), []string{"unknown b.weight"}},
		{"a parameter too few in the file", loaded(func(s graph.Scope) { asWere(s); s.Param("c", graph.Ones, 1) }, nil), []string{"missing c"}},
		{"two tensors under one name", loaded(asWere, func(string) string { return "a.weight" }), []string{"a.weight"}},
		{"all tensors passed over", loaded(asWere, func(string) string { return "" }), []string{"missing a.weight", "b.weight"}},
		{"parameters that could not be made", loaded(func(s graph.Scope) { s.Param("w", nil, 2) }, nil), []string{"w", "no initial value"}},
		{"no bytes", func() error { _, err := twoParams().Read(nil, nil); return err }, []string{"safetensors"}},
		{"a pickle", func() error {
			_, err := twoParams().Read([]byte("\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01"), nil)
			return err
		}, []string{"safetensors"}},
		{"a file cut short", func() error { _, err := twoParams().Read(good.Bytes()[:good.Len()-1], nil); return err }, []string{"safetensors"}},
		{"a file that is not there", func() error { _, err := twoParams().Load(filepath.Join(dir, "none.safetensors"), nil); return err }, []string{"none.safetensors"}},
		{"a folder in place of a file", func() error { _, err := twoParams().Load(dir, nil); return err }, []string{dir}},
		{"an index without files", func() error {
			index := filepath.Join(dir, "model.safetensors.index.json")
			if err := os.WriteFile(index, []byte(`{"weight_map":{"a.weight":"model-1.safetensors"}}`), 0o600); err != nil {
				return nil
			}
			_, err := twoParams().Load(index, nil)
			return err
		}, []string{"model-1.safetensors"}},
		{"an index that leads out of the folder", func() error {
			index := filepath.Join(dir, "evil.safetensors.index.json")
			if err := os.WriteFile(index, []byte(`{"weight_map":{"a.weight":"../../etc/passwd"}}`), 0o600); err != nil {
				return nil
			}
			_, err := twoParams().Load(index, nil)
			return err
		}, []string{"../../etc/passwd"}},
		{"Save to a folder that is not there", func() error { return twoParams().Save(filepath.Join(dir, "no", "model.safetensors"), nil) }, []string{"no"}},
		{"Save over a folder", func() error { return twoParams().Save(broken, nil) }, []string{"broken"}},
		{"Save of parameters that could not be made", func() error { return bad.Save(filepath.Join(dir, "bad"), nil) }, []string{"w", "no initial value"}},
		{"Write to nothing", func() error { return twoParams().Write(nil, nil) }, []string{"writer"}},
		{"metadata that is not UTF-8", func() error { return twoParams().Write(&bytes.Buffer{}, map[string]string{"a": "\xff"}) }, []string{"UTF-8"}},
		{"a snapshot without parameters", func() error { return graph.Snapshot{}.Write(&bytes.Buffer{}, nil) }, []string{"Snapshot.Write", "no parameters"}},
		{"a snapshot written to nothing", func() error { return graph.Snapshot{}.Write(nil, twoParams()) }, []string{"Snapshot.Write", "writer"}},
		{"a snapshot of a negative step", written(graph.Snapshot{Step: -1}), []string{"Snapshot.Write", "step -1"}},
		{"a snapshot with metadata of ours", written(graph.Snapshot{Metadata: map[string]string{"logits.snapshot": "{}"}}), []string{"Snapshot.Write", "logits.snapshot"}},
		{"a snapshot with a format", written(graph.Snapshot{Metadata: map[string]string{"format": "mine"}}), []string{"Snapshot.Write", "format"}},
		{"a snapshot with a nil tensor", written(graph.Snapshot{Tensors: map[string]*tensor.Dense{"m": nil}}), []string{"Snapshot.Write", "m"}},
		{"a snapshot with a zero tensor", written(graph.Snapshot{Tensors: map[string]*tensor.Dense{"m": {}}}), []string{"Snapshot.Write", "m"}},
		{"a snapshot with ids", written(graph.Snapshot{Tensors: map[string]*tensor.Dense{"m": tensor.New(tensor.WithBacking([]int{1, 2}))}}), []string{"Snapshot.Write", "m", "int"}},
		{"a snapshot with a state without a name", written(graph.Snapshot{States: map[string][]byte{"\xff": {1}}}), []string{"Snapshot.Write", "UTF-8"}},
		{"ReadSnapshot without parameters", func() error { _, err := graph.ReadSnapshot(snap.Bytes(), nil); return err }, []string{"ReadSnapshot", "no parameters"}},
		{"ReadSnapshot of another model", func() error {
			ps := graph.NewParams(1)
			ps.Root().Param("c", graph.Ones, 2)
			_, err := graph.ReadSnapshot(snap.Bytes(), ps)
			return err
		}, []string{"ReadSnapshot", "missing c", "unknown a.weight"}},
		{"ReadSnapshot of another type", func() error {
			_, err := graph.ReadSnapshot(snap.Bytes(), twoParams(graph.DType(tensor.Float64)))
			return err
		}, []string{"ReadSnapshot", "a.weight"}},
		{"ReadSnapshot of parameters alone", func() error { _, err := graph.ReadSnapshot(good.Bytes(), twoParams()); return err }, []string{"ReadSnapshot"}},
		{"ReadSnapshot of nothing", func() error { _, err := graph.ReadSnapshot(nil, twoParams()); return err }, []string{"ReadSnapshot"}},
		{"an archive without a folder", func() error { _, err := graph.Archive{}.Save(twoParams(), graph.Snapshot{}); return err }, []string{"Archive", "folder"}},
		{"Load of an archive without a folder", func() error { _, _, err := graph.Archive{}.Load(twoParams()); return err }, []string{"Archive", "folder"}},
		{"Peek of an archive without a folder", func() error { _, _, err := graph.Archive{}.Peek(); return err }, []string{"Archive", "folder"}},
		{"an archive of a negative number", func() error {
			_, err := graph.Archive{Folder: graph.Dir(filepath.Join(dir, "n")), Keep: -1}.Save(twoParams(), graph.Snapshot{})
			return err
		}, []string{"Archive", "-1"}},
		{"Save of no parameters", func() error { _, err := graph.Archive{Folder: graph.Dir(dir)}.Save(nil, graph.Snapshot{}); return err }, []string{"Archive", "no parameters"}},
		{"Load of no parameters", func() error { _, _, err := a.Load(nil); return err }, []string{"Archive", "no parameters"}},
		{"Save below a file", func() error {
			_, err := graph.Archive{Folder: graph.Dir(path)}.Save(twoParams(), graph.Snapshot{})
			return err
		}, []string{"Archive", path}},
		{"Load where there is no snapshot", func() error {
			_, _, err := graph.Archive{Folder: graph.Dir(filepath.Join(dir, "empty"))}.Load(twoParams())
			return err
		}, []string{"no snapshot"}},
		{"Load of nothing but damage", func() error { _, _, err := a.Load(twoParams()); return err }, []string{name}},
		{"Dir that leads elsewhere", func() error { _, err := graph.Dir(dir).Create("../elsewhere"); return err }, []string{"../elsewhere"}},
	}
}

// model returns the error of making a model with one thing changed.
func model(change func(c *layers.Config)) func() error {
	return func() error {
		c := small
		change(&c)
		_, err := newModel(c)
		return err
	}
}

func models(*testing.T) []mistake {
	forward := func(f func(g *graph.Graph, s graph.Scope) node) func() error {
		return func() error {
			g := graph.New()
			_, err := graph.Compile(f(g, graph.NewParams(1).Root().At("part")))
			return err
		}
	}
	x := func(g *graph.Graph) node { return g.Input("x", tensor.Float32, 2, 3, 6) }
	type c = layers.Config
	type g = *graph.Graph
	type s = graph.Scope
	return []mistake{
		{"no vocabulary", model(func(c *c) { c.VocabSize = 0 }), []string{"VocabSize is 0"}},
		{"negative vocabulary", model(func(c *c) { c.VocabSize = -5 }), []string{"VocabSize is -5"}},
		{"no context", model(func(c *c) { c.ContextLength = 0 }), []string{"ContextLength is 0"}},
		{"negative context", model(func(c *c) { c.ContextLength = -1 }), []string{"ContextLength is -1"}},
		{"no width", model(func(c *c) { c.DModel = 0 }), []string{"DModel is 0"}},
		{"no layers", model(func(c *c) { c.NumLayers = 0 }), []string{"NumLayers is 0"}},
		{"negative layers", model(func(c *c) { c.NumLayers = -3 }), []string{"NumLayers is -3"}},
		{"no heads", model(func(c *c) { c.NumHeads = 0 }), []string{"NumHeads is 0"}},
		{"heads that do not divide", model(func(c *c) { c.NumHeads = 3 }), []string{"3 heads", "DModel 8"}},
		{"odd heads", model(func(c *c) { c.DModel = 6 }), []string{"even"}},
		{"groups that do not divide", model(func(c *c) { c.NumKVHeads = 3 }), []string{"3 heads of keys", "2"}},
		{"negative groups", model(func(c *c) { c.NumKVHeads = -1 }), []string{"-1 heads of keys and values", "2 heads"}},
		{"negative hidden width", model(func(c *c) { c.DFF = -1 }), []string{"DFF is -1"}},
		{"eps negative", model(func(c *c) { c.NormEps = -1 }), []string{"NormEps is -1"}},
		{"eps NaN", model(func(c *c) { c.NormEps = nan }), []string{"NormEps is NaN"}},
		{"theta negative", model(func(c *c) { c.RoPETheta = -1 }), []string{"RoPETheta is -1"}},
		{"theta infinite", model(func(c *c) { c.RoPETheta = inf }), []string{"RoPETheta is +Inf"}},
		{"theta of learned positions", model(func(c *c) { c.Position, c.RoPETheta = layers.Learned, 5 }), []string{"RoPE", "learned"}},
		{"split halves of no positions", model(func(c *c) { c.Position, c.SplitRoPE = layers.Unordered, true }), []string{"RoPE"}},
		{"dropout of all", model(func(c *c) { c.Dropout = 1 }), []string{"Dropout is 1"}},
		{"dropout negative", model(func(c *c) { c.Dropout = -0.5 }), []string{"Dropout is -0.5"}},
		{"dropout NaN", model(func(c *c) { c.Dropout = nan }), []string{"Dropout is NaN"}},
		{"activation", model(func(c *c) { c.Activation = -1 }), []string{"activation -1"}},
		{"norm", model(func(c *c) { c.Norm = 7 }), []string{"norm", "7"}},
		{"position", model(func(c *c) { c.Position = 9 }), []string{"position", "9"}},
		{"a size that overflows", model(func(c *c) { c.VocabSize, c.DModel = 1<<40, 1<<40 }), []string{"VocabSize"}},
		{"the zero Scope", func() error { _, err := layers.NewTransformerLM(graph.Scope{}, small); return err }, []string{"no parameters"}},
		{"a name that is taken", func() error {
			ps := graph.NewParams(1)
			if _, err := layers.NewTransformerLM(ps.Root(), small); err != nil {
				return nil
			}
			_, err := layers.NewTransformerLM(ps.Root(), small)
			return err
		}, []string{"two parameters are named token_embeddings.weight"}},
		{"more tokens than the context", forward(func(g g, s s) node {
			m, err := layers.NewTransformerLM(s, small)
			if err != nil {
				return node{}
			}
			return m.Forward(g.Tokens("t", 1, 9))
		}), []string{"9 tokens exceed a context of 8"}},
		{"numbers as tokens", forward(func(g g, s s) node {
			m, err := layers.NewTransformerLM(s, small)
			if err != nil {
				return node{}
			}
			return m.Forward(g.Input("t", tensor.Float32, 1, 4))
		}), []string{"Embedding", "float32, want int"}},
		{"Linear", forward(func(g g, s s) node { return layers.NewLinear(s, 5, 7).Forward(x(g)) }), []string{"part: Linear: x (2, 3, 6) does not fit w (7, 5) part.weight"}},
		{"Linear of no width", forward(func(g g, s s) node { return layers.NewLinear(s, 0, 7).Forward(x(g)) }), []string{"part.weight", "(7, 0)"}},
		{"biased Linear", forward(func(g g, s s) node { return layers.NewBiasedLinear(s, 5, 7).Forward(x(g)) }), []string{"part: Linear", "(2, 3, 6)", "(7, 5)"}},
		{"Embedding of numbers", forward(func(g g, s s) node { return layers.NewEmbedding(s, 5, 6).Forward(x(g)) }), []string{"part: Embedding", "float32, want int"}},
		{"Logits of another width", forward(func(g g, s s) node { return layers.NewEmbedding(s, 5, 4).Logits(x(g)) }), []string{"part: Linear", "(2, 3, 6)", "(5, 4)"}},
		{"RMSNorm", forward(func(g g, s s) node { return layers.NewRMSNorm(s, 5, 1e-5).Forward(x(g)) }), []string{"part: RMSNorm", "(2, 3, 6)", "(5)"}},
		{"LayerNorm", forward(func(g g, s s) node { return layers.NewLayerNorm(s, 5, 1e-5).Forward(x(g)) }), []string{"part: LayerNorm", "(2, 3, 6)", "(5)"}},
		{"SwiGLU", forward(func(g g, s s) node { return layers.NewSwiGLU(s, 5, 8).Forward(x(g)) }), []string{"part.w1", "(2, 3, 6)", "(8, 5)"}},
		{"FFN", forward(func(g g, s s) node { return layers.NewFFN(s, 5, 8, layers.GELU).Forward(x(g)) }), []string{"part.w1", "(2, 3, 6)", "(8, 5)"}},
		{"FFN of an unknown activation", forward(func(g g, s s) node { return layers.NewFFN(s, 6, 8, 55).Forward(x(g)) }), []string{"activation 55"}},
		{"FFN of a gate", forward(func(g g, s s) node { return layers.NewFFN(s, 6, 8, layers.GatedSiLU).Forward(x(g)) }), []string{"activation"}},
		{"Positions", forward(func(g g, s s) node { return layers.NewPositions(s, 2, 6).Forward(x(g)) }), []string{"part: Positions", "(2, 6)", "(2, 3, 6)"}},
		{"Attention of heads that do not divide", forward(func(g g, s s) node { return layers.NewAttention(s, 6, 4, 2).Forward(x(g)) }), []string{"Attention", "4 heads", "2 of keys and values", "(2, 3, 6)"}},
		{"Attention of no heads", forward(func(g g, s s) node { return layers.NewAttention(s, 6, 0, 0).Forward(x(g)) }), []string{"Attention", "0 heads", "(2, 3, 6)"}},
		{"Attention of another width", forward(func(g g, s s) node { return layers.NewAttention(s, 8, 2, 2).Forward(x(g)) }), []string{"part", "(2, 3, 6)"}},
		{"the zero Linear", forward(func(g g, s s) node { return new(layers.Linear).Forward(x(g)) }), []string{"missing"}},
		{"the zero Embedding", forward(func(g g, s s) node { return new(layers.Embedding).Forward(g.Tokens("t", 1, 2)) }), []string{"missing"}},
		{"the zero RMSNorm", forward(func(g g, s s) node { return new(layers.RMSNorm).Forward(x(g)) }), []string{"missing"}},
		{"the zero LayerNorm", forward(func(g g, s s) node { return new(layers.LayerNorm).Forward(x(g)) }), []string{"missing"}},
		{"the zero Positions", forward(func(g g, s s) node { return new(layers.Positions).Forward(x(g)) }), []string{"missing"}},
		{"the zero Attention", forward(func(g g, s s) node { return new(layers.Attention).Forward(x(g)) }), []string{"Attention", "missing"}},
		{"the zero SwiGLU", forward(func(g g, s s) node { return new(layers.SwiGLU).Forward(x(g)) }), []string{"missing"}},
		{"the zero FFN", forward(func(g g, s s) node { return new(layers.FFN).Forward(x(g)) }), []string{"missing"}},
		{"the zero Block", forward(func(g g, s s) node { return new(layers.Block).Forward(x(g)) }), []string{"missing"}},
		{"the zero TransformerLM", forward(func(g g, s s) node { return new(layers.TransformerLM).Forward(g.Tokens("t", 1, 2)) }), []string{"missing"}},
		{"a layer on no node", forward(func(g g, s s) node { return layers.NewLinear(s, 6, 6).Forward(node{}) }), []string{"output 0"}},
		{"an unknown activation by name", func() error { var a layers.Activation; return a.UnmarshalText([]byte("relu6")) }, []string{"relu6"}},
		{"an unknown norm by name", func() error { var n layers.Norm; return n.UnmarshalText([]byte("batch")) }, []string{"batch"}},
		{"an unknown position by name", func() error { var p layers.Position; return p.UnmarshalText([]byte("alibi")) }, []string{"alibi"}},
		{"an unknown format by name", func() error { var f layers.Format; return f.UnmarshalText([]byte("onnx")) }, []string{"onnx"}},
		{"an unknown type by name", func() error { var n layers.Numbers; return n.UnmarshalText([]byte("q2_k")) }, []string{"q2_k"}},
		{"the name of no activation", func() error { _, err := layers.Activation(99).MarshalText(); return err }, []string{"99"}},
	}
}

func modelFiles(t *testing.T) []mistake {
	dir := t.TempDir()
	m := must[*layers.TransformerLM](t)(newModel(layers.Config{VocabSize: 5, ContextLength: 8, DModel: 8, NumLayers: 1, NumHeads: 2, DFF: 12}))
	export := func(e layers.Export, name string, m *layers.TransformerLM) string {
		path := filepath.Join(dir, name)
		if err := e.Write(path, m); err != nil {
			t.Fatal(err)
		}
		return path
	}
	native := export(layers.Export{}, "native", m)
	config, weights := must[[]byte](t)(os.ReadFile(filepath.Join(native, "config.json"))), must[[]byte](t)(os.ReadFile(filepath.Join(native, "model.safetensors")))
	bin := must[[]byte](t)(os.ReadFile(export(layers.Export{Format: layers.Llama2C}, "model.bin", m)))
	gguf := must[[]byte](t)(os.ReadFile(export(layers.Export{Format: layers.GGUF}, "model.gguf", m)))
	hf := must[[]byte](t)(os.ReadFile(filepath.Join(export(layers.Export{Format: layers.HuggingFace}, "hf", m), "config.json")))
	opened := func(files fstest.MapFS, path string) func() error {
		return func() error { _, err := layers.OpenFS(files, path); return err }
	}
	file := func(data []byte) *fstest.MapFile { return &fstest.MapFile{Data: data} }
	folder := func(config, weights []byte) func() error {
		return opened(fstest.MapFS{"config.json": file(config), "model.safetensors": file(weights)}, ".")
	}
	edited := func(config []byte, key string, v any) func() error {
		var values map[string]any
		if err := json.Unmarshal(config, &values); err != nil {
			t.Fatal(err)
		}
		values[key] = v
		return folder(must[[]byte](t)(json.Marshal(values)), weights)
	}
	word := func(data []byte, at int, v int32) []byte {
		data = bytes.Clone(data)
		binary.LittleEndian.PutUint32(data[at:], uint32(v))
		return data
	}
	write := func(e layers.Export, path string, m *layers.TransformerLM) func() error {
		return func() error { return e.Write(filepath.Join(dir, path), m) }
	}
	return []mistake{
		{"nothing there", func() error { _, err := layers.Open(filepath.Join(dir, "none")); return err }, []string{"none"}},
		{"an empty path", func() error { _, err := layers.Open(""); return err }, []string{"Open", "no such file"}},
		{"no file system", func() error { _, err := layers.OpenFS(nil, "."); return err }, []string{"file system"}},
		{"a path out of the file system", opened(fstest.MapFS{}, "../model.gguf"), []string{"../model.gguf"}},
		{"an empty folder", opened(fstest.MapFS{"a/b": file(nil)}, "a"), []string{"config.json"}},
		{"a folder without weights", opened(fstest.MapFS{"config.json": file(config)}, "."), []string{"model.safetensors"}},
		{"a file of another kind", opened(fstest.MapFS{"model.pth": file(weights)}, "model.pth"), []string{"model.pth"}},
		{"an option of graphs", func() error { _, err := layers.Open(native, graph.Decode(3)); return err }, []string{"Decode"}},
		{"a config that is no JSON", folder([]byte("vocab_size: 5"), weights), []string{"config.json"}},
		{"a config that is empty", folder(nil, weights), []string{"config.json"}},
		{"a config of nothing", folder([]byte("{}"), weights), []string{"config.json"}},
		{"a config with a field of its own", edited(config, "sliding_window", 4), []string{"config.json", "sliding_window"}},
		{"a config with a number too large", edited(config, "vocab_size", 1e300), []string{"config.json", "vocab_size"}},
		{"a config with half a token", edited(config, "vocab_size", 5.5), []string{"config.json", "vocab_size"}},
		{"a config with words for numbers", edited(config, "d_model", "8"), []string{"config.json", "d_model"}},
		{"a config with other weights", edited(config, "vocab_size", 6), []string{"token_embeddings.weight is (5, 8), want (6, 8)"}},
		{"a config with a layer more", edited(config, "num_layers", 2), []string{"missing layers.1"}},
		{"a config with an unknown activation", edited(config, "activation", "mish"), []string{"mish"}},
		{"weights cut short", folder(config, weights[:len(weights)-4]), []string{"model.safetensors"}},
		{"weights of nothing", folder(config, nil), []string{"model.safetensors"}},
		{"Hugging Face's with another activation", edited(hf, "hidden_act", "relu6"), []string{"hidden_act", "relu6"}},
		{"Hugging Face's with scaled positions", edited(hf, "rope_scaling", map[string]any{"rope_type": "yarn", "factor": 4}), []string{"rope"}},
		{"Hugging Face's of another kind", edited(hf, "model_type", "mamba"), []string{"mamba"}},
		{"Hugging Face's with half a head", edited(hf, "head_dim", 3), []string{"head"}},
		{"llama2.c's of nothing", opened(fstest.MapFS{"m.bin": file(nil)}, "m.bin"), []string{"m.bin"}},
		{"llama2.c's cut short", opened(fstest.MapFS{"m.bin": file(bin[:len(bin)-4])}, "m.bin"), []string{"m.bin"}},
		{"llama2.c's with a byte more", opened(fstest.MapFS{"m.bin": file(append(bytes.Clone(bin), 0))}, "m.bin"), []string{"m.bin"}},
		{"llama2.c's of a negative width", opened(fstest.MapFS{"m.bin": file(word(bin, 0, -8))}, "m.bin"), []string{"m.bin", "-8"}},
		{"llama2.c's of sizes that overflow", opened(fstest.MapFS{"m.bin": file(word(word(bin, 0, 1<<30), 4, 1<<30))}, "m.bin"), []string{"m.bin"}},
		{"llama2.c's of a later version", opened(fstest.MapFS{"m.bin": file(word(bin, 0, 0x616b3432))}, "m.bin"), []string{"m.bin"}},
		{"GGUF of nothing", opened(fstest.MapFS{"m.gguf": file(nil)}, "m.gguf"), []string{"m.gguf"}},
		{"GGUF cut short", opened(fstest.MapFS{"m.gguf": file(gguf[:len(gguf)-4])}, "m.gguf"), []string{"m.gguf"}},
		{"GGUF of another version", opened(fstest.MapFS{"m.gguf": file(word(gguf, 4, 99))}, "m.gguf"), []string{"m.gguf", "99"}},
		{"GGUF of a tensor too many", opened(fstest.MapFS{"m.gguf": file(word(gguf, 8, int32(binary.LittleEndian.Uint32(gguf[8:])+1)))}, "m.gguf"), []string{"m.gguf"}},
		{"GGUF of tensors without end", opened(fstest.MapFS{"m.gguf": file(word(gguf, 12, -1))}, "m.gguf"), []string{"m.gguf"}},
		{"Write of no model", write(layers.Export{}, "w", nil), []string{"model"}},
		{"Write of the zero model", write(layers.Export{}, "w", new(layers.TransformerLM)), []string{"model"}},
		{"Write in an unknown format", write(layers.Export{Format: 44}, "w", m), []string{"format 44"}},
		{"Write of unknown numbers", write(layers.Export{Numbers: 44}, "w", m), []string{"44"}},
		{"Write of halves for llama2.c", write(layers.Export{Format: layers.Llama2C, Numbers: layers.F16}, "w.bin", m), []string{"llama2c", "f16"}},
		{"Write of blocks in safetensors", write(layers.Export{Numbers: layers.Q8_0}, "w", m), []string{"native", "q8_0"}},
		{"Write of a tokenizer for llama2.c", write(layers.Export{Format: layers.Llama2C, Tokenizer: []byte("{}")}, "w.bin", m), []string{"tokenizer"}},
		{"Write of shards in GGUF", write(layers.Export{Format: layers.GGUF, ShardSize: 100}, "w.gguf", m), []string{"gguf", "no shards"}},
		{"Write of shards of negative size", write(layers.Export{ShardSize: -1}, "w", m), []string{"-1"}},
		{"Write below a file", write(layers.Export{}, "model.bin/w", m), []string{"model.bin"}},
		{"Write in GGUF of a tokenizer that is none", write(layers.Export{Format: layers.GGUF, Tokenizer: []byte("{}")}, "w.gguf", m), []string{"tokenizer"}},
		{"opened and run with a token too large", func() error {
			m, err := layers.Open(native)
			if err != nil {
				return nil
			}
			d, err := graph.NewDecoder(m.Forward, 8)
			if err != nil {
				return nil
			}
			_, err = d.Next(context.Background(), 5)
			return err
		}, []string{"token_embeddings", "token 5"}},
	}
}
