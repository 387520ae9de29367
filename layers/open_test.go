package layers_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/logits-go/logits/layers"
)

// edit changes keys of a JSON file; nil removes one.
func edit(t *testing.T, path string, change map[string]any) {
	t.Helper()
	var values map[string]any
	if err := json.Unmarshal(read(t, path), &values); err != nil {
		t.Fatal(err)
	}
	for key, v := range change {
		if values[key] = v; v == nil {
			delete(values, key)
		}
	}
	write(t, path, marshal(t, values))
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// wants fails the test unless err has all parts.
func wants(t *testing.T, what string, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v, want an error with %q", what, err, part)
		}
	}
}

// Settings of Hugging Face that a model cannot follow are named, and those that change nothing pass.
func TestHuggingFaceSettings(t *testing.T) {
	type object = map[string]any
	biased := with(tinyLlama, func(c *layers.Config) { c.Bias = true })
	for _, c := range []struct {
		config layers.Config
		change object
		want   []string // nil means that the model opens
	}{
		{tinyLlama, object{"torch_dtype": "bfloat16", "use_cache": true, "initializer_range": 0.02, "attention_dropout": 0.1}, nil},
		{tinyLlama, object{"rope_scaling": object{"rope_type": "default"}, "pretraining_tp": 1, "hidden_act": "swish"}, nil},
		{tinyLlama, object{"num_experts": json.RawMessage("null"), "head_dim": json.RawMessage("null")}, nil},
		{tinyLlama, object{"rope_theta": nil, "rope_parameters": object{"rope_theta": 10000, "rope_type": "default"}}, nil},
		{tinyLlama, object{"rope_scaling": object{"type": "linear", "factor": 2}}, []string{"rope_scaling type linear", "rope_scaling factor 2"}},
		{tinyLlama, object{"rope_parameters": object{"rope_theta": 5e5, "partial_rotary_factor": 0.5}}, []string{"partial_rotary_factor 0.5"}},
		{biased, object{"attention_bias": true, "mlp_bias": true}, nil},
		{tinyLlama, object{"attention_bias": true, "mlp_bias": true}, []string{
			"missing model.layers.0.self_attn.k_proj.bias", "missing model.layers.1.mlp.gate_proj.bias",
		}},
		{biased, object{"attention_bias": false, "mlp_bias": nil}, []string{
			"unknown model.layers.0.self_attn.o_proj.bias", "unknown model.layers.1.mlp.down_proj.bias",
		}},
		{biased, object{"mlp_bias": nil}, []string{"attention_bias true with mlp_bias false"}},
		{biased, object{"attention_bias": false}, []string{"attention_bias false with mlp_bias true"}},
		{biased, object{"mlp_bias": "yes"}, []string{`mlp_bias is "yes"`}},
		{tinyLlama, object{"hidden_act": "gelu"}, []string{`hidden_act "gelu"`}},
		{tinyLlama, object{"head_dim": 16}, []string{"head_dim 16"}},
		{tinyLlama, object{"pretraining_tp": 2}, []string{"pretraining_tp 2"}},
		{tinyLlama, object{"sliding_window": 4096}, []string{"sliding_window 4096"}},
		{tinyLlama, object{"quantization_config": object{"bits": 4}}, []string{`quantization_config {"bits":4}`}},
		{tinyLlama, object{"architectures": []string{"LlamaForSequenceClassification"}}, []string{"LlamaForSequenceClassification"}},
		{tinyLlama, object{"hidden_size": nil, "vocab_size": -1}, []string{"hidden_size is missing", "vocab_size is -1"}},
		{tinyLlama, object{"hidden_size": "32"}, []string{`hidden_size is "32"`}},
		{tinyLlama, object{"rms_norm_eps": 0}, []string{"rms_norm_eps is 0"}},
		{tinyLlama, object{"num_key_value_heads": 3}, []string{"3 heads"}},
		{tinyLlama, object{"model_type": "mistral"}, []string{`model_type "mistral"`}},
		{tinyLlama, object{"model_type": 3}, []string{"model_type"}},
		{tinyLlama, object{"model_type": nil}, []string{"neither"}},
		{tinyGPT2, object{"n_inner": nil, "summary_type": "cls_index", "task_specific_params": object{}}, []string{"mlp.c_fc"}}, // 4·20, not 36
		{tinyGPT2, object{"attn_pdrop": 0.1}, nil},
		{tinyGPT2, object{"activation_function": "gelu_pytorch_tanh"}, nil},
		{tinyGPT2, object{"activation_function": "tanh"}, []string{`activation_function "tanh"`}},
		{tinyGPT2, object{"scale_attn_by_inverse_layer_idx": true}, []string{"scale_attn_by_inverse_layer_idx true"}},
		{tinyGPT2, object{"scale_attn_weights": false}, []string{"scale_attn_weights false"}},
		{tinyGPT2, object{"embd_pdrop": 0.1}, []string{"embd_pdrop 0.1"}},
		{tinyGPT2, object{"n_ctx": 3}, []string{"n_ctx 3"}},
	} {
		dir := export(t, layers.Export{Format: layers.HuggingFace}, "hf", random(t, c.config))
		edit(t, filepath.Join(dir, "config.json"), c.change)
		m, err := layers.Open(dir)
		if c.want != nil {
			wants(t, fmt.Sprint(c.change), err, c.want...)
		} else if want, _ := c.config.WithDefaults(); err != nil || m.Config != want {
			t.Errorf("%v: %+v, %v, want %+v", c.change, m, err, want)
		}
	}
}

// Tensors that are missing, unknown or misshapen are listed, all of them.
func TestOpenListsTensors(t *testing.T) {
	for _, c := range []struct {
		config layers.Config
		wrong  []string
	}{
		{with(tinyLlama, func(c *layers.Config) { c.NumLayers, c.DFF = 3, 16 }), []string{
			"model.layers.0.mlp.down_proj.weight is (32, 12), want (32, 16)", "model.layers.1.mlp.up_proj.weight is (12, 32), want (16, 32)",
			"missing model.layers.2.self_attn.q_proj.weight", "missing model.layers.2.input_layernorm.weight",
		}},
		{with(tinyLlama, func(c *layers.Config) { c.NumLayers, c.TieEmbeddings = 1, true }), []string{
			"unknown model.layers.1.self_attn.q_proj.weight", "unknown lm_head.weight",
		}},
	} {
		dir := export(t, layers.Export{Format: layers.HuggingFace}, "hf", random(t, tinyLlama))
		other := export(t, layers.Export{Format: layers.HuggingFace}, "hf", random(t, c.config))
		write(t, filepath.Join(dir, "config.json"), read(t, filepath.Join(other, "config.json")))
		_, err := layers.Open(dir)
		wants(t, "another config", err, c.wrong...)
	}
}

// Files of GPT-2 with bare names and masks, of tied models with an output layer, and in shards, are as good as others.
func TestFilesVary(t *testing.T) {
	gpt2, llama := random(t, tinyGPT2), random(t, with(tinyLlama, func(c *layers.Config) { c.TieEmbeddings = true }))
	vary := func(m *layers.TransformerLM, change func(tensors map[string][]float32)) string {
		dir := export(t, layers.Export{Format: layers.HuggingFace}, "hf", m)
		path := filepath.Join(dir, "model.safetensors")
		tensors := safetensorsIn(t, path)
		shapes := shapesIn(t, path)
		change(tensors)
		if len(tensors) == 0 {
			return dir
		}
		for name := range tensors {
			if shapes[name] == nil {
				if shapes[name] = shapes["transformer."+name]; shapes[name] == nil {
					shapes[name] = shapes["model.embed_tokens.weight"]
				}
			}
			if shapes[name] == nil {
				shapes[name] = []int{len(tensors[name])}
			}
		}
		write(t, path, safetensorsOf(t, tensors, shapes))
		return dir
	}
	bare := vary(gpt2, func(tensors map[string][]float32) {
		for name, v := range maps.Clone(tensors) {
			delete(tensors, name)
			tensors[strings.TrimPrefix(name, "transformer.")] = v
		}
		tensors["h.0.attn.bias"], tensors["h.1.attn.masked_bias"] = []float32{1}, []float32{2}
	})
	if got := open(t, bare); !same(values(got), values(gpt2)) {
		t.Error("bare names: weights differ")
	}
	head := vary(llama, func(tensors map[string][]float32) { tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"] })
	if got := open(t, head); !same(values(got), values(llama)) {
		t.Error("with an output layer: weights differ")
	}
	_, err := layers.Open(vary(llama, func(tensors map[string][]float32) {
		tensors["lm_head.weight"] = slices.Clone(tensors["model.embed_tokens.weight"])
		tensors["lm_head.weight"][5]++
	}))
	wants(t, "an output layer that differs", err, "unknown lm_head.weight")

	shards := vary(llama, func(tensors map[string][]float32) { clear(tensors) })
	path := filepath.Join(shards, "model.safetensors")
	tensors, shapes := safetensorsIn(t, path), shapesIn(t, path)
	places, parts := map[string]string{}, [2]map[string][]float32{{}, {}}
	for i, name := range slices.Sorted(maps.Keys(tensors)) {
		parts[i%2][name] = tensors[name]
		places[name] = fmt.Sprintf("model-%d.safetensors", i%2)
	}
	for i, part := range parts {
		write(t, filepath.Join(shards, fmt.Sprintf("model-%d.safetensors", i)), safetensorsOf(t, part, shapes))
	}
	write(t, path+".index.json", marshal(t, map[string]any{"metadata": map[string]any{}, "weight_map": places}))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if got := open(t, shards); !same(values(got), values(llama)) {
		t.Error("shards: weights differ")
	}
}

// safetensorsOf is the reverse of safetensorsIn.
func safetensorsOf(t testing.TB, tensors map[string][]float32, shapes map[string][]int) []byte {
	t.Helper()
	header, data := map[string]any{}, []byte{}
	for name, v := range tensors {
		header[name] = map[string]any{"dtype": "F32", "shape": shapes[name], "data_offsets": []int{len(data), len(data) + 4*len(v)}}
		data, _ = binary.Append(data, binary.LittleEndian, v)
	}
	text := marshal(t, header)
	return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text, data)
}

func shapesIn(t testing.TB, path string) map[string][]int {
	t.Helper()
	data := read(t, path)
	var header map[string]struct{ Shape []int }
	if err := json.Unmarshal(data[8:8+binary.LittleEndian.Uint64(data)], &header); err != nil {
		t.Fatal(err)
	}
	shapes := make(map[string][]int)
	for name, info := range header {
		shapes[name] = info.Shape
	}
	return shapes
}

// A file that is cut short is an error, wherever that is.
func TestCutFiles(t *testing.T) {
	c := layers.Config{VocabSize: 3, ContextLength: 2, DModel: 4, NumLayers: 1, NumHeads: 2, DFF: 2}
	for _, p := range places {
		path := export(t, layers.Export{Format: p.format}, p.name, random(t, c))
		if info, _ := os.Stat(path); info.IsDir() {
			path = filepath.Join(path, "model.safetensors")
		}
		whole := read(t, path)
		for n := range whole {
			if n > 400 && n%17 != 0 && n < len(whole)-100 {
				continue
			}
			write(t, path, whole[:n])
			dir := path
			if p.format == layers.HuggingFace || p.name == "folder" {
				dir = filepath.Dir(path)
			}
			if _, err := layers.Open(dir); err == nil {
				t.Fatalf("%v: Open accepts %d of %d bytes", p.format, n, len(whole))
			}
		}
	}
}

// A small file that claims to be a large model is refused without the memory that it would take.
func TestHostileConfigs(t *testing.T) {
	dir := export(t, layers.Export{}, "m", random(t, tinyLlama))
	for _, change := range []map[string]any{
		{"vocab_size": 1 << 28, "d_model": 1 << 28},
		{"num_layers": 1 << 28},
		{"num_layers": 1000},
		{"d_ff": 1 << 28},
		{"num_layers": 1 << 28, "d_model": 1 << 28, "d_ff": 1 << 28, "vocab_size": 1 << 28},
		{"position": "learned", "context_length": 1 << 28, "rope_theta": nil},
		{"d_mode": 3},
		{"vocab_size": 1e30},
	} {
		config := filepath.Join(dir, "config.json")
		whole := read(t, config)
		edit(t, config, change)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := layers.Open(dir)
		runtime.ReadMemStats(&after)
		wants(t, fmt.Sprint(change), err, "")
		if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
			t.Errorf("%v: %d bytes of memory", change, used)
		}
		write(t, config, whole)
	}
	open(t, dir)
}

// Open says what it cannot open.
func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	_, err := layers.Open(filepath.Join(dir, "none"))
	wants(t, "nothing", err, "no such file")
	_, err = layers.Open(dir)
	wants(t, "an empty folder", err, "config.json")
	write(t, filepath.Join(dir, "m.pt"), nil)
	_, err = layers.Open(filepath.Join(dir, "m.pt"))
	wants(t, "another ending", err, ".gguf")
	write(t, filepath.Join(dir, "config.json"), marshal(t, tinyLlama))
	_, err = layers.Open(dir)
	wants(t, "no weights", err, "model.safetensors")
	folder := export(t, layers.Export{}, "m", random(t, tinyLlama))
	_, err = layers.Open(filepath.Join(folder, "model.safetensors"))
	wants(t, "a file without a config", err, "no config")
}
