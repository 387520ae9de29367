package text

import (
	"bytes"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/pkg/errors"
)

// The fields of a ModelProto that matter, see
// https://github.com/google/sentencepiece/blob/master/src/sentencepiece_model.proto.
const (
	modelPieces       = 1
	modelTrainer      = 2
	modelNormalizer   = 3
	modelDenormalizer = 5

	pieceText  = 1
	pieceScore = 2
	pieceType  = 3

	trainerType   = 3
	trainerSuffix = 24 // whether a space belongs to the word before it
	trainerBOS    = 41

	normalizerMap    = 2 // from texts to texts
	normalizerPrefix = 3
	normalizerEscape = 5 // whether spaces are spelt as U+2581
)

// The types of a piece and of a model.
const (
	typeNormal  = 1
	typeUnknown = 2
	typeControl = 3
	typeUser    = 4
	typeUnused  = 5
	typeByte    = 6

	typeUnigram = 1
	typeBPE     = 2
)

// looksLikeModel tells the file of SentencePiece, which begins with a piece, from JSON, which may begin with
// a newline, the same byte.
func looksLikeModel(data []byte) bool {
	if len(data) == 0 || data[0] != modelPieces<<3|wireBytes {
		return false
	}
	json := bytes.TrimLeft(data, " \t\r\n")
	return len(json) == 0 || json[0] != '{' || !utf8.Valid(data)
}

// model is what the parts of a file of SentencePiece say together.
type model struct {
	config SentencePieceConfig
	bytes  int
	kind   uint64
	bos    int
}

// parseModel returns the tokenizer in a file of SentencePiece, which is called tokenizer.model.
func parseModel(data []byte) (Tokenizer, error) {
	m := model{kind: typeUnigram, bos: 1}
	m.config.Special = make(map[string]int)
	m.config.Scores = []float32{}
	err := protobuf(data).each(map[uint64]uint64{
		modelPieces: wireBytes, modelTrainer: wireBytes, modelNormalizer: wireBytes, modelDenormalizer: wireBytes,
	}, func(f field) error {
		switch f.number {
		case modelPieces:
			id := len(m.config.Tokens)
			if id == maxEntries {
				return errors.Errorf("there are more than %d pieces", maxEntries)
			}
			return errors.WithMessagef(m.piece(id, f.data), "piece %d", id)
		case modelTrainer:
			return errors.WithMessage(m.trainer(f.data), "trainer")
		case modelNormalizer:
			return errors.WithMessage(m.normalizer(f.data, true), "normalizer")
		default:
			return errors.WithMessage(m.normalizer(f.data, false), "denormalizer")
		}
	})
	switch {
	case err != nil:
		return nil, err
	case m.kind != typeBPE:
		return nil, errors.Errorf("models of type %d are not supported, only BPE, which is %d", m.kind, typeBPE)
	case m.bytes != len(m.config.Bytes):
		return nil, errors.Errorf("there are %d tokens of bytes, not %d", m.bytes, len(m.config.Bytes))
	}
	for token, id := range m.config.Special {
		if id == m.bos && token != unknown {
			m.config.BOS = token
		}
	}
	t, err := NewSentencePiece(m.config)
	if err != nil {
		return nil, err // not a nil *SentencePiece, which would not be nil here
	}
	return t, nil
}

// piece adds a token.
func (m *model) piece(id int, data protobuf) error {
	var (
		token string
		score float32
		kind  uint64 = typeNormal
	)
	err := data.each(map[uint64]uint64{pieceText: wireBytes, pieceScore: wireFixed32, pieceType: wireVarint}, func(f field) error {
		switch f.number {
		case pieceText:
			token = string(f.data)
		case pieceScore:
			score = math.Float32frombits(uint32(f.value))
		case pieceType:
			kind = f.value
		}
		return nil
	})
	if err != nil {
		return err
	}
	if token == "" {
		return errors.Errorf("a token without a text")
	}
	c := &m.config
	c.Tokens = append(c.Tokens, "")
	c.Scores = append(c.Scores, score)
	switch kind {
	case typeNormal:
		if strings.Contains(token, " ") {
			return errors.Errorf("token %q holds a space, which is spelt %q", token, underline)
		}
		c.Tokens[id] = unspellPiece(token)
	case typeUnknown, typeControl:
		if old, ok := c.Special[token]; ok {
			return errors.Errorf("token %q has two ids, %d and %d", token, old, id)
		}
		c.Special[token] = id
	case typeByte:
		b, ok := spelledByte(token)
		if !ok {
			return errors.Errorf("token %q is not the name of a byte", token)
		}
		c.Bytes[b] = id
		m.bytes++
	default:
		return errors.Errorf("token %q has type %d, which is not supported", token, kind)
	}
	return nil
}

// trainer reads how the tokenizer was trained.
func (m *model) trainer(data protobuf) error {
	return data.each(map[uint64]uint64{trainerType: wireVarint, trainerSuffix: wireVarint, trainerBOS: wireVarint}, func(f field) error {
		switch f.number {
		case trainerType:
			m.kind = f.value
		case trainerSuffix:
			if f.value != 0 {
				return errors.Errorf("treat_whitespace_as_suffix is not supported")
			}
		case trainerBOS:
			m.bos = int(int32(f.value))
		}
		return nil
	})
}

// normalizer reads what is done to a text before, or after decoding if it is not first.
func (m *model) normalizer(data protobuf, first bool) error {
	return data.each(map[uint64]uint64{normalizerMap: wireBytes, normalizerPrefix: wireVarint, normalizerEscape: wireVarint}, func(f field) error {
		switch {
		case f.number == normalizerMap && len(f.data) > 0:
			return errors.Errorf("a map of characters is not supported")
		case f.number == normalizerEscape && f.value == 0:
			return errors.Errorf("escape_whitespaces false is not supported")
		case f.number == normalizerPrefix && first:
			if m.config.Prefix = PrefixAll; f.value == 0 {
				m.config.Prefix = PrefixNone
			}
		}
		return nil
	})
}
