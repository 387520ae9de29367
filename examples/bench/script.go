package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// script returns the command that runs a program for PyTorch, given by its source, on some threads. If -torch names the
// folder of bench_torch.py, the libraries that make PyTorch faster are those which it uses.
func (s settings) script(ctx context.Context, source string, threads int, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.python, append([]string{"-c", source}, args...)...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("OMP_NUM_THREADS=%d", threads), fmt.Sprintf("OPENBLAS_NUM_THREADS=%d", threads))
	if s.torch != "" {
		cmd.Env = append(cmd.Env,
			"LD_LIBRARY_PATH="+filepath.Join(s.torch, "openblas-omp"),
			"LD_PRELOAD="+filepath.Join(s.torch, "libshim.so")+" "+filepath.Join(s.torch, "libjemalloc.so.2"),
			"MALLOC_CONF=oversize_threshold:0,thp:always,metadata_thp:auto,dirty_decay_ms:-1,muzzy_decay_ms:-1")
	}
	return cmd
}
