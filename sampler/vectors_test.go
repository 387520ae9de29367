package sampler_test

import (
	"encoding/json"
	"hash/crc32"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/logits-go/logits/internal/oracle"
	"github.com/logits-go/logits/sampler"
)

// The files testdata/vectors_*.safetensors hold distributions that internal/oracle/make_sampler.py computed from the
// definitions; how to run it again stands there. Tests need no Python: they read the files.
//
// Kept sets must be the same. Probabilities agree to 1e-12 of each: the exponent of a probability e^-700 is itself
// rounded to 700·2^-53, which is 1e-13, and a few such steps come together.
const vectorTolerance = 1e-12

// The rows called high have logits near 1e4, of which a step that changes one rounds it to 2^-40, which is 1e-12.
const highTolerance = 1e-11

func loadVectors(t *testing.T, name string) *oracle.Case {
	t.Helper()
	data, err := os.ReadFile("testdata/vectors_" + name + ".safetensors")
	if err != nil {
		t.Fatal(err)
	}
	return oracle.Decode(t, "vectors_"+name, data)
}

// vectors walk through the cases of a file.
type vectors struct {
	*oracle.Case
	vocab, full int
	rows        []string
	history     sampler.History
	settings    []json.RawMessage
	at          int // of the case
	used        int // of probs
	tolerance   float64
}

func readVectors(t *testing.T, name string) *vectors {
	t.Helper()
	v := &vectors{Case: loadVectors(t, name), tolerance: vectorTolerance}
	var h struct {
		Tokens []int
		Prompt int
		Toss   float64
	}
	for key, to := range map[string]any{
		"vocab": &v.vocab, "full": &v.full, "rows": &v.rows, "settings": &v.settings, "history": &h,
	} {
		if data, ok := v.Meta[key]; ok || key != "history" {
			if err := json.Unmarshal([]byte(data), to); err != nil {
				t.Fatalf("%s: %s: %v", v.Name, key, err)
			}
		}
	}
	v.history = sampler.History{Tokens: h.Tokens, Prompt: h.Prompt, Toss: h.Toss}
	return v
}

// row returns a row of the file or, where it has none, of the formula of make_sampler.py.
func (v *vectors) row(t *testing.T, name string) []float32 {
	t.Helper()
	v.tolerance = vectorTolerance
	if name == "high" {
		v.tolerance = highTolerance
	}
	if x, ok := v.Tensors["row."+name]; ok {
		return x.Float32s()
	}
	state := 1
	next := func() float64 {
		state = (state*1103515245 + 12345) % (1 << 31)
		return float64(state >> 7)
	}
	out := make([]float32, v.vocab)
	for i := range out {
		a, b, c, d := next(), next(), next(), next()
		switch name {
		case "flat":
			out[i] = float32(a / (1 << 24))
		case "bell":
			out[i] = float32((a + b + c + d - 1<<25) * 5 / (1 << 24))
		case "peaked":
			x := a / (1 << 24)
			for range 8 {
				x *= x
			}
			out[i] = float32(float64(x*16) + float64(b/(1<<24)))
		default:
			t.Fatalf("%s has no row %s", v.Name, name)
		}
	}
	return out
}

// due reports whether the next case is an error.
func (v *vectors) due() bool {
	if crc, ok := v.Tensors["crc"]; ok {
		return crc.Ints[2*v.at+1] == 0
	}
	return !slices.ContainsFunc(v.bitmap(), func(b int) bool { return b != 0 })
}

func (v *vectors) bitmap() []int {
	n := (v.vocab + 7) / 8
	return v.Tensors["kept"].Ints[v.at*n : (v.at+1)*n]
}

// check compares a distribution, nil for an error, with the next case.
func (v *vectors) check(t *testing.T, what string, d *sampler.Distribution) {
	t.Helper()
	due := v.due()
	defer func() { v.at++ }()
	if (d == nil) != due {
		t.Errorf("%s: an error is %v, want %v", what, d == nil, due)
	}
	if due {
		return
	}
	if d == nil {
		t.FailNow() // the places of all that follows are lost
	}
	bitmap := make([]byte, (v.vocab+7)/8)
	ids, sum := []int{}, 0.0
	for id, p := range d.All() {
		bitmap[id/8] |= 1 << (id % 8)
		ids = append(ids, id)
		sum += p * (1 + float64(id*7919%1009)/1009)
	}
	if crc, ok := v.Tensors["crc"]; ok {
		if got := crc32.ChecksumIEEE(bitmap); int(got) != crc.Ints[2*v.at] || len(ids) != crc.Ints[2*v.at+1] {
			t.Fatalf("%s: keeps %d tokens of checksum %#x, want %d of %#x", what, len(ids), got, crc.Ints[2*v.at+1], crc.Ints[2*v.at])
		}
	} else {
		want := make([]byte, len(bitmap))
		for i, b := range v.bitmap() {
			want[i] = byte(b)
		}
		if !slices.Equal(bitmap, want) {
			t.Fatalf("%s: keeps the tokens %08b, want %08b", what, bitmap, want)
		}
	}
	if d.Len() != len(ids) {
		t.Errorf("%s: the length is %d of %d tokens", what, d.Len(), len(ids))
	}
	if want := v.Get(t, "sums").Floats[v.at]; !(math.Abs(sum-want) <= v.tolerance*want) {
		t.Errorf("%s: the checksum of the probabilities is %v, want %v", what, sum, want)
	}
	some := ids
	if len(ids) > v.full {
		some = nil
		for j := range 8 {
			some = append(some, ids[j*(len(ids)-1)/7])
		}
	}
	all := d.Probs(nil)
	for _, id := range some {
		want := v.Get(t, "probs").Floats[v.used]
		v.used++
		if got := d.Prob(id); got != all[id] || !near(got, want, v.tolerance) {
			t.Errorf("%s: token %d has probability %v, %v in the list, want %v", what, id, got, all[id], want)
		}
		if lp := d.LogProb(id); want > 1e-300 && !(math.Abs(lp-math.Log(want)) <= v.tolerance*max(1, -lp)) {
			t.Errorf("%s: token %d has log-probability %v, want %v", what, id, lp, math.Log(want))
		}
	}
}

// near allows for subnormal numbers, which have fewer digits.
func near(got, want, tolerance float64) bool {
	return math.Abs(got-want) <= tolerance*want+1e-307
}

// done checks that all of the file was used, and that it is as much as there should be.
func (v *vectors) done(t *testing.T, cases int) {
	t.Helper()
	if v.at != cases || len(v.Get(t, "sums").Floats) != cases {
		t.Errorf("%s: %d cases compared of %d, want %d", v.Name, v.at, len(v.Get(t, "sums").Floats), cases)
	}
	if n := len(v.Get(t, "probs").Floats); v.used != n {
		t.Errorf("%s: %d probabilities compared of %d", v.Name, v.used, n)
	}
}
