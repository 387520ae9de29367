package text_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/logits-go/logits/text"
)

const poem = `Tyger Tyger, burning bright,
In the forests of the night;
What immortal hand or eye,
Could frame thy fearful symmetry?
`

// A character model needs a vocabulary, its tokens in two parts, and batches.
func Example() {
	chars, err := text.NewChars(poem)
	if err != nil {
		log.Fatal(err)
	}
	ids, err := chars.Encode(poem)
	if err != nil {
		log.Fatal(err)
	}
	train, val, err := text.Split(text.Slice(ids), 0.9)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(chars.VocabSize(), "characters,", train.Len(), "tokens to train on and", val.Len(), "to validate")

	stream, err := text.NewStream(train, 1)
	if err != nil {
		log.Fatal(err)
	}
	const batch, seq = 2, 12
	x, y := make([]int, batch*seq), make([]int, batch*seq) // (batch, seq)
	if err := stream.Next(x, y, batch, seq); err != nil {
		log.Fatal(err)
	}
	for b := range batch {
		input, _ := chars.Decode(x[b*seq : (b+1)*seq])
		target, _ := chars.Decode(y[b*seq : (b+1)*seq])
		fmt.Printf("%q -> %q\n", input, target)
	}
	// Output:
	// 26 characters, 107 tokens to train on and 12 to validate
	// ";\nWhat immor" -> "\nWhat immort"
	// "ger, burning" -> "er, burning "
}

func ExampleTrainBPE() {
	tok, err := text.TrainBPE(context.Background(), strings.NewReader(poem), text.TrainConfig{
		VocabSize: 256 + 20 + 1,
		Special:   []string{text.EndOfText},
	})
	if err != nil {
		log.Fatal(err)
	}
	ids, err := tok.Encode("the bright night" + text.EndOfText)
	if err != nil {
		log.Fatal(err)
	}
	for _, id := range ids {
		token, _ := tok.Token(id)
		fmt.Printf("%d %q\n", id, token)
	}
	// Output:
	// 256 "th"
	// 101 "e"
	// 271 " b"
	// 114 "r"
	// 105 "i"
	// 268 "ght"
	// 32 " "
	// 264 "ni"
	// 268 "ght"
	// 276 "<|endoftext|>"
}

// A vocabulary as in Llama's files: what no token holds is written byte by byte, and a model wants BOS first.
func ExampleNewSentencePiece() {
	config := text.SentencePieceConfig{
		Tokens: append(make([]string, 3+256), " t", "he", " the", "re", " ", "t", "h", "e", "r"),
		Scores: append(make([]float32, 3+256), 0, -1, -2, -3, -4, -5, -6, -7, -8),
		Special: map[string]int{
			"<unk>":  0,
			text.BOS: 1,
			text.EOS: 2,
		},
		BOS: text.BOS,
	}
	for b := range config.Bytes {
		config.Bytes[b] = 3 + b
	}
	tok, err := text.NewSentencePiece(config)
	if err != nil {
		log.Fatal(err)
	}
	ids, err := tok.Encode(text.BOS + "there, the é")
	if err != nil {
		log.Fatal(err)
	}
	for _, id := range ids {
		token, _ := tok.Token(id)
		fmt.Printf("%d %q\n", id, token)
	}
	decoded, err := tok.Decode(ids)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(decoded)
	// Output:
	// 1 "<s>"
	// 261 " the"
	// 262 "re"
	// 47 ","
	// 261 " the"
	// 263 " "
	// 198 "\xc3"
	// 172 "\xa9"
	// <s>there, the é
}

func ExampleDecoder() {
	d := text.NewDecoder(text.Bytes{})
	for _, id := range []int{'N', 'a', 0xc3, 0xaf, 'v', 'e', '.'} {
		part, err := d.Write(id)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%q ", part)
	}
	fmt.Printf("%q\n", d.Flush())
	// Output:
	// "N" "a" "" "ï" "v" "e" "." ""
}

func ExampleSave() {
	chars, err := text.NewChars("abba")
	if err != nil {
		log.Fatal(err)
	}
	if err := text.Save(os.Stdout, chars); err != nil {
		log.Fatal(err)
	}
	// Output:
	// {"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,"pre_tokenizer":{"type":"Split","pattern":{"Regex":"[\\s\\S]"},"behavior":"Isolated","invert":false},"post_processor":null,"decoder":{"type":"Fuse"},"model":{"type":"WordLevel","vocab":{"a":0,"b":1},"unk_token":"<unk>"}}
}

func ExampleEncodeFile() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "poem.bin")
	n, err := text.EncodeFile(context.Background(), path, text.Bytes{}, strings.NewReader(poem))
	if err != nil {
		log.Fatal(err)
	}
	tokens, err := text.OpenTokens(path)
	if err != nil {
		log.Fatal(err)
	}
	defer tokens.Close()
	first := make([]int, 5)
	if err := tokens.ReadTokens(first, 0); err != nil {
		log.Fatal(err)
	}
	fmt.Println(n, first)
	// Output:
	// 119 [84 121 103 101 114]
}

func ExampleWindows() {
	w, err := text.NewWindows(text.Slice{10, 11, 12, 13, 14, 15, 16})
	if err != nil {
		log.Fatal(err)
	}
	x, y := make([]int, 4), make([]int, 4)
	for {
		targets, err := w.Next(x, y, 2, 2)
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(x, y, targets)
	}
	// Output:
	// [10 11 12 13] [11 12 13 14] 4
	// [14 15 0 0] [15 16 -100 -100] 2
}

func ExampleReadCorpus() {
	corpus, err := text.ReadCorpus(context.Background(), "opticks")
	if err != nil {
		log.Fatal(err)
	}
	if corpus.Note != "" {
		fmt.Println(corpus.Note)
	}
	title, _, _ := strings.Cut(corpus.Text, ":")
	fmt.Println(title)
}
