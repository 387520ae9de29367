package graph

import "math/rand/v2"

// Init returns the first value of an element of a parameter. Elements are filled in row-major order from one source.
type Init func(rng *rand.Rand) float64

// Zeros is an Init of zeros.
func Zeros(*rand.Rand) float64 { return 0 }

// Ones is an Init of ones.
func Ones(*rand.Rand) float64 { return 1 }

// Normal draws from a normal distribution around 0.
func Normal(std float64) Init {
	return func(rng *rand.Rand) float64 { return std * rng.NormFloat64() }
}

// TruncNormal draws from a normal distribution around 0 that is cut at three standard deviations.
func TruncNormal(std float64) Init {
	return func(rng *rand.Rand) float64 {
		for {
			if z := rng.NormFloat64(); z >= -3 && z <= 3 {
				return std * z
			}
		}
	}
}

// Uniform draws evenly from [-bound, bound).
func Uniform(bound float64) Init {
	return func(rng *rand.Rand) float64 { return bound * (2*rng.Float64() - 1) }
}
