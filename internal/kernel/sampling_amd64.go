//go:build !purego

package kernel

// The kernels for samplers are called by name, not through a table as others: so what they point at need not be on the heap.
var (
	samplingAVX2   = activePath == pathAVX2
	samplingAVX512 = activePath == pathAVX512
)

// above32 returns the first i with x[i] > limit or x[i] NaN, or how many elements it has looked at and found none.
func above32(x []float32, limit float32) int {
	i := 0
	for n := min(rowPart, len(x)&^63); n > 0; n = min(rowPart, (len(x)-i)&^63) {
		at := 0
		switch {
		case samplingAVX512:
			at = aboveAVX512(n, &x[i], limit)
		case samplingAVX2:
			at = aboveAVX2(n, &x[i], limit)
		default:
			return 0
		}
		if i += at; at < n {
			break
		}
	}
	return i
}

// list32 appends the indices of some elements above limit, and returns the number of elements that it has looked at.
func list32(ids []int32, x []float32, limit float32) ([]int32, int) {
	if !CanSelect() {
		return ids, 0
	}
	const part = 4096
	i := 0
	for n := min(part, len(x)&^15); n > 0; n = min(part, (len(x)-i)&^15) {
		ids = growBy(ids, n+16)
		to, found := &ids[:len(ids)+1][len(ids)], 0
		if samplingAVX512 {
			found = listAVX512(n, &x[i], limit, int32(i), to)
		} else {
			found = listAVX2(n, &x[i], limit, int32(i), to)
		}
		ids = ids[:len(ids)+found]
		i += n
	}
	return ids, i
}

// listValues32 appends the indices and the values of some elements above limit, and returns the number of elements that
// it has looked at.
func listValues32(ids []int32, values []float64, x []float32, limit float32) ([]int32, []float64, int) {
	if !CanSelect() {
		return ids, values, 0
	}
	const part = 4096
	i := 0
	for n := min(part, len(x)&^15); n > 0; n = min(part, (len(x)-i)&^15) {
		ids, values = growBy(ids, n+16), growBy(values, n+16)
		to, toValues, found := &ids[:len(ids)+1][len(ids)], &values[:len(values)+1][len(values)], 0
		if samplingAVX512 {
			found = listValuesAVX512(n, &x[i], limit, int32(i), to, toValues)
		} else {
			found = listValuesAVX2(n, &x[i], limit, int32(i), to, toValues)
		}
		ids, values = ids[:len(ids)+found], values[:len(values)+found]
		i += n
	}
	return ids, values, i
}

// count32 counts the elements above limit among some, and returns how many it has looked at.
func count32(x []float32, limit float32) (count, looked int) {
	if !CanSelect() {
		return 0, 0
	}
	i := 0
	for n := min(rowPart, len(x)&^15); n > 0; n = min(rowPart, (len(x)-i)&^15) {
		if samplingAVX512 {
			count += countAVX512(n, &x[i], limit)
		} else {
			count += countAVX2(n, &x[i], limit)
		}
		i += n
	}
	return count, i
}

// CanSelect reports whether SumAbove, Keep and Between are much faster than loops in Go.
func CanSelect() bool { return samplingAVX512 || samplingAVX2 }

// sumAbove32 is SumAbove of some elements, and returns how many.
func sumAbove32(x, w []float32, limit float32) (sum float64, count, looked int) {
	if !CanSelect() {
		return 0, 0, 0
	}
	i := 0
	for n := min(rowPart, len(x)&^63); n > 0; n = min(rowPart, (len(x)-i)&^63) {
		part := 0.0
		if samplingAVX512 {
			count += sumAbove32AVX512(n, &x[i], &w[i], limit, &part)
		} else {
			count += sumAbove32AVX2(n, &x[i], &w[i], limit, &part)
		}
		sum += part
		i += n
	}
	return sum, count, i
}

// sumAbove64 is SumAbove of some elements, and returns how many.
func sumAbove64(x, w []float64, limit float64) (sum float64, count, looked int) {
	if !CanSelect() {
		return 0, 0, 0
	}
	i := 0
	for n := min(rowPart, len(x)&^7); n > 0; n = min(rowPart, (len(x)-i)&^7) {
		part := 0.0
		if samplingAVX512 {
			count += sumAbove64AVX512(n, &x[i], &w[i], limit, &part)
		} else {
			count += sumAbove64AVX2(n, &x[i], &w[i], limit, &part)
		}
		sum += part
		i += n
	}
	return sum, count, i
}

// keep64 is Keep of some elements, and returns how many it has kept and looked at. It moves parts together, the first stays.
func keep64(ids []int32, x, w []float64, limit float64) (kept, looked int) {
	if !CanSelect() {
		return 0, 0
	}
	i := 0
	for n := min(rowPart, len(x)&^7); n > 0; n = min(rowPart, (len(x)-i)&^7) {
		found := 0
		if samplingAVX512 {
			found = keepAVX512(n, &ids[i], &x[i], &w[i], limit)
		} else {
			found = keepAVX2(n, &ids[i], &x[i], &w[i], limit)
		}
		if kept < i {
			copy(ids[kept:], ids[i:i+found])
			copy(x[kept:], x[i:i+found])
			copy(w[kept:], w[i:i+found])
		}
		kept += found
		i += n
	}
	return kept, i
}

// between32 is Between of some elements, and returns how many it has kept and looked at.
func between32(dstX, dstW, x, w []float32, lo, hi float32) (kept, looked int) {
	if !CanSelect() {
		return 0, 0
	}
	i := 0
	for n := min(rowPart, len(x)&^15); n > 0; n = min(rowPart, (len(x)-i)&^15) {
		if samplingAVX512 {
			kept += between32AVX512(n, &x[i], &w[i], lo, hi, &dstX[kept], &dstW[kept])
		} else {
			kept += between32AVX2(n, &x[i], &w[i], lo, hi, &dstX[kept], &dstW[kept])
		}
		i += n
	}
	return kept, i
}

// between64 is Between of some elements, and returns how many it has kept and looked at.
func between64(dstX, dstW, x, w []float64, lo, hi float64) (kept, looked int) {
	if !CanSelect() {
		return 0, 0
	}
	i := 0
	for n := min(rowPart, len(x)&^7); n > 0; n = min(rowPart, (len(x)-i)&^7) {
		if samplingAVX512 {
			kept += between64AVX512(n, &x[i], &w[i], lo, hi, &dstX[kept], &dstW[kept])
		} else {
			kept += between64AVX2(n, &x[i], &w[i], lo, hi, &dstX[kept], &dstW[kept])
		}
		i += n
	}
	return kept, i
}

// weigh32 weighs some elements, and returns how many.
func weigh32(dst []float64, x []float32, limit, scale float64, sums *[4]float64) int {
	n := len(x) &^ 7
	for i := 0; i < n; i += rowPart {
		part := min(rowPart, n-i)
		switch {
		case samplingAVX512:
			weigh32AVX512(part, &x[i], &dst[i], limit, scale, sums)
		case samplingAVX2:
			weigh32AVX2(part, &x[i], &dst[i], limit, scale, sums)
		default:
			return 0
		}
	}
	return n
}

// weigh64 weighs some elements, and returns how many.
func weigh64(dst, x []float64, limit, scale float64, sums *[4]float64) int {
	n := len(x) &^ 7
	for i := 0; i < n; i += rowPart {
		part := min(rowPart, n-i)
		switch {
		case samplingAVX512:
			weigh64AVX512(part, &x[i], &dst[i], limit, scale, sums)
		case samplingAVX2:
			weigh64AVX2(part, &x[i], &dst[i], limit, scale, sums)
		default:
			return 0
		}
	}
	return n
}

// roughSums adds up the blocks, if it does.
func roughSums(dst []float64, x []float32, r rough) bool {
	const blocks = rowPart / RoughBlock
	for i := 0; i < len(dst); i += blocks {
		n := min(blocks, len(dst)-i) * RoughBlock
		switch {
		case samplingAVX512:
			roughSumsAVX512(n, &x[i*RoughBlock], &dst[i], r.high, r.low, r.magic, r.least)
		case samplingAVX2:
			roughSumsAVX2(n, &x[i*RoughBlock], &dst[i], r.high, r.low, r.magic, r.least)
		}
	}
	return CanSelect()
}

// roughWeights computes the weights, if it does.
func roughWeights(dst, x []float32, r rough) bool {
	for i := 0; i < len(x); i += rowPart {
		n := min(rowPart, len(x)-i)
		switch {
		case samplingAVX512:
			roughWeightsAVX512(n, &x[i], &dst[i], r.high, r.low, r.magic, r.least)
		case samplingAVX2:
			roughWeightsAVX2(n, &x[i], &dst[i], r.high, r.low, r.magic, r.least)
		}
	}
	return CanSelect()
}
