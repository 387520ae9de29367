package sampler

// A Sampler draws tokens from rows of logits. Its zero value is greedy: it returns the most probable token.
//
// With a Temperature above 0 it divides the logits by it, keeps the TopK most probable tokens, then the
// nucleus of mass TopP, then the tokens of at least MinP times the largest probability, and draws from what is
// left. Each filter sees the probabilities that its predecessor left, summing to 1. A field that is 0
// switches its step off. A field out of range is an error, also where no step would come to use it.
//
// All of its state is in its exported fields: the drawn token is a pure function of the logits, the settings,
// Seed, Stream and Step. So a Sampler is copied by assignment and saved with encoding/json or encoding/gob,
// and the copy goes on with the same tokens. Setting Step back replays them. Sequences that are sampled
// side by side take the same Seed and a Stream each.
//
// A Sampler must not be used by several goroutines at once; copies of it may be.
type Sampler struct {
	Temperature float64 // flattens the distribution above 1, sharpens it below; 0 is greedy
	TopK        int     // number of tokens to keep; 0 keeps all
	TopP        float64 // probability mass to keep, in [0, 1]; 0 and 1 keep all
	MinP        float64 // least probability to keep, relative to the largest, in [0, 1]; 0 keeps all

	Seed   uint64 // selects the sequence of random numbers
	Stream uint64 // selects one of 2^64 independent sequences of a seed, such as that of a row in a batch
	Step   uint64 // number of tokens drawn so far

	Stop []int // tokens at which Generate ends, such as the end of a text

	scratch *Distribution
	owner   *Sampler // whose scratch it is: a copy must not share it
}

// Sample returns a token for a row of logits (vocab), which it leaves unchanged, and counts Step on. A logit
// of -Inf masks its token. If there is an error the token is -1 and Step stays: a [LogitsError] if the row
// defines no distribution, another if a setting is out of range. Sample does not allocate once it has seen a
// few rows.
func (s *Sampler) Sample(logits []float32) (int, error) {
	d := s.distribution()
	defer d.release()
	if err := d.reset(logits); err != nil {
		return -1, err
	}
	if err := s.Apply(d); err != nil {
		return -1, err
	}
	token := d.draw(Uniform(s.Seed, s.Stream, s.Step))
	s.Step++
	return token, nil
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

// Apply runs the steps of s on a distribution: Temperature, TopK, TopP and MinP. If a setting is out of range
// none of them runs.
func (s *Sampler) Apply(d *Distribution) error {
	if err := s.check(); err != nil {
		return err
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

func (s *Sampler) check() error {
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

func (s *Sampler) distribution() *Distribution {
	if s.owner != s {
		s.owner, s.scratch = s, new(Distribution)
	}
	return s.scratch
}

// release lets go of the caller's row.
func (d *Distribution) release() {
	d.row, d.vocab = nil, 0
}
