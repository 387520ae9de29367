package optim

import (
	"math"

	"github.com/pkg/errors"
)

// A Schedule is a learning rate that depends on the step. An optimizer takes its first step at 1.
type Schedule interface {
	At(step int) float64
}

// Constant is the same learning rate at every step.
type Constant float64

// At returns c.
func (c Constant) At(int) float64 { return float64(c) }

// Cosine rises linearly from 0 to Peak, which it reaches at step Warmup, falls along half a cosine to Floor, which it
// reaches at step Steps, and stays there, https://arxiv.org/abs/1608.03983.
type Cosine struct {
	Peak, Floor   float64
	Warmup, Steps int
}

// At returns the learning rate of a step.
func (c Cosine) At(step int) float64 {
	switch {
	case step < c.Warmup:
		return c.Peak * float64(step) / float64(c.Warmup)
	case step >= c.Steps:
		return c.Floor
	}
	done := float64(step-c.Warmup) / float64(c.Steps-c.Warmup)
	return c.Floor + (c.Peak-c.Floor)*(1+math.Cos(math.Pi*done))/2
}

func (c Cosine) check() error {
	if !rate(c.Peak) || !rate(c.Floor) || c.Warmup < 0 || c.Steps < c.Warmup || c.Steps == 0 {
		return errors.Errorf("schedule %+v", c)
	}
	return nil
}

// WSD warms up linearly to Peak by step Warmup, stays there, and over the last Decay of Steps falls to Floor:
// warmup-stable-decay, https://arxiv.org/abs/2404.06395. The fall is linear or, if Root is set, as 1-√, after
// https://arxiv.org/abs/2405.18392.
type WSD struct {
	Peak, Floor          float64
	Warmup, Decay, Steps int
	Root                 bool
}

// At returns the learning rate of a step.
func (s WSD) At(step int) float64 {
	fall := s.Steps - s.Decay
	switch {
	case step < s.Warmup:
		return s.Peak * float64(step) / float64(s.Warmup)
	case step <= fall:
		return s.Peak
	case step >= s.Steps:
		return s.Floor
	}
	done := float64(step-fall) / float64(s.Decay)
	if s.Root {
		done = math.Sqrt(done)
	}
	return s.Peak + (s.Floor-s.Peak)*done
}

func (s WSD) check() error {
	if !rate(s.Peak) || !rate(s.Floor) || s.Warmup < 0 || s.Decay < 0 || s.Steps < s.Warmup+s.Decay || s.Steps == 0 {
		return errors.Errorf("schedule %+v", s)
	}
	return nil
}

// rate reports whether x can be a learning rate.
func rate(x float64) bool { return x >= 0 && !math.IsInf(x, 1) }

// rateAt returns the learning rate of a step, or an error if the schedule makes no sense.
func rateAt(s Schedule, step int) (float64, error) {
	if s == nil {
		s = Constant(1e-3)
	}
	if c, ok := s.(interface{ check() error }); ok {
		if err := c.check(); err != nil {
			return 0, err
		}
	}
	lr := s.At(step)
	if !rate(lr) {
		return 0, errors.Errorf("the learning rate of step %d is %v", step, lr)
	}
	return lr, nil
}
