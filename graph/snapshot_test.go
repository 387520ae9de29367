package graph_test

import (
	"bytes"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/internal/safetensors"
	"github.com/logits-go/logits/optim"
	"github.com/logits-go/logits/text"
)

// someSnapshot returns a snapshot with something of everything, for someParams.
func someSnapshot(step int, dt tensor.Dtype) graph.Snapshot {
	ps := someParams(uint64(step)+100, dt)
	s := graph.Snapshot{
		Step:     step,
		Tensors:  make(map[string]*tensor.Dense),
		Counts:   map[string]uint64{"runs": math.MaxUint64, "skipped": 0},
		States:   map[string][]byte{"stream": {0, 1, 255}},
		Metadata: map[string]string{"settings": `{"lr":"0.1"}`, "text": "a \"b\"\n<é>"},
	}
	for name, p := range ps.All() {
		s.Tensors["exp_avg."+name] = p.Value().(*tensor.Dense)
	}
	return s
}

func snapshotBytes(t testing.TB, s graph.Snapshot, ps *graph.Params) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := s.Write(&buf, ps); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// sameSnapshot compares all of two snapshots.
func sameSnapshot(t testing.TB, got, want graph.Snapshot) {
	t.Helper()
	if got.Step != want.Step || !reflect.DeepEqual(got.Counts, want.Counts) || !reflect.DeepEqual(got.States, want.States) ||
		!reflect.DeepEqual(got.Metadata, want.Metadata) || len(got.Tensors) != len(want.Tensors) {
		t.Errorf("%+v, want %+v", got, want)
	}
	for name, w := range want.Tensors {
		g := got.Tensors[name]
		if g == nil || g.Dtype() != w.Dtype() || !g.Shape().Eq(w.Shape()) || !reflect.DeepEqual(g.Data(), w.Data()) {
			t.Errorf("%s is %v, want %v", name, g, w)
		}
	}
}

func sameParams(t testing.TB, got, want *graph.Params) {
	t.Helper()
	for name, p := range want.All() {
		if !reflect.DeepEqual(got.Get(name).Value().Data(), p.Value().Data()) {
			t.Errorf("%s differs", name)
		}
	}
}

// A snapshot comes back bit for bit, numbers that are no numbers included.
func TestSnapshot(t *testing.T) {
	for _, dt := range []tensor.Dtype{tensor.Float32, tensor.Float64} {
		from, to := someParams(1, dt), someParams(2, dt)
		want := someSnapshot(7, dt)
		data := snapshotBytes(t, want, from)
		got, err := graph.ReadSnapshot(data, to)
		if err != nil {
			t.Fatal(err)
		}
		sameSnapshot(t, got, want)
		sameParams(t, to, from)
		if again := snapshotBytes(t, got, to); !bytes.Equal(again, data) {
			t.Error("a snapshot that was read is written otherwise")
		}
		// Any reader of the format opens it, and Load takes the parameters alone.
		if f, err := safetensors.Parse(data); err != nil || len(f.Tensors) != 4 {
			t.Errorf("Parse: %v", err)
		}
		third := someParams(3, dt)
		_, err = third.Read(data, func(name string) string {
			if strings.HasPrefix(name, "optimizer.") {
				return ""
			}
			return name
		})
		if err != nil {
			t.Error(err)
		}
		sameParams(t, third, from)
	}
	from, to := someParams(1, tensor.Float32), someParams(2, tensor.Float32)
	odd := from.Get("b.weight").Value().Data().([]float32)
	odd[0], odd[1], odd[2] = math.Float32frombits(0x7fa00001), float32(math.Inf(-1)), float32(math.Copysign(0, -1))
	if _, err := graph.ReadSnapshot(snapshotBytes(t, graph.Snapshot{}, from), to); err != nil {
		t.Fatal(err)
	}
	for i, v := range to.Get("b.weight").Value().Data().([]float32)[:3] {
		if math.Float32bits(v) != math.Float32bits(odd[i]) {
			t.Errorf("%#x comes back as %#x", math.Float32bits(odd[i]), math.Float32bits(v))
		}
	}
}

// What cannot be kept is an error.
func TestSnapshotMisuse(t *testing.T) {
	ps := someParams(1, tensor.Float32)
	named := graph.NewParams(1)
	named.Root().At("optimizer").Param("a", graph.Ones, 2)
	broken := graph.NewParams(1)
	broken.Root().Param("", graph.Ones, 2)
	transposed := tensor.New(tensor.WithShape(2, 3), tensor.WithBacking(make([]float32, 6)))
	if err := transposed.T(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		s    graph.Snapshot
		ps   *graph.Params
		want string
	}{
		{graph.Snapshot{}, nil, "no parameters"},
		{graph.Snapshot{}, broken, "no name"},
		{graph.Snapshot{}, named, "optimizer.a"},
		{graph.Snapshot{Step: -1}, ps, "step -1"},
		{graph.Snapshot{Metadata: map[string]string{"logits.x": ""}}, ps, "reserved"},
		{graph.Snapshot{Tensors: map[string]*tensor.Dense{"m": nil}}, ps, "m is no dense tensor"},
		{graph.Snapshot{Tensors: map[string]*tensor.Dense{"m": tensor.New(tensor.WithBacking([]int{1}))}}, ps, "m is no dense tensor"},
		{graph.Snapshot{Tensors: map[string]*tensor.Dense{"m": transposed}}, ps, "m is no dense tensor"},
	} {
		var buf bytes.Buffer
		if err := c.s.Write(&buf, c.ps); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want an error with %q", err, c.want)
		}
	}
	data := snapshotBytes(t, graph.Snapshot{}, ps)
	for _, ps := range []*graph.Params{nil, broken} {
		if _, err := graph.ReadSnapshot(data, ps); err == nil {
			t.Error("no error")
		}
	}
}

// What the first version of the format has written is read by all that follow. A file is never changed; a new version
// adds one, written by Snapshot.Write of someSnapshot(7) with someParams(1).
func TestSnapshotVersions(t *testing.T) {
	data, err := os.ReadFile("testdata/snapshot-v1.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	ps := someParams(2, tensor.Float32)
	s, err := graph.ReadSnapshot(data, ps)
	if err != nil {
		t.Fatal(err)
	}
	sameSnapshot(t, s, someSnapshot(7, tensor.Float32))
	sameParams(t, ps, someParams(1, tensor.Float32))
}

// training is a small model in training, with dropout, accumulation and everything else that has a state.
type training struct {
	ps     *graph.Params
	x      graph.Node
	prog   *graph.Program
	opt    *optim.AdamW
	stream *text.Stream
}

func newTraining(t testing.TB) *training {
	t.Helper()
	r := &training{ps: graph.NewParams(1), opt: &optim.AdamW{LR: optim.Cosine{Peak: 0.1, Warmup: 2, Steps: 9}, MaxNorm: 1}}
	w := r.ps.Root().At("layer").Param("weight", graph.Normal(1), 5, 4)
	g := graph.New(graph.Seed(3))
	r.x = g.Input("x", tensor.Float32, 6, 4)
	y := r.x.Linear(g.Param(w)).Dropout(0.5)
	var err error
	if r.prog, err = graph.CompileTrain(y.Mul(y).Mean()); err != nil {
		t.Fatal(err)
	}
	ids := make(text.Slice, 100)
	for i := range ids {
		ids[i] = i * i % 17
	}
	if r.stream, err = text.NewStream(ids, 5); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *training) step(t testing.TB) {
	t.Helper()
	var feeds []graph.Feed
	for range 2 {
		a, b, in := make([]int, 24), make([]int, 24), make([]float32, 24)
		if err := r.stream.Next(a, b, 6, 4); err != nil {
			t.Fatal(err)
		}
		for i := range in {
			in[i] = float32(a[i]-b[i]) / 8
		}
		feeds = append(feeds, graph.Feed{r.x: graph.Floats(in, 6, 4)})
	}
	if _, err := r.prog.Accumulate(t.Context(), feeds...); err != nil {
		t.Fatal(err)
	}
	if err := r.opt.Step(r.ps.ValueGrads()); err != nil {
		t.Fatal(err)
	}
}

func (r *training) snapshot(t testing.TB) graph.Snapshot {
	t.Helper()
	state := r.opt.State(r.ps.ValueGrads())
	stream, err := r.stream.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return graph.Snapshot{
		Step: state.Step, Tensors: state.Tensors,
		Counts: map[string]uint64{"runs": r.prog.Runs()}, States: map[string][]byte{"stream": stream},
	}
}

// Training that goes on from a snapshot in another process comes to the bits it would have come to: weights, moments,
// dropout and batches.
func TestSnapshotResumes(t *testing.T) {
	const steps = 8
	whole := newTraining(t)
	var cuts [][]byte
	for range steps {
		cuts = append(cuts, snapshotBytes(t, whole.snapshot(t), whole.ps))
		whole.step(t)
	}
	want := snapshotBytes(t, whole.snapshot(t), whole.ps)
	for at, data := range cuts {
		r := newTraining(t)
		s, err := graph.ReadSnapshot(data, r.ps)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.opt.SetState(r.ps.ValueGrads(), optim.State{Step: s.Step, Tensors: s.Tensors}); err != nil {
			t.Fatal(err)
		}
		if err := r.stream.UnmarshalBinary(s.States["stream"]); err != nil {
			t.Fatal(err)
		}
		r.prog.SetRuns(s.Counts["runs"])
		for range steps - at {
			r.step(t)
		}
		if got := snapshotBytes(t, r.snapshot(t), r.ps); !bytes.Equal(got, want) {
			t.Errorf("training that was cut after step %d ends otherwise", at)
		}
	}
}

// A file of a newer version is an error that names both versions, even where all else has changed.
func TestNewerSnapshot(t *testing.T) {
	data := edited(t, `{\"version\":1,`, `{\"version\":2,\"new\":[],`)
	_, err := graph.ReadSnapshot(data, someParams(1, tensor.Float32))
	var newer *graph.VersionError
	if !errors.As(err, &newer) || newer.Version != 2 || !strings.Contains(err.Error(), "version 2") || !strings.Contains(err.Error(), "up to 1") {
		t.Errorf("%v, want a VersionError of versions 2 and 1", err)
	}
}
