package loss

import "math"

// Perplexity returns e**nats for a mean cross-entropy in nats: among how many tokens, on average, the model wavers.
func Perplexity(nats float64) float64 { return math.Exp(nats) }

// BitsPerByte returns the information, in bits, that a text costs per byte, from the mean cross-entropy in nats per
// token and the numbers of tokens and bytes of the text. Unlike a loss per token it compares models with different
// tokenizers. It is NaN if bytes is not positive.
func BitsPerByte(nats float64, tokens, bytes int) float64 {
	if bytes <= 0 {
		return math.NaN()
	}
	return nats * float64(tokens) / float64(bytes) / math.Ln2
}
