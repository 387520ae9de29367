package main

import (
	"io"
	"os"
	"strings"

	"github.com/pkg/errors"
)

// standardInput is the prompt that stands for what comes from there.
const standardInput = "-"

// readPrompt returns the text to continue. Files and what is typed end in a newline, which is not part of it.
func (s settings) readPrompt(in io.Reader) (string, error) {
	var data []byte
	var err error
	switch {
	case s.promptFile != "":
		data, err = os.ReadFile(s.promptFile)
	case s.prompt == standardInput:
		data, err = io.ReadAll(in)
	default:
		return s.prompt, nil
	}
	if err != nil {
		return "", errors.Wrap(err, "reading the prompt")
	}
	prompt := strings.TrimSuffix(string(data), "\n")
	return strings.TrimSuffix(prompt, "\r"), nil
}
