package kernel

import (
	"math"
	"slices"
	"sync"
)

// A Rotation holds the cosines and sines by which RoPE turns the pairs of a head, https://arxiv.org/abs/2104.09864.
// Pair i of position p turns by p · theta**(-2i/headDim).
type Rotation[F Float] struct {
	half     int // pairs in a head
	theta    float64
	split    bool
	cos, sin []F // (positions, headDim): for each element that of its pair, for the first of a pair with -sin
}

// NewRotation returns the rotation of heads of headDim elements, which must be even. Pairs are neighbours (0, 1), (2, 3),
// ... or, if split is set, (0, half), (1, half+1), ... as in checkpoints of Hugging Face.
func NewRotation[F Float](headDim int, theta float64, split bool) *Rotation[F] {
	return &Rotation[F]{half: headDim / 2, theta: theta, split: split}
}

// Grow adds positions until there are n. It takes memory for as many as reserve if that is more. Copies of t may be used
// meanwhile.
func (t *Rotation[F]) Grow(n, reserve int) {
	have, dim := 0, 2*t.half
	if dim > 0 {
		have = len(t.cos) / dim
	}
	if dim == 0 || have >= n {
		return
	}
	room := max(n, reserve)*dim - len(t.cos)
	t.cos, t.sin = slices.Grow(t.cos, room)[:n*dim], slices.Grow(t.sin, room)[:n*dim]
	for p := have; p < n; p++ {
		cos, sin := t.cos[p*dim:], t.sin[p*dim:]
		for i := range t.half {
			s, c := math.Sincos(float64(p) * math.Pow(t.theta, -float64(2*i)/float64(2*t.half)))
			a, b := 2*i, 2*i+1
			if t.split {
				a, b = i, t.half+i
			}
			cos[a], cos[b], sin[a], sin[b] = F(c), F(c), F(-s), F(s)
		}
	}
}

// Places says where the tokens of a batch stand.
type Places struct {
	First   int   // number of the first row
	Seq     int   // tokens in a sequence
	Offsets []int // how many came before each sequence; missing ones are 0
	IDs     []int // if not nil, the positions themselves: of each row, or of each token of every sequence
}

// of returns the position of a row.
func (p *Places) of(row int) int {
	row += p.First
	if p.IDs != nil {
		return p.IDs[row%len(p.IDs)]
	}
	at, sequence := row%p.Seq, row/p.Seq
	if sequence < len(p.Offsets) {
		at += p.Offsets[sequence]
	}
	return at
}

// turning is a RoPE in progress. It is kept for its bound method.
type turning[F Float] struct {
	Rotation[F]
	dst, x       []F
	heads, width int
	back         bool
	places       Places
	run          func(lo, hi int)
}

var turnings sync.Pool // of *turning of whatever type came last

// RoPE turns the first heads of each row of x, which is width long, and copies the rest. Rows stand at places that Grow
// has made room for. back turns the other way, which is the gradient. dst may be x.
func (t *Rotation[F]) RoPE(dst, x []F, heads, width int, back bool, places Places) {
	if width == 0 || t.half == 0 {
		return
	}
	j, ok := turnings.Get().(*turning[F])
	if !ok {
		j = new(turning[F])
		j.run = j.rows
	}
	j.Rotation, j.dst, j.x, j.heads, j.width, j.back, j.places = *t, dst, x, heads, width, back, places
	Parallel(len(x)/width, max(1, elements/width), j.run)
	*j = turning[F]{run: j.run}
	turnings.Put(j)
}

// rows turns rows [lo, hi).
func (j *turning[F]) rows(lo, hi int) {
	dim := 2 * j.half
	turned := j.heads * dim
	for r := lo; r < hi; r++ {
		at := j.places.of(r) * dim
		cos, sin := j.cos[at:][:dim], j.sin[at:][:dim]
		x, y := j.x[r*j.width:][:j.width], j.dst[r*j.width:][:j.width]
		if &x[0] != &y[0] {
			copy(y[turned:], x[turned:])
		}
		switch {
		case j.split && is32[F]():
			ropeHalvesRow(asFloat32s(y), asFloat32s(x), asFloat32s(cos), asFloat32s(sin), j.heads, j.back)
		case j.split:
			ropeHalvesPortable(y, x, cos, sin, j.heads, j.back)
		case is32[F]():
			ropePairsRow(asFloat32s(y), asFloat32s(x), asFloat32s(cos), asFloat32s(sin), j.heads, j.back)
		default:
			ropePairsPortable(y, x, cos, sin, j.heads, j.back)
		}
	}
}
