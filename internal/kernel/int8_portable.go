//go:build !amd64 || purego

package kernel

func int8Strip() int { return int8StripPortable }

func quantizeRow(x []float32, dst []int8Group, stride int) { quantizeRowPortable(x, dst, stride) }

func multiplyInt8(rows, groups, blocks int, x []int8Group, w []int8Block, y []float32, ldy int, add bool) {
	int8RowsPortable(rows, groups, blocks, x, w, y, ldy, add)
}
