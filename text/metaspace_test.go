package text

import (
	"slices"
	"strings"
	"testing"
)

func TestSentencePieceSaveLoad(t *testing.T) {
	scores := smallPieces()
	scores.Special["<|end of turn|>"] = 400 // spaces of special tokens stay spaces
	merges := smallPieces()
	merges.Scores, merges.BOS = nil, ""
	merges.Merges = []Merge{{"a", "a"}, {"t", "h"}, {"h", "e"}, {" ", "t"}, {" ", " "}, {" t", "he"}, {"é", "中"}, {"a", "aa"}, {"aa", "a"}}
	for name, c := range map[string]SentencePieceConfig{"scores": scores, "merges": merges, "neither": {Tokens: scores.Tokens, Bytes: scores.Bytes}} {
		for prefix := PrefixAll; prefix <= PrefixNone; prefix++ {
			c.Prefix = prefix
			s := newPieces(t, c)
			file := save(t, s)
			back := load(t, file).(*SentencePiece)
			if again := save(t, back); again != file {
				t.Errorf("%s, Prefix %d: saved again:\n%s\nwant\n%s", name, prefix, again, file)
			}
			if back.VocabSize() != s.VocabSize() || back.bos != s.bos || back.prefix != prefix {
				t.Errorf("%s, Prefix %d: %d tokens, BOS %q and Prefix %d, want %d and %q", name, prefix, back.VocabSize(), back.bos, back.prefix, s.VocabSize(), s.bos)
			}
			for _, text := range append(difficult, "<|end of turn|> the <|end of turn|>") {
				if got, want := encode(t, back, text), encode(t, s, text); !slices.Equal(got, want) {
					t.Errorf("%s, Prefix %d: Encode(%q) = %v, want %v", name, prefix, text, got, want)
				}
				checkRoundTrip(t, back, text)
			}
		}
	}
}

// difficult are texts that could lose something on their way.
var difficult = []string{
	"", " ", "  ", "     ", "\n", "\x00", "▁", " ▁", "▁▁a ▁", "\xff", "\xe2\x96", "\xe2\x96\x81\x81", "\xc0\x80", "\xed\xa0\x80", "\ufffd\xff",
	"the then  the ", " the", "aaaaaaa", "e\u0301é中 é 中🙂", "<0x41>A<0xFF>", "<s>", "<s> ", "<s>  the</s> ", "</s></s><unk>a", "<s", "\n<s>\n", "<|endoftext|>",
}

func TestSentencePieceSaveRefuses(t *testing.T) {
	c := llamaPieces("ab", "bc", "a", "b", "c")
	c.Scores[259] = c.Scores[260]
	for name, f := range map[string]struct {
		tok  *SentencePiece
		want string
	}{
		"nil":    {nil, "NewSentencePiece did not make"},
		"zero":   {&SentencePiece{}, "NewSentencePiece did not make"},
		"scores": {newPieces(t, c), `tokens "ab" and "bc" have one score, -1`},
	} {
		var b strings.Builder
		if err := Save(&b, f.tok); err == nil || !strings.Contains(err.Error(), f.want) || b.Len() > 0 {
			t.Errorf("%s: Save = %v after %q, want an error with %q", name, err, b.String(), f.want)
		}
	}
}

// Older and newer files say the same in other words.
func TestLoadSentencePieceVariants(t *testing.T) {
	for prefix, byScheme := range map[Prefix]map[string]string{
		PrefixAll: {
			"scheme":   `{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":false}`,
			"prefix":   `{"type":"Metaspace","replacement":"▁","add_prefix_space":true,"split":false}`,
			"both":     `{"type":"Metaspace","replacement":"▁","add_prefix_space":true,"prepend_scheme":"always","split":false}`,
			"neither":  `{"type":"Metaspace","replacement":"▁","split":false}`,
			"by words": `{"type":"Metaspace","replacement":"▁"}`, // which makes no difference to these tokens
		},
		PrefixFirst: {"both": `{"type":"Metaspace","replacement":"▁","add_prefix_space":true,"prepend_scheme":"first","split":false}`},
		PrefixNone: {
			"scheme": `{"type":"Metaspace","replacement":"▁","prepend_scheme":"never","split":false}`,
			"prefix": `{"type":"Metaspace","replacement":"▁","add_prefix_space":false,"split":false}`,
		},
	} {
		c := llamaPieces(" a", "ab", " ", "a", "b")
		c.Prefix = prefix
		s := newPieces(t, c)
		file := save(t, s)
		for name, metaspace := range byScheme {
			variant := strings.NewReplacer(`"normalizer":`+hfPrependSpace, `"normalizer":null`, `"normalizer":`+hfReplaceSpaces, `"normalizer":null`,
				`"pre_tokenizer":null`, `"pre_tokenizer":`+metaspace, `"pre_tokenizer":`+hfMetaspace, `"pre_tokenizer":`+metaspace).Replace(file)
			if variant == file {
				t.Fatalf("%s: nothing was replaced in %s", name, file)
			}
			if got := save(t, load(t, variant)); got != file {
				t.Errorf("%s: another tokenizer was loaded:\n%s\nwant\n%s", name, got, file)
			}
		}
	}
	file := save(t, newPieces(t, smallPieces()))
	template := file[strings.Index(file, `"post_processor":`):strings.Index(file, `,"decoder":`)]
	for name, variant := range map[string]string{
		"no type":       strings.Replace(file, `"type":"BPE",`, "", 1),
		"normalized":    strings.ReplaceAll(file, `"normalized":false`, `"normalized":true`),
		"not special":   strings.ReplaceAll(file, `"special":true`, `"special":false`),
		"fuse_unk":      strings.Replace(file, `"fuse_unk":true`, `"fuse_unk":false`, 1),
		"no pairs":      file[:strings.Index(file, `"pair":`)] + `"pair":[]` + file[strings.Index(file, `,"special_tokens"`):],
		"merges by two": pairMerges(t, file),
	} {
		if variant == file {
			t.Fatalf("%s: nothing was replaced", name)
		}
		if save(t, load(t, variant)) != file {
			t.Errorf("%s: another tokenizer was loaded", name)
		}
	}
	for _, nothing := range []string{`"post_processor":null`, `"post_processor":{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A","type_id":0}}],"pair":[],"special_tokens":{}}`} {
		s := load(t, strings.Replace(file, template, nothing, 1)).(*SentencePiece)
		if s.bos != "" {
			t.Errorf("with %s BOS is %q", nothing, s.bos)
		}
	}
}

func TestLoadSentencePieceRefuses(t *testing.T) {
	file := save(t, newPieces(t, smallPieces()))
	for _, c := range []struct{ name, old, new, want string }{
		{"no normalizer", `"normalizer":` + hfPrependSpace, `"normalizer":null`, "pre-tokenizer null is not supported with byte_fallback"},
		{"other normalizer", `"normalizer":` + hfPrependSpace, `"normalizer":{"type":"NFKC"}`, `normalizer {"type":"NFKC"} is not supported`},
		{"other space", `"prepend":"▁"`, `"prepend":"_"`, "is not supported with byte_fallback"},
		{"a space twice", `"pre_tokenizer":null`, `"pre_tokenizer":` + hfMetaspace, "pre-tokenizer Metaspace is not supported with byte_fallback"},
		{"no decoder", `"decoder":` + hfDecodeStrip, `"decoder":null`, "decoder null is not supported"},
		{"decoder keeps a space", `"decoder":` + hfDecodeStrip, `"decoder":` + hfDecode, "decoder Sequence is not supported"},
		{"decoder strips two", `"start":1`, `"start":2`, "decoder Sequence is not supported"},
		{"no template", `"post_processor":{"type":"TemplateProcessing"`, `"post_processor":{"type":"RobertaProcessing"`, "post-processor RobertaProcessing is not supported"},
		{"template with more", `"post_processor":{`, `"post_processor":{"extra":1,`, `unknown field "extra"`},
		{"template after", `"single":[`, `"single":[{"Sequence":{"id":"A","type_id":0}},`, "only supported with one special token"},
		{"template without text", `"single":[`, `"single":[],"other":[`, `unknown field "other"`},
		{"template of B", `{"Sequence":{"id":"A"`, `{"Sequence":{"id":"B"`, "only supported with one special token"},
		{"template of others", `"single":[{"SpecialToken":{"id":"<s>"`, `"single":[{"SpecialToken":{"id":"<x>"`, `begins with "<x>"`},
		{"template of other ids", `"ids":[1]`, `"ids":[2]`, `begins with "<s>", which is not an added token with the ids [2]`},
		{"ignore merges", `"fuse_unk":true`, `"ignore_merges":true`, "ignore_merges is not supported"},
		{"dropout", `"dropout":null`, `"dropout":0.5`, "dropout 0.5 is not supported"},
		{"no merges", `"merges":[`, `"merges":null,"unk":[`, `unknown field "unk"`},
		{"byte missing", `"<0x41>":68,`, ``, "there are 255 tokens of bytes, not 256"},
		{"byte elsewhere", `"<0x41>":68,`, `"<0x41>":69,`, `id 69 is of both "<0x41>" and "<0x42>"`},
		{"byte in small letters", `"<0xFF>":258`, `"<0xff>":258`, "there are 255 tokens of bytes, not 256"},
		{"id twice", `"he":260`, `"he":261`, `id 261 is of both`},
		{"id of a byte", `"he":260`, `"he":3`, `id 3 is of both "<0x00>" and "he"`},
		{"id of a special", `"he":260`, `"he":1`, `id 1 is of both "<s>" and "he"`},
		{"id far off", `"he":260`, `"he":2000000000`, "ids up to 2000000000 are too many"},
		{"id null", `"he":260`, `"he":null`, `token "he" has no id`},
		{"token twice", `"he":260`, `"he":260,"he":260`, `token "he" occurs twice`},
		{"token empty", `"he":260`, `"":260`, "token 260 is empty"},
		{"token with a space", `"he":260`, `"h e":260`, "is spelt '▁'"},
		{"special elsewhere", `"<s>":1`, `"<s>":300`, `added token "<s>" has id 1, and id 300 in vocab`},
		{"special with lstrip", `"lstrip":false`, `"lstrip":true`, "single_word, lstrip and rstrip"},
		{"special merged", `"content":"<unk>"`, `"content":"he"`, `added token "he" has id 0, and id 260 in vocab`},
		{"merge of three", `"merges":["`, `"merges":["a b c","`, "is not a pair"},
		{"merge unknown", `"merges":["`, `"merges":["b b","`, `merge 0 joins "b" and "b", and not all three are ordinary tokens`},
		{"merge of a byte", `"merges":["`, `"merges":["<0x41> a","`, "not all three are ordinary tokens"},
		{"merge of a special", `"merges":["`, `"merges":["<s> a","`, "not all three are ordinary tokens"},
		{"merge twice", `"merges":["`, `"merges":["a a","`, `both join "a" and "a"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(file, c.old) {
				t.Fatalf("%s holds no %s", file, c.old)
			}
			tok, err := Load(strings.NewReader(strings.Replace(file, c.old, c.new, 1)))
			if err == nil || tok != nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Load = %v, %v, want an error with %q", tok, err, c.want)
			}
		})
	}
	none := strings.Replace(file, hfPrependSpace, "null", 1)
	for metaspace, want := range map[string]string{
		`{"type":"Metaspace","replacement":"_","prepend_scheme":"first","split":false}`:                          `"replacement":"_"`,
		`{"type":"Metaspace","replacement":"▁","prepend_scheme":"last","split":false}`:                           `"last"`,
		`{"type":"Metaspace","replacement":"▁","prepend_scheme":"never","add_prefix_space":true,"split":false}`:  `"never"`,
		`{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","add_prefix_space":false,"split":false}`: `"first"`,
		`{"type":"Metaspace","replacement":"▁","prepend_scheme":"never","split":false}`:                          "decoder Sequence is not supported",
		`{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":true}`:                           "Metaspace with split",
		`{"type":"Metaspace","replacement":"▁","prepend_scheme":"first"}`:                                        "Metaspace with split",
		`{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","str_rep":"▁","split":false}`:            `unknown field "str_rep"`,
		`{"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":false,"split":false}`:            `field "split" occurs twice`,
		`{"type":"Sequence","pretokenizers":[{"type":"Metaspace","replacement":"▁","prepend_scheme":"first"}]}`:  "pre-tokenizer Sequence is not supported",
	} {
		tok, err := Load(strings.NewReader(strings.Replace(none, `"pre_tokenizer":null`, `"pre_tokenizer":`+metaspace, 1)))
		if err == nil || tok != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("with %s Load = %v, %v, want an error with %q", metaspace, tok, err, want)
		}
	}
}
