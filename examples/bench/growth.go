package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"gonum.org/v1/gonum/stat"

	"github.com/logits-go/logits/layers"
)

// growth prints the time of a training step as one size of a model grows and the others stay, and the power of the size
// that fits it best: the time of a sum of parts, some of which grow and some of which do not, is no pure power, so the
// power of the last doubling stands beside.
func growth(ctx context.Context) error {
	for _, axis := range []struct {
		name   string
		values []int
		size   func(v int) size
	}{
		{"sequence T", []int{64, 128, 256, 512, 1024, 2048}, func(v int) size { return grown(4, 500, v, 128, 2) }},
		{"width d", []int{128, 256, 512, 1024}, func(v int) size { return grown(4, 500, 128, v, 2) }},
		{"vocabulary V", []int{500, 1000, 2000, 5000, 10000, 20000, 50000}, func(v int) size { return grown(4, v, 128, 128, 2) }},
		{"layers", []int{1, 2, 4, 8}, func(v int) size { return grown(4, 500, 128, 256, v) }},
	} {
		var x, y []float64
		fmt.Printf("%s\n", axis.name)
		for _, v := range axis.values {
			step, err := axis.size(v).stepper("train")
			if err != nil {
				return err
			}
			times, err := timeSteps(ctx, step, time.Second)
			if err != nil {
				return err
			}
			t := times[len(times)/2]
			x, y = append(x, math.Log(float64(v))), append(y, math.Log(t))
			fmt.Printf("%8d %10.2f ms\n", v, 1e3*t)
		}
		_, power := stat.LinearRegression(x, y, nil, false)
		n := len(x) - 1
		fmt.Printf("         power %.2f, at the end %.2f\n\n", power, (y[n]-y[n-1])/(x[n]-x[n-1]))
	}
	return nil
}

func grown(batch, vocab, seq, dim, blocks int) size {
	return size{batch, layers.Config{VocabSize: vocab, ContextLength: seq, DModel: dim, NumLayers: blocks, NumHeads: dim / 32}}
}
