package weights

import (
	"encoding/binary"
	"math"

	"github.com/logits-go/logits/internal/half"
	"github.com/logits-go/logits/internal/kernel"
)

// A block of Q8_0 is ggml's block_q8_0: a scale d in F16 and 32 integers q in 8 bits, which stand for the numbers d·q.
const (
	blockSize  = 32
	blockBytes = 2 + blockSize
)

// Blocks reports whether rows of n numbers are whole blocks of Q8_0.
func Blocks(n int) bool { return n%blockSize == 0 }

// readBlocks fills dst with the numbers of blocks from the given one on.
func readBlocks[F kernel.Float](dst []F, data []byte, from int) {
	for i := 0; i < len(dst); {
		block := data[(from+i)/blockSize*blockBytes:][:blockBytes]
		scale := half.FromF16(binary.LittleEndian.Uint16(block))
		for _, q := range block[2+(from+i)%blockSize:] {
			if i == len(dst) {
				return
			}
			dst[i] = F(scale * float32(int8(q)))
			i++
		}
	}
}

// appendBlocks appends whole blocks of x. As in ggml's quantize_row_q8_0_ref the largest number becomes ±127, the
// integers are quotients by the scale before that is rounded, and halves round away from zero.
func appendBlocks[F kernel.Float](data []byte, x []F) []byte {
	for ; len(x) >= blockSize; x = x[blockSize:] {
		var largest float32
		for _, v := range x[:blockSize] {
			largest = max(largest, float32(math.Abs(float64(v))))
		}
		scale, inverse := largest/127, float32(0)
		if scale != 0 {
			inverse = 1 / scale
		}
		data = binary.LittleEndian.AppendUint16(data, half.ToF16(scale))
		for _, v := range x[:blockSize] {
			q := math.Round(float64(float32(v) * inverse))
			if !(q >= -127 && q <= 127) {
				q = 0 // of a NaN or infinity, which the scale passes on to the whole block
			}
			data = append(data, byte(int8(q)))
		}
	}
	return data
}
