package main

import (
	"context"
	"math"
	"time"

	"gonum.org/v1/gonum/stat"

	"github.com/logits-go/logits/layers"
)

// axes are the sizes of a model that grow, one at a time while the others stay, and by how much.
var axes = []struct {
	name   string
	values []int
	size   func(v int) size
}{
	{"T", []int{64, 128, 256, 512, 1024, 2048}, func(v int) size { return grown(4, 500, v, 128, 2) }},
	{"d", []int{128, 256, 512, 1024}, func(v int) size { return grown(4, 500, 128, v, 2) }},
	{"V", []int{500, 1000, 2000, 5000, 10000, 20000, 50000}, func(v int) size { return grown(4, v, 128, 128, 2) }},
	{"layers", []int{1, 2, 4, 8}, func(v int) size { return grown(4, 500, 128, 256, v) }},
}

func grown(batch, vocab, seq, dim, blocks int) size {
	return size{batch, layers.Config{VocabSize: vocab, ContextLength: seq, DModel: dim, NumLayers: blocks, NumHeads: dim / 32}}
}

// A growthRow is how one size matters.
type growthRow struct {
	Axis         string    `json:"axis"`
	Values       []int     `json:"values"`
	Milliseconds []float64 `json:"milliseconds"`
	Power        float64   `json:"power"`
	LastPower    float64   `json:"last_power"` // between the last two values
}

// growth prints the time of a training step as one size of a model grows, and the power of the size that fits it best,
// by least squares between the logarithms. The time is a sum of parts, some of which grow and some of which do not, so
// it is no pure power: that of the last two values stands beside.
func growth(ctx context.Context, s settings, r *report) error {
	r.say("milliseconds of a training step")
	for _, axis := range axes {
		times := make([][]float64, len(axis.values))
		var turns []func() error
		for i, v := range axis.values {
			step, err := axis.size(v).stepper(passTrain)
			if err != nil {
				return err
			}
			turns = append(turns, func() error {
				t, err := timeSteps(ctx, step, s.seconds/4/time.Duration(s.pairs))
				times[i] = append(times[i], t...)
				return err
			})
		}
		if err := inTurns(s.pairs, turns...); err != nil {
			return err
		}
		row := growthRow{Axis: axis.name, Values: axis.values}
		r.say("")
		for i, v := range row.Values {
			row.Milliseconds = append(row.Milliseconds, 1e3*median(times[i]))
			r.say("%6s %6d %10.2f", row.Axis, v, row.Milliseconds[i])
		}
		row.Power, row.LastPower = powers(row.Values, row.Milliseconds)
		err := r.row("growth", row, "a step takes %s^%.2f, and at the end %s^%.2f", row.Axis, row.Power, row.Axis, row.LastPower)
		if err != nil {
			return err
		}
	}
	return nil
}

// powers returns the p for which values^p comes closest to times, and that of the last two.
func powers(values []int, times []float64) (p, last float64) {
	var x, y []float64
	for i, v := range values {
		x, y = append(x, math.Log(float64(v))), append(y, math.Log(times[i]))
	}
	_, p = stat.LinearRegression(x, y, nil, false)
	n := len(x) - 1
	return p, (y[n] - y[n-1]) / (x[n] - x[n-1])
}
