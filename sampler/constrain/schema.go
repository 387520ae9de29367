package constrain

import (
	"fmt"
	"slices"

	"github.com/pkg/errors"
)

// Schema returns the constraint that the text is JSON that a JSON Schema allows. Of the vocabulary of its draft 2020-12
// it knows
//
//	type                  one or a list, of null, boolean, integer, number, string, array and object
//	enum, const           also with type; values of any kind
//	anyOf                 alone
//	$ref                  alone: "#" or a JSON pointer into the schema, also from within what it points to
//	$defs, definitions
//	properties, required  of an object
//	additionalProperties  false; without properties also a schema, which all members then have
//	items, minItems, maxItems
//	pattern, or minLength and maxLength
//	title, description, default, examples, deprecated, readOnly, writeOnly, $comment, $schema, and $id at the top
//
// and true and {} for any value. Every other keyword is an error, as is one of these with a type that it does not
// concern or with one that it would have to be combined with: nothing is ignored. So is a schema that no value
// satisfies.
//
// Where a schema leaves a choice of how to write a value, or is open, the texts are these:
//   - The properties of an object stand in the order of the schema, those not required may be left out, and there are
//     no others, with additionalProperties false or without. Their names are spelt without needless escapes.
//   - Values of enum and const are written compactly, numbers as in the schema.
//   - An integer is written without point and exponent.
//   - A pattern is in the syntax of package regexp, and may match anywhere in a string, as JSON Schema has it. Characters
//     of the string are spelt without needless escapes. Lengths count characters, and an escape is one.
//
// What is said of whitespace, strings and vocabularies in [JSON] holds here too.
func Schema(v *Vocab, schema []byte, f Format) (*Matcher, error) {
	m, err := newSchema(v, schema, f)
	return m, errors.WithMessage(err, "constrain: JSON Schema")
}

func newSchema(v *Vocab, schema []byte, f Format) (*Matcher, error) {
	g, err := newGrammar(v, f)
	if err != nil {
		return nil, err
	}
	root, err := parse(schema)
	if err != nil {
		return nil, err
	}
	s := &schemas{grammar: g, root: root, rules: make(map[*object]int32)}
	start, err := s.use(root, "#")
	if err != nil {
		return nil, errors.WithMessage(err, "#")
	}
	g.start = start(ret)
	for len(s.todo) > 0 {
		t := s.todo[0]
		s.todo = s.todo[1:]
		read, err := s.read(t)
		if err != nil {
			return nil, errors.WithMessage(err, t.path)
		}
		g.define(s.rules[t.schema], read)
	}
	return newMatcher(newMachine(g.builder, v))
}

// schemas is a schema and all within it, each of which becomes a rule.
type schemas struct {
	*grammar
	root  any
	rules map[*object]int32
	todo  []task
}

// A task is a rule that is yet to be defined.
type task struct {
	schema *object
	path   string
}

// use reads a value of a schema.
func (s *schemas) use(schema any, path string) (fragment, error) {
	switch schema := schema.(type) {
	case *object:
		rule, ok := s.rules[schema]
		if !ok {
			rule = s.rule()
			s.rules[schema] = rule
			s.todo = append(s.todo, task{schema, path})
		}
		return s.call(rule), nil
	case bool:
		if schema {
			return s.value, nil
		}
		return nil, errors.Errorf("false allows nothing")
	default:
		return nil, errors.Errorf("%.100s is not a schema", compact(schema))
	}
}

// The keywords that say what a value is, by the types that they concern, and those that say nothing of values.
var (
	concerns = map[string]string{
		"properties": "object", "required": "object", "additionalProperties": "object",
		"items": "array", "minItems": "array", "maxItems": "array",
		"pattern": "string", "minLength": "string", "maxLength": "string",
	}
	notes = []string{
		"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment", "$schema",
	}
	types = []string{"null", "boolean", "integer", "number", "string", "array", "object"}
)

// read reads a value of the schema of a task.
func (s *schemas) read(t task) (fragment, error) {
	var said []string // the keywords that say what a value is
	for _, m := range t.schema.members {
		switch {
		case m.name == "$defs" || m.name == "definitions":
			defs, ok := m.value.(*object)
			if !ok {
				return nil, errors.Errorf("%s is not an object", m.name)
			}
			for _, def := range defs.members { // looked at even if nothing refers to them
				if _, ok := def.value.(bool); ok {
					continue
				}
				if _, err := s.use(def.value, t.path+"/"+m.name+"/"+def.name); err != nil {
					return nil, err
				}
			}
		case slices.Contains(notes, m.name) || m.name == "$id" && t.path == "#":
		default:
			said = append(said, m.name)
		}
	}
	if len(said) == 0 {
		return s.value, nil
	}
	has := func(name string) bool { return slices.Contains(said, name) }
	switch {
	case has("$ref"):
		return s.ref(t, said)
	case has("anyOf"):
		return s.anyOf(t, said)
	case has("enum"):
		return s.enum(t, said)
	case has("const"):
		return s.constant(t, said)
	}
	return s.typed(t, said)
}

// alone returns an error if there is a keyword other than those given.
func alone(said []string, names ...string) error {
	for _, name := range said {
		if !slices.Contains(names, name) {
			return errors.Errorf("%s together with %s is not supported", name, names[0])
		}
	}
	return nil
}

func (s *schemas) ref(t task, said []string) (fragment, error) {
	if err := alone(said, "$ref"); err != nil {
		return nil, err
	}
	v, _ := t.schema.get("$ref")
	ref, ok := v.(string)
	if !ok {
		return nil, errors.Errorf("$ref is not a string")
	}
	target, err := resolve(s.root, ref)
	if err != nil {
		return nil, err
	}
	return s.use(target, ref)
}

func (s *schemas) anyOf(t task, said []string) (fragment, error) {
	if err := alone(said, "anyOf"); err != nil {
		return nil, err
	}
	v, _ := t.schema.get("anyOf")
	list, _ := v.([]any)
	if len(list) == 0 {
		return nil, errors.Errorf("anyOf is not a list of schemas")
	}
	var parts []fragment
	for i, schema := range list {
		f, err := s.use(schema, fmt.Sprintf("%s/anyOf/%d", t.path, i))
		if err != nil {
			return nil, err
		}
		parts = append(parts, f)
	}
	return s.alt(parts...), nil
}

func (s *schemas) enum(t task, said []string) (fragment, error) {
	if err := alone(said, "enum", "type"); err != nil {
		return nil, err
	}
	v, _ := t.schema.get("enum")
	list, _ := v.([]any)
	if len(list) == 0 {
		return nil, errors.Errorf("enum is not a list of values")
	}
	return s.values(t, list)
}

func (s *schemas) constant(t task, said []string) (fragment, error) {
	if err := alone(said, "const", "type"); err != nil {
		return nil, err
	}
	v, _ := t.schema.get("const")
	return s.values(t, []any{v})
}

// values reads one of the values listed.
func (s *schemas) values(t task, list []any) (fragment, error) {
	names, err := typesOf(t.schema)
	if err != nil {
		return nil, err
	}
	var parts []fragment
	for _, v := range list {
		if !slices.ContainsFunc(names, func(name string) bool { return hasType(v, name) }) {
			return nil, errors.Errorf("%.100s is not of type %v", compact(v), names)
		}
		parts = append(parts, s.literal(compact(v)))
	}
	return s.alt(parts...), nil
}
