package layers

// llamaTensors are the tensors of a Llama, in the order of llama2.c's files.
var llamaTensors = []struct {
	param, huggingFace, gguf string
	layout                   layout
}{
	{"token_embeddings", "model.embed_tokens", "token_embd", asIs},
	{"layers.#.ln1", "model.layers.#.input_layernorm", "blk.#.attn_norm", asIs},
	{"layers.#.attn.q_proj", "model.layers.#.self_attn.q_proj", "blk.#.attn_q", rotary},
	{"layers.#.attn.k_proj", "model.layers.#.self_attn.k_proj", "blk.#.attn_k", rotary},
	{"layers.#.attn.v_proj", "model.layers.#.self_attn.v_proj", "blk.#.attn_v", asIs},
	{"layers.#.attn.output_proj", "model.layers.#.self_attn.o_proj", "blk.#.attn_output", asIs},
	{"layers.#.ln2", "model.layers.#.post_attention_layernorm", "blk.#.ffn_norm", asIs},
	{"layers.#.ffn.w1", "model.layers.#.mlp.gate_proj", "blk.#.ffn_gate", asIs},
	{"layers.#.ffn.w2", "model.layers.#.mlp.down_proj", "blk.#.ffn_down", asIs},
	{"layers.#.ffn.w3", "model.layers.#.mlp.up_proj", "blk.#.ffn_up", asIs},
	{"ln_final", "model.norm", "output_norm", asIs},
	{"lm_head", "lm_head", "output", asIs},
}

// llamaTemplates are the tensors of a Llama in Hugging Face's files, and ggufTemplates in those of llama.cpp.
func llamaTemplates() (ts []template) {
	for _, t := range llamaTensors {
		ts = append(ts, template{t.huggingFace + ".weight", []string{t.param + ".weight"}, t.layout})
	}
	return ts
}

func ggufTemplates() (ts []template) {
	for _, t := range llamaTensors {
		ts = append(ts, template{t.gguf + ".weight", []string{t.param + ".weight"}, t.layout})
	}
	return ts
}

// llamaConfig reads Hugging Face's settings of a Llama.
func llamaConfig(s *settings) Config {
	s.common("LlamaForCausalLM")
	s.skip("attention_dropout") // of training, and in attention, where a Config has none
	c := Config{
		VocabSize:     s.size("vocab_size"),
		ContextLength: s.size("max_position_embeddings"),
		DModel:        s.size("hidden_size"),
		DFF:           s.size("intermediate_size"),
		NumLayers:     s.size("num_hidden_layers"),
		NumHeads:      s.size("num_attention_heads"),
		NormEps:       s.positive("rms_norm_eps", 1e-6),
		TieEmbeddings: take(s, "tie_word_embeddings", false),
	}
	c.NumKVHeads = s.size("num_key_value_heads", c.NumHeads)
	if c.NumHeads > 0 {
		want(s, "head_dim", c.DModel/c.NumHeads)
	}
	s.activation("hidden_act", "silu", map[string]Activation{"silu": GatedSiLU, "swish": GatedSiLU})
	want(s, "attention_bias", false)
	want(s, "mlp_bias", false)
	want(s, "pretraining_tp", 1)
	want(s, "rope_interleaved", false)
	want(s, "is_llama_config", true)
	c.RoPETheta = ropeTheta(s)
	return c
}

// ropeTheta reads the base of rotary positions, which stands among other settings of them since version 5 of
// Transformers. Plain positions are what is supported.
func ropeTheta(s *settings) float64 {
	theta := s.positive("rope_theta", 10000)
	for _, key := range []string{"rope_scaling", "rope_parameters"} {
		for name, value := range take(s, key, map[string]any{}) {
			switch number, ok := value.(float64); {
			case name == "rope_theta" && ok && number > 0:
				theta = number
			case (name == "rope_type" || name == "type") && value == "default":
			default:
				s.fail("%s %s %v is not supported", key, name, value)
			}
		}
	}
	return theta
}

// llamaSettings are Hugging Face's settings of m, which the tokenizer and the type of numbers complete.
func llamaSettings(c Config) map[string]any {
	return map[string]any{
		"architectures":           []string{"LlamaForCausalLM"},
		"model_type":              "llama",
		"vocab_size":              c.VocabSize,
		"max_position_embeddings": c.ContextLength,
		"hidden_size":             c.DModel,
		"intermediate_size":       c.DFF,
		"num_hidden_layers":       c.NumLayers,
		"num_attention_heads":     c.NumHeads,
		"num_key_value_heads":     c.NumKVHeads,
		"head_dim":                c.DModel / c.NumHeads,
		"hidden_act":              "silu",
		"rms_norm_eps":            c.NormEps,
		"rope_theta":              c.RoPETheta,
		"tie_word_embeddings":     c.TieEmbeddings,
		"attention_bias":          false,
		"mlp_bias":                false,
	}
}
