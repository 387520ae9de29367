package text

// The heap of a trainer has the best pair on top. An entry is not touched when its pair comes to occur more or
// less often: the pair is entered again, or looked at again when it comes to the top.

// ranked is a pair in the heap, with the count that it had when it entered.
type ranked struct {
	pair
	count int
}

// list enters p in the heap unless it is there with this count.
func (t *trainer) list(p pair, o *occurrences) {
	if o.count != o.listed {
		o.listed = o.count
		t.push(ranked{p, o.count})
	}
}

// best takes the best pair out of the heap.
func (t *trainer) best() (pair, bool) {
	for len(t.heap) > 0 {
		top := t.pop()
		o := t.pairs[top.pair]
		switch {
		case o == nil || top.count != o.listed: // merged, or listed again since
		case o.count == 0:
			delete(t.pairs, top.pair)
		case o.count == top.count:
			return top.pair, true
		default:
			t.list(top.pair, o)
		}
	}
	return pair{}, false
}

// better is the order of the heap: by count, then by bytes.
func (t *trainer) better(a, b ranked) bool {
	if a.count != b.count {
		return a.count > b.count
	}
	if a.left != b.left {
		return t.tokens[a.left] > t.tokens[b.left]
	}
	return t.tokens[a.right] > t.tokens[b.right]
}

func (t *trainer) push(r ranked) {
	t.heap = append(t.heap, r)
	i := len(t.heap) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !t.better(r, t.heap[parent]) {
			break
		}
		t.heap[i] = t.heap[parent]
		i = parent
	}
	t.heap[i] = r
}

func (t *trainer) pop() ranked {
	top := t.heap[0]
	last := len(t.heap) - 1
	r := t.heap[last]
	t.heap = t.heap[:last]
	i := 0
	for {
		child := 2*i + 1
		if child >= last {
			break
		}
		if child+1 < last && t.better(t.heap[child+1], t.heap[child]) {
			child++
		}
		if !t.better(t.heap[child], r) {
			break
		}
		t.heap[i] = t.heap[child]
		i = child
	}
	if last > 0 {
		t.heap[i] = r
	}
	return top
}
