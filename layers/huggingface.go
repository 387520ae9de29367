package layers

import (
	"encoding/json"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/internal/weights"
)

// isLlama returns an error that says what keeps a model from being a Llama.
func (c Config) isLlama() error {
	switch {
	case c.Norm != NormRMS:
		return errors.Errorf("a Llama has no %v", c.Norm)
	case c.Position != Rotary:
		return errors.Errorf("a Llama has no positions of kind %v", c.Position)
	case c.Activation != GatedSiLU:
		return errors.Errorf("a Llama has no activation %v", c.Activation)
	}
	return nil
}

// isGPT2 returns an error that says what keeps a model from being a GPT-2.
func (c Config) isGPT2() error {
	_, known := gpt2Names[c.Activation]
	switch {
	case c.Norm != NormLayer:
		return errors.Errorf("a GPT-2 has no %v", c.Norm)
	case c.Position != Learned:
		return errors.Errorf("a GPT-2 has no positions of kind %v", c.Position)
	case !known:
		return errors.Errorf("a GPT-2 has no activation %v", c.Activation)
	case !c.Bias:
		return errors.New("a GPT-2 has a Bias")
	case c.NumKVHeads != c.NumHeads:
		return errors.Errorf("a GPT-2 has no %d heads of keys and values for %d heads", c.NumKVHeads, c.NumHeads)
	}
	return nil
}

// writeHuggingFace writes m as Hugging Face's Llama or GPT-2.
func (e Export) writeHuggingFace(dir string, m *TransformerLM, d weights.DType) error {
	c := m.Config
	var config map[string]any
	var templates []template
	switch llama, gpt2 := c.isLlama(), c.isGPT2(); {
	case llama == nil:
		config, templates = llamaSettings(c), llamaTemplates()
	case gpt2 == nil:
		config, templates = gpt2Settings(c), gpt2Templates
	default:
		return errors.Errorf("no architecture of Hugging Face: %v, and %v", llama, gpt2)
	}
	slots, err := m.slots(templates, true)
	if err != nil {
		return err
	}
	config["torch_dtype"] = map[weights.DType]string{weights.F32: "float32", weights.F16: "float16", weights.BF16: "bfloat16"}[d]
	begin, end, err := specialTokens(e.Tokenizer)
	if err != nil {
		return err
	}
	// Null, too, is written, as what is absent means tokens of the first Llama and GPT-2.
	generation := map[string]any{"bos_token_id": begin.id(), "eos_token_id": end.id(), "pad_token_id": nil}
	for key, id := range generation {
		config[key] = id
	}
	files := map[string]any{"config.json": config, "generation_config.json": generation}
	if e.Tokenizer != nil {
		files["tokenizer_config.json"] = map[string]any{
			"tokenizer_class":              "PreTrainedTokenizerFast",
			"model_max_length":             c.ContextLength,
			"clean_up_tokenization_spaces": false, // which would change text
			"bos_token":                    begin.text(),
			"eos_token":                    end.text(),
		}
	}
	return e.writeFolder(dir, files, slots, d)
}

// An addedToken is a token that a tokenizer.json has beside its vocabulary.
type addedToken struct {
	ID      int    `json:"id"`
	Content string `json:"content"`
}

// id and text return null for JSON if there is no such token.
func (t *addedToken) id() any {
	if t == nil {
		return nil
	}
	return t.ID
}

func (t *addedToken) text() any {
	if t == nil {
		return nil
	}
	return t.Content
}

// specialTokens returns the tokens that begin and end texts, by the names that GPT-2 and Llama have for them.
func specialTokens(tokenizer []byte) (begin, end *addedToken, err error) {
	if tokenizer == nil {
		return nil, nil, nil
	}
	var t struct {
		Added []addedToken `json:"added_tokens"`
	}
	if err := json.Unmarshal(tokenizer, &t); err != nil {
		return nil, nil, errors.Wrap(err, "tokenizer")
	}
	for i := range t.Added {
		switch a := &t.Added[i]; a.Content {
		case "<|endoftext|>":
			begin, end = a, a
		case "<s>":
			begin = a
		case "</s>":
			end = a
		}
	}
	return begin, end, nil
}
