package constrain

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sync"

	"github.com/pkg/errors"
)

// A machine runs a program on all of its ways at once and writes down what it finds: a deterministic machine that is
// made as texts come by.
type machine struct {
	prog  *program
	vocab *Vocab
	can   []bool // whether an instruction can be got from to the end of its rule
	live  []bool // whether it can with whole tokens
	start *state

	mu     sync.Mutex
	states map[string]*state
	frames map[frameKey]*frame
	serial uint64 // of the last frame
	size   int    // of what is written down, in bytes
	key    []byte
}

// maxSize is how many bytes of states and masks a machine writes down before it starts over.
const maxSize = 64 << 20

// A state is the set of ways that a text can be taken, all between two of its bytes.
type state struct {
	ways    []way // all at opRead
	accepts bool  // whether the text is complete
	live    bool  // whether whole tokens can make it so
	next    [256]*state
	mask    []uint64 // nil until asked for
	inside  *inside  // nil until asked for
}

// A way is an instruction and the calls that it is in.
type way struct {
	at    int32
	calls *frame
}

// A frame is a call, and the calls that it is in. Equal frames are one.
type frame struct {
	frameKey
	serial uint64
	depth  int
	live   bool // whether whole tokens lead on from it
}

type frameKey struct {
	to int32 // where the call returns to
	up *frame
}

// nowhere is the state of texts that cannot be completed.
var nowhere = new(state)

// newMachine returns the machine of what b has built. It is an error if nothing satisfies it.
func newMachine(b *builder, vocab *Vocab) (*machine, error) {
	if b.err != nil {
		return nil, b.err
	}
	m := &machine{prog: &b.program, vocab: vocab}
	every := [256]bool{}
	for i := range every {
		every[i] = true
	}
	m.can = m.prog.finish(&every, nil)
	if !m.can[m.prog.start] {
		return nil, errors.Errorf("constrain: no text satisfies the form")
	}
	m.findLive()
	m.forget()
	m.start = m.intern(m.ways(way{at: m.prog.start}))
	if !m.start.live {
		return nil, errors.Errorf("constrain: the tokens of the vocabulary cannot spell any text of the form")
	}
	return m, nil
}

func (m *machine) forget() {
	m.states, m.frames, m.size = make(map[string]*state), make(map[frameKey]*frame), 0
}

// findLive finds the instructions from which whole tokens lead to the end of the rule. Tokens of one byte are nearly
// always enough. For the instructions that they are not enough for it looks whether some token leads from there to
// one that is live, until there are no more. Within a rule that is all there is to know; a token that ends the rule
// and goes on in another that called it is not counted, so JSON for a vocabulary that lacks bytes may be allowed less
// than it could be, but never led into a dead end.
func (m *machine) findLive() {
	m.live = m.prog.finish(&m.vocab.bytes, nil)
	for more := true; more; {
		more = false
		m.forget()
		known := slices.Clone(m.live)
		for i, can := range m.can {
			if can && !m.live[i] && m.prog.insts[i].op == opRead && m.leads(m.intern([]way{{at: int32(i)}}, false)) {
				known[i], more = true, true
			}
		}
		if more {
			m.live = m.prog.finish(&m.vocab.bytes, known)
		}
	}
}

// leads reports whether some token leads from s to a live state.
func (m *machine) leads(s *state) bool {
	found := false
	m.walk(s, 0, int32(len(m.vocab.nodes)), func(i int32, next *state) bool {
		found = found || next.live && m.vocab.nodes[i].n > 0
		return !found
	})
	return found
}

// ways returns the ways at opRead to which w leads without reading, and whether it leads to the end of the text.
func (m *machine) ways(from ...way) (ways []way, accepts bool) {
	seen := make(map[way]bool)
	for len(from) > 0 {
		w := from[len(from)-1]
		from = from[:len(from)-1]
		if !m.can[w.at] || seen[w] {
			continue
		}
		seen[w] = true
		switch in := &m.prog.insts[w.at]; in.op {
		case opRead:
			ways = append(ways, w)
		case opSplit:
			for _, to := range in.outs {
				from = append(from, way{to, w.calls})
			}
		case opCall:
			if m.can[in.outs[1]] {
				from = append(from, way{m.prog.rules[in.outs[0]], m.frame(in.outs[1], w.calls)})
			}
		case opRet:
			if w.calls == nil {
				accepts = true
			} else {
				from = append(from, way{w.calls.to, w.calls.up})
			}
		}
	}
	return ways, accepts
}

// frame returns a call that returns to to. Where that is the end of the rule that calls, it returns to where this
// returns to, so that a rule may begin with itself.
func (m *machine) frame(to int32, up *frame) *frame {
	if to == ret {
		return up
	}
	key := frameKey{to, up}
	f := m.frames[key]
	if f == nil {
		m.serial++
		f = &frame{frameKey: key, serial: m.serial, depth: 1, live: m.live[to]}
		if up != nil {
			f.depth, f.live = up.depth+1, f.live && up.live
		}
		m.frames[key] = f
		m.size += 64
	}
	return f
}

func (w way) serial() uint64 {
	if w.calls == nil {
		return 0
	}
	return w.calls.serial
}

// intern returns the state of ways.
func (m *machine) intern(ways []way, accepts bool) *state {
	if len(ways) == 0 && !accepts {
		return nowhere
	}
	slices.SortFunc(ways, func(a, b way) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.serial(), b.serial()))
	})
	m.key = m.key[:0]
	if accepts {
		m.key = append(m.key, 1)
	}
	for _, w := range ways {
		m.key = binary.LittleEndian.AppendUint32(m.key, uint32(w.at))
		m.key = binary.LittleEndian.AppendUint64(m.key, w.serial())
	}
	if s := m.states[string(m.key)]; s != nil {
		return s
	}
	s := &state{ways: ways, accepts: accepts, live: accepts}
	for _, w := range ways {
		s.live = s.live || m.live[w.at] && (w.calls == nil || w.calls.live)
	}
	if m.size > maxSize {
		m.forget() // a text goes on from the state that it is in, which nothing here has to know
	}
	m.states[string(m.key)] = s
	m.size += 256*8 + 32*len(ways) + 100
	return s
}

// step returns the state after s and a byte.
func (m *machine) step(s *state, b byte) *state {
	if next := s.next[b]; next != nil {
		return next
	}
	var from []way
	for _, w := range s.ways {
		for _, e := range m.prog.insts[w.at].edges {
			if e.lo <= b && b <= e.hi {
				from = append(from, way{e.to, w.calls})
			}
		}
	}
	s.next[b] = m.intern(m.ways(from...))
	return s.next[b]
}

// follow returns the state after s and a token, or nil if the token may not follow.
func (m *machine) follow(s *state, token string) *state {
	if token == "" {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if s = m.run(s, token); !s.live {
		return nil
	}
	return s
}

func (m *machine) run(s *state, text string) *state {
	for i := range len(text) {
		s = m.step(s, text[i])
	}
	return s
}
