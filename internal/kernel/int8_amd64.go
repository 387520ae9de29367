//go:build !purego

package kernel

// int8Kernels are the assembly for quantised rows and one instruction set. Like microkernels they are called through this
// table alone. All of them, and the loops in Go, give the same bits.
type int8Kernels struct {
	// Products of 1, 2, ... rows of x.
	rows     []func(groups, blocks int, x *int8, w, y *float32, ldy, add int)
	quantize func(n int, x *float32, dst *int8, stride int)
}

// int8s are those in use, or nil for portable ones.
var int8s = int8KernelsOf(activePath, hasVNNI)

// int8KernelsOf returns the kernels of a path. Without VNNI those for AVX-512 are those for AVX2.
func int8KernelsOf(path string, vnni bool) *int8Kernels {
	switch {
	case path == pathAVX512 && vnni:
		return &int8Kernels{quantize: quantizeRowAVX512,
			rows: []func(groups, blocks int, x *int8, w, y *float32, ldy, add int){
				int8Rows1AVX512, int8Rows2AVX512, int8Rows3AVX512, int8Rows4AVX512,
				int8Rows5AVX512, int8Rows6AVX512, int8Rows7AVX512, int8Rows8AVX512,
			},
		}
	case path == pathAVX512 || path == pathAVX2:
		return &int8Kernels{quantize: quantizeRowAVX2,
			rows: []func(groups, blocks int, x *int8, w, y *float32, ldy, add int){int8Rows1AVX2, int8Rows2AVX2},
		}
	}
	return nil
}

// int8Strip is how many rows of x are multiplied in one call.
func int8Strip() int {
	if int8s == nil {
		return int8StripPortable
	}
	return len(int8s.rows)
}

// quantizeRow rounds x to groups that lie stride apart.
func quantizeRow(x []float32, dst []int8Group, stride int) {
	if int8s == nil {
		quantizeRowPortable(x, dst, stride)
		return
	}
	_ = dst[(len(x)-1)/int8Size*stride]
	for len(x) > 0 {
		part := x[:min(rowPart, len(x))] // whole groups, but for the last
		int8s.quantize(len(part), &part[0], &dst[0].q[0], int8GroupBytes*stride)
		x = x[len(part):]
		if len(x) > 0 {
			dst = dst[len(part)/int8Size*stride:]
		}
	}
}

// multiplyInt8 computes, for i < rows and j < int8Rows·blocks, the products y[i*ldy+j] of rows of x and w, or adds them to
// y if add is set.
func multiplyInt8(rows, groups, blocks int, x []int8Group, w []int8Block, y []float32, ldy int, add bool) {
	if int8s == nil {
		int8RowsPortable(rows, groups, blocks, x, w, y, ldy, add)
		return
	}
	accumulate := 0
	if add {
		accumulate = 1
	}
	_, _, _ = x[rows*groups-1], w[groups*blocks-1], y[(rows-1)*ldy+blocks*int8Rows-1]
	int8s.rows[rows-1](groups, blocks, &x[0].q[0], &w[0].scales[0], &y[0], 4*ldy, accumulate)
}
