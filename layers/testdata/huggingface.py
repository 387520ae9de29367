"""Runs models in folders of Hugging Face with PyTorch alone, as their documentation and the papers define them.

Each request of a list in JSON on the standard input has a folder, and either tokens or a text for the tokenizer.json
there. The answers on the standard output have the tokens and the logits (seq, vocab), computed in float64 unless the
request says float32.
"""

import json
import os
import re
import struct
import sys

import numpy as np
import torch


def tensors(path, dtype):
    """The tensors of a .safetensors file of float32."""
    with open(path, "rb") as f:
        data = f.read()
    (n,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + n])
    header.pop("__metadata__", None)
    out = {}
    for name, info in header.items():
        assert info["dtype"] == "F32", info
        lo, hi = info["data_offsets"]
        numbers = np.frombuffer(data[8 + n + lo : 8 + n + hi], "<f4").reshape(info["shape"])
        out[name] = torch.tensor(numbers).to(dtype)
    return out


def folder_tensors(folder, dtype):
    """The tensors of model.safetensors, or of the shards that its index names."""
    index = os.path.join(folder, "model.safetensors.index.json")
    if not os.path.exists(index):
        return tensors(os.path.join(folder, "model.safetensors"), dtype)
    with open(index) as f:
        places = json.load(f)["weight_map"]
    shards = {shard: tensors(os.path.join(folder, shard), dtype) for shard in set(places.values())}
    return {name: shards[shard][name] for name, shard in places.items()}


def attend(q, k, v):
    """Causal attention of (heads, seq, head)."""
    seq = q.shape[1]
    scores = q @ k.transpose(1, 2) / q.shape[2] ** 0.5
    scores = scores.masked_fill(torch.ones(seq, seq, dtype=torch.bool).triu(1), float("-inf"))
    return (scores.softmax(-1) @ v).transpose(0, 1).reshape(seq, -1)


def llama(c, w, ids):
    dim, heads, kv = c["hidden_size"], c["num_attention_heads"], c["num_key_value_heads"]
    head, seq = dim // heads, len(ids)
    x = w["model.embed_tokens.weight"][ids]
    at = torch.outer(torch.arange(seq).to(x), c["rope_theta"] ** (-torch.arange(0, head, 2).to(x) / head))
    cos, sin = torch.cat([at, at], -1).cos(), torch.cat([at, at], -1).sin()

    def norm(x, name):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + c["rms_norm_eps"]) * w[name + ".weight"]

    def turn(x):
        return x * cos + torch.cat([-x[..., head // 2 :], x[..., : head // 2]], -1) * sin

    for i in range(c["num_hidden_layers"]):
        p = f"model.layers.{i}."
        h = norm(x, p + "input_layernorm")
        q, k, v = (
            (h @ w[f"{p}self_attn.{n}_proj.weight"].T).view(seq, -1, head).transpose(0, 1) for n in "qkv"
        )
        q, k = turn(q), turn(k)
        k, v = k.repeat_interleave(heads // kv, 0), v.repeat_interleave(heads // kv, 0)
        x = x + attend(q, k, v) @ w[p + "self_attn.o_proj.weight"].T
        h = norm(x, p + "post_attention_layernorm")
        gate, up = h @ w[p + "mlp.gate_proj.weight"].T, h @ w[p + "mlp.up_proj.weight"].T
        x = x + (torch.nn.functional.silu(gate) * up) @ w[p + "mlp.down_proj.weight"].T
    head_of = "model.embed_tokens.weight" if c["tie_word_embeddings"] else "lm_head.weight"
    return norm(x, "model.norm") @ w[head_of].T


def gpt2(c, w, ids):
    dim, heads, seq = c["n_embd"], c["n_head"], len(ids)
    x = w["transformer.wte.weight"][ids] + w["transformer.wpe.weight"][:seq]

    def norm(x, name):
        return torch.nn.functional.layer_norm(x, (dim,), w[name + ".weight"], w[name + ".bias"], c["layer_norm_epsilon"])

    def conv(x, name):
        return x @ w[name + ".weight"] + w[name + ".bias"]

    def gelu(x):
        return 0.5 * x * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * x**3)))

    for i in range(c["n_layer"]):
        p = f"transformer.h.{i}."
        q, k, v = conv(norm(x, p + "ln_1"), p + "attn.c_attn").split(dim, -1)
        q, k, v = (t.view(seq, heads, -1).transpose(0, 1) for t in (q, k, v))
        x = x + conv(attend(q, k, v), p + "attn.c_proj")
        x = x + conv(gelu(conv(norm(x, p + "ln_2"), p + "mlp.c_fc")), p + "mlp.c_proj")
    assert c["activation_function"] in ("gelu_new", "gelu_pytorch_tanh"), c
    head_of = "transformer.wte.weight" if c["tie_word_embeddings"] else "lm_head.weight"
    return norm(x, "transformer.ln_f") @ w[head_of].T


def spellings():
    """The characters that stand for bytes in a vocabulary of GPT-2."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    out, extra = {}, 0
    for b in range(256):
        if b in plain:
            out[b] = chr(b)
        else:
            out[b] = chr(256 + extra)
            extra += 1
    return out


def encode(t, text):
    """The tokens of a text, by byte-level BPE."""
    assert t["model"]["type"] == "BPE" and t["pre_tokenizer"]["type"] == "ByteLevel", t["model"]["type"]
    vocab, spell = t["model"]["vocab"], spellings()
    merges = [m.split(" ") if isinstance(m, str) else m for m in t["model"]["merges"]]
    ranks = {tuple(m): i for i, m in enumerate(merges)}
    added = {a["content"]: a["id"] for a in t["added_tokens"]}
    # GPT-2's pattern, with \p{L} and \p{N} as far as Python has them.
    words = re.compile(r"'(?:s|t|re|ve|m|ll|d)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")
    ids = []
    parts = re.split("(" + "|".join(map(re.escape, added)) + ")", text) if added else [text]
    for part in parts:
        if part in added:
            ids.append(added[part])
            continue
        for word in words.findall(part):
            pieces = [spell[b] for b in word.encode()]
            while len(pieces) > 1:
                pairs = [(ranks.get(p, len(ranks)), i) for i, p in enumerate(zip(pieces, pieces[1:]))]
                rank, i = min(pairs)
                if rank == len(ranks):
                    break
                pieces[i : i + 2] = [pieces[i] + pieces[i + 1]]
            ids += [vocab[p] for p in pieces]
    return ids


def answer(request):
    folder = request["folder"]
    with open(os.path.join(folder, "config.json")) as f:
        config = json.load(f)
    ids = request.get("tokens")
    if ids is None:
        with open(os.path.join(folder, "tokenizer.json"), encoding="utf-8") as f:
            ids = encode(json.load(f), request["text"])
    dtype = torch.float32 if request.get("float32") else torch.float64
    w = folder_tensors(folder, dtype)
    with torch.no_grad():
        logits = {"llama": llama, "gpt2": gpt2}[config["model_type"]](config, w, ids)
    return {"tokens": ids, "logits": logits.flatten().tolist()}


torch.set_num_threads(1)
json.dump([answer(request) for request in json.load(sys.stdin)], sys.stdout)
