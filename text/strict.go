package text

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/pkg/errors"
)

// list is a JSON array that must not have more than maxEntries.
type list[T any] []T

func (l *list[T]) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return errors.Errorf("%.20s is not an array", data)
	}
	*l = list[T]{}
	for d.More() {
		if len(*l) == maxEntries {
			return errors.Errorf("an array has more than %d entries", maxEntries)
		}
		var entry T
		if err := d.Decode(&entry); err != nil {
			return err
		}
		*l = append(*l, entry)
	}
	return nil
}

// vocabulary is a JSON object of ids by token, in the order of the file. A token that occurs twice is an
// error.
type vocabulary []vocabularyEntry

type vocabularyEntry struct {
	token string
	id    int
}

func (v *vocabulary) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.Errorf("vocab is not an object")
	}
	*v = vocabulary{}
	seen := make(map[string]bool)
	for d.More() {
		if len(*v) == maxEntries {
			return errors.Errorf("vocab has more than %d tokens", maxEntries)
		}
		t, err := d.Token()
		if err != nil {
			return err
		}
		token, _ := t.(string)
		if seen[token] {
			return errors.Errorf("token %q occurs twice in vocab", token)
		}
		seen[token] = true
		var id *int // nil for null
		if err := d.Decode(&id); err != nil {
			return errors.Wrapf(err, "id of token %q", token)
		}
		if id == nil {
			return errors.Errorf("token %q has no id", token)
		}
		if *id < 0 || *id > maxID {
			return errors.Errorf("token %q cannot have id %d", token, *id)
		}
		*v = append(*v, vocabularyEntry{token, *id})
	}
	return nil
}

// unmarshalStrict decodes data to v, a pointer to a struct. Unlike package json it tells fields apart by case,
// knows all of them and wants each once at most.
func unmarshalStrict(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.Errorf("%.20s is not an object", data)
	}
	fields, seen := reflect.ValueOf(v).Elem(), uint64(0)
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := t.(string)
		i := fieldNamed(fields.Type(), name)
		if i < 0 {
			return errors.Errorf("unknown field %q", name)
		}
		if seen>>i&1 != 0 {
			return errors.Errorf("field %q occurs twice", name)
		}
		seen |= 1 << i
		if err := d.Decode(fields.Field(i).Addr().Interface()); err != nil {
			return errors.Wrapf(err, "field %q", name)
		}
	}
	return nil
}

// fieldNamed returns the field of a struct of up to 64 that has a name in JSON, or -1.
func fieldNamed(t reflect.Type, name string) int {
	for i := range t.NumField() {
		if tag, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); tag == name && name != "" {
			return i
		}
	}
	return -1
}
