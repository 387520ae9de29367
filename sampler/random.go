package sampler

import "math/bits"

// Uniform returns the number in [0, 1) with which a sampler of that seed and stream draws its token number
// step. It is a multiple of 2^-53 and a pure function: nothing has to be drawn before it, so a row gets the
// same number alone, in a batch and on any thread.
//
// It comes from the first 64 bits of Philox4x32-10 with the seed as key and (step, stream) as counter. Philox (Salmon,
// Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011) is a reduced block cipher: it
// passes BigCrush for neighbouring counters and neighbouring keys alike, which is why seeds and streams may
// simply be counted 0, 1, 2.
func Uniform(seed, stream, step uint64) float64 {
	w := words(seed, stream, step)
	return float64((uint64(w[1])<<32|uint64(w[0]))>>11) * 0x1p-53
}

// toss is Uniform from the other 64 bits.
func toss(seed, stream, step uint64) float64 {
	w := words(seed, stream, step)
	return float64((uint64(w[3])<<32|uint64(w[2]))>>11) * 0x1p-53
}

func words(seed, stream, step uint64) [4]uint32 {
	return philox(
		[4]uint32{uint32(step), uint32(step >> 32), uint32(stream), uint32(stream >> 32)},
		[2]uint32{uint32(seed), uint32(seed >> 32)},
	)
}

// philox is Philox4x32-10.
func philox(ctr [4]uint32, key [2]uint32) [4]uint32 {
	for range 10 {
		hi0, lo0 := bits.Mul32(0xD2511F53, ctr[0])
		hi1, lo1 := bits.Mul32(0xCD9E8D57, ctr[2])
		ctr = [4]uint32{hi1 ^ ctr[1] ^ key[0], lo1, hi0 ^ ctr[3] ^ key[1], lo0}
		key[0] += 0x9E3779B9
		key[1] += 0xBB67AE85
	}
	return ctr
}
