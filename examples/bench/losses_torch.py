#!/usr/bin/env python3
"""Cross-entropy and its gradient in PyTorch, to be timed beside examples/bench -loss.

  losses_torch.py ROWS DIM VOCAB CHUNKED SECONDS

Of given logits if DIM is 0, and of those of an output layer otherwise, with the gradients of what goes into it and of its
weight; if CHUNKED is true, of 128 rows at a time. Prints a line of JSON: the median time of a loss with its gradients, and
the memory in MB that all this added to the process.
"""
import json, os, resource, sys, time
import numpy as np
import torch
import torch.nn.functional as F

rows, dim, vocab = (int(a) for a in sys.argv[1:4])
chunk, seconds = 128 if sys.argv[4] == 'true' else rows, float(sys.argv[5])
torch.set_num_threads(int(os.environ['OMP_NUM_THREADS']))
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
torch.zeros(8, 8, requires_grad=True).matmul(torch.zeros(8, 8)).sum().backward()  # what comes up with the first use
before = peak()
targets = torch.arange(rows) * 7919 % vocab
if dim == 0:
    leaves = [torch.empty(rows, vocab).normal_(0, 3).requires_grad_()]
else:
    leaves = [torch.randn(rows, dim, requires_grad=True), torch.empty(vocab, dim).normal_(0, 0.1).requires_grad_()]


def step():
    for leaf in leaves:
        leaf.grad = None
    for at in range(0, rows, chunk):
        logits = leaves[0][at:at + chunk] if dim > 0 else leaves[0]
        if dim > 0:
            logits = F.linear(logits, leaves[1])
        (F.cross_entropy(logits, targets[at:at + chunk], reduction='sum') / rows).backward()


for _ in range(3):
    step()
took, start = [], time.perf_counter()
while len(took) < 3 or time.perf_counter() - start < seconds:
    begin = time.perf_counter()
    step()
    took.append(time.perf_counter() - begin)
print(json.dumps({'seconds': float(np.median(took)), 'memory_mb': peak() - before}))
