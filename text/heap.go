package text

// minHeap is a heap of numbers, the least on top. Each has heapWidth below it, which makes it lower than a
// binary heap and so reach fewer cache lines.
type minHeap []uint64

const heapWidth = 4

func (h *minHeap) push(x uint64) {
	*h = append(*h, x)
	a, i := *h, len(*h)-1
	for i > 0 {
		parent := (i - 1) / heapWidth
		if a[parent] <= x {
			break
		}
		a[i] = a[parent]
		i = parent
	}
	a[i] = x
}

func (h *minHeap) pop() uint64 {
	a := *h
	top, last := a[0], len(a)-1
	a[0] = a[last]
	*h = a[:last]
	h.down(0)
	return top
}

// down moves the number at i to its place among those below it.
func (h minHeap) down(i int) {
	if i >= len(h) {
		return
	}
	x := h[i]
	for {
		first := heapWidth*i + 1
		if first >= len(h) {
			break
		}
		least := first
		for child := first + 1; child < min(first+heapWidth, len(h)); child++ {
			if h[child] < h[least] {
				least = child
			}
		}
		if h[least] >= x {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = x
}
