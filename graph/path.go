package graph

import "strings"

// path returns the layer that an operation on in belongs to, as the names of parameters tell it: the layer of a
// parameter among the operands, or what the layers of all operands have in common, or the layer of the last.
func (g *Graph) path(in []Node) string {
	common, last, known := "", "", false
	for _, x := range in {
		if x.g != g || x.n == nil {
			continue
		}
		p, ok := g.paths[x.n.ID()]
		if !ok {
			continue
		}
		if x.n.Op() == nil { // a parameter
			return p
		}
		if !known {
			common = p
		} else {
			common = commonPath(common, p)
		}
		last, known = p, true
	}
	if common == "" {
		return last
	}
	return common
}

// commonPath returns the longest path that is a beginning of both.
func commonPath(a, b string) string {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	n := 0
	for n < len(as) && n < len(bs) && as[n] == bs[n] {
		n++
	}
	return strings.Join(as[:n], ".")
}
