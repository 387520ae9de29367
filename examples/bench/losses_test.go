package main

import (
	"testing"
	"time"
)

// A head is measured in a process of its own.
func TestHeads(t *testing.T) {
	s := settings{seconds: time.Millisecond, pairs: 1, steps: 1}
	for _, h := range []head{{64, 0, 500, false}, {512, 8, 30000, false}, {512, 8, 30000, true}} {
		row, err := h.compare(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if row.Head != h.name() || !(row.Ours.Seconds > 0) || row.Ratio != 0 {
			t.Errorf("row %+v", row)
		}
		if largestMemory() > 0 && !(row.Ours.MemoryMB > 0) {
			t.Errorf("%s takes %v MB", row.Head, row.Ours.MemoryMB)
		}
	}
	if _, err := parseHead([]string{"1", "2"}); err == nil {
		t.Error("half a head is measured")
	}
}
