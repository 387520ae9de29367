package sampler

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"

	"github.com/pkg/errors"
)

// kinds are the types of steps that can be saved.
var kinds = []reflect.Type{
	reflect.TypeFor[Temperature](), reflect.TypeFor[DynamicTemperature](),
	reflect.TypeFor[TopK](), reflect.TypeFor[TopKTies](), reflect.TypeFor[TopP](), reflect.TypeFor[MinP](),
	reflect.TypeFor[AtLeast](),
	reflect.TypeFor[TypicalP](), reflect.TypeFor[TypicalRule](), reflect.TypeFor[Epsilon](), reflect.TypeFor[Eta](),
	reflect.TypeFor[PLess](), reflect.TypeFor[TopNSigma](), reflect.TypeFor[TopH](), reflect.TypeFor[XTC](),
	reflect.TypeFor[*Mirostat](), reflect.TypeFor[*Mirostat1](), reflect.TypeFor[*AdaptiveP](),
	reflect.TypeFor[RepetitionPenalty](), reflect.TypeFor[FrequencyPenalty](), reflect.TypeFor[PresencePenalty](),
	reflect.TypeFor[NoRepeatNGram](), reflect.TypeFor[DRY](), reflect.TypeFor[BadWords](), reflect.TypeFor[SequenceBias](),
	reflect.TypeFor[LogitBias](), reflect.TypeFor[AllowedTokens](), reflect.TypeFor[SuppressedTokens](),
	reflect.TypeFor[ForcedTokens](), reflect.TypeFor[MinLength](),
}

// MarshalJSON writes a list with an object for every step, whose one key is the step's type:
//
//	[{"TopK":40},{"XTC":{"Probability":0.5,"Threshold":0.1,"MinKeep":0}}]
//
// A step of a type that is not of this package is an error.
func (c Chain) MarshalJSON() ([]byte, error) {
	if c == nil {
		return []byte("null"), nil
	}
	out := make([]json.RawMessage, len(c))
	for i, step := range c {
		data, err := marshalStep(step)
		if err != nil {
			return nil, errors.WithMessagef(err, "sampler: save step %d of %d", i, len(c))
		}
		out[i] = data
	}
	data, err := json.Marshal(out)
	return data, errors.WithStack(err)
}

// UnmarshalJSON reads what MarshalJSON writes. A step or a field that it does not know is an error.
func (c *Chain) UnmarshalJSON(data []byte) error {
	var in []json.RawMessage
	if err := json.Unmarshal(data, &in); err != nil {
		return errors.Wrap(err, "sampler: chain of steps")
	}
	if in == nil {
		*c = nil
		return nil
	}
	out := make(Chain, len(in))
	for i, data := range in {
		step, err := unmarshalStep(data)
		if err != nil {
			return errors.WithMessagef(err, "sampler: load step %d of %d", i, len(in))
		}
		out[i] = step
	}
	*c = out
	return nil
}

// GobEncode writes what MarshalJSON does.
func (c Chain) GobEncode() ([]byte, error) { return c.MarshalJSON() }

// GobDecode reads what GobEncode writes.
func (c *Chain) GobDecode(data []byte) error { return c.UnmarshalJSON(data) }

func marshalStep(step Step) (json.RawMessage, error) {
	for _, t := range kinds {
		if step != nil && t == reflect.TypeOf(step) {
			data, err := json.Marshal(map[string]Step{stepName(step): step})
			return data, errors.WithStack(err)
		}
	}
	return nil, errors.Errorf("sampler: a %T cannot be saved", step)
}

func unmarshalStep(data json.RawMessage) (Step, error) {
	var in map[string]json.RawMessage
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, errors.WithStack(err)
	}
	if len(in) != 1 {
		return nil, errors.Errorf("sampler: a step is %s, want an object with one key", data)
	}
	for name, value := range in {
		for _, t := range kinds {
			pointer := t.Kind() == reflect.Pointer
			if pointer {
				t = t.Elem()
			}
			if t.Name() != name {
				continue
			}
			v := reflect.New(t)
			if err := unmarshalStrictly(value, v.Interface()); err != nil {
				return nil, errors.WithMessagef(err, "sampler: %s", name)
			}
			if !pointer {
				v = v.Elem()
			}
			return v.Interface().(Step), nil
		}
		return nil, errors.Errorf("sampler: there is no step %q", name)
	}
	return nil, nil
}

// MarshalJSON writes the step as MarshalJSON of [Chain] does.
func (a AtLeast) MarshalJSON() ([]byte, error) {
	data, err := json.Marshal(struct {
		N    int
		Step Chain
	}{a.N, Chain{a.Step}})
	return data, errors.WithStack(err)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (a *AtLeast) UnmarshalJSON(data []byte) error {
	var in struct {
		N    int
		Step Chain
	}
	if err := unmarshalStrictly(data, &in); err != nil {
		return err
	}
	if len(in.Step) != 1 {
		return errors.Errorf("sampler: at least %d tokens of %d steps, want one", in.N, len(in.Step))
	}
	a.N, a.Step = in.N, in.Step[0]
	return nil
}

// savedBias is a bias in JSON: a number, or the string "-Inf", for which JSON has none.
type savedBias float64

func (b savedBias) MarshalJSON() ([]byte, error) {
	if math.IsInf(float64(b), -1) {
		return []byte(`"-Inf"`), nil
	}
	data, err := json.Marshal(float64(b))
	return data, errors.WithStack(err)
}

func (b *savedBias) UnmarshalJSON(data []byte) error {
	if string(data) == `"-Inf"` {
		*b = savedBias(math.Inf(-1))
		return nil
	}
	return errors.Wrap(json.Unmarshal(data, (*float64)(b)), "sampler: a bias is neither a number nor \"-Inf\"")
}

// MarshalJSON writes an object of numbers, with the string "-Inf" for what JSON has no number for.
func (b LogitBias) MarshalJSON() ([]byte, error) {
	out := make(map[int]savedBias, len(b))
	for token, bias := range b {
		out[token] = savedBias(bias)
	}
	data, err := json.Marshal(out)
	return data, errors.WithStack(err)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (b *LogitBias) UnmarshalJSON(data []byte) error {
	var in map[int]savedBias
	if err := json.Unmarshal(data, &in); err != nil {
		return errors.WithStack(err)
	}
	*b = make(LogitBias, len(in))
	for token, bias := range in {
		(*b)[token] = float64(bias)
	}
	return nil
}

// savedSequenceBias is a SequenceBias in JSON.
type savedSequenceBias struct {
	Sequence []int
	Bias     savedBias
	Scope    Scope
}

// MarshalJSON writes the fields, with the string "-Inf" for a Bias that JSON has no number for.
func (b SequenceBias) MarshalJSON() ([]byte, error) {
	data, err := json.Marshal(savedSequenceBias{b.Sequence, savedBias(b.Bias), b.Scope})
	return data, errors.WithStack(err)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (b *SequenceBias) UnmarshalJSON(data []byte) error {
	var in savedSequenceBias
	if err := unmarshalStrictly(data, &in); err != nil {
		return err
	}
	b.Sequence, b.Bias, b.Scope = in.Sequence, float64(in.Bias), in.Scope
	return nil
}

// unmarshalStrictly is json.Unmarshal that refuses fields that there are not.
func unmarshalStrictly(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	return errors.WithStack(dec.Decode(v))
}
