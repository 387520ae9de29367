package kernel

import "unsafe"

// Numbers of eight bits lie in groups of int8Size along a row, which have one scale: x[i] is about scale·q[i]. With the
// largest magnitude m of a group,
//
//	scale = m/127
//	q[i] = x[i] · (127/m), rounded to the nearest integer, of two to the even one
//
// in float32. The last group of a row is filled up with zeros. A group of magnitudes below 2**-120 counts as zeros: its
// scale and integers are 0. In a group with Inf or NaN the scale is NaN, and so is what is made of it; its integers mean
// nothing. This is Q8_0 of llama.cpp, with scales of 32 bits instead of 16, and what runq.c of llama2.c computes.
const (
	int8Size  = 32
	int8Small = 0x1p-120
)

// int8Group is a group of a row that is multiplied with weights. offset is -128 times the sum of q; kernels that add 128
// to the other factor make up for it so.
type int8Group struct {
	q      [int8Size]int8
	scale  float32
	offset int32
}

const int8GroupBytes = int(unsafe.Sizeof(int8Group{}))

// int8Rows is how many rows of weights are stored, and multiplied, together.
const int8Rows = 16

// int8Block is a group of int8Rows rows of weights: q[i][4*j:] holds numbers 4*i to 4*i+3 of row j, with 128 added to each.
// So four numbers of all rows make a vector, and a kernel reads weights from the first to the last byte.
type int8Block struct {
	scales [int8Rows]float32
	q      [int8Size / 4][4 * int8Rows]uint8
}

// Int8 is a matrix of weights (out, in) with eight bits a number, and a scale of 32 bits for each 32 of them.
type Int8 struct {
	out, in int
	groups  int         // of a row
	blocks  []int8Block // by rows, then by groups
}

// QuantizeInt8 rounds weights with rows of length in, one below the other, to eight bits.
func QuantizeInt8(in int, weights ...[]float32) *Int8 {
	w := &Int8{in: in, groups: ceilDiv(in, int8Size)}
	starts := make([]int, len(weights))
	for i, x := range weights {
		starts[i] = w.out
		w.out += len(x) / in
	}
	rows := ceilDiv(w.out, int8Rows)
	w.blocks = makeInt8Blocks(rows * w.groups)
	Parallel(rows, 1, func(lo, hi int) {
		groups := make([]int8Group, w.groups)
		for b := lo; b < hi; b++ {
			blocks := w.blocks[b*w.groups:][:w.groups]
			for j := range int8Rows {
				clear(groups) // rows behind the last are zeros
				if r := b*int8Rows + j; r < w.out {
					i := len(starts) - 1
					for starts[i] > r {
						i--
					}
					quantizeRow(weights[i][(r-starts[i])*in:][:in], groups, 1)
				}
				for p := range groups {
					blocks[p].set(j, &groups[p])
				}
			}
		}
	})
	return w
}

// makeInt8Blocks returns n blocks that begin at cache lines, which they are as long as some of.
func makeInt8Blocks(n int) []int8Block {
	memory := Make[float32](n * int(unsafe.Sizeof(int8Block{})/4))
	return unsafe.Slice((*int8Block)(unsafe.Pointer(unsafe.SliceData(memory))), n)
}

// set makes g a group of row j.
func (b *int8Block) set(j int, g *int8Group) {
	b.scales[j] = g.scale
	for i, q := range g.q {
		b.q[i/4][4*j+i%4] = uint8(q) + 128
	}
}
