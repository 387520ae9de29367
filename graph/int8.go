package graph

import (
	"slices"
	"sync"

	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/kernel"
	"github.com/logits-go/logits/internal/op"
)

// Int8 makes a graph that generates, one with [Decode] or of [NewDecoder], multiply by weights of eight bits:
//
//	dec, err := graph.NewDecoder(model.Forward, 256, graph.Int8())
//
// A token takes as long as it takes to read the weights, of which there is a quarter then. It applies to the weights of
// [Node.Linear] and [Node.Linears] that are parameters. All else is computed in float32, as are products with other
// weights, and the values of parameters stay as they are: an embedding that is the output layer too is looked up
// unrounded.
//
// Weights are rounded in groups of 32 along a row, each with a scale of 32 bits: m/127 for the largest magnitude m of the
// group, and to the nearest integer, of two to the even one. So does a product with its x, and adds up integers within
// groups. This is Q8_0 of llama.cpp with wider scales. A row of x with NaN or Inf makes a row of NaN. The product of a row
// has the same bits at any number of threads and of rows, and with all kernels.
//
// Weights are rounded when the graph is built, so it does not see what they become later. Graphs built with the same
// option, the value of one call of Int8, share the rounded weights: those of the first of them. The option may be used on
// several goroutines. Such graphs hold float32, and cannot be trained.
func Int8() Option {
	q := new(quantized)
	return func(o *options) { o.int8 = q }
}

// quantized holds weights that are rounded to eight bits.
type quantized struct {
	mu   sync.Mutex
	list []quantizedWeights
}

// quantizedWeights are the values of params, one below the other.
type quantizedWeights struct {
	params []*Param
	values *kernel.Int8
}

// of returns the rounded values of parameters, which are matrices with rows of one length.
func (q *quantized) of(params []*Param) *kernel.Int8 {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range q.list {
		if slices.Equal(w.params, params) {
			return w.values
		}
	}
	var values [][]float32
	for _, p := range params {
		values = append(values, p.value.Float32s())
	}
	w := kernel.QuantizeInt8(params[0].value.Shape()[1], values...)
	q.list = append(q.list, quantizedWeights{params, w})
	return w
}

// linears returns the node of Linears.
func (g *Graph) linears(x *gorgonia.Node, ws, bs gorgonia.Nodes) (*gorgonia.Node, error) {
	if params := g.paramsOf(ws); g.int8 != nil && params != nil {
		return op.LinearsInt8(x, ws, bs, func() *kernel.Int8 { return g.int8.of(params) })
	}
	if g.maxSeq > 0 {
		return op.SteadyLinears(x, ws, bs)
	}
	return op.Linears(x, ws, bs)
}

// paramsOf returns the parameters that nodes stand for, or nil if one stands for none.
func (g *Graph) paramsOf(ns gorgonia.Nodes) (params []*Param) {
	for _, n := range ns {
		i := slices.IndexFunc(g.order, func(p *Param) bool { return g.params[p] == n })
		if i < 0 {
			return nil
		}
		params = append(params, g.order[i])
	}
	return params
}
