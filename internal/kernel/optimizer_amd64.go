//go:build !purego

package kernel

// adamRow computes AdamStep with the given factors.
func adamRow(w, dw, m, v []float32, factors *[10]float32) {
	if linears == nil {
		adamPortable(w, dw, m, v, factors)
		return
	}
	n := len(w)
	dw, m, v = dw[:n], m[:n], v[:n]
	for i := 0; i < n; i += rowPart {
		linears.adam(min(rowPart, n-i), &w[i], &dw[i], &m[i], &v[i], &factors[0])
	}
}

// sgdRow computes SGDStep with the given factors. v is nil if there is no momentum.
func sgdRow(w, dw, v []float32, factors *[10]float32, nesterov bool) {
	if linears == nil {
		sgdPortable(w, dw, v, factors, nesterov)
		return
	}
	n := len(w)
	dw = dw[:n]
	if v == nil {
		for i := 0; i < n; i += rowPart {
			linears.sgd(min(rowPart, n-i), &w[i], &dw[i], nil, &factors[0], 0)
		}
		return
	}
	v = v[:n]
	kind := 1
	if nesterov {
		kind = 2
	}
	for i := 0; i < n; i += rowPart {
		linears.sgd(min(rowPart, n-i), &w[i], &dw[i], &v[i], &factors[0], kind)
	}
}
