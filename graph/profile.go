package graph

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"gorgonia.org/tensor"
)

// A Profile tells where the time of a program goes.
type Profile struct {
	Steps []StepProfile // in the order they run
}

// A StepProfile is what one operation of a program has done in all profiled runs. An operation that works on the rows
// of another one as they come is counted with that one.
type StepProfile struct {
	Op    string
	Layer string // the path of its layer, or ""
	Shape tensor.Shape
	Calls int
	Time  time.Duration
	FLOPs float64 // additions and multiplications of products of matrices; other work is not counted
	Bytes float64 // of operands and results
}

// SetProfile has the following runs measured, beginning from nothing, or ends that and forgets what was measured. It
// must not be called during a run.
func (p *Program) SetProfile(on bool) {
	p.profile = nil
	if on {
		p.profile = make([]measure, len(p.steps))
	}
}

// measure is what a step has done so far.
type measure struct {
	calls        int
	time         time.Duration
	flops, bytes float64
}

// add notes that a step has run since start.
func (m *measure) add(p *Program, s *step, start time.Time) {
	m.time += time.Since(start)
	m.calls++
	for ; s != nil; s = s.next() {
		if s.fused != nil {
			m.flops += s.fused.FLOPs(&s.call)
		}
		for _, slots := range [][]int{s.in, s.out} {
			for _, slot := range slots {
				if v := p.slots[slot]; v != nil {
					m.bytes += float64(v.MemSize())
				}
			}
		}
	}
}

// next returns the step that works on the rows of s, or nil.
func (s *step) next() *step {
	if s.then == nil {
		return nil
	}
	return &s.then.step
}

// Profile returns what was measured since SetProfile, nothing if that was not called. It must not be called during a
// run.
func (p *Program) Profile() Profile {
	var f Profile
	for i, m := range p.profile {
		s := p.steps[i]
		name := fmt.Sprint(s.node.Op())
		if s.then != nil {
			name += "+" + fmt.Sprint(s.then.node.Op())
		}
		f.Steps = append(f.Steps, StepProfile{
			Op: name, Layer: p.g.paths[s.node.ID()], Shape: s.node.Shape().Clone(),
			Calls: m.calls, Time: m.time, FLOPs: m.flops, Bytes: m.bytes,
		})
	}
	return f
}

// String returns the profile as a table with a line for each kind of operation, the slowest first.
func (f Profile) String() string {
	var b strings.Builder
	f.WriteTo(&b) // a Builder does not fail
	return b.String()
}

// WriteTo writes the table that String returns.
func (f Profile) WriteTo(w io.Writer) (int64, error) {
	kinds := make(map[string]*StepProfile)
	var order []*StepProfile
	var all time.Duration
	for _, s := range f.Steps {
		k := kinds[s.Op]
		if k == nil {
			k = &StepProfile{Op: s.Op}
			kinds[s.Op] = k
			order = append(order, k)
		}
		k.Calls += s.Calls
		k.Time += s.Time
		k.FLOPs += s.FLOPs
		k.Bytes += s.Bytes
		all += s.Time
	}
	slices.SortStableFunc(order, func(a, b *StepProfile) int { return int(b.Time - a.Time) })
	c := &counter{w: w}
	t := tabwriter.NewWriter(c, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "calls\ttime\tshare\tGFLOP/s\tGB/s\t  operation")
	for _, k := range order {
		s := max(k.Time.Seconds(), 1e-9)
		fmt.Fprintf(t, "%d\t%v\t%.1f%%\t%.1f\t%.1f\t  %s\n", k.Calls, k.Time.Round(time.Microsecond),
			100*s/max(all.Seconds(), 1e-9), k.FLOPs/s/1e9, k.Bytes/s/1e9, k.Op)
	}
	err := t.Flush()
	return c.n, err
}

// counter counts the bytes it writes.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
