package layers

// llamaTensors are the tensors of a Llama, in the order of llama2.c's files, and whether a Llama with biases has one there.
var llamaTensors = []struct {
	param, huggingFace, gguf string
	layout                   layout
	bias                     bool
}{
	{"token_embeddings", "model.embed_tokens", "token_embd", asIs, false},
	{"layers.#.ln1", "model.layers.#.input_layernorm", "blk.#.attn_norm", asIs, false},
	{"layers.#.attn.q_proj", "model.layers.#.self_attn.q_proj", "blk.#.attn_q", rotary, true},
	{"layers.#.attn.k_proj", "model.layers.#.self_attn.k_proj", "blk.#.attn_k", rotary, true},
	{"layers.#.attn.v_proj", "model.layers.#.self_attn.v_proj", "blk.#.attn_v", asIs, true},
	{"layers.#.attn.output_proj", "model.layers.#.self_attn.o_proj", "blk.#.attn_output", asIs, true},
	{"layers.#.ln2", "model.layers.#.post_attention_layernorm", "blk.#.ffn_norm", asIs, false},
	{"layers.#.ffn.w1", "model.layers.#.mlp.gate_proj", "blk.#.ffn_gate", asIs, true},
	{"layers.#.ffn.w2", "model.layers.#.mlp.down_proj", "blk.#.ffn_down", asIs, true},
	{"layers.#.ffn.w3", "model.layers.#.mlp.up_proj", "blk.#.ffn_up", asIs, true},
	{"ln_final", "model.norm", "output_norm", asIs, false},
	{"lm_head", "lm_head", "output", asIs, false},
}

// llamaTemplates are the tensors of a Llama in Hugging Face's files, and ggufTemplates in those of llama.cpp.
func llamaTemplates() (ts []template) {
	for _, t := range llamaTensors {
		ts = appendLlama(ts, t.huggingFace, t.param, t.layout, t.bias)
	}
	return ts
}

func ggufTemplates() (ts []template) {
	for _, t := range llamaTensors {
		ts = appendLlama(ts, t.gguf, t.param, t.layout, t.bias)
	}
	return ts
}

func appendLlama(ts []template, name, param string, l layout, bias bool) []template {
	ts = append(ts, template{name + ".weight", []string{param + ".weight"}, l})
	if bias {
		ts = append(ts, template{name + ".bias", []string{param + ".bias"}, l})
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
	c.Bias = take(s, "attention_bias", false)
	if mlp := take(s, "mlp_bias", false); mlp != c.Bias {
		s.fail("attention_bias %v with mlp_bias %v is not supported, a model has both or none", c.Bias, mlp)
	}
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
		"attention_bias":          c.Bias,
		"mlp_bias":                c.Bias,
	}
}
