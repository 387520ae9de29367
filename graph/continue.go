package graph

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/op"
)

// continues readies a program of a generating graph to count the tokens that its runs are given.
func (p *Program) continues() error {
	if p.g.maxSeq == 0 {
		return nil
	}
	sequences := 0
	for _, s := range p.steps {
		if s.fused == nil || !s.fused.Remembers() {
			continue
		}
		n, tokens := s.fused.Continues()
		if sequences > 0 && (n != sequences || tokens != p.tokens) {
			return errors.Errorf("a generating graph continues %d sequences by %d tokens in one place and %d by %d in another",
				sequences, p.tokens, n, tokens)
		}
		sequences, p.tokens = n, tokens
	}
	p.past = &op.Sequences{Offsets: make([]int, sequences), Max: p.g.maxSeq}
	return nil
}

// states returns what the ops of a program remember from run to run, in order.
func (p *Program) states() (states [][]gorgonia.Value) {
	for _, s := range p.steps {
		if s.fused != nil && s.fused.Remembers() {
			states = append(states, s.call.State)
		}
	}
	return states
}

// compileOn readies outputs of a generating graph for ops that remember what those of another program do, if states are
// not nil.
func compileOn(states [][]gorgonia.Value, outputs ...Node) (*Program, error) {
	p, err := compileWith(states, Node{}, outputs)
	if err != nil {
		return nil, err
	}
	mine := p.states()
	fits := states == nil || len(mine) == len(states)
	for i, s := range states {
		fits = fits && len(s) == len(mine[i])
	}
	if !fits {
		return nil, errors.New("graph: Compile: the model depends on how many tokens it is given")
	}
	return p, nil
}

// remembering returns the nodes that output depends on whose ops remember something.
func remembering(output Node) (nodes []Node) {
	for _, n := range reachable(output.n) {
		if o, ok := n.Op().(*op.Op); ok && o.Remembers() {
			nodes = append(nodes, Node{output.g, n})
		}
	}
	return nodes
}
