package kernel

// Dropout computes dst[i] = x[i] / (1-p) where a random bit of element i keeps it, and 0 elsewhere. The bit depends
// on key and i alone, so the gradient is the same function of dy, and no mask is stored. dst may be x.
func Dropout[F Float](dst, x []F, p float64, key uint64) {
	// An element is kept if 32 random bits reach the threshold, so p is met to 2**-32.
	threshold := uint64(p * (1 << 32))
	scale := F(1 / (1 - p))
	Parallel(len(dst), elements, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			if mix(key+uint64(i)*0x9e3779b97f4a7c15)>>32 >= threshold {
				dst[i] = x[i] * scale
			} else {
				dst[i] = 0
			}
		}
	})
}

// Key returns a key for [Dropout] from a seed and the numbers that tell one use of it from another.
func Key(seed uint64, uses ...uint64) uint64 {
	k := mix(seed + 0x9e3779b97f4a7c15)
	for _, u := range uses {
		k = mix(k ^ (u + 0x9e3779b97f4a7c15))
	}
	return k
}

// mix is the finalizer of SplitMix64, http://dx.doi.org/10.1145/2714064.2660195.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
