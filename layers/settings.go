package layers

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pkg/errors"
)

// settings are the values of a Hugging Face config.json. What nobody asks for is an error in the end, as is all that was
// asked for and not there: a model must not run otherwise than its authors meant.
type settings struct {
	values map[string]json.RawMessage // those nobody has asked for; null means absent
	wrong  []string
}

func newSettings(data []byte) (*settings, error) {
	s := &settings{}
	if err := json.Unmarshal(data, &s.values); err != nil {
		return nil, errors.WithStack(err)
	}
	for key, value := range s.values {
		if string(value) == "null" {
			delete(s.values, key)
		}
	}
	return s, nil
}

// err returns all that is wrong, once every known key has been asked for.
func (s *settings) err() error {
	for key, value := range s.values {
		s.fail("%s %s is not supported", key, brief(value))
	}
	if s.wrong == nil {
		return nil
	}
	slices.Sort(s.wrong)
	return errors.New(strings.Join(s.wrong, "; "))
}

func (s *settings) fail(format string, args ...any) {
	s.wrong = append(s.wrong, fmt.Sprintf(format, args...))
}

// brief is a value short enough for an error.
func brief(value json.RawMessage) string {
	if len(value) > 80 {
		return string(value[:80]) + "..."
	}
	return string(value)
}

// take decodes the value of a key, which may be absent.
func take[T any](s *settings, key string, absent T) T {
	value, ok := s.values[key]
	if !ok {
		return absent
	}
	delete(s.values, key)
	v := absent
	if err := json.Unmarshal(value, &v); err != nil {
		s.fail("%s is %s, want a %T", key, brief(value), absent)
		return absent
	}
	return v
}

// size takes a whole number above 0. Without absent, or if that is 0, the number must be there.
func (s *settings) size(key string, absent ...int) int {
	_, given := s.values[key]
	n := take(s, key, 0)
	if !given && len(absent) > 0 && absent[0] > 0 {
		return absent[0]
	}
	switch {
	case !given:
		s.fail("%s is missing", key)
	case n <= 0:
		s.fail("%s is %d", key, n)
	}
	return n
}

// positive takes a number above 0.
func (s *settings) positive(key string, absent float64) float64 {
	x := take(s, key, absent)
	if !(x > 0) {
		s.fail("%s is %v", key, x)
	}
	return x
}

// want takes a key of which only one value is supported, which is also what it means if it is absent.
func want[T comparable](s *settings, key string, supported T) {
	if v := take(s, key, supported); v != supported {
		s.fail("%s %v is not supported", key, v)
	}
}

// skip takes keys that do not change what a model computes.
func (s *settings) skip(keys ...string) {
	for _, key := range keys {
		delete(s.values, key)
	}
}

// common takes keys that all models share.
func (s *settings) common(architecture string) {
	s.skip("model_type", "_name_or_path", "transformers_version", "transformers.js_config", "torch_dtype", "dtype",
		"use_cache", "initializer_range", "bos_token_id", "eos_token_id", "pad_token_id")
	if names := take(s, "architectures", []string{architecture}); !slices.Contains(names, architecture) {
		s.fail("architectures %q is not supported, want %s", names, architecture)
	}
}

// activation takes the name of an activation.
func (s *settings) activation(key string, absent string, known map[string]Activation) Activation {
	name := take(s, key, absent)
	a, ok := known[name]
	if !ok {
		s.fail("%s %q is not supported, want one of %q", key, name, slices.Sorted(maps.Keys(known)))
	}
	return a
}

// share takes a share of elements to drop.
func (s *settings) share(key string, absent float64) float64 {
	x := take(s, key, absent)
	if !(x >= 0 && x < 1) {
		s.fail("%s is %v", key, x)
	}
	return x
}
