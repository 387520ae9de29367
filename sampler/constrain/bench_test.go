package constrain

import (
	"math/rand/v2"
	"testing"
)

// largeVocab returns 131,072 tokens that are cut out of JSON and made-up words.
func largeVocab(b *testing.B) *Vocab {
	rng := rand.New(rand.NewPCG(1, 1))
	text := []byte(jsonText)
	for range 1 << 20 {
		text = append(text, "etaoinshrdlucmfwypvbgkjqxz      \",:{}[]0123456789"[min(rng.IntN(49), rng.IntN(49))])
	}
	tokens := byteTokens()
	seen := make(map[string]bool)
	for len(tokens) < 1<<17-1 {
		at := rng.IntN(len(text) - 12)
		if token := string(text[at : at+2+min(rng.IntN(10), rng.IntN(10))]); !seen[token] {
			seen[token] = true
			tokens = append(tokens, token)
		}
	}
	return list(b, tokens...)
}

// The mask within a string: made for the first time, made where the string stands elsewhere, made by looking at every
// token alone, and taken from what is written down; and a row of logits that it is applied to.
func BenchmarkMask(b *testing.B) {
	v := largeVocab(b)
	m, err := JSON(v, Format{Space: 1})
	if err != nil {
		b.Fatal(err)
	}
	s := m.machine.follow(m.at, `{"name": "a`)
	m.at = s
	var mask Mask
	if err := m.Mask(&mask); err != nil {
		b.Fatal(err)
	}
	b.Logf("%d of %d tokens may follow", mask.Len(), v.Size())
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			m.machine.forget()
			s.mask, s.next = nil, [256]*state{}
			if err := m.Mask(&mask); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("elsewhere", func(b *testing.B) { // in a string of another object, after that
		depth := 0
		for b.Loop() {
			b.StopTimer()
			if depth++; depth > 1000 {
				depth = 1
			}
			at := m.machine.start
			for range depth {
				at = m.machine.follow(at, `{"b": [`)
			}
			at = m.machine.follow(at, `"c`)
			at.mask, at.next = nil, [256]*state{}
			b.StartTimer()
			m.machine.mask(at)
		}
	})
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			m.machine.forget()
			s.next = [256]*state{}
			mask.Reset(v.Size())
			for id, token := range v.texts {
				if m.machine.follow(s, token) != nil {
					if err := mask.Allow(id); err != nil {
						b.Fatal(err)
					}
				}
			}
		}
	})
	b.Run("again", func(b *testing.B) {
		for b.Loop() {
			if err := m.Mask(&mask); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("apply", func(b *testing.B) {
		logits := make([]float32, v.Size())
		var dst []float32
		for b.Loop() {
			if dst, err = mask.Apply(dst, logits); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkNewVocab(b *testing.B) {
	v := largeVocab(b)
	for b.Loop() {
		if _, err := NewVocab(v.Size(), func(id int) string { return v.texts[id] }, v.end...); err != nil {
			b.Fatal(err)
		}
	}
}
