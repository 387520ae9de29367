package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/examples/internal/run"
	"github.com/logits-go/logits/loss"
)

// A report shows how training goes: one line that changes on a terminal, plain lines elsewhere, and all of it in
// log.jsonl and loss.svg.
type report struct {
	s        settings
	data     *corpus
	file     *os.File
	terminal bool
	open     bool // a line on the terminal has not ended

	start  time.Time
	mark   time.Time // when tokens were counted from
	tokens int
	rate   float64 // tokens a second
	last   entry
	log    []entry
}

// An entry is a line of log.jsonl.
type entry struct {
	Step            int      `json:"step"`
	Loss            float64  `json:"loss"`
	ValidationLoss  *float64 `json:"validation_loss,omitempty"`
	BitsPerByte     *float64 `json:"validation_bits_per_byte,omitempty"`
	GradNorm        float64  `json:"grad_norm"`
	LearningRate    float64  `json:"learning_rate"`
	TokensPerSecond float64  `json:"tokens_per_second"`
	Seconds         float64  `json:"seconds"`
	Spike           float64  `json:"spike,omitempty"`   // deviations above the losses before it
	Skipped         string   `json:"skipped,omitempty"` // why the step was left out
}

// newReport begins a report, or goes on with that of the first steps, since when the times are counted on.
func newReport(s settings, d *corpus, r *run.Run, step int) (*report, error) {
	info, err := os.Stdout.Stat()
	p := &report{s: s, data: d, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0}
	if err := p.reopen(filepath.Join(s.out, "log.jsonl"), step); err != nil {
		return nil, err
	}
	if d.note != "" {
		p.printf("%s", d.note)
	}
	p.printf("text   %s: %.1f MB, %d tokens of %d, %.2f bytes each", d.name, float64(d.bytes)/1e6,
		d.training.Len()+d.validation.Len(), d.tokenizer.VocabSize(), d.bytesPerToken)
	c := r.Model.Config
	p.printf("model  %.2f M parameters: %d layers of width %d, %d heads, context %d, %v, %v, %v",
		float64(r.Params.Size())/1e6, c.NumLayers, c.DModel, c.NumHeads, c.ContextLength, c.Norm, c.Position, c.Activation)
	p.printf("step   %d tokens, %d steps", s.batch*s.accumulate*c.ContextLength, s.steps)
	p.mark = time.Now()
	p.start = p.mark
	if n := len(p.log); n > 0 {
		p.start = p.mark.Add(-time.Duration(p.log[n-1].Seconds * float64(time.Second)))
	}
	return p, nil
}

// reopen opens the log, in which it leaves the first steps. What a crash has cut short goes too.
func (p *report) reopen(path string, step int) error {
	old, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return errors.WithStack(err)
	}
	var kept []byte
	for line := range bytes.Lines(old) {
		var e entry
		if json.Unmarshal(line, &e) == nil && e.Step > p.last.Step && e.Step <= step {
			p.last = e
			p.log = append(p.log, e)
			kept = append(kept, line...)
		}
	}
	if err := os.WriteFile(path+".tmp", kept, 0o644); err != nil {
		return errors.WithStack(err)
	}
	if err := os.Rename(path+".tmp", path); err != nil {
		return errors.WithStack(err)
	}
	p.file, err = os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	return errors.WithStack(err)
}

// step notes a training step.
func (p *report) step(step int, loss, norm, lr float64) {
	p.tokens += p.s.batch * p.s.accumulate * p.s.model.ContextLength
	if since := time.Since(p.mark); since > time.Second || p.rate == 0 {
		p.rate = float64(p.tokens) / since.Seconds()
		p.tokens, p.mark = 0, time.Now()
	}
	p.last = entry{
		Step: step, Loss: loss, GradNorm: norm, LearningRate: lr,
		TokensPerSecond: p.rate, Seconds: time.Since(p.start).Seconds(),
	}
	if z := p.deviation(loss); p.s.spike > 0 && z > p.s.spike {
		p.last.Spike = z
		p.printf("step %d: a loss of %.3f, %.0f deviations above the last", step, loss, z)
	}
	if step%p.s.evalEvery != 0 && step != p.s.steps {
		p.write(p.last)
	}
	if p.terminal {
		fmt.Printf("\r\x1b[K%s", p.line(p.last))
		p.open = true
	}
}

// skip notes a step that was left out.
func (p *report) skip(step int, why string) {
	p.last = entry{Step: step, Seconds: time.Since(p.start).Seconds(), Skipped: why}
	if step%p.s.evalEvery != 0 && step != p.s.steps {
		p.write(p.last)
	}
	p.printf("step %d is left out: %s", step, why)
}

// deviation returns how far a loss lies above those of the steps before.
func (p *report) deviation(loss float64) float64 {
	var losses []float64
	for _, e := range p.log[max(0, len(p.log)-spikeWindow):] {
		if e.Skipped == "" {
			losses = append(losses, e.Loss)
		}
	}
	return spike(append(losses, loss))
}

// validation notes the validation after the last step.
func (p *report) validation(step int, nats float64) error {
	bits := nats / p.data.bytesPerToken / 0.6931471805599453
	p.last.ValidationLoss, p.last.BitsPerByte = &nats, &bits
	p.write(p.last)
	if p.terminal {
		fmt.Print("\r\x1b[K")
		p.open = false
	}
	p.printf("%s", p.line(p.last))
	return draw(filepath.Join(p.s.out, "loss.svg"), p.log)
}

func (p *report) line(e entry) string {
	s := fmt.Sprintf("step %5d/%d  loss %.3f", e.Step, p.s.steps, e.Loss)
	if e.Skipped != "" {
		s = fmt.Sprintf("step %5d/%d  left out", e.Step, p.s.steps)
	}
	if e.ValidationLoss != nil {
		s += fmt.Sprintf("  validation %.3f (perplexity %.1f, %.2f bits a byte)", *e.ValidationLoss, loss.Perplexity(*e.ValidationLoss), *e.BitsPerByte)
	}
	left := time.Duration(float64(p.s.steps-e.Step) / float64(e.Step) * e.Seconds * float64(time.Second))
	if p.s.limit > 0 {
		left = min(left, max(0, p.s.limit-time.Since(p.start)))
	}
	return s + fmt.Sprintf("  %.0f tokens/s  %v left", e.TokensPerSecond, left.Round(time.Second))
}

// write adds a line to log.jsonl. A full disk shows when the log is closed.
func (p *report) write(e entry) {
	p.log = append(p.log, e)
	if line, err := json.Marshal(e); err == nil {
		p.file.Write(append(line, '\n'))
	}
}

// printf prints a line of its own.
func (p *report) printf(format string, args ...any) {
	if p.open {
		fmt.Println()
		p.open = false
	}
	fmt.Printf(format+"\n", args...)
}

// finish draws the curve and closes the log.
func (p *report) finish() error {
	if err := draw(filepath.Join(p.s.out, "loss.svg"), p.log); err != nil {
		return err
	}
	return errors.WithStack(p.file.Sync())
}

func (p *report) close() { p.file.Close() }
