package constrain_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/logits-go/logits/sampler"
	"github.com/logits-go/logits/sampler/constrain"
	"github.com/logits-go/logits/text"
)

// vocabulary returns the bytes of a tokenizer's tokens. Its special tokens have none.
func vocabulary(t text.Tokenizer, end string) (*constrain.Vocab, int, error) {
	id, ok := t.Special(end)
	if !ok {
		return nil, 0, fmt.Errorf("%s is not a special token", end)
	}
	v, err := constrain.VocabOf(t, id)
	return v, id, err
}

// parrot is a model that likes to say what it has read.
type parrot struct {
	tokens text.Tokenizer
	read   string
}

func (p *parrot) Next(_ context.Context, tokens ...int) ([]float32, error) {
	more, err := p.tokens.Decode(tokens)
	if err != nil {
		return nil, err
	}
	p.read += more
	logits := make([]float32, p.tokens.VocabSize())
	for id := range logits {
		if token, ok := p.tokens.Token(id); ok && strings.Contains(p.read, token) {
			logits[id] = float32(len(token))
		}
	}
	return logits, nil
}

const weather = "It is 18 degrees in London. It is 22 degrees in Paris. It is 25 degrees in Rome. "

// Whatever a model likes to say, it answers in the form that is asked for.
func Example() {
	tok, err := text.TrainBPE(context.Background(), strings.NewReader(weather), text.TrainConfig{
		VocabSize: 256 + 20 + 1,
		Special:   []string{text.EndOfText},
	})
	if err != nil {
		log.Fatal(err)
	}
	vocab, end, err := vocabulary(tok, text.EndOfText)
	if err != nil {
		log.Fatal(err)
	}
	answer, err := constrain.Schema(vocab, []byte(`{
		"type": "object",
		"properties": {
			"city": {"enum": ["London", "Paris", "Rome"]},
			"degrees": {"type": "string", "pattern": "^\\d\\d$"}
		},
		"required": ["city", "degrees"],
		"additionalProperties": false
	}`), constrain.Format{})
	if err != nil {
		log.Fatal(err)
	}

	model, err := constrain.NewModel(&parrot{tokens: tok}, answer)
	if err != nil {
		log.Fatal(err)
	}
	prompt, err := tok.Encode("It is 22 degrees in Paris.")
	if err != nil {
		log.Fatal(err)
	}
	s := sampler.Sampler{Stop: []int{end}}
	var tokens []int
	for token, err := range s.Generate(context.Background(), model, prompt, 40) {
		if err != nil {
			log.Fatal(err)
		}
		tokens = append(tokens, token)
	}
	said, err := tok.Decode(tokens)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(said)
	// Output: {"city":"Paris","degrees":"22"}
}

func ExampleRegexp() {
	tokens := []string{"2", "20", "-", "-1", "x", "<end>"}
	vocab, err := constrain.NewVocab(len(tokens), func(id int) string { return tokens[id] }, 5)
	if err != nil {
		log.Fatal(err)
	}
	month, err := constrain.Regexp(vocab, `\d{4}-\d\d`)
	if err != nil {
		log.Fatal(err)
	}
	var mask constrain.Mask
	for _, token := range []int{1, 1, 3, 0} {
		if err := month.Accept(token); err != nil {
			log.Fatal(err)
		}
		if err := month.Mask(&mask); err != nil {
			log.Fatal(err)
		}
		fmt.Printf("after %q:", tokens[token])
		for id, token := range tokens {
			if mask.Allows(id) {
				fmt.Printf(" %q", token)
			}
		}
		fmt.Println()
	}
	// Output:
	// after "20": "2" "20"
	// after "20": "-" "-1"
	// after "-1": "2"
	// after "2": "<end>"
}

func ExampleJSON() {
	vocab, end, err := vocabulary(byteTokenizer(), text.EndOfText)
	if err != nil {
		log.Fatal(err)
	}
	c, err := constrain.JSON(vocab, constrain.Format{Space: 1})
	if err != nil {
		log.Fatal(err)
	}
	for _, b := range []byte(`{"a": [1, 2]}`) {
		if err := c.Accept(int(b)); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(c.Done())
	fmt.Println(c.Accept(','))
	fmt.Println(c.Accept(end))
	// Output:
	// true
	// constrain: token 44, ",", may not follow
	// <nil>
}

// byteTokenizer returns a tokenizer of the 256 bytes and the end of a text.
func byteTokenizer() text.Tokenizer {
	tok, err := text.NewBPE(text.BPEConfig{Special: map[string]int{text.EndOfText: 256}})
	if err != nil {
		log.Fatal(err)
	}
	return tok
}
