// Torture ends training in every way it can and checks that nothing is lost: it kills it, fails its files, takes its power
// and damages its checkpoints. Then it trains and generates again and again, and on many goroutines, and checks that the
// bits are the same and that memory does not grow. It prints what it has tried and how much of it went wrong, which should
// be nothing.
//
//	go run ./examples/torture
//	go run ./examples/torture -time 0 -kills 1000 -flips 10000 -cuts 1000000 -hashes 20 -generations 10000
//
// It ends with status 1 if anything went wrong.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/pkg/errors"
)

// settings are what the flags say.
type settings struct {
	limit              time.Duration
	kills, power       int
	flips, cuts, rooms int
	generations        int
	hashes             int
	seed               uint64
	dir                string
}

func main() {
	if child() {
		return
	}
	var s settings
	flag.DurationVar(&s.limit, "time", 50*time.Second, "end after this time with what there is until then; 0 means no limit")
	flag.IntVar(&s.kills, "kills", 40, "times to kill training")
	flag.IntVar(&s.flips, "flips", 2000, "bits of a checkpoint to flip, one at a time")
	flag.IntVar(&s.cuts, "cuts", 5000, "lengths to cut a checkpoint to, evenly spread; as many as it has bytes are all")
	flag.IntVar(&s.rooms, "rooms", 300, "numbers of bytes after which the disk is full, evenly spread")
	flag.IntVar(&s.power, "power", 20, "times to take the power at every call")
	flag.IntVar(&s.generations, "generations", 640, "texts to generate on 64 goroutines")
	flag.IntVar(&s.hashes, "hashes", 5, "times to train and generate on one thread and on two")
	flag.Uint64Var(&s.seed, "seed", 1, "seed of all that is random, but not of what the system does in the meantime")
	flag.StringVar(&s.dir, "dir", "", "`folder` to work in, on the disk to be tried; one for temporary files if empty")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "torture: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	wrong, err := torture(ctx, s, os.Stdout)
	if err != nil {
		fmt.Fprintf(os.Stderr, "torture: %v\n", err)
	}
	if wrong > 0 || err != nil {
		os.Exit(1)
	}
}

// A score is how a campaign went.
type score struct {
	tries int
	wrong int    // how many of them went wrong
	note  string // what else there is to say
	short bool   // the time was up before all was tried
}

// A campaign tries things until it is done or ctx ends. An error means that it could not try.
type campaign func(ctx context.Context, s settings, dir string) (score, error)

var campaigns = []struct {
	name string
	run  campaign
}{
	{"training resumed at every step, 1 and 2 threads", resumes},
	{"training killed (kill -9) and resumed", kills},
	{"each call of saving fails once", callFaults},
	{"disk full (simulated)", fullDisk},
	{"disk full (a file system of 1 MiB)", realDisk},
	{"file too large for the system", fileLimit},
	{"power lost at each call (simulated)", powerLoss},
	{"a bit of a checkpoint flipped", bitFlips},
	{"a checkpoint cut short", truncations},
	{"a malformed checkpoint", malformed},
	{"trained and generated, 1 and 2 threads", oneHash},
	{"generated on 64 goroutines", generations},
}

// torture runs all campaigns, writes the scorecard and returns how many answers were wrong.
func torture(ctx context.Context, s settings, w io.Writer) (wrong int, err error) {
	if min(s.kills, s.flips, s.cuts, s.rooms, s.power, s.generations, s.hashes) <= 0 {
		return 0, errors.New("kills, flips, cuts, rooms, power, generations and hashes must be positive")
	}
	if s.limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.limit)
		defer cancel()
	}
	dir, err := os.MkdirTemp(s.dir, "torture")
	if err != nil {
		return 0, errors.WithStack(err)
	}
	defer os.RemoveAll(dir)
	if runtime.GOOS == "windows" {
		fmt.Fprintln(w, "Windows has no kill -9: processes are ended by TerminateProcess, and folders are not synced.")
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	defer t.Flush()
	fmt.Fprintln(t, "campaign\ttries\twrong\ttime\t")
	for i, c := range campaigns {
		within, cancel := share(ctx, len(campaigns)-i)
		start := time.Now()
		sc, err := c.run(within, s, dir)
		cancel()
		if err != nil {
			return wrong, errors.WithMessage(err, c.name)
		}
		if sc.short {
			sc.note = strings.TrimPrefix(sc.note+"; stopped when its time was up", "; ")
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%v\t%s\n", c.name, sc.tries, sc.wrong, time.Since(start).Round(time.Millisecond), sc.note)
		wrong += sc.wrong
	}
	return wrong, nil
}

// share returns a context with its part of the time that is left for so many campaigns, of which one may take half.
func share(ctx context.Context, campaigns int) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok || campaigns == 1 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(end)/2)
}
