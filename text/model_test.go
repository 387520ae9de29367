package text

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"
)

// The functions that follow write fields of a message.

func numberField(number, value uint64) string {
	b := binary.AppendUvarint(nil, number<<3|wireVarint)
	return string(binary.AppendUvarint(b, value))
}

func dataField(number uint64, data string) string {
	b := binary.AppendUvarint(nil, number<<3|wireBytes)
	return string(binary.AppendUvarint(b, uint64(len(data)))) + data
}

func floatField(number uint64, value float32) string {
	b := binary.AppendUvarint(nil, number<<3|wireFixed32)
	return string(binary.LittleEndian.AppendUint32(b, math.Float32bits(value)))
}

// pieceField returns a piece of a model. Type 0 is not written.
func pieceField(token string, score float32, kind uint64) string {
	piece := dataField(pieceText, token) + floatField(pieceScore, score)
	if kind != 0 {
		piece += numberField(pieceType, kind)
	}
	return dataField(modelPieces, piece)
}

var bpeTrainer = dataField(modelTrainer, numberField(trainerType, typeBPE))

// modelFile returns the tokenizer.model of c.
func modelFile(c SentencePieceConfig) string {
	special, bytes := map[int]string{}, map[int]byte{}
	for token, id := range c.Special {
		special[id] = token
	}
	for b, id := range c.Bytes {
		bytes[id] = byte(b)
	}
	var file strings.Builder
	for id, token := range c.Tokens {
		b, isByte := bytes[id]
		switch name, ok := special[id]; {
		case ok && name == unknown:
			file.WriteString(pieceField(name, 0, typeUnknown))
		case ok:
			file.WriteString(pieceField(name, 0, typeControl))
		case isByte:
			file.WriteString(pieceField(spellByte(b), 0, typeByte))
		default:
			file.WriteString(pieceField(spellPiece(token), c.Scores[id], 0))
		}
	}
	return file.String() + bpeTrainer
}

func TestModel(t *testing.T) {
	c := smallPieces()
	normal := func(fields string) string { return dataField(modelNormalizer, fields) }
	for name, f := range map[string]struct {
		more   string
		prefix Prefix
		bos    string
	}{
		"defaults":        {"", PrefixAll, BOS},
		"said":            {normal(numberField(normalizerPrefix, 1) + dataField(normalizerMap, "") + numberField(normalizerEscape, 1)), PrefixAll, BOS},
		"no prefix":       {normal(numberField(normalizerPrefix, 0)), PrefixNone, BOS},
		"no BOS":          {dataField(modelTrainer, numberField(trainerBOS, 1<<64-1)), PrefixAll, ""},
		"other BOS":       {dataField(modelTrainer, numberField(trainerBOS, 2)), PrefixAll, EOS},
		"unknown is none": {dataField(modelTrainer, numberField(trainerBOS, 0)), PrefixAll, ""},
		"unknown fields":  {dataField(99, "x") + numberField(100, 7) + floatField(101, 1) + "\xb1\x0612345678", PrefixAll, BOS},
		"denormalizer":    {dataField(modelDenormalizer, dataField(1, "name")), PrefixAll, BOS},
	} {
		tok := load(t, modelFile(c)+f.more).(*SentencePiece)
		want := c
		want.Prefix = f.prefix
		if tok.bos != f.bos || tok.prefix != f.prefix {
			t.Errorf("%s: BOS %q and Prefix %d, want %q and %d", name, tok.bos, tok.prefix, f.bos, f.prefix)
		}
		for _, text := range []string{"the then  aaa", " é中\xff", "a<s>the</s>"} {
			if got, want := encode(t, tok, text), refPieces(want, text, true); !slices.Equal(got, want) {
				t.Errorf("%s: Encode(%q) = %v, want %v", name, text, got, want)
			}
		}
	}
}

func TestModelRefuses(t *testing.T) {
	c := llamaPieces("ab", "a", "b")
	whole := modelFile(c)
	for n := range len(whole) - len(bpeTrainer) + 1 { // without the trainer a model is no BPE
		if tok, err := Load(strings.NewReader(whole[:n])); err == nil {
			t.Errorf("Load of the first %d bytes = %v", n, tok)
		}
	}
	c.Tokens, c.Scores = c.Tokens[:10], c.Scores[:10]
	few := modelFile(c)
	for name, f := range map[string]struct{ file, want string }{
		"unigram":        {whole + dataField(modelTrainer, numberField(trainerType, typeUnigram)), "models of type 1 are not supported"},
		"few bytes":      {few, "there are 7 tokens of bytes, not 256"},
		"byte":           {whole + pieceField("<0xzz>", 0, typeByte), `piece 262: token "<0xzz>" is not the name of a byte`},
		"byte twice":     {whole + pieceField("<0x41>", 0, typeByte), "there are 257 tokens of bytes"},
		"user":           {whole + pieceField("x", 0, typeUser), `token "x" has type 4`},
		"unused":         {whole + pieceField("x", 0, typeUnused), `token "x" has type 5`},
		"no type":        {whole + pieceField("x", 0, 77), `token "x" has type 77`},
		"twice":          {whole + pieceField("ab", 0, 0), `token "ab" has two ids, 259 and 262`},
		"control twice":  {whole + pieceField("<s>", 0, typeControl), `token "<s>" has two ids, 1 and 262`},
		"control is one": {whole + pieceField("<s>", 0, 0), `token "<s>" has two ids, 1 and 262`},
		"empty":          {whole + pieceField("", 0, 0), "piece 262: a token without a text"},
		"space":          {whole + pieceField("x y", 0, 0), "is spelt '▁'"},
		"not UTF-8":      {whole + pieceField("\xff", 0, 0), "is not valid UTF-8"},
		"score":          {whole + pieceField("x", float32(math.NaN()), 0), "token 262 has score NaN"},
		"score is text":  {whole + dataField(modelPieces, dataField(pieceScore, "x")), "field 2 has wire type 2, not 5"},
		"piece is no":    {whole + numberField(modelPieces, 1), "field 1 has wire type 0, not 2"},
		"suffix":         {whole + dataField(modelTrainer, numberField(trainerSuffix, 1)), "treat_whitespace_as_suffix"},
		"map":            {whole + dataField(modelNormalizer, dataField(normalizerMap, "x")), "normalizer: a map of characters"},
		"map after":      {whole + dataField(modelDenormalizer, dataField(normalizerMap, "x")), "denormalizer: a map of characters"},
		"escape":         {whole + dataField(modelNormalizer, numberField(normalizerEscape, 0)), "escape_whitespaces"},
		"group":          {whole + "\x0b", "field 1 has wire type 3"},
		"no number":      {whole + "\x00\x00", "a field has number 0"},
		"cut number":     {whole + "\xff", "a number is cut off"},
		"long number":    {whole + strings.Repeat("\xff", 11), "a number is cut off or too long"},
		"cut field":      {whole + "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "cut off after 0"},
		"cut float":      {whole + "\x0d123", "a field of 4 bytes is cut off after 3"},
		"cut double":     {whole + "\x09123", "a field of 8 bytes is cut off after 3"},
	} {
		if tok, err := Load(strings.NewReader(f.file)); err == nil || tok != nil || !strings.Contains(err.Error(), f.want) || !strings.Contains(err.Error(), "tokenizer.model") {
			t.Errorf("%s: Load = %v, %v, want an error with %q", name, tok, err, f.want)
		}
	}
}
