#!/usr/bin/env python3
"""Trains the model of nanoGPT's recipe for a CPU in plain PyTorch, to be timed beside examples/train.

  nanogpt_torch.py TEXT [STEPS]

Characters of TEXT, context 64, batch 12, 4 layers, 4 heads, width 128, GELU, LayerNorm without bias, learned positions,
tied embedding, AdamW (0.9, 0.99) with decay 0.1 on matrices, clipping at 1, cosine from 1e-3 to 1e-4 after 100 steps; the
losses of 20 batches of each part every 250 steps. Prints the validation loss and the time.
"""
import math, sys, time
import torch, torch.nn as nn, torch.nn.functional as F

T, B, L, H, D, STEPS = 64, 12, 4, 4, 128, int(sys.argv[2]) if len(sys.argv) > 2 else 2000
torch.manual_seed(1)
text = open(sys.argv[1]).read()
chars = {c: i for i, c in enumerate(sorted(set(text)))}
ids = torch.tensor([chars[c] for c in text])
cut = len(ids) * 9 // 10
parts = {'train': ids[:cut], 'validation': ids[cut:]}

class Norm(nn.Module):
    def __init__(self):
        super().__init__(); self.weight = nn.Parameter(torch.ones(D))
    def forward(self, x): return F.layer_norm(x, (D,), self.weight, None, 1e-5)

class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.n1, self.n2 = Norm(), Norm()
        self.qkv, self.out = nn.Linear(D, 3 * D, bias=False), nn.Linear(D, D, bias=False)
        self.up, self.down = nn.Linear(D, 4 * D, bias=False), nn.Linear(4 * D, D, bias=False)
        self.register_buffer('mask', torch.tril(torch.ones(T, T, dtype=torch.bool)))
    def forward(self, x):
        b, t, _ = x.shape
        q, k, v = (a.view(b, t, H, D // H).transpose(1, 2) for a in self.qkv(self.n1(x)).split(D, 2))
        s = (q @ k.transpose(-2, -1) / math.sqrt(D // H)).masked_fill(~self.mask[:t, :t], float('-inf'))
        x = x + self.out((F.softmax(s, -1) @ v).transpose(1, 2).reshape(b, t, D))
        return x + self.down(F.gelu(self.up(self.n2(x))))

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.places = nn.Embedding(len(chars), D), nn.Embedding(T, D)
        self.blocks, self.norm = nn.ModuleList(Block() for _ in range(L)), Norm()
        for name, p in self.named_parameters():
            if p.dim() > 1:
                nn.init.normal_(p, 0, 0.02 / math.sqrt(2 * L) if name.endswith(('out.weight', 'down.weight')) else 0.02)
    def forward(self, x, y):
        h = self.tokens(x) + self.places(torch.arange(x.shape[1]))
        for block in self.blocks: h = block(h)
        return F.cross_entropy(F.linear(self.norm(h), self.tokens.weight).flatten(0, 1), y.flatten())

def batch(part):
    at = torch.randint(len(parts[part]) - T, (B,))
    pick = lambda shift: torch.stack([parts[part][i + shift:i + shift + T] for i in at])
    return pick(0), pick(1)

@torch.no_grad()
def evaluate(): return {p: sum(model(*batch(p)).item() for _ in range(20)) / 20 for p in parts}

model = Model()
ps = list(model.parameters())
opt = torch.optim.AdamW([{'params': [p for p in ps if p.dim() > 1], 'weight_decay': 0.1},
                         {'params': [p for p in ps if p.dim() == 1], 'weight_decay': 0.0}], lr=1e-3, betas=(0.9, 0.99))
start = time.time()
for step in range(STEPS):
    rate = 1e-3 * step / 100 if step < 100 else 1e-4 + 0.5 * (1 + math.cos(math.pi * (step - 100) / (2000 - 100))) * 9e-4
    for group in opt.param_groups: group['lr'] = rate
    if step % 250 == 0: evaluate()
    loss = model(*batch('train'))
    loss.backward()
    nn.utils.clip_grad_norm_(ps, 1.0)
    opt.step()
    opt.zero_grad(set_to_none=True)
seconds = time.time() - start
print(f'validation {evaluate()["validation"]:.4f}, {seconds:.1f} s, {STEPS / seconds:.1f} steps/s')
