#!/usr/bin/env python3
"""Trains the model of nanoGPT's recipe for a CPU in plain PyTorch, to be timed beside examples/bench -recipe.

  nanogpt_torch.py TEXT [STEPS [SEED]]

Characters of TEXT, context 64, batch 12, 4 layers, 4 heads, width 128, GELU, LayerNorm without bias, learned positions,
tied embedding, no dropout, weights drawn with standard deviation 0.02, AdamW (0.9, 0.99) with decay 0.1 on matrices,
clipping at 1; 2000 steps at a rate that rises to 1e-3 in 100 and falls along a cosine to 1e-4, of which STEPS are taken;
the losses of 20 random batches of each part every 250 steps and at the end. Prints a line of JSON: the time of all this,
the loss over the whole validation text, and the largest memory of the process.
"""
import json, math, resource, sys, time
import torch, torch.nn as nn, torch.nn.functional as F

T, B, L, H, D = 64, 12, 4, 4, 128
STEPS, SEED = (int(sys.argv[i]) if len(sys.argv) > i else default for i, default in ((2, 2000), (3, 1)))
torch.manual_seed(SEED)
text = open(sys.argv[1], encoding='utf-8', newline='').read()
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
    at = torch.randint(len(parts[part]) - T, (B,)).tolist()
    pick = lambda shift: torch.stack([parts[part][i + shift:i + shift + T] for i in at])
    return pick(0), pick(1)

@torch.no_grad()
def estimate(): return {p: sum(model(*batch(p)).item() for _ in range(20)) / 20 for p in parts}

@torch.no_grad()
def validate():  # the mean over windows laid end to end
    v, n = parts['validation'], (len(parts['validation']) - 1) // T * T
    x, y = v[:n].view(-1, T), v[1:n + 1].view(-1, T)
    return sum(model(a, b).item() * len(a) for a, b in zip(x.split(B), y.split(B))) / len(x)

def rate(step):  # of steps that count from 1
    if step < 100: return 1e-3 * step / 100
    return 1e-4 + 9e-4 * (1 + math.cos(math.pi * min(1, (step - 100) / (2000 - 100)))) / 2

model = Model()
ps = list(model.parameters())
opt = torch.optim.AdamW([{'params': [p for p in ps if p.dim() > 1], 'weight_decay': 0.1},
                         {'params': [p for p in ps if p.dim() == 1], 'weight_decay': 0.0}], lr=1e-3, betas=(0.9, 0.99))
start = time.time()
for step in range(STEPS + 1):
    if step % 250 == 0 or step == STEPS: estimate()
    if step == STEPS: break
    for group in opt.param_groups: group['lr'] = rate(step + 1)
    loss = model(*batch('train'))
    loss.backward()
    nn.utils.clip_grad_norm_(ps, 1.0)
    opt.step()
    opt.zero_grad(set_to_none=True)
seconds = time.time() - start
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({'seconds': seconds, 'loss': validate(), 'memory_mb': memory}))
