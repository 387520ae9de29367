package constrain

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pkg/errors"
)

// An object is a JSON object whose members keep their order. Other values are those of encoding/json, with
// json.Number.
type object struct{ members []member }

type member struct {
	name  string
	value any
}

func (o *object) get(name string) (any, bool) {
	for _, m := range o.members {
		if m.name == name {
			return m.value, true
		}
	}
	return nil, false
}

// maxDepth is how deep a schema may be.
const maxDepth = 1000

// parse returns the value that data is.
func parse(data []byte) (any, error) {
	if !utf8.Valid(data) {
		return nil, errors.Errorf("not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	v, err := parseValue(dec, 0)
	if errors.Cause(err) == io.EOF {
		err = errors.WithStack(io.ErrUnexpectedEOF)
	}
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.Errorf("there is more after the value")
	}
	return v, nil
}

func parseValue(dec *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errors.Errorf("deeper than %d", maxDepth)
	}
	token, err := dec.Token()
	if err != nil {
		return nil, errors.WithStack(err)
	}
	switch token {
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			v, err := parseValue(dec, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := dec.Token()
		return list, errors.WithStack(err)
	case json.Delim('{'):
		o := new(object)
		seen := make(map[string]bool)
		for dec.More() {
			name, err := dec.Token()
			if err != nil {
				return nil, errors.WithStack(err)
			}
			v, err := parseValue(dec, depth+1)
			if err != nil {
				return nil, err
			}
			if seen[name.(string)] {
				return nil, errors.Errorf("%q stands twice in an object", name)
			}
			seen[name.(string)] = true
			o.members = append(o.members, member{name.(string), v})
		}
		_, err := dec.Token()
		return o, errors.WithStack(err)
	}
	return token, nil
}

// compact returns v as JSON without whitespace.
func compact(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return string(v)
	case string:
		return quote(v)
	case []any:
		var items []string
		for _, item := range v {
			items = append(items, compact(item))
		}
		return "[" + strings.Join(items, ",") + "]"
	default:
		var members []string
		for _, m := range v.(*object).members {
			members = append(members, quote(m.name)+":"+compact(m.value))
		}
		return "{" + strings.Join(members, ",") + "}"
	}
}

// hasType reports whether v is of a type of JSON Schema.
func hasType(v any, name string) bool {
	switch v := v.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case json.Number:
		x, err := v.Float64()
		return name == "number" || name == "integer" && err == nil && x == math.Trunc(x)
	case string:
		return name == "string"
	case []any:
		return name == "array"
	default:
		return name == "object"
	}
}

// count returns v as a number of things.
func count(v any) (int, error) {
	number, _ := v.(json.Number)
	n, err := strconv.Atoi(string(number))
	if err != nil || n < 0 {
		return 0, errors.Errorf("%s is not a whole number of at least 0", compact(v))
	}
	return n, nil
}

// resolve returns the value that a JSON pointer in a fragment, such as #/$defs/name, points to.
func resolve(root any, ref string) (any, error) {
	pointer, ok := strings.CutPrefix(ref, "#")
	pointer, err := url.PathUnescape(pointer)
	if !ok || err != nil || pointer != "" && pointer[0] != '/' {
		return nil, errors.Errorf("%q is not a JSON pointer into the schema", ref)
	}
	if pointer == "" {
		return root, nil
	}
	at := root
	for _, name := range strings.Split(pointer[1:], "/") {
		name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
		ok := false
		switch v := at.(type) {
		case *object:
			at, ok = v.get(name)
		case []any:
			var i int
			if i, err = strconv.Atoi(name); err == nil && i >= 0 && i < len(v) {
				at, ok = v[i], true
			}
		}
		if !ok {
			return nil, errors.Errorf("%q points to nothing", ref)
		}
	}
	return at, nil
}
