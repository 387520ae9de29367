package op

import (
	"gorgonia.org/gorgonia"

	"github.com/logits-go/logits/internal/kernel"
)

// Dropout sets a share p of the elements of x to zero and divides the others by 1-p,
// https://jmlr.org/papers/v15/srivastava14a.html. Outside training it is x. Which elements fall is decided by the seed,
// the number of the run and the place alone, so it repeats; two uses need two seeds.
func Dropout(x *gorgonia.Node, p float64, seed uint64) (*gorgonia.Node, error) {
	if is64(x) {
		return dropout[float64](x, p, seed)
	}
	return dropout[float32](x, p, seed)
}

func dropout[F kernel.Float](x *gorgonia.Node, p float64, seed uint64) (*gorgonia.Node, error) {
	o := operands{op: "Dropout"}
	xs := floatShape[F](&o, "x", x)
	if !(p >= 0 && p < 1) {
		o.fail("p is %v, want 0 <= p < 1", p)
	}
	if o.err != nil {
		return nil, o.err
	}
	if p == 0 {
		return x, nil
	}
	drop := func(c *Call) error {
		kernel.Dropout(output[F](c, 0), input[F](c, 0), p, kernel.Key(seed, c.Run))
		return nil
	}
	y := &Op{name: "Dropout", out: []signature{like[F](xs...)}, inPlace: true, eval: true, run: drop, wrt: always(1)}
	y.grad = func(_ gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
		back := &Op{name: "DropoutBackward", out: []signature{like[F](xs...)}, inPlace: true, run: drop}
		dx, err := apply(back, dy)
		if err == nil {
			back.tape.follow = y.tape
		}
		return gorgonia.Nodes{dx}, err
	}
	return apply(y, x)
}
