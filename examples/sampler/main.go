// Sampler uses package sampler alone, on a plain slice of logits.
package main

import (
	"fmt"
	"log"

	"github.com/logits-go/logits/sampler"
)

func main() {
	words := []string{"light", "glass", "prism", "colour", "rays"}
	logits := []float32{2.3, -1.5, 0.8, 4.1, -0.2}

	probs, err := sampler.Softmax(nil, logits)
	if err != nil {
		log.Fatal(err)
	}
	for i, p := range probs {
		fmt.Printf("%-7s logit %5.2f  probability %.4f\n", words[i], logits[i], p)
	}

	for _, s := range []sampler.Sampler{
		{}, // the most likely token
		{Temperature: 1, Seed: 1},
		{Temperature: 1.5, TopP: 0.9, Seed: 1},
	} {
		fmt.Printf("temperature %.1f, top-p %.1f:", s.Temperature, s.TopP)
		for range 8 {
			token, err := s.Sample(logits)
			if err != nil {
				log.Fatal(err)
			}
			fmt.Print(" ", words[token])
		}
		fmt.Println()
	}
}
