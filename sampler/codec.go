package sampler

import (
	"bytes"
	"encoding/json"
	"reflect"

	"github.com/pkg/errors"
)

// kinds are the types of steps that can be saved.
var kinds = []reflect.Type{
	reflect.TypeFor[Temperature](), reflect.TypeFor[DynamicTemperature](),
	reflect.TypeFor[TopK](), reflect.TypeFor[TopKTies](), reflect.TypeFor[TopP](), reflect.TypeFor[MinP](), reflect.TypeFor[AtLeast](),
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
			dec := json.NewDecoder(bytes.NewReader(value))
			dec.DisallowUnknownFields()
			if err := dec.Decode(v.Interface()); err != nil {
				return nil, errors.Wrapf(err, "sampler: %s", name)
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
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return errors.WithStack(err)
	}
	if len(in.Step) != 1 {
		return errors.Errorf("sampler: at least %d tokens of %d steps, want one", in.N, len(in.Step))
	}
	a.N, a.Step = in.N, in.Step[0]
	return nil
}
