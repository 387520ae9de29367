package op

import (
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/internal/kernel"
)

// Embedding returns the row of table (vocab, dim) of every id in tokens (...): (..., dim). An id outside the table is
// an error of the run.
func Embedding(table, tokens *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(table) {
		return embedding[float64](table, tokens)
	}
	return embedding[float32](table, tokens)
}

func embedding[F kernel.Float](table, tokens *gorgonia.Node) (*gorgonia.Node, error) {
	o := operands{op: "Embedding"}
	ws, ts := floatShape[F](&o, "table", table, 2), o.ids("tokens", tokens)
	if o.err == nil && len(ts) == 0 {
		o.fail("tokens are a scalar, want at least 1 axis")
	}
	if o.err != nil {
		return nil, o.err
	}
	dim := ws[1]
	name := show("table", table)
	return apply(&Op{
		name: "Embedding", out: []signature{like[F](append(ts.Clone(), dim)...)},
		run: func(c *Call) error {
			ids := ints(c.In[1])
			for i, id := range ids {
				if id < 0 || id >= ws[0] {
					return errors.Errorf("Embedding: token %d at %v is outside %s", id, index(i, ts), name)
				}
			}
			kernel.Embedding(output[F](c, 0), input[F](c, 0), ids, dim)
			return nil
		},
		wrt: []bool{true, false},
		grad: func(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			dw, err := apply(&Op{
				name: "EmbeddingBackward", out: []signature{like[F](ws...)},
				run: func(c *Call) error {
					kernel.EmbeddingBackward(output[F](c, 0), input[F](c, 0), ints(c.In[1]), dim)
					return nil
				},
			}, dy, in[1])
			return gorgonia.Nodes{dw, nil}, err
		},
	}, table, tokens)
}

// Positions adds row p of table (positions, dim) to the token at position p of x (batch, seq, dim). Positions count on
// from the tokens of earlier runs; one beyond the table is an error.
func Positions(x, table *gorgonia.Node) (*gorgonia.Node, error) {
	if is64(x) {
		return positions[float64](x, table)
	}
	return positions[float32](x, table)
}

func positions[F kernel.Float](x, table *gorgonia.Node) (*gorgonia.Node, error) {
	o := operands{op: "Positions"}
	xs, ws := floatShape[F](&o, "x", x, 3), floatShape[F](&o, "table", table, 2)
	if o.err == nil && (xs[2] != ws[1] || xs[1] > ws[0]) {
		o.fail("%s does not fit %s", show("x", x), show("table", table))
	}
	if o.err != nil {
		return nil, o.err
	}
	batch, seq, dim := xs[0], xs[1], xs[2]
	return apply(&Op{
		name: "Positions", out: []signature{like[F](xs...)}, inPlace: true,
		run: func(c *Call) error {
			y, x, w := output[F](c, 0), input[F](c, 0), input[F](c, 1)
			for b := range batch {
				_, at, count := c.row(b, seq)
				if at+count > ws[0] {
					return errors.Errorf("Positions: position %d is outside %v", at+count-1, ws)
				}
				i, n := b*seq*dim, count*dim
				kernel.Add(y[i:i+n], x[i:i+n], w[at*dim:at*dim+n])
			}
			return nil
		},
		wrt: always(2),
		grad: func(_ gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
			plan := kernel.NewSumTo([]int{seq, dim}, xs)
			dw, err := apply(&Op{
				name: "PositionsBackward", out: []signature{like[F](ws...)},
				run: func(c *Call) error {
					dw, dy := output[F](c, 0), input[F](c, 0)
					kernel.SumTo(plan, dw[:seq*dim], dy, 1)
					clear(dw[seq*dim:])
					return nil
				},
			}, dy)
			return gorgonia.Nodes{dy, dw}, err
		},
	}, x, table)
}

// index returns the coordinates of element i of an array.
func index(i int, shape tensor.Shape) []int {
	at := make([]int, len(shape))
	for k := len(shape) - 1; k >= 0; k-- {
		at[k] = i % shape[k]
		i /= shape[k]
	}
	return at
}
