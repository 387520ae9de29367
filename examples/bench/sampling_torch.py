#!/usr/bin/env python3
"""Draws tokens with PyTorch, to be timed beside examples/bench -sampler.

Answers every line of "temperature top-k top-p min-p file seconds", where the file holds float32 logits, with the
microseconds that it takes to draw a token, the median over that time. Where there are shorter ways to the same tokens than
those of Hugging Face's processors, it takes them: it draws among sorted tokens, and looks for a nucleus among the top k.
"""
import sys, time
import numpy as np
import torch

torch.set_num_threads(1)


def draw(x, temperature, top_k, top_p, min_p):
    if temperature == 0:
        return x.argmax()
    order = None
    if top_k > 0:
        x, order = x.topk(min(top_k, len(x)))
    p = torch.softmax(x / temperature, -1)
    if top_p > 0:
        if order is None:
            p, order = p.sort(descending=True)
        p[p.cumsum(-1) - p >= top_p] = 0
    if min_p > 0:
        p[p < min_p * p.max()] = 0
    token = torch.multinomial(p, 1)
    return token if order is None else order[token]


for line in sys.stdin:
    temperature, top_k, top_p, min_p, file, seconds = line.split()
    x = torch.from_numpy(np.fromfile(file, np.float32))
    args = float(temperature), int(top_k), float(top_p), float(min_p)
    with torch.inference_mode():
        draw(x, *args)
        took, start = [], time.perf_counter()
        while len(took) < 3 or time.perf_counter() - start < float(seconds):
            before = time.perf_counter()
            draw(x, *args)
            took.append(time.perf_counter() - before)
    print(1e6 * float(np.median(took)), flush=True)
