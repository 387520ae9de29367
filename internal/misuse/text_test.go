package misuse

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/sampler/constrain"
	"github.com/logits-go/logits/text"
)

func constraints(t *testing.T) []mistake {
	letters := func(id int) string { return []string{"a", "b", "1", `"`, "{", "}", ":", "[", "]", ",", ""}[id] }
	vocab := must[*constrain.Vocab](t)(constrain.NewVocab(11, letters, 10))
	vocabOf := func(size int, f func(int) string, end ...int) func() error {
		return func() error { _, err := constrain.NewVocab(size, f, end...); return err }
	}
	expr := func(s string) func() error { return func() error { _, err := constrain.Regexp(vocab, s); return err } }
	schema := func(s string) func() error {
		return func() error { _, err := constrain.Schema(vocab, []byte(s), constrain.Format{}); return err }
	}
	ab := must[*constrain.Matcher](t)(constrain.Regexp(vocab, "ab"))
	accepted := func(tokens ...int) func() error {
		return func() error {
			c := ab.Clone()
			for _, token := range tokens[:len(tokens)-1] {
				if c.Accept(token) != nil {
					return nil
				}
			}
			return c.Accept(tokens[len(tokens)-1])
		}
	}
	return []mistake{
		{"a vocabulary of nothing", vocabOf(0, letters, 0), []string{"0"}},
		{"a vocabulary of a negative size", vocabOf(-1, letters, 0), []string{"-1"}},
		{"a vocabulary without texts", vocabOf(3, nil, 0), []string{"text"}},
		{"a vocabulary without an end", vocabOf(11, letters), []string{"end"}},
		{"a vocabulary with an end outside", vocabOf(11, letters, 11), []string{"11"}},
		{"no vocabulary", func() error { _, err := constrain.Regexp(nil, "a"); return err }, []string{"vocabulary"}},
		{"no vocabulary for JSON", func() error { _, err := constrain.JSON(nil, constrain.Format{}); return err }, []string{"vocabulary"}},
		{"no vocabulary for a schema", func() error { _, err := constrain.Schema(nil, []byte("{}"), constrain.Format{}); return err }, []string{"vocabulary"}},
		{"space of less than none", func() error { _, err := constrain.JSON(vocab, constrain.Format{Space: -2}); return err }, []string{"-2"}},
		{"space without measure", func() error { _, err := constrain.JSON(vocab, constrain.Format{Space: 65}); return err }, []string{"65"}},
		{"an expression that is open", expr("(a"), []string{"(a"}},
		{"an expression of letters that no token has", expr("z"), []string{"no"}},
		{"an expression that nothing matches", expr(`[^\x00-\x{10FFFF}]`), []string{"no"}},
		{"an expression that is too large", expr("(((a{1000}){1000}){1000})"), []string{"a{1000}"}},
		{"a schema that is no JSON", schema("{"), []string{"chema"}},
		{"a schema of an unknown type", schema(`{"type":"date"}`), []string{"date"}},
		{"a schema with an unknown keyword", schema(`{"oneOf":[]}`), []string{"oneOf"}},
		{"a schema that refers to nothing", schema(`{"$ref":"#/$defs/none"}`), []string{"none"}},
		{"a schema that refers to itself", schema(`{"$ref":"#"}`), []string{"JSON Schema", "no text satisfies"}},
		{"a schema that refers elsewhere", schema(`{"$ref":"https://example.com"}`), []string{"example.com"}},
		{"a schema of nothing", schema(`{"enum":[]}`), []string{"enum"}},
		{"a schema of items fewer than none", schema(`{"type":"array","maxItems":-1}`), []string{"maxItems"}},
		{"a schema false", schema(`false`), []string{"false"}},
		{"a token that may not follow", accepted(1), []string{"1"}},
		{"a token outside", accepted(11), []string{"11"}},
		{"a negative token", accepted(-1), []string{"-1"}},
		{"an end too early", accepted(0, 10), []string{"10"}},
		{"a token after the end", accepted(0, 1, 10, 0), []string{"end"}},
		{"a mask after the end", func() error {
			c := ab.Clone()
			if c.Accept(0) != nil || c.Accept(1) != nil || c.Accept(10) != nil {
				return nil
			}
			return c.Mask(new(constrain.Mask))
		}, []string{"end"}},
		{"a mask in nothing", func() error { return ab.Clone().Mask(nil) }, []string{"mask"}},
		{"a mask of another size", func() error {
			var m constrain.Mask
			m.Reset(3)
			_, err := m.Apply(nil, row)
			return err
		}, []string{"4", "3"}},
		{"a token outside of a mask", func() error { var m constrain.Mask; m.Reset(3); return m.Allow(3) }, []string{"3"}},
		{"a model without a model", func() error { _, err := constrain.NewModel(nil, ab); return err }, []string{"model"}},
		{"a model without a constraint", func() error { _, err := constrain.NewModel(new(toy), nil); return err }, []string{"constraint"}},
		{"a model of another vocabulary", func() error {
			m, err := constrain.NewModel(new(toy), ab)
			if err != nil {
				return nil
			}
			_, err = m.Next(context.Background(), 1)
			return err
		}, []string{"4", "11"}},
		{"the zero Matcher", func() error { return new(constrain.Matcher).Accept(0) }, []string{"constrain"}},
		{"a mask of the zero Matcher", func() error { return new(constrain.Matcher).Mask(new(constrain.Mask)) }, []string{"constrain"}},
		{"the zero Model", func() error { _, err := new(constrain.Model).Next(context.Background(), 0); return err }, []string{"constrain"}},
	}
}

func tokenizers(t *testing.T) []mistake {
	bpe := func(c text.BPEConfig) func() error { return func() error { _, err := text.NewBPE(c); return err } }
	pieces := func(c text.SentencePieceConfig) func() error {
		return func() error { _, err := text.NewSentencePiece(c); return err }
	}
	trained := func(r io.Reader, c text.TrainConfig) func() error {
		return func() error { _, err := text.TrainBPE(context.Background(), r, c); return err }
	}
	chars := must[*text.Chars](t)(text.NewChars("abc"))
	plain := must[*text.BPE](t)(text.NewBPE(text.BPEConfig{Special: map[string]int{"<|end|>": 300}}))
	written := func(d *text.Decoder, id int) func() error { return func() error { _, err := d.Write(id); return err } }
	decode := func(tok text.Tokenizer, ids ...int) func() error {
		return func() error { _, err := tok.Decode(ids); return err }
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	return []mistake{
		{"characters of nothing", func() error { _, err := text.NewChars(""); return err }, []string{"a vocabulary of characters needs a text"}},
		{"characters that are not UTF-8", func() error { _, err := text.NewChars("a\xff"); return err }, []string{"UTF-8"}},
		{"a character not in the vocabulary", func() error { _, err := chars.Encode("abz"); return err }, []string{"'z'"}},
		{"half a character", func() error { _, err := chars.Encode("a\xc3"); return err }, []string{"text"}},
		{"an id too large for characters", decode(chars, 0, 3), []string{"3"}},
		{"a negative id for characters", decode(chars, -1), []string{"-1"}},
		{"an id too large for bytes", decode(text.Bytes{}, 256), []string{"256"}},
		{"a negative id for bytes", decode(text.Bytes{}, -1), []string{"-1"}},
		{"an id too large for BPE", decode(plain, 301), []string{"301"}},
		{"an id of no token of BPE", decode(plain, 299), []string{"299"}},
		{"a negative id for a Decoder", written(text.NewDecoder(plain), -1), []string{"-1"}},
		{"an id of no token for a Decoder", written(text.NewDecoder(plain), 299), []string{"299"}},
		{"a Decoder of no tokenizer", written(text.NewDecoder(nil), 0), []string{"tokenizer"}},
		{"the zero Decoder", written(new(text.Decoder), 0), []string{"tokenizer"}},
		{"the zero BPE decodes", decode(new(text.BPE), 0), []string{"0"}},
		{"the zero BPE encodes", func() error { _, err := new(text.BPE).Encode("a"); return err }, []string{"BPE"}},
		{"the zero Chars", func() error { _, err := new(text.Chars).Encode("a"); return err }, []string{"'a'"}},
		{"the zero SentencePiece", func() error { _, err := new(text.SentencePiece).Encode("a"); return err }, []string{"SentencePiece"}},
		{"a merge of what is no token", bpe(text.BPEConfig{Merges: []text.Merge{{Left: "ab", Right: "c"}}}), []string{"merge 0", "ab"}},
		{"a merge of nothing", bpe(text.BPEConfig{Merges: []text.Merge{{}}}), []string{"merge 0"}},
		{"a merge twice", bpe(text.BPEConfig{Merges: []text.Merge{{Left: "a", Right: "b"}, {Left: "a", Right: "b"}}}), []string{"merges 0 and 1"}},
		{"a byte missing", bpe(text.BPEConfig{Tokens: []string{"a", "b"}}), []string{"byte 0x00"}},
		{"a special token without text", bpe(text.BPEConfig{Special: map[string]int{"": 256}}), []string{"256", "empty"}},
		{"a special token of a negative id", bpe(text.BPEConfig{Special: map[string]int{"<s>": -1}}), []string{"<s>", "-1"}},
		{"a special token of a taken id", bpe(text.BPEConfig{Special: map[string]int{"<s>": 97}}), []string{"<s>", "97"}},
		{"a special token of an id far off", bpe(text.BPEConfig{Special: map[string]int{"<s>": 1 << 40}}), []string{"1099511627776"}},
		{"a special token that is not UTF-8", bpe(text.BPEConfig{Special: map[string]int{"\xff": 256}}), []string{"special token", "UTF-8"}},
		{"a special token without end", bpe(text.BPEConfig{Special: map[string]int{strings.Repeat("s", 2000): 256}}), []string{"256"}},
		{"pieces of nothing", pieces(text.SentencePieceConfig{}), []string{"id 0 is of both"}},
		{"pieces with scores for others", pieces(text.SentencePieceConfig{Tokens: []string{"a"}, Scores: make([]float32, 2)}), []string{"1", "2"}},
		{"pieces with an unknown prefix", pieces(text.SentencePieceConfig{Prefix: 9}), []string{"9"}},
		{"pieces that begin with no special token", pieces(text.SentencePieceConfig{BOS: "<s>"}), []string{"<s>"}},
		{"training from nothing", trained(nil, text.TrainConfig{}), []string{"reader"}},
		{"training of a vocabulary too small", trained(strings.NewReader("ab"), text.TrainConfig{VocabSize: 255}), []string{"255"}},
		{"training of a negative vocabulary", trained(strings.NewReader("ab"), text.TrainConfig{VocabSize: -1}), []string{"-1"}},
		{"training with a special token twice", trained(strings.NewReader("ab"), text.TrainConfig{Special: []string{"<s>", "<s>"}}), []string{"<s>"}},
		{"training with a special token of nothing", trained(strings.NewReader("ab"), text.TrainConfig{Special: []string{""}}), []string{"empty"}},
		{"training from a reader that fails", trained(iotest.ErrReader(errors.New("no disk")), text.TrainConfig{}), []string{"no disk"}},
		{"training after the end", func() error {
			_, err := text.TrainBPE(ended, strings.NewReader(strings.Repeat("ab cd ", 1000)), text.TrainConfig{})
			return err
		}, []string{"context canceled"}},
	}
}

func tokenizerFiles(t *testing.T) []mistake {
	dir := t.TempDir()
	saved := func(tok text.Tokenizer) string {
		var b bytes.Buffer
		if err := text.Save(&b, tok); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	plain := must[*text.BPE](t)(text.NewBPE(text.BPEConfig{Merges: []text.Merge{{Left: "a", Right: "b"}}, Special: map[string]int{"<|end|>": 257}}))
	file := saved(plain)
	load := func(s string) func() error {
		return func() error { _, err := text.Load(strings.NewReader(s)); return err }
	}
	edit := func(old, new string) func() error {
		if strings.Count(file, old) != 1 {
			t.Fatalf("%q is there %d times in %s", old, strings.Count(file, old), file)
		}
		return load(strings.Replace(file, old, new, 1))
	}
	// tokBin is the start of llama2.c's file: the length of the longest token, and then score, length and bytes of each.
	tokBin := func(longest uint32, rest string) string {
		return string(binary.LittleEndian.AppendUint32(nil, longest)) + rest
	}
	return []mistake{
		{"no reader", func() error { _, err := text.Load(nil); return err }, []string{"reader"}},
		{"a reader that fails", func() error { _, err := text.Load(iotest.ErrReader(errors.New("no disk"))); return err }, []string{"no disk"}},
		{"nothing", load(""), []string{"tokenizer"}},
		{"an empty object", load("{}"), []string{"model"}},
		{"a list", load("[]"), []string{"tokenizer"}},
		{"two of them", load(file + file), []string{"JSON"}},
		{"another kind of model", edit(`"type":"BPE"`, `"type":"WordPiece"`), []string{`"WordPiece" is not supported`}},
		{"a normalizer", edit(`"normalizer":null`, `"normalizer":{"type":"NFKC"}`), []string{`"NFKC" is not supported`}},
		{"a field of one's own", edit(`"normalizer":null`, `"normalizer":null,"mine":1`), []string{`unknown field "mine"`}},
		{"a field twice", edit(`"normalizer":null`, `"normalizer":null,"normalizer":null`), []string{`"normalizer" occurs twice`}},
		{"two tokens of one id", edit(`"b":98`, `"b":97`), []string{"id 97 is of both"}},
		{"an id with a fraction", edit(`"b":98`, `"b":98.5`), []string{`"b"`}},
		{"an id of less than none", edit(`"b":98`, `"b":-98`), []string{`"b" cannot have id -98`}},
		{"an id beyond all", edit(`"b":98`, `"b":98000000000000000000`), []string{`"b"`}},
		{"a token missing", edit(`"b":98,`, ``), []string{"byte 0x62"}},
		{"a merge of one", edit(`"a b"`, `"ab"`), []string{"pair"}},
		{"a merge of what is not there", edit(`"a b"`, `"a bb"`), []string{`"bb"`}},
		{"a special token of another id", edit(`"id":257`, `"id":97`), []string{"<|end|>", "97"}},
		{"a file that is not there", func() error { _, err := text.ReadFile(filepath.Join(dir, "none")); return err }, []string{"none"}},
		{"a folder without one", func() error { _, err := text.ReadFile(dir); return err }, []string{"tokenizer.json"}},
		{"tok.bin of nothing", load(tokBin(5, "")), []string{"tok.bin", "0 tokens"}},
		{"tok.bin cut short", load(tokBin(5, "\x00\x00\x00\x00\x05\x00\x00\x00ab")), []string{"tok.bin", "token 0 is cut off"}},
		{"tok.bin of a token without end", load(tokBin(5, "\x00\x00\x00\x00\xff\xff\xff\x7fab")), []string{"tok.bin", "token 0 is 2147483647 bytes"}},
		{"a model of SentencePiece cut short", load("\x0a\x0c\x0a\x05<unk>"), []string{"tokenizer"}},
		{"Save of no tokenizer", func() error { return text.Save(&bytes.Buffer{}, nil) }, []string{"nil"}},
		{"Save of a tokenizer of one's own", func() error { return text.Save(&bytes.Buffer{}, struct{ text.Tokenizer }{plain}) }, []string{"struct"}},
		{"Save to nothing", func() error { return text.Save(nil, plain) }, []string{"writer"}},
		{"Save to a writer that fails", func() error { return text.Save(failing{}, plain) }, []string{"disk full"}},
		{"Save of the zero BPE", func() error { return text.Save(&bytes.Buffer{}, new(text.BPE)) }, []string{"BPE"}},
		{"Save of a nil BPE", func() error { return text.Save(&bytes.Buffer{}, (*text.BPE)(nil)) }, []string{"BPE"}},
		{"SaveLlama2C of nothing", func() error { return text.SaveLlama2C(&bytes.Buffer{}, nil) }, []string{"SentencePiece"}},
		{"WriteFile to a folder that is not there", func() error { return text.WriteFile(filepath.Join(dir, "no", "t.json"), plain) }, []string{"no"}},
		{"WriteFile over a folder", func() error { return text.WriteFile(dir, plain) }, []string{dir}},
	}
}

// failing is a disk that is full.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func texts(t *testing.T) []mistake {
	dir := t.TempDir()
	ids := text.Slice{1, 2, 3, 4, 5, 6, 7, 8}
	stream := func(x, y, batch, seq int) func() error {
		return func() error {
			s, err := text.NewStream(ids, 1)
			if err != nil {
				return nil
			}
			return s.Next(make([]int, x), make([]int, y), batch, seq)
		}
	}
	windows := func(x, y, batch, seq int) func() error {
		return func() error {
			w, err := text.NewWindows(ids)
			if err != nil {
				return nil
			}
			_, err = w.Next(make([]int, x), make([]int, y), batch, seq)
			return err
		}
	}
	split := func(tokens text.Tokens, share float64) func() error {
		return func() error { _, _, err := text.Split(tokens, share); return err }
	}
	file := filepath.Join(dir, "tokens.bin")
	if _, err := text.WriteTokens(file, 10, func(yield func([]int, error) bool) { yield(ids, nil) }); err != nil {
		t.Fatal(err)
	}
	data := must[[]byte](t)(os.ReadFile(file))
	opened := func(name string, data []byte) func() error {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return func() error { _, err := text.OpenTokens(path); return err }
	}
	written := func(size int, ids []int, err error) func() error {
		return func() error {
			_, err := text.WriteTokens(filepath.Join(dir, "out"), size, func(yield func([]int, error) bool) { yield(ids, err) })
			return err
		}
	}
	tokens := must[*text.TokenFile](t)(text.OpenTokens(file))
	t.Cleanup(func() { tokens.Close() })
	closed := must[*text.TokenFile](t)(text.OpenTokens(file))
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	bg := context.Background()
	ended, cancel := context.WithCancel(bg)
	cancel()
	encoded := func(ctx context.Context, tok text.Cutter, r io.Reader) func() error {
		return func() error { _, err := text.EncodeFile(ctx, filepath.Join(dir, "enc"), tok, r); return err }
	}
	return []mistake{
		{"a stream of no tokens", func() error { _, err := text.NewStream(nil, 1); return err }, []string{"tokens"}},
		{"a stream of batches of none", stream(0, 0, 0, 2), []string{"0"}},
		{"a stream of negative windows", stream(4, 4, 2, -2), []string{"-2"}},
		{"a stream into too little", stream(3, 4, 2, 2), []string{"3", "4"}},
		{"a stream with targets into too much", stream(4, 5, 2, 2), []string{"5", "4"}},
		{"a stream of windows too long", stream(8, 8, 1, 8), []string{"8"}},
		{"a stream of sizes that overflow", stream(4, 4, 1<<62, 4), []string{"4611686018427387904"}},
		{"the zero Stream", func() error { return new(text.Stream).Next(make([]int, 1), make([]int, 1), 1, 1) }, []string{"tream"}},
		{"the state of the zero Stream", func() error { _, err := new(text.Stream).MarshalBinary(); return err }, []string{"tream"}},
		{"a state of nothing", func() error {
			s, err := text.NewStream(ids, 1)
			if err != nil {
				return nil
			}
			return s.UnmarshalBinary(nil)
		}, []string{"state"}},
		{"a state of other tokens", func() error {
			a, err := text.NewStream(ids, 1)
			if err != nil {
				return nil
			}
			b, err := text.NewStream(ids[1:], 1)
			if err != nil {
				return nil
			}
			state, err := a.MarshalBinary()
			if err != nil {
				return nil
			}
			return b.UnmarshalBinary(state)
		}, []string{"8", "7"}},
		{"a state for the zero Stream", func() error { return new(text.Stream).UnmarshalBinary(make([]byte, 40)) }, []string{"tream"}},
		{"windows of no tokens", func() error { _, err := text.NewWindows(nil); return err }, []string{"tokens"}},
		{"windows into too little", windows(3, 4, 2, 2), []string{"3", "4"}},
		{"windows of none", windows(0, 0, 2, 0), []string{"0"}},
		{"the zero Windows", func() error { _, err := new(text.Windows).Next(make([]int, 1), make([]int, 1), 1, 1); return err }, []string{"indows"}},
		{"a split of more than all", split(ids, 1.5), []string{"1.5"}},
		{"a split of NaN", split(ids, nan), []string{"NaN"}},
		{"a split of nothing", split(nil, 0.5), []string{"tokens"}},
		{"tokens before the first", func() error { return ids.ReadTokens(make([]int, 2), -1) }, []string{"-1"}},
		{"tokens behind the last", func() error { return ids.ReadTokens(make([]int, 2), 7) }, []string{"7", "8"}},
		{"tokens of a file before the first", func() error { return tokens.ReadTokens(make([]int, 2), -1) }, []string{"-1"}},
		{"tokens of a file behind the last", func() error { return tokens.ReadTokens(make([]int, 2), 7) }, []string{"7", "8"}},
		{"tokens of a file that is closed", func() error { return closed.ReadTokens(make([]int, 2), 0) }, []string{"closed"}},
		{"tokens of the zero file", func() error { return new(text.TokenFile).ReadTokens(make([]int, 2), 0) }, []string{"0"}},
		{"a file of tokens that is not there", func() error { _, err := text.OpenTokens(filepath.Join(dir, "none")); return err }, []string{"none"}},
		{"a file of no tokens", opened("empty", nil), []string{"empty"}},
		{"a file of tokens cut short", opened("short", data[:len(data)-1]), []string{"short"}},
		{"a file of tokens with more", opened("more", append(bytes.Clone(data), 0)), []string{"more"}},
		{"a file of something else", opened("else", make([]byte, 2000)), []string{"else"}},
		{"raw tokens of three bytes", func() error { _, err := text.OpenRawTokens(file, 3); return err }, []string{"3"}},
		{"raw tokens with half a token", func() error { _, err := text.OpenRawTokens(filepath.Join(dir, "more"), 2); return err }, []string{"more"}},
		{"a token too large to write", written(10, []int{1, 10}, nil), []string{"10"}},
		{"a negative token to write", written(10, []int{-1}, nil), []string{"-1"}},
		{"an error among tokens to write", written(10, nil, errors.New("no disk")), []string{"no disk"}},
		{"a vocabulary of none to write", written(0, nil, nil), []string{"0"}},
		{"no tokens to write", func() error { _, err := text.WriteTokens(filepath.Join(dir, "nil"), 10, nil); return err }, []string{"WriteTokens of no tokens"}},
		{"no tokenizer", encoded(bg, nil, strings.NewReader("a")), []string{"tokenizer"}},
		{"no text", encoded(bg, text.Bytes{}, nil), []string{"reader"}},
		{"a text that fails", encoded(bg, text.Bytes{}, iotest.ErrReader(errors.New("no disk"))), []string{"no disk"}},
		{"a context that has ended", encoded(ended, text.Bytes{}, strings.NewReader("a")), []string{"context canceled"}},
		{"a text of unknown characters", func() error {
			c, err := text.NewChars("a")
			if err != nil {
				return nil
			}
			return encoded(bg, c, strings.NewReader("ab"))()
		}, []string{"'b'"}},
		{"a corpus that is not there", func() error { _, err := text.ReadCorpus(bg, filepath.Join(dir, "none")); return err }, []string{"none"}},
		{"a corpus that is a folder", func() error { _, err := text.ReadCorpus(bg, dir); return err }, []string{dir}},
		{"a corpus after the end", func() error { _, err := text.ReadCorpus(ended, "go"); return err }, []string{"context canceled"}},
	}
}
