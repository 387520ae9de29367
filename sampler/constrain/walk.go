package constrain

// inside is what tokens do that follow in a state, as far as the calls that the state is in do not matter: those that
// all of its ways are in. A string in JSON takes the same tokens wherever it stands, save those that go beyond its end.
type inside struct {
	mask   []uint64 // the tokens that may follow
	leaves []int32  // the nodes whose prefix ends the first of those calls; what comes after depends on it
}

// mask returns the bits of the tokens that may follow in s.
func (m *machine) mask(s *state) []uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.mask != nil {
		return s.mask
	}
	mask := make([]uint64, (m.vocab.Size()+63)/64)
	if outer := s.outer(); outer != nil { // it is live, because s is
		in := m.inside(m.without(s, outer))
		copy(mask, in.mask)
		for _, leaf := range in.leaves {
			n := &m.vocab.nodes[leaf]
			prefix := m.vocab.texts[m.vocab.ids[n.tokens]][:n.depth+1]
			m.allow(mask, m.run(s, prefix), leaf+1, n.after)
		}
	} else {
		m.allow(mask, s, 0, int32(len(m.vocab.nodes)))
	}
	if s.accepts {
		for _, id := range m.vocab.end {
			mask[id/64] |= 1 << (id % 64)
		}
	}
	s.mask = mask
	m.size += 8 * len(mask)
	return mask
}

// allow sets the bits of the tokens among nodes from to to-1, which all follow one prefix, that may follow in s, the
// state after that prefix.
func (m *machine) allow(mask []uint64, s *state, from, to int32) {
	m.walk(s, from, to, func(i int32, next *state) bool {
		if next.live {
			m.set(mask, i)
		}
		return true
	})
}

// set sets the bits of the tokens of a node.
func (m *machine) set(mask []uint64, i int32) {
	n := &m.vocab.nodes[i]
	for _, id := range m.vocab.ids[n.tokens : n.tokens+n.n] {
		mask[id/64] |= 1 << (id % 64)
	}
}

// walk calls f for the nodes from to to-1, which all follow one prefix, and the states that they lead to from s, the
// state after that prefix. It leaves out nodes that lead nowhere and what follows those for which f returns false.
func (m *machine) walk(s *state, from, to int32, f func(i int32, next *state) bool) {
	if from == to || s == nowhere {
		return
	}
	nodes := m.vocab.nodes
	path, depth := []*state{s}, nodes[from].depth
	for i := from; i < to; {
		n := &nodes[i]
		at := n.depth - depth
		next := m.step(path[at], n.last)
		if next == nowhere || !f(i, next) {
			i = n.after
			continue
		}
		path = append(path[:at+1], next)
		i++
	}
}

// inside returns what tokens do in s, which is without the calls that do not matter.
func (m *machine) inside(s *state) *inside {
	if s.inside != nil {
		return s.inside
	}
	in := &inside{mask: make([]uint64, (m.vocab.Size()+63)/64)}
	m.walk(s, 0, int32(len(m.vocab.nodes)), func(i int32, next *state) bool {
		if next.live {
			m.set(in.mask, i)
		}
		if next.accepts {
			in.leaves = append(in.leaves, i)
		}
		return !next.accepts
	})
	s.inside = in
	m.size += 8*len(in.mask) + 4*len(in.leaves)
	return in
}

// outer returns the innermost call that all ways of s are in, or nil.
func (s *state) outer() *frame {
	if len(s.ways) == 0 {
		return nil
	}
	outer := s.ways[0].calls
	for _, w := range s.ways[1:] {
		f := w.calls
		for f != outer {
			switch {
			case f == nil || outer == nil:
				return nil
			case f.depth > outer.depth:
				f = f.up
			case f.depth < outer.depth:
				outer = outer.up
			default:
				f, outer = f.up, outer.up
			}
		}
	}
	return outer
}

// without returns s without the calls from outer on.
func (m *machine) without(s *state, outer *frame) *state {
	var strip func(f *frame) *frame
	strip = func(f *frame) *frame {
		if f == outer {
			return nil
		}
		return m.frame(f.to, strip(f.up))
	}
	var ways []way
	for _, w := range s.ways {
		ways = append(ways, way{w.at, strip(w.calls)})
	}
	return m.intern(ways, false)
}
