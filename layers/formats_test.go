package layers_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/half"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/text"
)

var (
	tinyLlama = layers.Config{
		VocabSize: 11, ContextLength: 7, DModel: 32, NumLayers: 2, NumHeads: 4, NumKVHeads: 2, DFF: 12,
	}
	tinyGPT2 = layers.Config{
		VocabSize: 11, ContextLength: 7, DModel: 20, NumLayers: 2, NumHeads: 4, DFF: 36, Dropout: 0.25,
		Activation: layers.GELUTanh, Norm: layers.NormLayer, Position: layers.Learned, Bias: true, TieEmbeddings: true,
	}
)

// with returns c after a change.
func with(c layers.Config, change func(c *layers.Config)) layers.Config {
	change(&c)
	return c
}

// random makes a model whose parameters, gains and biases included, are random.
func random(t testing.TB, c layers.Config, opts ...graph.Option) *layers.TransformerLM {
	t.Helper()
	ps := graph.NewParams(3, opts...)
	m, err := layers.NewTransformerLM(ps.Root(), c)
	if err != nil {
		t.Fatal(err)
	}
	other := graph.NewParams(4, opts...)
	for name, p := range ps.All() {
		v := other.Root().Param(name, graph.Normal(0.3), p.Shape()...).Value()
		if err := tensor.Copy(p.Value().(*tensor.Dense), v.(*tensor.Dense)); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// values returns all weights of a model by name.
func values(m *layers.TransformerLM) map[string][]float32 {
	out := make(map[string][]float32)
	for name, p := range m.Params.All() {
		out[name] = p.Value().Data().([]float32)
	}
	return out
}

func same(a, b map[string][]float32) bool { return maps.EqualFunc(a, b, slices.Equal) }

// export writes m below a new folder and returns where.
func export(t testing.TB, e layers.Export, name string, m *layers.TransformerLM) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := e.Write(path, m); err != nil {
		t.Fatal(err)
	}
	return path
}

// places are where each format puts a model.
var places = []struct {
	format layers.Format
	name   string
}{
	{layers.Native, "folder"}, {layers.Native, "m.safetensors"}, {layers.HuggingFace, "hf"},
	{layers.Llama2C, "m.bin"}, {layers.GGUF, "m.gguf"},
}

// A model comes back from every format that can hold it, with every bit of its weights and of its logits.
func TestFormatsKeepEveryBit(t *testing.T) {
	llama, gpt2 := tinyLlama, tinyGPT2
	for _, c := range []struct {
		name   string
		config layers.Config
		places []int // besides those of the native format
	}{
		{"llama", llama, []int{2, 3, 4}},
		{"tied llama", with(llama, func(c *layers.Config) { c.TieEmbeddings = true }), []int{2, 3, 4}},
		{"llama with biases", with(llama, func(c *layers.Config) { c.Bias = true }), []int{2, 4}},
		{"llama of other constants", with(llama, func(c *layers.Config) { c.NormEps, c.RoPETheta = 1e-6, 500000 }), []int{2, 4}},
		{"gpt2", gpt2, []int{2, 4}},
		{"untied gpt2", with(gpt2, func(c *layers.Config) { c.TieEmbeddings, c.NormEps, c.Dropout = false, 1e-6, 0 }), []int{2, 4}},
		{"untied gpt2 of ReLU", with(gpt2, func(c *layers.Config) { c.TieEmbeddings, c.Activation = false, layers.ReLU }), []int{2}},
		{"neither", with(gpt2, func(c *layers.Config) {
			c.Bias, c.Norm, c.Position, c.NumKVHeads, c.Dropout, c.Checkpoint = false, layers.NormRMS, layers.Unordered, 2, 0.5, true
		}), nil},
		{"split llama", with(llama, func(c *layers.Config) { c.SplitRoPE = true }), nil},
	} {
		m := random(t, c.config)
		tokens := []int{1, 5, 10, 0, 3}
		want := logits(t, m, tokens...)
		for i, p := range places {
			e := layers.Export{Format: p.format}
			if i > 1 && !slices.Contains(c.places, i) {
				if c.name != "split llama" && e.Write(filepath.Join(t.TempDir(), p.name), m) == nil {
					t.Errorf("%s: %v takes a model that it cannot hold", c.name, p.format)
				}
				continue
			}
			got, config := open(t, export(t, e, p.name, m)), m.Config
			if p.format == layers.GGUF {
				config.Dropout = 0 // has no place there
			}
			if got.Config != config {
				t.Errorf("%s: %v: %+v, want %+v", c.name, p.format, got.Config, config)
			}
			if !same(values(got), values(m)) {
				t.Errorf("%s: %v: weights differ", c.name, p.format)
			}
			// Without its Dropout a model runs other kernels, which add up to other bits.
			if got.Config.Dropout == m.Config.Dropout && !slices.Equal(logits(t, got, tokens...), want) {
				t.Errorf("%s: %v: logits differ", c.name, p.format)
			}
		}
	}
}

// A model whose rotary positions pair elements half a head apart becomes one that pairs neighbours, and computes the
// same. Files do not tell the two apart.
func TestSplitModelsBecomePaired(t *testing.T) {
	for _, bias := range []bool{false, true} {
		m := random(t, with(tinyLlama, func(c *layers.Config) { c.SplitRoPE, c.Bias = true, bias }))
		tokens := []int{1, 5, 10, 0, 3}
		want := logits(t, m, tokens...)
		for _, p := range places[2:] {
			if bias && p.format == layers.Llama2C {
				continue // it has none
			}
			e := layers.Export{Format: p.format}
			path := export(t, e, p.name, m)
			got := open(t, path)
			if got.Config.SplitRoPE {
				t.Errorf("%v: SplitRoPE", p.format)
			}
			for i, v := range logits(t, got, tokens...) {
				if d := math.Abs(float64(v - want[i])); d > 1e-5 {
					t.Fatalf("%v: logit %d is %v, want %v", p.format, i, v, want[i])
				}
			}
			again := export(t, e, p.name, got)
			if info, _ := os.Stat(path); info.IsDir() {
				path, again = filepath.Join(path, "model.safetensors"), filepath.Join(again, "model.safetensors")
			}
			if !slices.Equal(read(t, path), read(t, again)) {
				t.Errorf("%v: the model that was read makes another file", p.format)
			}
		}
	}
}

// Hugging Face's files have the names, the shapes and the order of numbers that its models want.
func TestHuggingFaceLayout(t *testing.T) {
	const dim, heads, head = 32, 4, 8
	m := random(t, tinyLlama)
	tensors := safetensorsIn(t, filepath.Join(export(t, layers.Export{Format: layers.HuggingFace}, "hf", m), "model.safetensors"))
	names := []string{"lm_head.weight", "model.embed_tokens.weight", "model.norm.weight"}
	for _, l := range []string{"model.layers.0.", "model.layers.1."} {
		for _, n := range []string{"input_layernorm", "post_attention_layernorm", "mlp.down_proj", "mlp.gate_proj", "mlp.up_proj",
			"self_attn.k_proj", "self_attn.o_proj", "self_attn.q_proj", "self_attn.v_proj"} {
			names = append(names, l+n+".weight")
		}
	}
	if got := slices.Sorted(maps.Keys(tensors)); !slices.Equal(got, slices.Sorted(slices.Values(names))) {
		t.Errorf("tensors %q, want %q", got, names)
	}
	// As in the script of Transformers that converts Llama: view(heads, dim/heads/2, 2, dim).transpose(1, 2).
	q, want := tensors["model.layers.1.self_attn.q_proj.weight"], values(m)["layers.1.attn.q_proj.weight"]
	for h := range heads {
		for j := range head / 2 {
			for s := range 2 {
				from, to := (h*head+2*j+s)*dim, (h*head+s*head/2+j)*dim
				if !slices.Equal(q[to:to+dim], want[from:from+dim]) {
					t.Fatalf("row %d of head %d is not where Hugging Face has it", 2*j+s, h)
				}
			}
		}
	}
	// Biases turn as the rows that they belong to, and no other tensors than those of the projections have one.
	m = random(t, with(tinyLlama, func(c *layers.Config) { c.Bias = true }))
	tensors = safetensorsIn(t, filepath.Join(export(t, layers.Export{Format: layers.HuggingFace}, "hf", m), "model.safetensors"))
	for _, n := range slices.Clone(names) {
		if strings.Contains(n, "_proj.") {
			names = append(names, strings.Replace(n, ".weight", ".bias", 1))
		}
	}
	if got := slices.Sorted(maps.Keys(tensors)); !slices.Equal(got, slices.Sorted(slices.Values(names))) {
		t.Errorf("tensors %q, want %q", got, names)
	}
	k, bias := tensors["model.layers.0.self_attn.k_proj.bias"], values(m)["layers.0.attn.k_proj.bias"]
	for r, v := range bias {
		if h, i := r/head, r%head; k[h*head+i%2*head/2+i/2] != v {
			t.Fatalf("bias %d of head %d is not where Hugging Face has it", i, h)
		}
	}
	// A Conv1D is (in, out), and c_attn has queries, keys and values side by side.
	const wide = 20
	m = random(t, tinyGPT2)
	tensors = safetensorsIn(t, filepath.Join(export(t, layers.Export{Format: layers.HuggingFace}, "hf", m), "model.safetensors"))
	attn, bias := tensors["transformer.h.1.attn.c_attn.weight"], tensors["transformer.h.1.attn.c_attn.bias"]
	for k, name := range []string{"q", "k", "v"} {
		w, b := values(m)["layers.1.attn."+name+"_proj.weight"], values(m)["layers.1.attn."+name+"_proj.bias"]
		for out := range wide {
			if bias[k*wide+out] != b[out] {
				t.Fatalf("bias %d of %s differs", out, name)
			}
			for in := range wide {
				if attn[in*3*wide+k*wide+out] != w[out*wide+in] {
					t.Fatalf("weight (%d, %d) of %s differs", out, in, name)
				}
			}
		}
	}
}

// safetensorsIn reads the tensors of a file of float32 as the format is defined, and by no other code.
func safetensorsIn(t testing.TB, path string) map[string][]float32 {
	t.Helper()
	data := read(t, path)
	n := binary.LittleEndian.Uint64(data)
	var header map[string]struct {
		Offsets []int `json:"data_offsets"`
	}
	if err := json.Unmarshal(data[8:8+n], &header); err != nil {
		t.Fatal(err)
	}
	delete(header, "__metadata__")
	out := make(map[string][]float32)
	for name, info := range header {
		for at := info.Offsets[0]; at < info.Offsets[1]; at += 4 {
			out[name] = append(out[name], math.Float32frombits(binary.LittleEndian.Uint32(data[8+int(n)+at:])))
		}
	}
	return out
}

// Weights in 16 bits are those in 32, rounded, and then stay as they are.
func TestNumbers(t *testing.T) {
	m := random(t, tinyLlama)
	for _, n := range []struct {
		numbers layers.Numbers
		round   func(float32) float32
	}{
		{layers.F16, func(x float32) float32 { return half.FromF16(half.ToF16(x)) }},
		{layers.BF16, func(x float32) float32 { return half.FromBF16(half.ToBF16(x)) }},
	} {
		for _, p := range []int{0, 1, 2, 4} {
			e := layers.Export{Format: places[p].format, Numbers: n.numbers}
			got := open(t, export(t, e, places[p].name, m))
			for name, want := range values(m) {
				for i, v := range values(got)[name] {
					w := n.round(want[i])
					if p == 4 && len(m.Params.Get(name).Shape()) == 1 {
						w = want[i]
					}
					if v != w {
						t.Fatalf("%v in %v: %s[%d] is %v, want %v", e.Format, n.numbers, name, i, v, w)
					}
				}
			}
			if again := open(t, export(t, e, places[p].name, got)); !same(values(again), values(got)) {
				t.Errorf("%v in %v: weights change once more", e.Format, n.numbers)
			}
		}
	}
	// Rows of 32 become blocks, which are off by half a step of 1/127 of the largest number, and w2 has rows of 12.
	got := values(open(t, export(t, layers.Export{Format: layers.GGUF, Numbers: layers.Q8_0}, "m.gguf", m)))
	for name, want := range values(m) {
		for i, v := range got[name] {
			off, step := math.Abs(float64(v-want[i])), 2.0/127
			switch {
			case len(m.Params.Get(name).Shape()) == 1:
				step = 0
			case strings.Contains(name, "w2"):
				step = math.Abs(float64(want[i])) / 1024
			}
			if off > step/2+1e-7 {
				t.Fatalf("%s[%d] is %v, want %v", name, i, v, want[i])
			}
		}
	}
	// Models in float64 are rounded to float32.
	precise := random(t, tinyGPT2, graph.DType(tensor.Float64))
	back := open(t, export(t, layers.Export{Format: layers.HuggingFace}, "hf", precise), graph.DType(tensor.Float64))
	for name, p := range precise.Params.All() {
		for i, v := range back.Params.Get(name).Value().Data().([]float64) {
			if w := float64(float32(p.Value().Data().([]float64)[i])); v != w {
				t.Fatalf("%s[%d] is %v, want %v", name, i, v, w)
			}
		}
	}
}

// Every field of an Export has an effect, or is refused.
func TestExportRefuses(t *testing.T) {
	of := func(c layers.Config, change func(c *layers.Config)) *layers.TransformerLM {
		return random(t, with(c, change))
	}
	m, tokenizer := random(t, tinyLlama), []byte(`{"added_tokens":[],"model":{"type":"WordLevel"}}`)
	for _, c := range []struct {
		e    layers.Export
		path string
		m    *layers.TransformerLM
		want string
	}{
		{layers.Export{}, "m", nil, "no model"},
		{layers.Export{}, "m", &layers.TransformerLM{}, ""},
		{layers.Export{Format: 9}, "m", m, "format 9"},
		{layers.Export{Numbers: 9}, "m", m, "numbers 9"},
		{layers.Export{Numbers: layers.Q8_0}, "m", m, "q8_0"},
		{layers.Export{Format: layers.HuggingFace, Numbers: layers.Q8_0}, "m", m, "q8_0"},
		{layers.Export{Format: layers.Llama2C, Numbers: layers.BF16}, "m.bin", m, "bf16"},
		{layers.Export{Format: layers.Llama2C, Tokenizer: tokenizer}, "m.bin", m, "tokenizer"},
		{layers.Export{Tokenizer: tokenizer}, "m.safetensors", m, "tokenizer"},
		{layers.Export{Tokenizer: []byte("{")}, "m", m, "no JSON"},
		{layers.Export{ShardSize: -1}, "m", m, "shards of -1"},
		{layers.Export{ShardSize: 1 << 20}, "m.safetensors", m, "a single file has no shards"},
		{layers.Export{Format: layers.Llama2C, ShardSize: 1 << 20}, "m.bin", m, "no shards"},
		{layers.Export{Format: layers.GGUF, ShardSize: 1 << 20}, "m.gguf", m, "no shards"},
		{layers.Export{Format: layers.GGUF, Tokenizer: tokenizer}, "m.gguf", m, "WordLevel"},
		{layers.Export{Format: layers.GGUF}, "m.gguf", of(tinyLlama, func(c *layers.Config) { c.Norm = layers.NormLayer }), "layernorm"},
		{layers.Export{Format: layers.GGUF}, "m.gguf", of(tinyGPT2, func(c *layers.Config) { c.Activation = layers.GELU }), "gelu_tanh"},
		{layers.Export{Format: layers.GGUF}, "m.gguf", of(tinyGPT2, func(c *layers.Config) { c.NumKVHeads = 2 }), "2 heads"},
		{layers.Export{Format: layers.Llama2C}, "m.bin", random(t, tinyGPT2), "layernorm"},
		{layers.Export{Format: layers.Llama2C}, "m.bin", random(t, with(tinyLlama, func(c *layers.Config) { c.NormEps = 1e-6 })), "NormEps"},
		{layers.Export{Format: layers.Llama2C}, "m.bin", of(tinyLlama, func(c *layers.Config) { c.Bias = true }), "Bias"},
		{layers.Export{Format: layers.HuggingFace}, "m", of(tinyGPT2, func(c *layers.Config) { c.Bias = false }), "Bias"},
	} {
		dir := t.TempDir()
		err := c.e.Write(filepath.Join(dir, c.path), c.m)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want an error with %q", c.e, err, c.want)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
			t.Errorf("%+v leaves %q", c.e, left)
		}
	}
	custom := random(t, tinyLlama)
	custom.Layers[1].FFN = layers.NewFFN(custom.Params.Root().At("mine"), 32, 8, layers.ReLU)
	custom.Layers[0].Norm2 = custom.Layers[1]
	if err := (layers.Export{}).Write(t.TempDir(), custom); err == nil || !strings.Contains(err.Error(), "layers.0.ln2 is a *layers.Block") {
		t.Errorf("%v, want an error that names the layer", err)
	}
}

// A tokenizer goes along, with the tokens that begin and end texts.
func TestExportTokenizer(t *testing.T) {
	tok, err := text.NewBPE(text.BPEConfig{Special: map[string]int{text.EndOfText: 256}})
	if err != nil {
		t.Fatal(err)
	}
	var tokenizer bytes.Buffer
	if err := text.Save(&tokenizer, tok); err != nil {
		t.Fatal(err)
	}
	m := random(t, with(tinyLlama, func(c *layers.Config) { c.VocabSize = tok.VocabSize() }))
	end, _ := tok.Special(text.EndOfText)
	for _, f := range []layers.Format{layers.Native, layers.HuggingFace} {
		dir := export(t, layers.Export{Format: f, Tokenizer: tokenizer.Bytes()}, "m", m)
		if !bytes.Equal(read(t, filepath.Join(dir, "tokenizer.json")), tokenizer.Bytes()) {
			t.Errorf("%v: tokenizer.json differs", f)
		}
		if open(t, dir).Config != m.Config {
			t.Errorf("%v: the config differs", f)
		}
		if f == layers.Native {
			continue
		}
		for file, want := range map[string]map[string]any{
			"config.json":            {"bos_token_id": end, "eos_token_id": end, "torch_dtype": "float32", "model_type": "llama"},
			"generation_config.json": {"bos_token_id": end, "eos_token_id": end},
			"tokenizer_config.json":  {"bos_token": text.EndOfText, "eos_token": text.EndOfText, "tokenizer_class": "PreTrainedTokenizerFast"},
		} {
			var got map[string]any
			if err := json.Unmarshal(read(t, filepath.Join(dir, file)), &got); err != nil {
				t.Fatal(err)
			}
			for key, v := range want {
				if string(marshal(t, got[key])) != string(marshal(t, v)) {
					t.Errorf("%s: %s is %v, want %v", file, key, got[key], v)
				}
			}
		}
	}
	path := export(t, layers.Export{Format: layers.GGUF, Tokenizer: tokenizer.Bytes()}, "m.gguf", m)
	if got := open(t, path); got.Config != m.Config || !same(values(got), values(m)) {
		t.Error("gguf: the model differs")
	}
	for _, part := range []string{"tokenizer.ggml.tokens", text.EndOfText, "tokenizer.ggml.eos_token_id"} {
		if !bytes.Contains(read(t, path), []byte(part)) {
			t.Errorf("gguf: no %s", part)
		}
	}
}
