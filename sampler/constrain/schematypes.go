package constrain

import (
	"regexp/syntax"
	"slices"

	"github.com/pkg/errors"
)

// typesOf returns the types that a schema names, or all.
func typesOf(schema *object) ([]string, error) {
	v, ok := schema.get("type")
	if !ok {
		return types, nil
	}
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var names []string
	for _, v := range list {
		name, ok := v.(string)
		if !ok || !slices.Contains(types, name) || slices.Contains(names, name) {
			return nil, errors.Errorf("type %.100s", compact(v))
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return nil, errors.Errorf("no type")
	}
	return names, nil
}

// typed reads a value of the types of a schema.
func (s *schemas) typed(t task, said []string) (fragment, error) {
	names, err := typesOf(t.schema)
	if err != nil {
		return nil, err
	}
	for _, name := range said {
		of, known := concerns[name]
		_, has := t.schema.get("type")
		if name != "type" && !known {
			return nil, errors.Errorf("%s is not supported", name)
		}
		if known && !(has && slices.Contains(names, of)) {
			return nil, errors.Errorf("%s without type %s is not supported", name, of)
		}
	}
	var parts []fragment
	for _, name := range names {
		f, err := s.byType(t, name)
		if err != nil {
			return nil, err
		}
		parts = append(parts, f)
	}
	return s.alt(parts...), nil
}

func (s *schemas) byType(t task, name string) (fragment, error) {
	switch name {
	case "null":
		return s.literal("null"), nil
	case "boolean":
		return s.alt(s.literal("true"), s.literal("false")), nil
	case "integer":
		return s.integer, nil
	case "number":
		return s.number, nil
	case "string":
		return s.strings(t)
	case "array":
		return s.arrays(t)
	default:
		return s.objects(t)
	}
}

// limits returns the values of two keywords, 0 and -1 where they are not there.
func limits(schema *object, least, most string) (lo, hi int, err error) {
	hi = -1
	if v, ok := schema.get(least); ok {
		if lo, err = count(v); err != nil {
			return 0, 0, errors.WithMessage(err, least)
		}
	}
	if v, ok := schema.get(most); ok {
		if hi, err = count(v); err != nil {
			return 0, 0, errors.WithMessage(err, most)
		}
		if hi < lo {
			return 0, 0, errors.Errorf("%s is %d, %s %d", least, lo, most, hi)
		}
	}
	return lo, hi, nil
}

func (s *schemas) strings(t task) (fragment, error) {
	least, most, err := limits(t.schema, "minLength", "maxLength")
	if err != nil {
		return nil, err
	}
	v, ok := t.schema.get("pattern")
	if !ok {
		return s.quoted(s.repeat(s.char, least, most)), nil
	}
	pattern, ok := v.(string)
	if !ok {
		return nil, errors.Errorf("pattern is not a string")
	}
	if least > 0 || most >= 0 {
		return nil, errors.Errorf("pattern together with minLength or maxLength is not supported")
	}
	if _, err := syntax.Parse(pattern, syntax.Perl); err != nil { // before it is put in parentheses
		return nil, errors.Wrap(err, "pattern")
	}
	prog, err := compile(`(?s:.*)(?:` + pattern + `)(?s:.*)`)
	if err != nil {
		return nil, errors.WithMessage(err, "pattern")
	}
	return s.quoted(s.regexp(prog, s.spelt)), nil
}

func (s *schemas) arrays(t task) (fragment, error) {
	least, most, err := limits(t.schema, "minItems", "maxItems")
	if err != nil {
		return nil, err
	}
	item := s.value
	if v, ok := t.schema.get("items"); ok {
		if item, err = s.use(v, t.path+"/items"); err != nil {
			return nil, errors.WithMessage(err, "items")
		}
	}
	return s.array(item, least, most), nil
}

func (s *schemas) objects(t task) (fragment, error) {
	properties := new(object)
	if v, ok := t.schema.get("properties"); ok {
		if properties, ok = v.(*object); !ok {
			return nil, errors.Errorf("properties is not an object")
		}
	}
	required, err := requiredOf(t.schema, properties)
	if err != nil {
		return nil, err
	}
	_, closed := t.schema.get("properties")
	others, has := t.schema.get("additionalProperties")
	if others == false {
		return s.members(t, properties, required)
	}
	if closed {
		if has {
			return nil, errors.Errorf("additionalProperties other than false together with properties is not supported")
		}
		return s.members(t, properties, required)
	}
	value := s.value
	if has {
		if value, err = s.use(others, t.path+"/additionalProperties"); err != nil {
			return nil, errors.WithMessage(err, "additionalProperties")
		}
	}
	return s.object(value), nil
}

// requiredOf returns the names of required properties.
func requiredOf(schema, properties *object) (map[string]bool, error) {
	required := make(map[string]bool)
	v, ok := schema.get("required")
	if !ok {
		return required, nil
	}
	list, ok := v.([]any)
	if !ok {
		return nil, errors.Errorf("required is not a list")
	}
	for _, v := range list {
		name, ok := v.(string)
		if _, known := properties.get(name); !ok || !known {
			return nil, errors.Errorf("required names %.100s, which is not one of the properties", compact(v))
		}
		required[name] = true
	}
	return required, nil
}

// members reads an object of these properties, in their order.
func (s *schemas) members(t task, properties *object, required map[string]bool) (fragment, error) {
	parts := make([]fragment, len(properties.members))
	for i, p := range properties.members {
		value, err := s.use(p.value, t.path+"/properties/"+p.name)
		if err != nil {
			return nil, errors.WithMessagef(err, "properties: %q", p.name)
		}
		parts[i] = s.member(s.literal(quote(p.name)), value)
	}
	return func(next int32) int32 {
		end := s.literal("}")(next)
		// Where to go on when there has been no member yet, and when there has.
		none, some := end, s.space(end)
		for i := len(parts) - 1; i >= 0; i-- {
			withNone := parts[i](some)
			withSome := s.comma()(withNone)
			if required[properties.members[i].name] {
				none, some = withNone, withSome
				continue
			}
			none = s.add(inst{op: opSplit, outs: []int32{withNone, none}})
			some = s.add(inst{op: opSplit, outs: []int32{withSome, some}})
		}
		return seq(s.literal("{"), s.space)(none)
	}, nil
}
