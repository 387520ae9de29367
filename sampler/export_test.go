package sampler

// SetUniform makes sp take its random numbers from f.
func (sp *Speculative) SetUniform(f func(seed, stream, step uint64) float64) { sp.uniform = f }
