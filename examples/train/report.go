package main

import (
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
}

func newReport(s settings, d *corpus, r *run.Run) (*report, error) {
	f, err := os.Create(filepath.Join(s.out, "log.jsonl"))
	if err != nil {
		return nil, errors.WithStack(err)
	}
	info, err := os.Stdout.Stat()
	p := &report{s: s, data: d, file: f, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0}
	if d.note != "" {
		p.printf("%s", d.note)
	}
	p.printf("text   %s: %.1f MB, %d tokens of %d, %.2f bytes each", d.name, float64(d.bytes)/1e6,
		d.training.Len()+d.validation.Len(), d.tokenizer.VocabSize(), d.bytesPerToken)
	c := r.Model.Config
	p.printf("model  %.2f M parameters: %d layers of width %d, %d heads, context %d, %v, %v, %v",
		float64(r.Params.Size())/1e6, c.NumLayers, c.DModel, c.NumHeads, c.ContextLength, c.Norm, c.Position, c.Activation)
	p.printf("step   %d tokens, %d steps", s.batch*s.accumulate*c.ContextLength, s.steps)
	p.start, p.mark = time.Now(), time.Now()
	return p, nil
}

// step notes a training step.
func (p *report) step(step int, loss, norm, lr float64) {
	p.tokens += p.s.batch * p.s.accumulate * p.s.model.ContextLength
	if since := time.Since(p.mark); since > time.Second || step == 1 {
		p.rate = float64(p.tokens) / since.Seconds()
		p.tokens, p.mark = 0, time.Now()
	}
	p.last = entry{
		Step: step, Loss: loss, GradNorm: norm, LearningRate: lr,
		TokensPerSecond: p.rate, Seconds: time.Since(p.start).Seconds(),
	}
	if step%p.s.evalEvery != 0 && step != p.s.steps {
		p.write(p.last)
	}
	if p.terminal {
		fmt.Printf("\r\x1b[K%s", p.line(p.last))
		p.open = true
	}
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
