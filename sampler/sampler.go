package sampler

import (
	"slices"

	"github.com/pkg/errors"
)

// A Sampler draws tokens from rows of logits. Its zero value is greedy: it returns the most probable token.
//
// With a Temperature above 0 it divides the logits by it, keeps the TopK most probable tokens, then the
// nucleus of mass TopP, then the tokens of at least MinP times the largest probability, and draws from what is
// left. Each filter sees the probabilities that its predecessor left, summing to 1. A field that is 0
// switches its step off. A field out of range is an error, also where no step would come to use it.
//
// Steps, if not nil, take the place of these four fields, which must then be 0: they are whatever steps one
// wants in the order in which one wants them. They see History, to which every token drawn is added; a prompt
// they are to see has to be put there, as [NewHistory] does. Without Steps there is no history.
//
// All of its state is in its exported fields: the drawn token is a pure function of the logits, the settings,
// History, Seed, Stream and Step. So a Sampler is saved with encoding/json or encoding/gob and goes on with the
// same tokens; one without Learners among its Steps, such as [Mirostat], is also copied by assignment, and any by
// Clone. Setting Step back replays them, if History is set back too. Sequences that are sampled side by side
// take the same Seed and a Stream each.
//
// A Sampler must not be used by several goroutines at once; copies of it may be.
type Sampler struct {
	Temperature float64 // flattens the distribution above 1, sharpens it below; 0 is greedy
	TopK        int     // number of tokens to keep; 0 keeps all
	TopP        float64 // probability mass to keep, in [0, 1]; 0 and 1 keep all
	MinP        float64 // least probability to keep, relative to the largest, in [0, 1]; 0 keeps all

	Steps   Chain   // what to do instead
	History History // the text that Steps see

	Seed   uint64 // selects the sequence of random numbers
	Stream uint64 // selects one of 2^64 independent sequences of a seed, such as that of a row in a batch
	Step   uint64 // number of tokens drawn so far

	Stop []int // tokens at which Generate ends, such as the end of a text

	scratch *Distribution
	owner   *Sampler // whose scratch and history these are: a copy must not share them
}

// Sample returns a token for a row of logits (vocab), which it leaves unchanged, and counts Step on. A logit
// of -Inf masks its token. If there is an error the token is -1 and Step stays: a [LogitsError] if the row
// defines no distribution, another if a setting is out of range. Sample does not allocate once it has seen a
// few rows, but for the growth of History.
func (s *Sampler) Sample(logits []float32) (int, error) {
	d := s.distribution()
	defer d.release()
	if err := d.reset(logits); err != nil {
		return -1, err
	}
	if err := s.Apply(d); err != nil {
		return -1, err
	}
	token := d.drawOnce(Uniform(s.Seed, s.Stream, s.Step))
	s.accept(d, token)
	return token, nil
}

// Accept notes that token has been drawn from d, as Sample does with those that it draws: it tells the Learners
// among Steps, adds the token to History if there are Steps, and counts Step on. It is for those who call
// Apply and draw themselves. A token that d does not have is an error.
func (s *Sampler) Accept(d *Distribution, token int) error {
	if d == nil || d.Prob(token) == 0 {
		return errors.Errorf("sampler: token %d, which the distribution does not have, cannot have been drawn", token)
	}
	s.distribution()
	s.accept(d, token)
	return nil
}

func (s *Sampler) accept(d *Distribution, token int) {
	if s.Steps != nil {
		s.Steps.learn(d, token)
		s.History.Tokens = append(s.History.Tokens, token)
	}
	s.Step++
}

// Probs returns the exact distribution from which Sample draws for a row of logits: the probability of every
// token of the vocabulary, stored in dst if it has room for them. It leaves Step alone.
func (s *Sampler) Probs(dst []float64, logits []float32) ([]float64, error) {
	d := s.distribution()
	defer d.release()
	if err := d.reset(logits); err != nil {
		return nil, err
	}
	if err := s.Apply(d); err != nil {
		return nil, err
	}
	return d.Probs(dst), nil
}

// Apply runs the steps of s on a distribution: Temperature, TopK, TopP and MinP, or Steps. If one of the four
// is out of range none of them runs. It changes nothing of s but History.Toss.
func (s *Sampler) Apply(d *Distribution) error {
	if d == nil {
		return errors.New("sampler: no distribution")
	}
	if err := s.check(); err != nil {
		return err
	}
	if s.Steps != nil {
		if err := d.ready(); err != nil {
			return err
		}
		return s.Steps.Apply(d, s.history())
	}
	if err := d.Temperature(s.Temperature); err != nil {
		return err
	}
	if err := d.TopK(s.TopK); err != nil {
		return err
	}
	if err := d.TopP(s.TopP); err != nil {
		return err
	}
	return d.MinP(s.MinP)
}

// Clone returns a Sampler that goes on by itself with the same tokens. A step of Steps that is a pointer but
// no [Learner] is an error.
func (s *Sampler) Clone() (*Sampler, error) {
	out := *s
	var err error
	if out.Steps, err = s.Steps.Clone(); err != nil {
		return nil, err
	}
	out.History.Tokens = slices.Clone(s.History.Tokens)
	out.Stop = slices.Clone(s.Stop)
	out.scratch, out.owner = nil, nil
	return &out, nil
}

func (s *Sampler) check() error {
	if s.Steps != nil && (s.Temperature != 0 || s.TopK != 0 || s.TopP != 0 || s.MinP != 0) {
		return errors.Errorf("sampler: temperature %v, top-k %d, top-p %v and min-p %v beside Steps, which take their place",
			s.Temperature, s.TopK, s.TopP, s.MinP)
	}
	if s.Steps == nil && len(s.History.Tokens) > 0 {
		return errors.Errorf("sampler: history of %d tokens without Steps to see them", len(s.History.Tokens))
	}
	if err := checkTemperature(s.Temperature); err != nil {
		return err
	}
	if err := checkTopK(s.TopK); err != nil {
		return err
	}
	if err := checkTopP(s.TopP); err != nil {
		return err
	}
	return checkMinP(s.MinP)
}

// chain returns the steps, also where they are given by the four fields.
func (s *Sampler) chain() Chain {
	if s.Steps != nil {
		return s.Steps
	}
	return Chain{Temperature(s.Temperature), TopK(s.TopK), TopP(s.TopP), MinP(s.MinP)}
}

// history returns History with Toss set for the next token.
func (s *Sampler) history() *History {
	s.History.Toss = toss(s.Seed, s.Stream, s.Step)
	return &s.History
}

func (s *Sampler) distribution() *Distribution {
	if s.owner != s {
		s.owner, s.scratch = s, new(Distribution)
		s.History.Tokens = slices.Clip(s.History.Tokens)
	}
	return s.scratch
}

// release lets go of the caller's row.
func (d *Distribution) release() {
	d.row, d.vocab = nil, 0
}
