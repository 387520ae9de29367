package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/pkg/errors"

	"github.com/logits-go/logits/graph"
	"github.com/logits-go/logits/layers"
)

// small makes checkpoints of many pages, of which three find room on a disk of a mebibyte.
var small = size{batch: 2, seq: 8, config: layers.Config{
	NumLayers: 1, DModel: 32, NumHeads: 2, VocabSize: 64, ContextLength: 8, Dropout: 0.2,
}}

// A limit is a way to leave no room for a file.
type limit struct {
	rooms func(size int) []int // what room to try, in bytes, for a file of a size
	leave func(room int) error // leaves so much of it
	free  func() error         // leaves enough again
	want  syscall.Errno        // how saving must fail
}

// saveWithout saves where the system itself leaves too little room. The error must name the file and be the one that is
// wanted; the checkpoint before must be there; and the next attempt, with room again, must leave no temporary file. Every
// attempt says whether all that was so.
func saveWithout(dir string, l limit) error {
	list, err := stages(context.Background(), small)
	if err != nil {
		return err
	}
	file, err := list[1].file()
	if err != nil {
		return err
	}
	for _, room := range l.rooms(len(file)) {
		work := filepath.Join(dir, fmt.Sprint("room", room))
		a := graph.Archive{Folder: graph.Dir(work), Keep: 1}
		if _, err := saveAll(a, list[:1]); err != nil {
			return err
		}
		if err := l.leave(room); err != nil {
			return errors.WithStack(err)
		}
		_, failure := saveAll(a, list[1:2])
		if err := l.free(); err != nil {
			return errors.WithStack(err)
		}
		held, err := holds(a, list, 1)
		if err != nil {
			return err
		}
		_, again := saveAll(a, list[1:2])
		names, err := a.Folder.List()
		if err != nil {
			return errors.WithStack(err)
		}
		named := failure != nil && strings.Contains(failure.Error(), "step-00000002.safetensors")
		if !held || !named || !errors.Is(failure, l.want) || again != nil || fmt.Sprint(names) != "[step-00000002.safetensors]" {
			fmt.Printf("wrong room for %d bytes: %v, then %v, and in the end %v\n", room, failure, again, names)
		} else {
			fmt.Println("right")
		}
		if err := os.RemoveAll(work); err != nil {
			return errors.WithStack(err)
		}
	}
	return nil
}

// attempts runs a child that says how each of its attempts was.
func attempts(cmd *exec.Cmd) (sc score, err error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return sc, errors.WithStack(err)
	}
	if err := cmd.Start(); err != nil {
		return sc, errors.WithStack(err)
	}
	failed := ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		switch word, rest, _ := strings.Cut(lines.Text(), " "); word {
		case "right":
			sc.tries++
		case "wrong":
			sc.tries++
			sc.wrong++
			sc.note += rest + "; "
		case "skipped:":
			sc.note = lines.Text()
		default:
			failed = lines.Text()
		}
	}
	if err = cmd.Wait(); failed != "" {
		return sc, errors.Errorf("a child ends with %v and says %q", err, failed)
	}
	return sc, errors.WithStack(err)
}

// attempted returns the score of a child that is to say so, with a note if it says nothing else.
func attempted(ctx context.Context, cmd *exec.Cmd, note string) (score, error) {
	sc, err := attempts(cmd)
	if ctx.Err() != nil {
		sc.short = true
		return sc, nil
	}
	if sc.note == "" {
		sc.note = note
	}
	return sc, err
}
