package safetensors

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/logits-go/logits/internal/weights"
)

func summed(t testing.TB) []byte {
	t.Helper()
	var buf bytes.Buffer
	err := WriteSummed(&buf, map[string]Source{
		"a": {weights.F32, []int{2}, func() []byte { return weights.Append(nil, weights.F32, []float32{1, 2}) }},
		"b": {weights.F64, []int{1}, func() []byte { return weights.Append(nil, weights.F64, []float64{3}) }},
	}, map[string]string{"k": `"logits.crc32c.header":"12345678"`})
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// What WriteSummed has written comes back, and anyone may read it.
func TestSummed(t *testing.T) {
	f, err := ParseSummed(summed(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Metadata) != 1 || f.Metadata["k"] == "" || len(f.Tensors) != 2 {
		t.Errorf("metadata %v and %d tensors", f.Metadata, len(f.Tensors))
	}
	got := make([]float32, 2)
	if err := weights.Copy(got, f.Tensors["a"]); err != nil || !slices.Equal(got, []float32{1, 2}) {
		t.Errorf("a is %v, %v", got, err)
	}
	if _, err := Parse(summed(t)); err != nil {
		t.Errorf("Parse: %v", err)
	}
	if _, err := ParseSummed(small(t)); err == nil || !strings.Contains(err.Error(), "no checksum") {
		t.Errorf("a file without checksums: %v", err)
	}
	for _, key := range []string{sumsKey, headerKey} {
		if err := WriteSummed(&bytes.Buffer{}, nil, map[string]string{key: ""}); err == nil {
			t.Errorf("metadata with a %s is accepted", key)
		}
	}
}

// Every single bit counts, as does every byte at the end.
func TestSummedFlips(t *testing.T) {
	whole := summed(t)
	for bit := range 8 * len(whole) {
		data := bytes.Clone(whole)
		data[bit/8] ^= 1 << (bit % 8)
		if _, err := ParseSummed(data); err == nil {
			t.Fatalf("bit %d of byte %d makes no difference", bit%8, bit/8)
		}
	}
	for n := range whole {
		if _, err := ParseSummed(whole[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes are accepted", n, len(whole))
		}
	}
	if _, err := ParseSummed(append(bytes.Clone(whole), 0)); err == nil {
		t.Error("a byte to spare is accepted")
	}
}

// What could not be read is not written: too many tensors, or too long a header.
func TestSummedLimits(t *testing.T) {
	none := Source{weights.F32, []int{1}, func() []byte { return make([]byte, 4) }}
	tensors := make(map[string]Source)
	for i := range ofSealed.tensors + 1 {
		tensors[strconv.Itoa(i)] = none
	}
	if err := WriteSummed(&bytes.Buffer{}, tensors, nil); err == nil || !strings.Contains(err.Error(), "16385 tensors") {
		t.Errorf("%v, want an error", err)
	}
	delete(tensors, "0")
	var buf bytes.Buffer
	if err := WriteSummed(&buf, tensors, nil); err != nil {
		t.Fatal(err)
	}
	if f, err := ParseSummed(buf.Bytes()); err != nil || len(f.Tensors) != ofSealed.tensors {
		t.Error(err)
	}
	long := map[string]string{"k": strings.Repeat("v", ofSealed.bytes)}
	if err := WriteSummed(&bytes.Buffer{}, nil, long); err == nil || !strings.Contains(err.Error(), "at most 4194304") {
		t.Errorf("%v, want an error", err)
	}
}
