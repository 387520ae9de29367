//go:build !amd64 || purego

package kernel

// attention32 and attentionBackward32 report that there is no assembly for attention.
func attention32(a Attention, out, lse, q, k, v []float32) bool { return false }

func attentionBackward32(a Attention, dq, dk, dv, dout, out, lse, q, k, v []float32) bool {
	return false
}

func (c *CachedAttention) attend32(rows, sees, more int, q []float32, ldq int, keys, values, out []float32, ldo int) bool {
	return false
}
