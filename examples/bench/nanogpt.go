package main

import (
	"context"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"strings"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/layers"
	"github.com/logits-go/logits/loss"
	"github.com/logits-go/logits/text"
)

// A nanoGPT is the model of the recipe, with a program that trains it and one that judges it.
type nanoGPT struct {
	size
	params  *graph.Params
	trainer *graph.Program
	judge   *graph.Program
	cost    graph.Node
	x, y    []int // the batch
	feed    graph.Feed
}

// newNanoGPT makes the model. Its first weights are drawn as nanoGPT's are. Unlike those, its norms have a shift.
func newNanoGPT(vocab int, seed uint64) (*nanoGPT, error) {
	m := &nanoGPT{size: size{12, layers.Config{
		VocabSize: vocab, ContextLength: 64, DModel: 128, NumLayers: 4, NumHeads: 4,
		Activation: layers.GELU, Norm: layers.NormLayer, Position: layers.Learned, TieEmbeddings: true,
	}}, params: graph.NewParams(seed)}
	model, err := layers.NewTransformerLM(m.params.Root(), m.config)
	if err != nil {
		return nil, err
	}
	initNanoGPT(m.params, m.config.NumLayers, rand.New(rand.NewPCG(seed, 0)))
	seq := m.config.ContextLength
	g := graph.New(graph.Seed(seed))
	tokens, targets := g.Tokens("tokens", m.batch, seq), g.Tokens("targets", m.batch, seq)
	m.x, m.y = make([]int, m.tokens()), make([]int, m.tokens())
	m.feed = graph.Feed{tokens: graph.Ints(m.x, m.batch, seq), targets: graph.Ints(m.y, m.batch, seq)}
	x := model.Hidden(tokens)
	m.cost = graph.Apply3(loss.LinearCrossEntropy, x, x.Param(model.Head()), targets)
	if m.trainer, err = graph.CompileTrain(m.cost); err != nil {
		return nil, err
	}
	m.judge, err = graph.Compile(m.cost)
	return m, err
}

// initNanoGPT draws all matrices with standard deviation 0.02, which is divided by √(2·blocks) for those that add to the
// residual stream.
func initNanoGPT(params *graph.Params, blocks int, rng *rand.Rand) {
	for name, p := range params.All() {
		if p.Shape().Dims() < 2 {
			continue
		}
		std := 0.02
		if strings.HasSuffix(name, "output_proj.weight") || strings.HasSuffix(name, "w2.weight") {
			std /= math.Sqrt(2 * float64(blocks))
		}
		w := p.Value().Data().([]float32)
		for i := range w {
			w[i] = float32(std * rng.NormFloat64())
		}
	}
}

// random returns a function that draws the next batch.
func (m *nanoGPT) random(part *text.Stream) (next func() (targets int, err error)) {
	return func() (int, error) { return m.tokens(), part.Next(m.x, m.y, m.batch, m.config.ContextLength) }
}

// loss returns the mean loss per target over so many batches that next fills; 0 means all of them.
func (m *nanoGPT) loss(ctx context.Context, batches int, next func() (targets int, err error)) (float64, error) {
	var sum float64
	count := 0
	for i := 0; batches == 0 || i < batches; i++ {
		n, err := next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, err
		}
		if err := m.judge.Run(ctx, m.feed); err != nil {
			return 0, err
		}
		sum += m.judge.Scalar(m.cost) * float64(n)
		count += n
	}
	return sum / float64(count), nil
}

// readChars returns the characters of a file as tokens, of which the first nine tenths train, and how many there are.
func readChars(file string) (training, validation text.Tokens, vocab int, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, 0, errors.WithStack(err)
	}
	chars, err := text.NewChars(string(data))
	if err != nil {
		return nil, nil, 0, err
	}
	ids, err := chars.Encode(string(data))
	if err != nil {
		return nil, nil, 0, err
	}
	training, validation, err = text.Split(text.Slice(ids), 0.9)
	return training, validation, chars.VocabSize(), err
}
