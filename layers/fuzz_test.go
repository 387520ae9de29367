package layers

import (
	"encoding/json"
	"testing"

	"github.com/logits-go/logits/graph"
)

// FuzzConfig checks that no config.json makes reading it panic, that what is read can be written and read again, and that
// a model of it, if it is a small one, can be built and compiled.
//
// Threads make coverage vary from run to run, over which the fuzzer broods unless it is called with -fuzzminimizetime 1x.
func FuzzConfig(f *testing.F) {
	for _, seed := range []string{
		`{"vocab_size":29,"context_length":8,"d_model":8,"num_layers":1,"num_heads":2}`,
		`{"vocab_size":29,"context_length":8,"d_model":8,"num_layers":1,"num_heads":2,"num_kv_heads":1,"d_ff":12,"norm":"layernorm",
			"position":"learned","activation":"gelu","bias":true,"tie_embeddings":true,"dropout":0.5,"norm_eps":0.001}`,
		`{"model_type":"llama","vocab_size":29,"hidden_size":8,"intermediate_size":12,"num_hidden_layers":1,"num_attention_heads":2,
			"num_key_value_heads":1,"max_position_embeddings":8,"rms_norm_eps":1e-5,"rope_theta":10000,"hidden_act":"silu"}`,
		`{"model_type":"gpt2","vocab_size":29,"n_positions":8,"n_embd":8,"n_layer":1,"n_head":2,"layer_norm_epsilon":1e-5,
			"activation_function":"gelu_new"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var c checkpoint
		if c.configure(data) != nil {
			return
		}
		full, err := c.config.WithDefaults()
		if err != nil {
			return
		}
		text, err := json.Marshal(c.config)
		if err != nil {
			t.Fatalf("%+v cannot be written: %v", c.config, err)
		}
		if again, err := nativeConfig(text); err != nil || again != c.config {
			t.Fatalf("%+v is %+v, %v, when it was written and read", c.config, again, err)
		}
		if full.DModel > 32 || full.DFF > 128 || full.NumLayers > 3 || full.VocabSize > 64 || full.ContextLength > 32 {
			return
		}
		ps := graph.NewParams(1, graph.Blank())
		m, err := NewTransformerLM(ps.Root(), c.config)
		if err != nil {
			t.Fatalf("a model of %+v: %v", full, err)
		}
		g := graph.New()
		if _, err := graph.Compile(m.Forward(g.Tokens("tokens", 1, full.ContextLength))); err != nil {
			t.Fatalf("a graph of %+v: %v", full, err)
		}
	})
}
