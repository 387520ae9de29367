package constrain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

var schemaTests = []string{
	`true`,
	`{}`,
	`{"title": "a note", "$comment": "nothing", "default": 3, "$id": "x", "$schema": "y"}`,
	`{"type": "integer"}`,
	`{"type": "number"}`,
	`{"type": ["string", "null", "boolean"]}`,
	`{"type": "string", "minLength": 2, "maxLength": 3}`,
	`{"type": "string", "maxLength": 0}`,
	`{"type": "string", "pattern": "^[a-é\"\\n]{1,3}$"}`,
	`{"type": "string", "pattern": "a|é"}`,
	`{"type": ["string", "integer"], "pattern": "\\bab\\b"}`,
	`{"enum": ["a", 1, 2.5, null, true, [1, "x"], {"k": "é\u0001\"\u20ac"}, -0, 1e2]}`,
	`{"type": "integer", "enum": [3, 40, 4.5e1]}`,
	`{"const": {"a": [1, {"b": ""}]}}`,
	`{"type": "array"}`,
	`{"type": "array", "items": {"type": "integer"}, "minItems": 2}`,
	`{"type": "array", "items": {"enum": [1, 12]}, "minItems": 1, "maxItems": 3}`,
	`{"type": "array", "items": {"type": "null"}, "maxItems": 0}`,
	`{"type": "object"}`,
	`{"type": "object", "additionalProperties": {"type": "boolean"}}`,
	`{"type": "object", "properties": {}, "additionalProperties": false}`,
	`{"type": "object", "properties": {"a": {"type": "integer"}, "b\n": {"type": "null"}, "ab": true},
		"required": ["b\n"], "additionalProperties": false}`,
	`{"type": "object", "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}}, "required": ["x", "y"]}`,
	`{"type": "object", "properties": {"x": {"enum": [1]}, "y": {"enum": [2]}, "z": {"enum": [3]}}}`,
	`{"anyOf": [{"type": "integer"}, {"type": "array", "items": {"$ref": "#"}}]}`,
	`{"anyOf": [{"$ref": "#/anyOf/1"}, {"type": "null"}, {"type": "string", "maxLength": 1}]}`,
	`{"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "object", "properties": {"v": {"type": "integer"},
		"kids": {"type": "array", "items": {"$ref": "#/$defs/tree"}, "maxItems": 2}},
		"required": ["v"], "additionalProperties": false}}}`,
	`{"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}, "required": ["next"]}`,
	`{"type": "object", "properties": {"a": {"$ref": "#/definitions/s~1t%20"}}, "definitions": {"s/t ": {"const": 1}}}`,
	`{"anyOf": [{"$ref": "#"}, {"type": "object", "properties": {"q": {"$ref": "#"}}}]}`,
}

// valid is a validator of its own, of encoding/json's values.
func valid(t *testing.T, root, schema, v any) bool {
	t.Helper()
	s, ok := schema.(map[string]any)
	if !ok {
		return schema == true
	}
	if ref, ok := s["$ref"].(string); ok {
		at := root
		for _, name := range strings.Split(ref, "/")[1:] {
			name = strings.NewReplacer("~1", "/", "%20", " ").Replace(name)
			if list, ok := at.([]any); ok {
				at = list[name[0]-'0']
			} else {
				at = at.(map[string]any)[name]
			}
		}
		return valid(t, root, at, v)
	}
	if list, ok := s["anyOf"].([]any); ok {
		return slices.ContainsFunc(list, func(x any) bool {
			// What refers to the whole, and is an alternative of the whole, says nothing that the others do not.
			ref := x.(map[string]any)["$ref"]
			return !(ref == "#" && reflect.DeepEqual(root, schema)) && valid(t, root, x, v)
		})
	}
	if list, ok := s["enum"].([]any); ok && !slices.ContainsFunc(list, func(x any) bool { return same(x, v) }) {
		return false
	}
	if c, ok := s["const"]; ok && !same(c, v) {
		return false
	}
	if names, ok := s["type"]; ok {
		list, ok := names.([]any)
		if !ok {
			list = []any{names}
		}
		if !slices.ContainsFunc(list, func(name any) bool { return is(v, name.(string)) }) {
			return false
		}
	}
	limit := func(name string, n, without int) int {
		if x, ok := s[name].(json.Number); ok {
			i, _ := x.Int64()
			without = int(i)
		}
		return n - without
	}
	switch v := v.(type) {
	case string:
		n := utf8.RuneCountInString(v)
		if limit("minLength", n, 0) < 0 || limit("maxLength", n, n) > 0 {
			return false
		}
		if p, ok := s["pattern"].(string); ok && !regexp.MustCompile(p).MatchString(v) {
			return false
		}
	case []any:
		n := len(v)
		if limit("minItems", n, 0) < 0 || limit("maxItems", n, n) > 0 {
			return false
		}
		for _, item := range v {
			if items, ok := s["items"]; ok && !valid(t, root, items, item) {
				return false
			}
		}
	case map[string]any:
		properties, _ := s["properties"].(map[string]any)
		for name, x := range v {
			p, ok := properties[name]
			if !ok {
				p, ok = s["additionalProperties"]
			}
			if ok && !valid(t, root, p, x) {
				return false
			}
		}
		required, _ := s["required"].([]any)
		for _, name := range required {
			if _, ok := v[name.(string)]; !ok {
				return false
			}
		}
	}
	return true
}

func is(v any, name string) bool {
	switch v := v.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case string:
		return name == "string"
	case []any:
		return name == "array"
	case map[string]any:
		return name == "object"
	default:
		r, ok := new(big.Rat).SetString(string(v.(json.Number)))
		return name == "number" || name == "integer" && ok && r.IsInt()
	}
}

func same(a, b any) bool {
	x, ok1 := a.(json.Number)
	y, ok2 := b.(json.Number)
	if ok1 && ok2 {
		p, _ := new(big.Rat).SetString(string(x))
		q, _ := new(big.Rat).SetString(string(y))
		return p.Cmp(q) == 0
	}
	return reflect.DeepEqual(a, b)
}

func decode(data string) (v any, err error) {
	dec := json.NewDecoder(strings.NewReader(data))
	dec.UseNumber()
	err = dec.Decode(&v)
	return v, err
}

// example returns a value of a schema as the constraint writes it.
func example(s any, root any, rng *rand.Rand, depth, n int) string {
	o, ok := s.(*object)
	if !ok || len(o.members) == 0 || o.members[0].name == "title" {
		return randomJSON(rng, min(depth, 2), n)
	}
	get := func(name string) any { v, _ := o.get(name); return v }
	size := func(least, most string) int {
		lo, hi, _ := limits(o, least, most)
		if hi < 0 {
			hi = lo + 3
		}
		return lo + rng.IntN(hi-lo+1)
	}
	if ref, ok := get("$ref").(string); ok {
		at, _ := resolve(root, ref)
		return example(at, root, rng, depth, n)
	}
	if list, ok := get("anyOf").([]any); ok {
		if depth < 0 {
			return example(list[len(list)-1], root, rng, depth, n)
		}
		return example(list[rng.IntN(len(list))], root, rng, depth-1, n)
	}
	if list, ok := get("enum").([]any); ok {
		return compact(list[rng.IntN(len(list))])
	}
	if v, ok := o.get("const"); ok {
		return compact(v)
	}
	names, _ := typesOf(o)
	join := func(open string, items []string, end string) string {
		s := open + spaces(rng, n)
		for i, item := range items {
			if i > 0 {
				s += spaces(rng, n) + "," + spaces(rng, n)
			}
			s += item
		}
		if len(items) > 0 {
			s += spaces(rng, n)
		}
		return s + end
	}
	var items []string
	switch name := names[rng.IntN(len(names))]; name {
	case "null":
		return "null"
	case "boolean":
		return "true"
	case "integer":
		return fmt.Sprint(rng.IntN(2000) - 1000)
	case "number":
		return []string{"0", "-1.25", "3e-9"}[rng.IntN(3)]
	case "string":
		switch get("pattern") {
		case nil:
			return randomString(rng, size("minLength", "maxLength"))
		case "a|é":
			return quote([]string{"a", "xé", "a\nb\"\\"}[rng.IntN(3)])
		case `\bab\b`:
			return quote([]string{"ab", "\tab", "é ab c", "ab\n", "aab ab"}[rng.IntN(5)])
		default:
			return quote([]string{"a", "\"\n", "zé\n"}[rng.IntN(3)])
		}
	case "array":
		m := size("minItems", "maxItems")
		if _, ok := o.get("items"); !ok || depth < 0 {
			m = min(m, 1)
		}
		for range m {
			items = append(items, example(get("items"), root, rng, depth-1, n))
		}
		return join("[", items, "]")
	default:
		properties, ok := get("properties").(*object)
		if !ok {
			for range rng.IntN(3) {
				name := randomString(rng, 2) + spaces(rng, n) + ":" + spaces(rng, n)
				items = append(items, name+example(get("additionalProperties"), root, rng, depth-1, n))
			}
			return join("{", items, "}")
		}
		required, _ := requiredOf(o, properties)
		for _, p := range properties.members {
			if required[p.name] || depth > 0 && rng.IntN(2) == 0 {
				items = append(items, quote(p.name)+spaces(rng, n)+":"+spaces(rng, n)+example(p.value, root, rng, depth-1, n))
			}
		}
		return join("{", items, "}")
	}
}

// What walks lead to is what a validator accepts, and what a schema allows is allowed however it is cut into tokens.
func TestSchema(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for name, v := range vocabs(t) {
		for _, text := range schemaTests {
			schema, err := decode(text)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			ordered, err := parse([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range []Format{{}, {Space: 2}} {
				m, err := Schema(v, []byte(text), f)
				if err != nil {
					t.Fatalf("%s: %v", text, err)
				}
				ok := func(text string) bool {
					value, err := decode(text)
					return err == nil && json.Valid([]byte(text)) && strings.TrimSpace(text) == text && valid(t, schema, schema, value)
				}
				walks(t, name+text, m, 30, ok)
				for range 40 {
					value := example(ordered, ordered, rng, 4, f.Space)
					if !ok(value) {
						t.Fatalf("the test makes %q for %s", value, text)
					}
					if rest, ok := follows(t, m, value, rng); !ok {
						t.Fatalf("%s: of %q not allowed: %q", text, value, rest)
					}
					broken := []byte(value)
					broken[rng.IntN(len(value))] = "{}[]\",:\\0a \n\x01\xff"[rng.IntN(14)]
					if _, allowed := follows(t, m, string(broken), rng); allowed && !ok(string(broken)) {
						t.Fatalf("%s: allowed %q", text, broken)
					}
				}
			}
		}
	}
}

func TestSchemaErrors(t *testing.T) {
	v := list(t, byteTokens()...)
	for _, c := range []struct{ schema, want string }{
		{``, "unexpected EOF"},
		{`{"type": "null"`, "unexpected EOF"},
		{`{"type": "null"} 1`, "more after"},
		{`{"type": "null", "type": "string"}`, `"type" stands twice`},
		{"\"\xff\"", "not UTF-8"},
		{strings.Repeat("[", 2000), "deeper than 1000"},
		{`1`, "1 is not a schema"},
		{`false`, "false allows nothing"},
		{`{"type": "int"}`, `type "int"`},
		{`{"type": []}`, "no type"},
		{`{"type": ["null", "null"]}`, "type"},
		{`{"type": 1}`, "type 1"},
		{`{"type": "string", "format": "date"}`, "format is not supported"},
		{`{"type": "integer", "minimum": 3}`, "minimum is not supported"},
		{`{"allOf": [{}]}`, "allOf is not supported"},
		{`{"oneOf": [{}]}`, "oneOf is not supported"},
		{`{"not": {}}`, "not is not supported"},
		{`{"type": "array", "uniqueItems": true}`, "uniqueItems is not supported"},
		{`{"type": "array", "prefixItems": []}`, "prefixItems is not supported"},
		{`{"type": "object", "patternProperties": {}}`, "patternProperties is not supported"},
		{`{"properties": {}}`, "properties without type object"},
		{`{"type": "string", "minItems": 1}`, "minItems without type array"},
		{`{"type": "string", "pattern": "("}`, "pattern: error parsing regexp"},
		{`{"type": "string", "pattern": "a)(b"}`, "pattern: error parsing regexp"},
		{`{"type": "string", "pattern": "(?=a)"}`, "pattern: error parsing regexp"},
		{`{"type": "string", "pattern": 1}`, "pattern is not a string"},
		{`{"type": "string", "pattern": "a", "maxLength": 3}`, "pattern together with"},
		{`{"type": "string", "minLength": 3, "maxLength": 2}`, "minLength is 3, maxLength 2"},
		{`{"type": "string", "minLength": -1}`, "minLength: -1 is not"},
		{`{"type": "array", "maxItems": "3"}`, `maxItems: "3" is not`},
		{`{"type": "array", "maxItems": 1000000000}`, "more than 262144 states"},
		{`{"type": "array", "items": false}`, "items: false allows nothing"},
		{`{"type": "array", "items": [{}]}`, "is not a schema"},
		{`{"type": "object", "properties": []}`, "properties is not an object"},
		{`{"type": "object", "properties": {"a": 1}}`, `properties: "a": 1 is not a schema`},
		{`{"type": "object", "properties": {"a": {}}, "required": ["b"]}`, `required names "b"`},
		{`{"type": "object", "required": ["b"]}`, `required names "b"`},
		{`{"type": "object", "properties": {"a": {}}, "required": "a"}`, "required is not a list"},
		{`{"type": "object", "properties": {"a": {}}, "additionalProperties": true}`, "additionalProperties other than false"},
		{`{"enum": []}`, "enum is not a list"},
		{`{"enum": 1}`, "enum is not a list"},
		{`{"type": "string", "enum": ["a", 1]}`, "1 is not of type [string]"},
		{`{"enum": [1], "const": 1}`, "const together with enum"},
		{`{"enum": [1], "minimum": 1}`, "minimum together with enum"},
		{`{"anyOf": []}`, "anyOf is not a list"},
		{`{"anyOf": [{}], "type": "null"}`, "type together with anyOf"},
		{`{"$ref": "#", "type": "null"}`, "type together with $ref"},
		{`{"$ref": 1}`, "$ref is not a string"},
		{`{"$ref": "http://example.com/x"}`, "is not a JSON pointer"},
		{`{"$ref": "#/$defs/x"}`, "points to nothing"},
		{`{"$ref": "#/anyOf/2", "$defs": {}}`, "points to nothing"},
		{`{"$defs": {"x": {"format": "y"}}}`, "#/$defs/x: format is not supported"},
		{`{"$defs": 1}`, "$defs is not an object"},
		{`{"type": "array", "items": {"type": "array", "items": {"pattern": "x"}}}`, "#/items/items: pattern without"},
		{`{"type": "array", "items": {"$id": "x"}}`, "$id is not supported"},
		{`{"$ref": "#"}`, "no text satisfies"},
		{`{"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}`, "no text satisfies"},
		{`{"type": "array", "items": {"$ref": "#"}, "minItems": 1}`, "no text satisfies"},
		{`{"type": "string", "pattern": "a\\Bb\\bc"}`, "no text satisfies"},
	} {
		m, err := Schema(v, []byte(c.schema), Format{})
		if err == nil || m != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.100s: %v, want %q", c.schema, err, c.want)
		}
	}
	if _, err := Schema(nil, []byte(`{}`), Format{}); err == nil {
		t.Error("Schema succeeds without a vocabulary")
	}
}

// Whatever a schema is, there is a constraint or an error, and no random walk gets out of JSON or stuck.
func FuzzSchema(f *testing.F) {
	for _, s := range schemaTests {
		f.Add([]byte(s))
	}
	var tokens []string
	for c := range 256 {
		tokens = append(tokens, string([]byte{byte(c)}))
	}
	v, err := NewVocab(257, func(id int) string { return append(tokens, "")[id] }, 256)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, schema []byte) {
		m, err := Schema(v, schema, Format{})
		if err != nil {
			return
		}
		rng := rand.New(rand.NewPCG(uint64(len(schema)), 1))
		c, text := m.Clone(), []byte{}
		var mask Mask
		for range 100 {
			if err := c.Mask(&mask); err != nil || mask.Len() == 0 {
				t.Fatalf("%s: stuck after %q: %v", schema, text, err)
			}
			if c.Done() && !json.Valid(bytes.Clone(text)) {
				t.Fatalf("%s allows %q", schema, text)
			}
			var ids []int
			for id := range 256 {
				if mask.Allows(id) {
					ids = append(ids, id)
				}
			}
			if len(ids) == 0 {
				return
			}
			id := ids[rng.IntN(len(ids))]
			if err := c.Accept(id); err != nil {
				t.Fatal(err)
			}
			text = append(text, byte(id))
		}
	})
}
