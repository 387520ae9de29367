package layers_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/logits-go/logits/internal/gguf"
	"github.com/logits-go/logits/internal/half"
	"github.com/logits-go/logits/internal/weights"
	"github.com/logits-go/logits/layers"
)

// regguf writes a GGUF file anew with changes to its settings, of which nil removes one, and to its tensors.
func regguf(t testing.TB, path string, change map[string]any, tensors func(map[string]gguf.Source)) {
	t.Helper()
	values, held, err := gguf.Parse(read(t, path))
	if err != nil {
		t.Fatal(err)
	}
	for key, v := range change {
		if values[key] = v; v == nil {
			delete(values, key)
		}
	}
	var settings []gguf.Setting
	for _, key := range slices.Sorted(maps.Keys(values)) {
		settings = append(settings, gguf.Setting{Key: key, Value: values[key]})
	}
	sources := make(map[string]gguf.Source)
	for _, x := range held {
		sources[x.Name] = gguf.Source{Name: x.Name, DType: x.DType, Shape: x.Shape, Data: func() []byte { return x.Data }}
	}
	if tensors != nil {
		tensors(sources)
	}
	var list []gguf.Source
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		list = append(list, sources[name])
	}
	var b bytes.Buffer
	if err := gguf.Write(&b, settings, list); err != nil {
		t.Fatal(err)
	}
	write(t, path, b.Bytes())
}

// A GPT-2 has llama.cpp's names, shapes, types and order of numbers.
func TestGGUFLayout(t *testing.T) {
	const wide, inner = 20, 36
	m := random(t, with(tinyGPT2, func(c *layers.Config) { c.TieEmbeddings = false }))
	path := export(t, layers.Export{Format: layers.GGUF, Numbers: layers.F16}, "m.gguf", m)
	settings, tensors, err := gguf.Parse(read(t, path))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"general.architecture": "gpt2", "general.file_type": uint32(1), "gpt2.context_length": uint32(7),
		"gpt2.embedding_length": uint32(wide), "gpt2.block_count": uint32(2), "gpt2.feed_forward_length": uint32(inner),
		"gpt2.attention.head_count": uint32(4), "gpt2.attention.layer_norm_epsilon": float32(1e-5),
	} {
		if settings[key] != want {
			t.Errorf("%s is %v, want %v", key, settings[key], want)
		}
	}
	want := map[string]string{
		"token_embd.weight": "[11 20] F16", "position_embd.weight": "[7 20] F32", "output.weight": "[11 20] F16",
		"output_norm.weight": "[20] F32", "output_norm.bias": "[20] F32",
	}
	for i := range 2 {
		for name, shape := range map[string]string{
			"attn_norm": "[20]", "attn_qkv": "[60 20]", "attn_output": "[20 20]",
			"ffn_norm": "[20]", "ffn_up": "[36 20]", "ffn_down": "[20 36]",
		} {
			weight, rows := shape+" F16", strings.Fields(strings.Trim(shape, "[]"))[0]
			if strings.HasSuffix(name, "norm") {
				weight = shape + " F32"
			}
			want[fmt.Sprintf("blk.%d.%s.weight", i, name)], want[fmt.Sprintf("blk.%d.%s.bias", i, name)] = weight, "["+rows+"] F32"
		}
	}
	got, qkv := make(map[string]string), weights.Tensor{}
	for _, x := range tensors {
		if got[x.Name] = fmt.Sprint(x.Shape, " ", x.DType); x.Name == "blk.1.attn_qkv.weight" {
			qkv = x
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("tensors %v, want %v", got, want)
	}
	// Queries, keys and values lie one below the other, as rows.
	numbers := make([]float32, 3*wide*wide)
	weights.Read(numbers, qkv, 0)
	for k, name := range []string{"q", "k", "v"} {
		for i, v := range values(m)["layers.1.attn."+name+"_proj.weight"] {
			if got := numbers[k*wide*wide+i]; got != half.FromF16(half.ToF16(v)) {
				t.Fatalf("number %d of %s is %v, want %v", i, name, got, v)
			}
		}
	}
}

// Files in fewer bits are the model rounded, as far as llama.cpp rounds it.
func TestGGUFNumbersOfGPT2(t *testing.T) {
	m := random(t, with(tinyGPT2, func(c *layers.Config) { c.DModel, c.DFF, c.Dropout = 32, 40, 0 }))
	for _, n := range []layers.Numbers{layers.F16, layers.BF16, layers.Q8_0} {
		e := layers.Export{Format: layers.GGUF, Numbers: n}
		got := open(t, export(t, e, "m.gguf", m))
		if got.Config != m.Config {
			t.Errorf("%v: %+v, want %+v", n, got.Config, m.Config)
		}
		changed := 0
		for name, want := range values(m) {
			exact := len(m.Params.Get(name).Shape()) == 1 || name == "position_embeddings.weight"
			for i, v := range values(got)[name] {
				off := max(v-want[i], want[i]-v)
				if exact && off != 0 || off > 0.016 { // half a step of 1/127 of 2, or of 1/256
					t.Fatalf("%v: %s[%d] is %v, want %v", n, name, i, v, want[i])
				}
				if off != 0 {
					changed++
				}
			}
		}
		if changed == 0 {
			t.Errorf("%v: nothing is rounded", n)
		}
		if again := open(t, export(t, e, "m.gguf", got)); !same(values(again), values(got)) {
			t.Errorf("%v: weights change once more", n)
		}
	}
}

// Settings of llama.cpp that a model cannot follow are named, and those that change nothing pass.
func TestGGUFSettings(t *testing.T) {
	gpt2 := with(tinyGPT2, func(c *layers.Config) { c.Dropout = 0 })
	type object = map[string]any
	for _, c := range []struct {
		config layers.Config
		change object
		want   []string // nil means that the model opens
	}{
		{tinyLlama, object{"general.name": "x", "tokenizer.ggml.model": "llama", "llama.vocab_size": nil}, nil},
		{gpt2, object{"general.name": "x", "tokenizer.ggml.model": "gpt2", "gpt2.vocab_size": nil, "other.thing": true}, nil},
		{gpt2, object{"gpt2.attention.head_count_kv": uint32(4), "gpt2.attention.key_length": uint32(5)}, nil},
		{gpt2, object{"llama.rope.freq_base": float32(2)}, nil}, // which is not GPT-2's
		{tinyLlama, object{"llama.rope.freq_base": nil}, nil},
		{gpt2, object{"general.architecture": "gptneox"}, []string{"gptneox is not supported, want llama or gpt2"}},
		{gpt2, object{"general.architecture": nil}, []string{"general.architecture"}},
		{gpt2, object{"general.architecture": uint32(2)}, []string{"general.architecture 2"}},
		{gpt2, object{"general.architecture": "llama"}, []string{"llama.block_count is missing"}},
		{gpt2, object{"gpt2.attention.layer_norm_epsilon": nil}, []string{"gpt2.attention.layer_norm_epsilon is 0"}},
		{gpt2, object{"gpt2.attention.head_count_kv": uint32(2)}, []string{"gpt2.attention.head_count_kv 2"}},
		{gpt2, object{"gpt2.attention.value_length": uint32(8)}, []string{"gpt2.attention.value_length 8"}},
		{gpt2, object{"gpt2.attention.causal": false}, []string{"gpt2.attention.causal false"}},
		{gpt2, object{"gpt2.rope.freq_base": float32(10000)}, []string{"gpt2.rope.freq_base 10000"}},
		{gpt2, object{"gpt2.vocab_size": uint32(12)}, []string{"gpt2.vocab_size 12"}},
		{gpt2, object{"gpt2.context_length": uint32(0), "gpt2.block_count": "2"},
			[]string{"gpt2.context_length is 0", `gpt2.block_count is "2"`}},
		{gpt2, object{"gpt2.context_length": uint32(9)}, []string{"position_embd.weight is (7, 20), want (9, 20)"}},
		{gpt2, object{"gpt2.feed_forward_length": uint32(80)}, []string{"blk.1.ffn_up.weight is (36, 20), want (80, 20)"}},
		{gpt2, object{"gpt2.attention.head_count": uint32(3)}, []string{"3 heads"}},
		{gpt2, object{"gpt2.block_count": uint32(1 << 28), "gpt2.embedding_length": uint32(1 << 28)}, []string{"are no model"}},
		{gpt2, object{"gpt2.context_length": uint32(1 << 28)}, []string{"are no model"}},
		{gpt2, object{"split.count": uint32(3)}, []string{"split.count 3"}},
		{tinyLlama, object{"llama.rope.scaling.type": "yarn"}, []string{"llama.rope.scaling.type yarn"}},
		{tinyLlama, object{"llama.rope.dimension_count": uint32(4)}, []string{"llama.rope.dimension_count 4"}},
		{tinyLlama, object{"llama.expert_count": uint32(8)}, []string{"llama.expert_count 8"}},
	} {
		path := export(t, layers.Export{Format: layers.GGUF}, "m.gguf", random(t, c.config))
		regguf(t, path, c.change, nil)
		m, err := layers.Open(path)
		if c.want != nil {
			wants(t, fmt.Sprint(c.change), err, c.want...)
		} else if want, _ := c.config.WithDefaults(); err != nil || m.Config != want {
			t.Errorf("%v: %+v, %v, want %+v", c.change, m, err, want)
		}
	}
}

// A Llama has all biases or none.
func TestGGUFBiases(t *testing.T) {
	m := random(t, with(tinyLlama, func(c *layers.Config) { c.Bias = true }))
	for _, c := range []struct {
		without string
		want    []string
	}{
		{".weight", []string{"missing token_embd.weight"}},
		{"attn_q.bias", []string{"unknown blk.0.attn_k.bias", "unknown blk.1.ffn_up.bias"}},
		{"attn_output.bias", []string{"missing blk.0.attn_output.bias", "missing blk.1.attn_output.bias"}},
		{"1.ffn_gate.bias", []string{"missing blk.1.ffn_gate.bias"}},
	} {
		path := export(t, layers.Export{Format: layers.GGUF}, "m.gguf", m)
		regguf(t, path, nil, func(tensors map[string]gguf.Source) {
			maps.DeleteFunc(tensors, func(name string, _ gguf.Source) bool { return strings.HasSuffix(name, c.without) })
		})
		_, err := layers.Open(path)
		wants(t, "without "+c.without, err, c.want...)
	}
}

// Tensors of a GPT-2 that are missing, unknown or misshapen are listed, and an output layer that is the embedding once
// more, as earlier versions of llama.cpp want it, is none.
func TestGGUFTensorsOfGPT2(t *testing.T) {
	m := random(t, with(tinyGPT2, func(c *layers.Config) { c.Dropout = 0 }))
	for _, c := range []struct {
		what   string
		change func(tensors map[string]gguf.Source)
		want   []string
	}{
		{"a copy of the embedding", func(tensors map[string]gguf.Source) {
			tensors["output.weight"] = renamed(tensors["token_embd.weight"], "output.weight")
		}, nil},
		{"no biases", func(tensors map[string]gguf.Source) {
			maps.DeleteFunc(tensors, func(name string, _ gguf.Source) bool { return strings.HasSuffix(name, ".bias") })
		}, []string{"missing blk.0.attn_qkv.bias", "missing output_norm.bias"}},
		{"no embedding", func(tensors map[string]gguf.Source) {
			delete(tensors, "token_embd.weight")
		}, []string{"missing token_embd.weight"}},
		{"a vector for an embedding", func(tensors map[string]gguf.Source) {
			tensors["token_embd.weight"] = renamed(tensors["output_norm.bias"], "token_embd.weight")
		}, []string{"missing token_embd.weight"}},
		{"a buffer", func(tensors map[string]gguf.Source) {
			tensors["rope_freqs.weight"] = renamed(tensors["output_norm.bias"], "rope_freqs.weight")
		}, []string{"unknown rope_freqs.weight"}},
		{"no heads apart", func(tensors map[string]gguf.Source) {
			tensors["blk.0.attn_q.weight"] = renamed(tensors["blk.0.attn_output.weight"], "blk.0.attn_q.weight")
			delete(tensors, "blk.0.attn_qkv.weight")
		}, []string{"missing blk.0.attn_qkv.weight", "unknown blk.0.attn_q.weight"}},
		{"Hugging Face's order", func(tensors map[string]gguf.Source) {
			up := tensors["blk.0.ffn_up.weight"]
			up.Shape = []int{up.Shape[1], up.Shape[0]}
			tensors["blk.0.ffn_up.weight"] = up
		}, []string{"blk.0.ffn_up.weight is (20, 36), want (36, 20)"}},
	} {
		path := export(t, layers.Export{Format: layers.GGUF}, "m.gguf", m)
		regguf(t, path, nil, c.change)
		got, err := layers.Open(path)
		if c.want != nil {
			wants(t, c.what, err, c.want...)
		} else if err != nil || got.Config != m.Config || !same(values(got), values(m)) {
			t.Errorf("%s: the model differs, %v", c.what, err)
		}
	}
	path := export(t, layers.Export{Format: layers.GGUF}, "m.gguf", m)
	whole := read(t, path)
	for n := 0; n < len(whole); n += 97 {
		write(t, path, whole[:n])
		if _, err := layers.Open(path); err == nil {
			t.Fatalf("Open accepts %d of %d bytes", n, len(whole))
		}
	}
}

func renamed(s gguf.Source, name string) gguf.Source {
	s.Name = name
	return s
}
