package text

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/pkg/errors"
)

// A Stream draws random windows from tokens, each place as likely as any other, for training. The same seed
// gives the same windows. [Stream.MarshalBinary] saves its state with a checkpoint, and a Stream over the
// same tokens goes on from there.
//
// A Stream is for one goroutine.
type Stream struct {
	tokens Tokens
	pcg    rand.PCG
	drawn  uint64 // windows
}

// NewStream returns a Stream over t, whose windows depend on nothing but seed and t.
func NewStream(t Tokens, seed uint64) (*Stream, error) {
	if t == nil || t.Len() < 2 {
		return nil, errors.Errorf("text: a Stream needs at least two tokens, a token and the one after it")
	}
	return &Stream{tokens: t, pcg: *rand.NewPCG(seed, 0)}, nil
}

// Next draws the next batch: batch windows of seq tokens to x, each with the token after every one of them
// to y, both (batch, seq) row by row. It allocates nothing. It is an error if there are fewer than seq+1
// tokens.
func (s *Stream) Next(x, y []int, batch, seq int) error {
	if s == nil || s.tokens == nil {
		return errors.Errorf("text: Next of a Stream that NewStream did not make")
	}
	if err := checkBatch(x, y, batch, seq); err != nil {
		return err
	}
	n := s.tokens.Len() - seq
	if n <= 0 {
		return errors.Errorf("text: a window of %d tokens and the one after it do not fit in %d", seq, s.tokens.Len())
	}
	for b := range batch {
		at := int(rand.New(&s.pcg).Uint64N(uint64(n)))
		s.drawn++
		if err := readWindow(s.tokens, x[b*seq:(b+1)*seq], y[b*seq:(b+1)*seq], at); err != nil {
			return err
		}
	}
	return nil
}

// checkBatch checks that x and y can hold a batch.
func checkBatch(x, y []int, batch, seq int) error {
	if batch <= 0 || seq <= 0 || len(x)/seq != batch || len(x)%seq != 0 || len(y) != len(x) {
		return errors.Errorf("text: x of %d and y of %d ids cannot hold a batch of (%d, %d)", len(x), len(y), batch, seq)
	}
	return nil
}

// readWindow fills x with the tokens from at on and y with those after them.
func readWindow(t Tokens, x, y []int, at int) error {
	if err := t.ReadTokens(x, at); err != nil {
		return err
	}
	last := copy(y, x[1:])
	return t.ReadTokens(y[last:], at+len(x))
}

// Drawn returns the number of windows drawn so far.
func (s *Stream) Drawn() uint64 { return s.drawn }

// streamMagic starts the saved state of a Stream, whose layout is streamMagic, then the number of tokens and
// of windows drawn, both as 64 bits, little end first, then the state of the generator.
const streamMagic = "logits.Stream 1\n"

// MarshalBinary returns the state of s.
func (s *Stream) MarshalBinary() ([]byte, error) {
	if s == nil || s.tokens == nil {
		return nil, errors.Errorf("text: MarshalBinary of a Stream that NewStream did not make")
	}
	state := []byte(streamMagic)
	state = binary.LittleEndian.AppendUint64(state, uint64(s.tokens.Len()))
	state = binary.LittleEndian.AppendUint64(state, s.drawn)
	state, err := s.pcg.AppendBinary(state)
	return state, errors.Wrap(err, "text: state of a Stream")
}

// UnmarshalBinary sets s to a state that MarshalBinary returned. s must come from NewStream; it is an error,
// and s stays as it was, if its tokens are not as many as when the state was saved.
func (s *Stream) UnmarshalBinary(state []byte) error {
	const head = len(streamMagic)
	if s == nil || s.tokens == nil {
		return errors.Errorf("text: UnmarshalBinary of a Stream that NewStream did not make")
	}
	if len(state) < head+16 || string(state[:head]) != streamMagic {
		return errors.Errorf("text: %d bytes that are not the state of a Stream", len(state))
	}
	if n := binary.LittleEndian.Uint64(state[head:]); n != uint64(s.tokens.Len()) {
		return errors.Errorf("text: the state of a Stream over %d tokens, and here are %d", n, s.tokens.Len())
	}
	var pcg rand.PCG
	if err := pcg.UnmarshalBinary(state[head+16:]); err != nil {
		return errors.Wrap(err, "text: state of a Stream")
	}
	s.drawn = binary.LittleEndian.Uint64(state[head+8:])
	s.pcg = pcg
	return nil
}
