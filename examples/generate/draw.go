package main

import (
	"encoding/json"
	"flag"
	"os"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/sampler"
	"github.com/logits-go/logits/sampler/constrain"
	"github.com/logits-go/logits/text"
)

// drawingFlags defines the flags that say how tokens are drawn.
func (s *settings) drawingFlags(f *flag.FlagSet) {
	f.Float64Var(&s.sampler.Temperature, "temperature", 0.8, "0 always takes the most likely token")
	f.IntVar(&s.sampler.TopK, "top-k", 0, "draw from this many tokens; 0 means all")
	f.Float64Var(&s.sampler.TopP, "top-p", 0.95, "draw from the tokens that make up this probability")
	f.Float64Var(&s.sampler.MinP, "min-p", 0, "least probability of a token in relation to the most likely one")
	f.Float64Var(&s.repetition, "repetition-penalty", 1, "above 1, what the text has already is less likely; 1.1 is usual")
	f.Func("steps", "`JSON` of a sampler.Chain, in place of the flags -temperature, -top-k, -top-p, -min-p and\n"+
		"-repetition-penalty, such as\n"+
		`[{"RepetitionPenalty":{"Penalty":1.1}},{"TypicalP":0.9}] or [{"Temperature":0.8},{"Mirostat":{"Tau":5,"Eta":0.1}}]`,
		func(data string) error {
			if err := json.Unmarshal([]byte(data), &s.sampler.Steps); err != nil {
				return err
			}
			if s.sampler.Steps == nil {
				return errors.New("no list")
			}
			return nil
		})
	f.Uint64Var(&s.sampler.Seed, "seed", 1, "another seed writes another text")
	f.StringVar(&s.schema, "json-schema", "", "`file` of a JSON Schema; what is written is JSON that it allows")
	f.StringVar(&s.regexp, "regexp", "", "regular `expression` that what is written matches as a whole")
}

// settle makes -steps take the place of the flags that it stands for.
func (s *settings) settle(f *flag.FlagSet) (err error) {
	if f.NArg() > 0 {
		return errors.Errorf("unexpected argument %q", f.Arg(0))
	}
	if s.sampler.Steps == nil {
		return nil
	}
	f.Visit(func(set *flag.Flag) {
		switch set.Name {
		case "temperature", "top-k", "top-p", "min-p", "repetition-penalty":
			err = errors.Errorf("-%s beside -steps, which take its place", set.Name)
		}
	})
	s.sampler.Temperature, s.sampler.TopK, s.sampler.TopP, s.sampler.MinP, s.repetition = 0, 0, 0, 0, 1
	return err
}

// steps makes the chain of s.sampler if its fields do not say it all. Those of -steps have to be settled.
func (s *settings) steps(tok text.Tokenizer) error {
	form, err := s.form(tok)
	if err != nil {
		return err
	}
	d := &s.sampler
	if d.Steps == nil && (form != nil || s.repetition != 0 && s.repetition != 1) {
		d.Steps = sampler.Chain{
			sampler.RepetitionPenalty{Penalty: s.repetition},
			sampler.Temperature(d.Temperature), sampler.TopK(d.TopK), sampler.TopP(d.TopP), sampler.MinP(d.MinP),
		}
		d.Temperature, d.TopK, d.TopP, d.MinP = 0, 0, 0, 0
	}
	if form != nil {
		d.Steps = append(sampler.Chain{form}, d.Steps...)
	}
	return nil
}

// form returns the step that keeps to -json-schema or -regexp, or nil if there is neither. Stop has to be known.
func (s *settings) form(tok text.Tokenizer) (*constrain.Step, error) {
	if s.schema == "" && s.regexp == "" {
		return nil, nil
	}
	if s.schema != "" && s.regexp != "" {
		return nil, errors.New("-json-schema and -regexp cannot both be met")
	}
	if s.ignoreEOS {
		return nil, errors.New("-ignore-eos would go on after a text that has the form asked for")
	}
	vocab, err := constrain.VocabOf(tok, s.sampler.Stop...)
	if err != nil {
		return nil, err
	}
	var form *constrain.Matcher
	if s.regexp != "" {
		form, err = constrain.Regexp(vocab, s.regexp)
	} else {
		var data []byte
		if data, err = os.ReadFile(s.schema); err != nil {
			return nil, errors.WithStack(err)
		}
		form, err = constrain.Schema(vocab, data, constrain.Format{Space: 1})
	}
	if err != nil {
		return nil, err
	}
	return constrain.NewStep(form)
}

// complete reports whether what s has drawn has the form asked for, if any.
func complete(s *sampler.Sampler) bool {
	for _, step := range s.Steps {
		if form, ok := step.(*constrain.Step); ok {
			return form.Constraint().Done()
		}
	}
	return true
}
