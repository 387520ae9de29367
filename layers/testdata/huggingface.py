"""Runs models in folders of Hugging Face, and in GGUF files, with PyTorch alone, as their documentation and the papers
define them.

Each request of a list in JSON on the standard input has a folder or such a file, and either tokens or a text for the
tokenizer there. The answers on the standard output have the tokens and the logits (seq, vocab), computed in float64
unless the request says float32.
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


def gguf(path, dtype):
    """The settings of a GGUF file, and its tensors of float32 and float16."""
    with open(path, "rb") as f:
        data = f.read()
    at = 0

    def take(form):
        nonlocal at
        out = struct.unpack_from("<" + form, data, at)[0]
        at += struct.calcsize("<" + form)
        return out

    def string():
        nonlocal at
        n = take("Q")
        at += n
        return data[at - n : at].decode()

    def value(kind):
        if kind == 8:
            return string()
        if kind == 9:
            kind = take("I")
            return [value(kind) for _ in range(take("Q"))]
        return take({0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}[kind])

    assert data[:4] == b"GGUF"
    at = 4
    assert take("I") == 3
    count, keys = take("Q"), take("Q")
    values = {}
    for _ in range(keys):
        key = string()
        values[key] = value(take("I"))
    infos = []
    for _ in range(count):
        name = string()
        shape = [take("Q") for _ in range(take("I"))][::-1]
        infos.append((name, shape, take("I"), take("Q")))
    at += -at % values.get("general.alignment", 32)
    out = {}
    for name, shape, kind, offset in infos:
        form = {0: "<f4", 1: "<f2"}[kind]
        numbers = np.frombuffer(data, form, int(np.prod(shape)), at + offset).reshape(shape)
        out[name] = torch.tensor(numbers.astype("<f4")).to(dtype)
    return values, out


def from_gguf(values, tensors):
    """Settings, tensors and a tokenizer as Hugging Face has them."""
    kind = values["general.architecture"]
    at = lambda key: values[f"{kind}.{key}"]
    tied = "output.weight" not in tensors
    names, c = {
        "gpt2": (
            {"token_embd": "transformer.wte", "position_embd": "transformer.wpe", "output_norm": "transformer.ln_f",
             "output": "lm_head", "attn_norm": "ln_1", "attn_qkv": "attn.c_attn", "attn_output": "attn.c_proj",
             "ffn_norm": "ln_2", "ffn_up": "mlp.c_fc", "ffn_down": "mlp.c_proj", "blk": "transformer.h"},
            {"n_embd": "embedding_length", "n_head": "attention.head_count", "n_layer": "block_count",
             "n_positions": "context_length", "n_inner": "feed_forward_length",
             "layer_norm_epsilon": "attention.layer_norm_epsilon"},
        ),
        "llama": (
            {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head", "blk": "model.layers",
             "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
             "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm",
             "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj"},
            {"hidden_size": "embedding_length", "num_attention_heads": "attention.head_count",
             "num_key_value_heads": "attention.head_count_kv", "num_hidden_layers": "block_count",
             "rms_norm_eps": "attention.layer_norm_rms_epsilon", "rope_theta": "rope.freq_base"},
        ),
    }[kind]
    c = {name: at(key) for name, key in c.items()}
    biased = "blk.0.attn_q.bias" in tensors
    c.update(attention_bias=biased, mlp_bias=biased)
    c.update(model_type=kind, tie_word_embeddings=tied, activation_function="gelu_new")
    w = {}
    for name, t in tensors.items():
        parts = name.split(".")
        if kind == "gpt2" and len(t.shape) == 2 and parts[0] == "blk":
            t = t.T  # a Conv1D
        if parts[-2] in ("attn_q", "attn_k"):  # pairs that lie side by side come to lie half a head apart
            head = c["hidden_size"] // c["num_attention_heads"]
            t = t.reshape(-1, head // 2, 2, *t.shape[1:]).transpose(1, 2).reshape(t.shape)
        w[".".join(names.get(p, p) for p in parts)] = t
    if kind == "gpt2":
        assert list(w["transformer.wpe.weight"].shape) == [c["n_positions"], c["n_embd"]]
        assert list(w["transformer.h.0.mlp.c_fc.weight"].shape) == [c["n_embd"], c["n_inner"]]
    tokens, kinds = values.get("tokenizer.ggml.tokens", []), values.get("tokenizer.ggml.token_type", [])
    assert not tokens or values["tokenizer.ggml.model"] == "gpt2" and values["tokenizer.ggml.pre"] == "gpt-2"
    tokenizer = {
        "model": {
            "type": "BPE",
            "vocab": {t: i for i, t in enumerate(tokens)},
            "merges": values.get("tokenizer.ggml.merges"),
        },
        "pre_tokenizer": {"type": "ByteLevel"},
        "added_tokens": [{"id": i, "content": tokens[i]} for i, k in enumerate(kinds) if k in (3, 4)],
    }
    return c, w, tokenizer


def attend(q, k, v):
    """Causal attention of (heads, seq, head)."""
    seq = q.shape[1]
    scores = q @ k.transpose(1, 2) / q.shape[2] ** 0.5
    scores = scores.masked_fill(torch.ones(seq, seq, dtype=torch.bool).triu(1), float("-inf"))
    return (scores.softmax(-1) @ v).transpose(0, 1).reshape(seq, -1)


def llama(c, w, ids):
    dim, heads, kv = c["hidden_size"], c["num_attention_heads"], c["num_key_value_heads"]
    head, seq = dim // heads, len(ids)
    biased, mlp_biased = c.get("attention_bias", False), c.get("mlp_bias", False)
    x = w["model.embed_tokens.weight"][ids]
    at = torch.outer(torch.arange(seq).to(x), c["rope_theta"] ** (-torch.arange(0, head, 2).to(x) / head))
    cos, sin = torch.cat([at, at], -1).cos(), torch.cat([at, at], -1).sin()

    def linear(x, name, bias):
        assert (name + ".bias" in w) == bias, name
        return x @ w[name + ".weight"].T + (w[name + ".bias"] if bias else 0)

    def norm(x, name):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + c["rms_norm_eps"]) * w[name + ".weight"]

    def turn(x):
        return x * cos + torch.cat([-x[..., head // 2 :], x[..., : head // 2]], -1) * sin

    for i in range(c["num_hidden_layers"]):
        p = f"model.layers.{i}."
        h = norm(x, p + "input_layernorm")
        q, k, v = (
            linear(h, f"{p}self_attn.{n}_proj", biased).view(seq, -1, head).transpose(0, 1) for n in "qkv"
        )
        q, k = turn(q), turn(k)
        k, v = k.repeat_interleave(heads // kv, 0), v.repeat_interleave(heads // kv, 0)
        x = x + linear(attend(q, k, v), p + "self_attn.o_proj", biased)
        h = norm(x, p + "post_attention_layernorm")
        gate, up = (linear(h, f"{p}mlp.{n}_proj", mlp_biased) for n in ("gate", "up"))
        x = x + linear(torch.nn.functional.silu(gate) * up, p + "mlp.down_proj", mlp_biased)
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
    folder, ids = request["folder"], request.get("tokens")
    dtype = torch.float32 if request.get("float32") else torch.float64
    if folder.endswith(".gguf"):
        config, w, tokenizer = from_gguf(*gguf(folder, dtype))
    else:
        with open(os.path.join(folder, "config.json")) as f:
            config = json.load(f)
        w, tokenizer = folder_tensors(folder, dtype), None
    if ids is None and tokenizer is None:
        with open(os.path.join(folder, "tokenizer.json"), encoding="utf-8") as f:
            tokenizer = json.load(f)
    if ids is None:
        ids = encode(tokenizer, request["text"])
    with torch.no_grad():
        logits = {"llama": llama, "gpt2": gpt2}[config["model_type"]](config, w, ids)
    return {"tokens": ids, "logits": logits.flatten().tolist()}


torch.set_num_threads(1)
json.dump([answer(request) for request in json.load(sys.stdin)], sys.stdout)
