package constrain

import (
	"github.com/pkg/errors"
)

// A Constraint follows a text token by token and says which may come next. It is not safe for use by several goroutines
// at once; its clones are, each by one.
type Constraint interface {
	// Mask makes dst the set of tokens that may follow, which is not empty. It is an error after an end token.
	Mask(dst *Mask) error
	// Accept adds a token to the text. If the token may not follow it is an error, and the text stays as it was.
	Accept(token int) error
	// Done reports whether the text is complete as it stands, so that an end token may follow or has.
	Done() bool
	// Clone returns a constraint with the same text, which goes on by itself.
	Clone() Constraint
}

// A Matcher is the Constraint that [Regexp], [JSON] and [Schema] return. Clones share what they find out about the
// form, so that it pays to clone one for each text.
type Matcher struct {
	machine *machine
	at      *state
	ended   bool
}

var errZeroMatcher = errors.New("constrain: the Matcher is the zero value, which no function has made")

func newMatcher(m *machine, err error) (*Matcher, error) {
	if err != nil {
		return nil, err
	}
	return &Matcher{machine: m, at: m.start}, nil
}

// Mask implements Constraint.
func (m *Matcher) Mask(dst *Mask) error {
	switch {
	case m.machine == nil:
		return errZeroMatcher
	case dst == nil:
		return errors.New("constrain: no mask to fill")
	case m.ended:
		return errors.New("constrain: the text has ended")
	}
	dst.Reset(m.machine.vocab.Size())
	copy(dst.bits, m.machine.mask(m.at))
	return nil
}

// Accept implements Constraint.
func (m *Matcher) Accept(token int) error {
	if m.machine == nil {
		return errZeroMatcher
	}
	v := m.machine.vocab
	if token < 0 || token >= v.Size() {
		return errors.Errorf("constrain: token %d is not in [0, %d)", token, v.Size())
	}
	if m.ended {
		return errors.Errorf("constrain: token %d after the text has ended", token)
	}
	for _, end := range v.end {
		if token == end {
			if m.ended = m.at.accepts; !m.ended {
				return errors.Errorf("constrain: end token %d where the text is not complete", token)
			}
			return nil
		}
	}
	at := m.machine.follow(m.at, v.texts[token])
	if at == nil {
		return errors.Errorf("constrain: token %d, %q, may not follow", token, v.texts[token])
	}
	m.at = at
	return nil
}

// Done implements Constraint.
func (m *Matcher) Done() bool { return m.at != nil && m.at.accepts }

// Clone implements Constraint.
func (m *Matcher) Clone() Constraint {
	c := *m
	return &c
}
