package main

import (
	"image/color"

	"github.com/pkg/errors"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// draw writes the losses as a picture.
func draw(path string, log []entry) error {
	var training, validation plotter.XYs
	for _, e := range log {
		if e.Skipped == "" {
			training = append(training, plotter.XY{X: float64(e.Step), Y: e.Loss})
		}
		if e.ValidationLoss != nil {
			validation = append(validation, plotter.XY{X: float64(e.Step), Y: *e.ValidationLoss})
		}
	}
	if len(training) == 0 {
		return nil
	}
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = "step", "loss (nats a token)"
	p.Add(plotter.NewGrid())
	for _, curve := range []struct {
		name   string
		points plotter.XYs
		color  color.Color
	}{
		{"training", training, color.RGBA{R: 90, G: 140, B: 220, A: 255}},
		{"validation", validation, color.RGBA{R: 220, G: 90, B: 60, A: 255}},
	} {
		if len(curve.points) == 0 {
			continue
		}
		l, err := plotter.NewLine(curve.points)
		if err != nil {
			return errors.WithStack(err)
		}
		l.Color, l.Width = curve.color, vg.Points(1.2)
		p.Add(l)
		p.Legend.Add(curve.name, l)
	}
	p.Legend.Top = true
	return errors.WithStack(p.Save(16*vg.Centimeter, 10*vg.Centimeter, path))
}
