package layers

// gpt2Tensors are the tensors of GPT-2 that have a weight and a bias. Hugging Face's Conv1D is (in, out).
var gpt2Tensors = []struct {
	huggingFace, gguf string
	params            []string
	conv              bool
}{
	{"transformer.h.#.ln_1", "blk.#.attn_norm", []string{"layers.#.ln1"}, false},
	{"transformer.h.#.attn.c_attn", "blk.#.attn_qkv",
		[]string{"layers.#.attn.q_proj", "layers.#.attn.k_proj", "layers.#.attn.v_proj"}, true},
	{"transformer.h.#.attn.c_proj", "blk.#.attn_output", []string{"layers.#.attn.output_proj"}, true},
	{"transformer.h.#.ln_2", "blk.#.ffn_norm", []string{"layers.#.ln2"}, false},
	{"transformer.h.#.mlp.c_fc", "blk.#.ffn_up", []string{"layers.#.ffn.w1"}, true},
	{"transformer.h.#.mlp.c_proj", "blk.#.ffn_down", []string{"layers.#.ffn.w2"}, true},
	{"transformer.ln_f", "output_norm", []string{"ln_final"}, false},
}

// gpt2Templates are the tensors of GPT-2 in Hugging Face's files, and gpt2GGUF in those of llama.cpp.
var (
	gpt2Templates = gpt2TemplatesOf(false, "transformer.wte.weight", "transformer.wpe.weight", "lm_head.weight")
	gpt2GGUF      = gpt2TemplatesOf(true, "token_embd.weight", ggufPositions, "output.weight")
)

func gpt2TemplatesOf(gguf bool, tokens, positions, head string) []template {
	ts := []template{
		{tokens, []string{"token_embeddings.weight"}, asIs},
		{positions, []string{"position_embeddings.weight"}, asIs},
	}
	for _, t := range gpt2Tensors {
		weight, bias := template{name: t.huggingFace + ".weight"}, template{name: t.huggingFace + ".bias"}
		switch {
		case gguf:
			weight.name, bias.name = t.gguf+".weight", t.gguf+".bias"
		case t.conv:
			weight.layout = transposed
		}
		for _, p := range t.params {
			weight.params, bias.params = append(weight.params, p+".weight"), append(bias.params, p+".bias")
		}
		ts = append(ts, weight, bias)
	}
	return append(ts, template{head, []string{"lm_head.weight"}, asIs})
}

// gpt2Activations are the activations that Hugging Face's GPT-2 may have, by the names it has for them.
var gpt2Activations = map[string]Activation{
	"gelu_new": GELUTanh, "gelu_pytorch_tanh": GELUTanh, "gelu": GELU, "relu": ReLU, "silu": SiLU, "swish": SiLU,
}

// gpt2Names are those of the names that are written.
var gpt2Names = map[Activation]string{GELUTanh: "gelu_new", GELU: "gelu", ReLU: "relu", SiLU: "silu"}

// gpt2Config reads Hugging Face's settings of GPT-2.
func gpt2Config(s *settings) Config {
	s.common("GPT2LMHeadModel")
	// Heads that classify, and dropout inside attention, where a Config has none.
	s.skip("summary_activation", "summary_first_dropout", "summary_proj_to_labels", "summary_type", "summary_use_proj",
		"task_specific_params", "attn_pdrop")
	c := Config{
		VocabSize:     s.size("vocab_size"),
		ContextLength: s.size("n_positions"),
		DModel:        s.size("n_embd"),
		NumLayers:     s.size("n_layer"),
		NumHeads:      s.size("n_head"),
		Norm:          NormLayer,
		NormEps:       s.positive("layer_norm_epsilon", 1e-5),
		Position:      Learned,
		Activation:    s.activation("activation_function", "gelu_new", gpt2Activations),
		Bias:          true,
		TieEmbeddings: take(s, "tie_word_embeddings", true),
		Dropout:       s.share("resid_pdrop", 0.1),
	}
	c.DFF = s.size("n_inner", 4*c.DModel)
	want(s, "n_ctx", c.ContextLength)
	want(s, "embd_pdrop", c.Dropout)
	want(s, "scale_attn_weights", true)
	want(s, "scale_attn_by_inverse_layer_idx", false)
	want(s, "reorder_and_upcast_attn", false)
	want(s, "add_cross_attention", false)
	return c
}

// gpt2Settings are Hugging Face's settings of m, which the tokenizer and the type of numbers complete.
func gpt2Settings(c Config) map[string]any {
	return map[string]any{
		"architectures":       []string{"GPT2LMHeadModel"},
		"model_type":          "gpt2",
		"vocab_size":          c.VocabSize,
		"n_positions":         c.ContextLength,
		"n_ctx":               c.ContextLength,
		"n_embd":              c.DModel,
		"n_layer":             c.NumLayers,
		"n_head":              c.NumHeads,
		"n_inner":             c.DFF,
		"activation_function": gpt2Names[c.Activation],
		"layer_norm_epsilon":  c.NormEps,
		"tie_word_embeddings": c.TieEmbeddings,
		"resid_pdrop":         c.Dropout,
		"embd_pdrop":          c.Dropout,
		"attn_pdrop":          0,
	}
}
