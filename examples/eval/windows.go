package main

import "github.com/logits-go/logits/text"

// A window is a part of a sequence that a model sees at once.
type window struct {
	tokens  []int
	targets []int // what follows each, or text.Ignore if that does not count
}

// windows covers a sequence with windows of up to context tokens, stride tokens from one to the next. Every token that
// counts but the first is a target once, of the first window that has it.
func (q sequence) windows(context, stride int) (all []window) {
	counted := 0 // targets so far, of which there are q.end-1
	for at := 0; counted < q.end-1; at += stride {
		end := min(at+context, q.end-1)
		w := window{append([]int(nil), q.ids[at:end]...), append([]int(nil), q.ids[at+1:end+1]...)}
		if q.begun {
			w.tokens[0] = q.ids[0]
		}
		for i := range counted - at {
			w.targets[i] = text.Ignore
		}
		all, counted = append(all, w), end
	}
	return all
}
