//go:build !purego

package kernel

// siluRow computes dst[i] = x[i]·sigmoid(x[i]), and siluGradRow the gradient dx of that.
func siluRow(dst, x []float32) {
	if exps == nil {
		siluPortable(dst, x)
		return
	}
	x = x[:len(dst)]
	for i := 0; i < len(dst); i += rowPart {
		exps.silu(min(rowPart, len(dst)-i), &x[i], &dst[i])
	}
}

func siluGradRow(dx, dy, x []float32) {
	if exps == nil {
		siluGradPortable(dx, dy, x)
		return
	}
	dy, x = dy[:len(dx)], x[:len(dx)]
	for i := 0; i < len(dx); i += rowPart {
		exps.siluGrad(min(rowPart, len(dx)-i), &x[i], &dy[i], &dx[i])
	}
}

// swigluRow computes one row of SwiGLU, and swigluGradRow one of its gradients.
func swigluRow(dst, gate, up []float32) {
	if exps == nil {
		swigluPortable(dst, gate, up)
		return
	}
	gate, up = gate[:len(dst)], up[:len(dst)]
	for i := 0; i < len(dst); i += rowPart {
		exps.swiglu(min(rowPart, len(dst)-i), &gate[i], &up[i], &dst[i])
	}
}

func swigluGradRow(dgate, dup, dy, gate, up []float32) {
	if exps == nil {
		swigluGradPortable(dgate, dup, dy, gate, up)
		return
	}
	n := len(dy)
	dgate, dup, gate, up = dgate[:n], dup[:n], gate[:n], up[:n]
	for i := 0; i < n; i += rowPart {
		exps.swigluGrads(min(rowPart, n-i), &gate[i], &up[i], &dy[i], &dgate[i], &dup[i])
	}
}

// geluRow computes dst[i] = x[i]·Φ(x[i]), and geluGradRow the gradient dx of that.
func geluRow(dst, x []float32) {
	if exps == nil {
		geluPortable(dst, x)
		return
	}
	x = x[:len(dst)]
	for i := 0; i < len(dst); i += rowPart {
		exps.gelu(min(rowPart, len(dst)-i), &x[i], &dst[i])
	}
}

func geluGradRow(dx, dy, x []float32) {
	if exps == nil {
		geluGradPortable(dx, dy, x)
		return
	}
	dy, x = dy[:len(dx)], x[:len(dx)]
	for i := 0; i < len(dx); i += rowPart {
		exps.geluGrad(min(rowPart, len(dx)-i), &x[i], &dy[i], &dx[i])
	}
}

// geluTanhRow computes one row of GELUTanh, and geluTanhGradRow one of its gradient.
func geluTanhRow(dst, x []float32) {
	if exps == nil {
		geluTanhPortable(dst, x)
		return
	}
	x = x[:len(dst)]
	for i := 0; i < len(dst); i += rowPart {
		exps.geluTanh(min(rowPart, len(dst)-i), &x[i], &dst[i])
	}
}

func geluTanhGradRow(dx, dy, x []float32) {
	if exps == nil {
		geluTanhGradPortable(dx, dy, x)
		return
	}
	dy, x = dy[:len(dx)], x[:len(dx)]
	for i := 0; i < len(dx); i += rowPart {
		exps.geluTanhGrad(min(rowPart, len(dx)-i), &x[i], &dy[i], &dx[i])
	}
}
