package graph_test

import (
	"hash"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// blocking is an op of a user's own that waits.
type blocking struct{ entered, leave chan bool }

func (blocking) Arity() int { return 1 }
func (blocking) Type() hm.Type {
	v := gorgonia.TensorType{Dims: 1, Of: tensor.Float32}
	return hm.NewFnType(v, v)
}
func (blocking) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return in[0].(tensor.Shape).Clone(), nil
}
func (b blocking) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	b.entered <- true
	<-b.leave
	return in[0], nil
}
func (blocking) ReturnsPtr() bool      { return false }
func (blocking) CallsExtern() bool     { return false }
func (blocking) OverwritesInput() int  { return -1 }
func (blocking) WriteHash(h hash.Hash) { h.Write([]byte("blocking")) }
func (blocking) Hashcode() uint32      { return 1 }
func (blocking) String() string        { return "blocking" }
