package main

import (
	"testing"
	"time"
)

// A head is measured in a process of its own. In chunks it takes less memory.
func TestHeads(t *testing.T) {
	s := settings{seconds: time.Millisecond, pairs: 1, steps: 1}
	memory := make(map[bool]float64)
	for _, h := range []head{{64, 0, 500, false}, {1024, 8, 30000, false}, {1024, 8, 30000, true}} {
		row, err := h.compare(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if row.Head != h.name() || !(row.Ours.Seconds > 0) || row.Ratio != 0 {
			t.Errorf("row %+v", row)
		}
		memory[h.chunked] = row.Ours.MemoryMB
	}
	if largestMemory() > 0 && memory[true] > memory[false]*2/3 { // 117 MB of logits, which their gradients write over
		t.Errorf("in chunks it takes %.0f MB, and %.0f MB at once", memory[true], memory[false])
	}
	if _, err := parseHead([]string{"1", "2"}); err == nil {
		t.Error("half a head is measured")
	}
}
