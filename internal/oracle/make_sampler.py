#!/usr/bin/env python3
"""Reference distributions of every step and preset of package sampler, by definition: sort, add up, cut.

Usage: /usr/bin/python3 make_sampler.py --out ../../sampler/testdata
Needs: Debian's python3-torch and python3-numpy (torch 1.13).

Nothing here is taken from the package: each rule is that of its paper or of the system that has it, with whole sorts
and -Inf for what is dropped, in numpy's long double (80 bits on x86-64; run it there), so that what it rounds itself is
far below the float64 that it writes. Softmax and log-softmax are PyTorch's, in float64. A setting that decides within a relative 1e-9 of a boundary stops the
script, so that rounding decides nothing; equal logits are decided by their ids, the lower first.

Files are safetensors. A case is a row with a setting, the row the slower one, or a setting with a step of a text:
  row.NAME   F32   the logits; absent if a formula makes them (see formula)
  kept       U8    a bitmap of the tokens kept for every case, the lowest bit first; none means an error is due
  crc        I64   instead of kept where rows are long: its CRC-32, and the number of tokens kept
  probs      F64   for every case the probabilities of the tokens kept; of more than `full` those of 8, evenly spread
  sums       F64   for every case the sum of probability times weight(id)
Settings, history and rows are JSON under __metadata__.
"""
import argparse, json, math, os, zlib
import numpy as np
import torch
from make_oracle import save

INF = float("inf")


class Empty(Exception):
    """No token is left."""


def clear(values, limit, what):
    """Stops where a value is so near to the limit that rounding could decide."""
    v, limit = np.atleast_1d(np.asarray(values, float)), float(limit)
    v = v[np.isfinite(v)] if limit != 0 else v[:0]  # 0 is exact
    near = (np.abs(v - limit) <= 1e-9 * np.maximum(np.abs(v), abs(limit)))
    if near.any():
        raise SystemExit(f"{what}: {v[near]} is on the boundary {limit}")


def order(z):
    return np.lexsort((np.arange(len(z)), -z))


def probs(z):
    if not (z > -INF).any():
        raise Empty
    w = np.exp(z - z.max())
    return w / w.sum()


def log_probs(z):
    if not (z > -INF).any():
        raise Empty
    return z - z.max() - np.log(np.exp(z - z.max()).sum())


def entropy(z):
    lp = log_probs(z)[z > -INF]
    return -(np.exp(lp) * lp).sum()


def only(z, keep):
    return np.where(keep, z, -INF)


def first(z, n):
    """Keeps the first n of the ranking."""
    keep = np.zeros(len(z), bool)
    keep[order(z)[:n]] = True
    return only(z, keep & (z > -INF))


# ---- steps: each takes logits after the temperatures so far, its setting and the history ---------------------------
def scope(h, s):
    s = s or {}
    text = {"whole text": h["tokens"], "prompt only": h["tokens"][: h["prompt"]], "output only": h["tokens"][h["prompt"]:]}
    text = text[s.get("Of", "whole text")]
    return text[-s["Last"]:] if s.get("Last") else text


def temperature(z, t, h=None):
    return first(z, 1) if t == 0 else z / t


def dynamic_temperature(z, o, h=None):
    n = int((z > -INF).sum())
    if n < 2:
        return z
    return temperature(z, o["Low"] + (o["High"] - o["Low"]) * min(entropy(z) / math.log(n), 1) ** o["Exponent"])


def top_k(z, k, h=None):
    return z if k == 0 else first(z, k)


def top_k_ties(z, k, h=None):
    return z if k == 0 or k >= (z > -INF).sum() else only(z, z >= np.sort(z)[-k])


def top_p(z, p, h=None, at_least=1):
    if p == 0 or p == 1:
        return z
    c = np.cumsum(probs(z)[order(z)])
    clear(c[c < 1 - 1e-12], p, "top-p")
    return first(z, max(int((c < p).sum()) + 1, at_least))


def min_p(z, p, h=None, at_least=1):
    gap = z - z.max()
    clear(gap[gap < 0], math.log(p), "min-p")
    return first(z, max(int((gap >= math.log(p)).sum()), at_least))


def typical(z, o, h=None):
    o = {"P": o} if not isinstance(o, dict) else o
    p, lp = o["P"], log_probs(z)
    score = np.abs(-lp - entropy(z))
    rank = np.lexsort((np.arange(len(z)), score))
    c = np.cumsum(np.exp(lp)[rank])
    clear(c[c < 1 - 1e-12], p, "typical-p")
    n = int((c < p).sum()) + 1
    if o.get("Exceed"):
        n = int((c <= p).sum()) + 1
    n = min(max(n, o.get("MinKeep", 0)), int((z > -INF).sum()))
    if n < (z > -INF).sum() and z[rank[n - 1]] != z[rank[n]]:
        clear(score[rank[n]], score[rank[n - 1]], "typicality")
    keep = np.zeros(len(z), bool)
    keep[rank[:n]] = True
    if o.get("Ties"):
        keep |= score == score[rank[n - 1]]
    return only(z, keep)


def cut_off(z, least, what):
    p = probs(z)
    clear(p, least, what)
    return only(z, (p >= least) | (z == z.max()))


def epsilon(z, e, h=None):
    return cut_off(z, e, "epsilon")


def eta(z, e, h=None):
    return cut_off(z, min(e, math.sqrt(e) * np.exp(-entropy(z))), "eta")


def p_less(z, o=None, h=None):
    return cut_off(z, (probs(z) ** 2).sum(), "p-less")


def top_n_sigma(z, n, h=None):
    x = z[z > -INF]
    least = x.max() - n * np.sqrt(((x - x.mean()) ** 2).mean())
    clear(x - x.max(), least - x.max(), "top-n-sigma")
    return only(z, z >= least)


def top_h(z, part, h=None):
    if (z > -INF).sum() == 1:
        return z
    lp = log_probs(z)
    terms = np.where(z > -INF, -np.exp(lp) * np.where(z > -INF, lp, 0), 0)
    c = np.cumsum(terms[order(z)])
    clear(c, part * c[-1], "top-h")
    return first(z, max(int((c <= part * c[-1])[: (z > -INF).sum()].sum()), 1))


def xtc(z, o, h):
    if h["toss"] >= o["Probability"]:
        return z
    p = probs(z)
    clear(p, o["Threshold"], "xtc")
    rank = order(z)
    n = int(((p >= o["Threshold"]) & (z > -INF)).sum())
    if n < 2 or (z > -INF).sum() - n + 1 < o.get("MinKeep", 0):
        return z
    z = z.copy()
    z[rank[: n - 1]] = -INF
    return z


def at_least(z, o, h):
    (name, v), = o["Step"][0].items()
    return {"TopP": top_p, "MinP": min_p}[name](z, v, h, o["N"])


def repetition(z, o, h):
    if o.get("Normalize"):
        z = log_probs(z)
    z = z.copy()
    for t in set(scope(h, o.get("Scope"))):
        if o.get("Normalize") or z[t] <= 0:
            z[t] *= o["Penalty"]
        else:
            z[t] /= o["Penalty"]
    return z


def frequency(z, o, h):
    z = z.copy()
    for t in scope(h, o.get("Scope")):
        z[t] -= o["Penalty"]
    return z


def presence(z, o, h):
    z = z.copy()
    for t in set(scope(h, o.get("Scope"))):
        z[t] -= o["Penalty"]
    return z


def no_repeat(z, o, h):
    text, n, z = scope(h, o.get("Scope")), o["N"], z.copy()
    if n == 0:
        return z
    seen = {tuple(text[i : i + n]) for i in range(len(text) - n + 1)}
    for t in range(len(z)):
        if len(text) >= n - 1 and tuple(text[len(text) - n + 1 :] + [t]) in seen:
            z[t] = -INF
    return z


def sequence_bias(z, o, h):
    text, s, z = scope(h, o.get("Scope")), o["Sequence"], z.copy()
    if len(s) - 1 <= len(text) and text[len(text) - len(s) + 1 :] == s[:-1]:
        z[s[-1]] += -INF if o["Bias"] == "-Inf" else o["Bias"]
    return z


def bad_words(z, o, h):
    for w in o["Words"]:
        z = sequence_bias(z, {"Sequence": w, "Bias": "-Inf", "Scope": o.get("Scope")}, h)
    return z


def logit_bias(z, o, h):
    z = z.copy()
    for t, b in o.items():
        z[int(t)] += -INF if b == "-Inf" else b
    return z


def allowed(z, o, h):
    return only(z, np.isin(np.arange(len(z)), o))


def suppressed(z, o, h):
    return only(z, ~np.isin(np.arange(len(z)), o))


def forced(z, o, h):
    at = len(h["tokens"]) - h["prompt"] - o["At"]
    if 0 <= at < len(o["Tokens"]):
        out = np.full(len(z), -INF)
        out[o["Tokens"][at]] = 0
        return out
    return z


def min_length(z, o, h):
    return z if len(scope(h, {"Of": o.get("Of", "whole text")})) >= o["Length"] else suppressed(z, o["Stop"], h)


def dry(z, o, h):
    text, z = scope(h, o.get("Scope")), z.copy()
    base, allow, breakers = o.get("Base") or 1.75, o.get("AllowedLength") or 2, o.get("Breakers") or []
    n = limit = len(text)
    for i in range(n - 1, -1, -1):
        hits = [len(b) for b in breakers if text[i : i + len(b)] == b]
        if hits:
            limit = n - i - max(hits)
            break
    if o["Multiplier"] == 0 or n <= allow or limit < allow:
        return z
    longest = {}
    for j in range(1, n):  # would text[j] follow again?
        m = 0
        while m < j and text[j - 1 - m] == text[n - 1 - m]:
            m += 1
        m = min(m, limit)
        if m >= allow:
            longest[text[j]] = max(longest.get(text[j], 0), m)
    for t, m in longest.items():
        if [t] not in breakers:
            z[t] -= o["Multiplier"] * base ** min(m - allow, int(88.7228391 / math.log(base)))
    return z


STEPS = {
    "Temperature": temperature, "DynamicTemperature": dynamic_temperature, "TopK": top_k, "TopKTies": top_k_ties,
    "TopP": top_p, "MinP": min_p, "AtLeast": at_least, "TypicalP": typical, "TypicalRule": typical,
    "Epsilon": epsilon, "Eta": eta, "PLess": p_less, "TopNSigma": top_n_sigma, "TopH": top_h, "XTC": xtc,
    "RepetitionPenalty": repetition, "FrequencyPenalty": frequency, "PresencePenalty": presence,
    "NoRepeatNGram": no_repeat, "DRY": dry, "BadWords": bad_words, "SequenceBias": sequence_bias,
    "LogitBias": logit_bias, "AllowedTokens": allowed, "SuppressedTokens": suppressed, "ForcedTokens": forced,
    "MinLength": min_length,
}


def run(steps, z, h):
    for s in steps:
        (name, o), = s.items()
        z = STEPS[name](z, o, h)
        if not (z > -INF).any():
            raise Empty
    return z


# ---- steps that learn ----------------------------------------------------------------------------------------------
class Mirostat:
    def __init__(self, o):
        self.tau, self.eta, self.mu = o["Tau"], o["Eta"], 2 * o["Tau"]

    def apply(self, z):
        surprise = -log_probs(z) / math.log(2)
        clear(surprise, self.mu, "mirostat")
        n = int((surprise <= self.mu).sum())
        return first(z, max(n, 1))

    def learn(self, z, token):
        self.mu -= self.eta * (-log_probs(z)[token] / math.log(2) - self.tau)


class Mirostat1(Mirostat):
    def __init__(self, o):
        super().__init__(o)
        self.m = o.get("M") or 100

    def apply(self, z):
        lp = np.sort(log_probs(z))[::-1][: self.m]
        i = np.arange(1, len(lp))
        t, b = np.log((i + 1) / i), lp[:-1] - lp[1:]
        s = (t * b).sum() / (t * t).sum()
        k = ((s - 1) * 2**self.mu / (1 - len(z) ** -(s - 1))) ** (1 / s)
        clear(k, round(k), "mirostat 1")
        return first(z, max(int(min(k, len(z))), 1))


class AdaptiveP:
    def __init__(self, o):
        self.target, self.decay = o["Target"], o["Decay"]
        self.sum, self.total = self.target / (1 - self.decay), 1 / (1 - self.decay)

    def apply(self, z):
        self.p = probs(z)
        x = np.abs(self.p - min(max(2 * self.target - self.sum / self.total, 0), 1)) / 0.3
        return only(5 - 10 * x * x / (1 + x), z > -INF)

    def learn(self, z, token):
        self.sum, self.total = self.p[token] + self.decay * self.sum, 1 + self.decay * self.total


LEARNERS = {"Mirostat": Mirostat, "Mirostat1": Mirostat1, "AdaptiveP": AdaptiveP}


# ---- presets: the systems as their sources have them ---------------------------------------------------------------
def llamacpp(p, z, h):
    """llama.cpp: common/sampling.cpp for the order, src/llama-sampler.cpp for the rules."""
    p = {**dict(MinKeep=0, TopK=40, TopP=0.95, MinP=0.05, XTCProbability=0, XTCThreshold=0.1, TypP=1, Temp=0.8,
                DynatempRange=0, DynatempExponent=1, TopNSigma=-1, PenaltyLastN=64, PenaltyRepeat=1, PenaltyFreq=0,
                PenaltyPresent=0, DryMultiplier=0, DryBase=1.75, DryAllowedLength=2, DryPenaltyLastN=64,
                DrySequenceBreakers=[], LogitBias={}), **p}
    keep = max(p["MinKeep"], 1)
    z = logit_bias(z, p["LogitBias"], h)
    window = [] if p["PenaltyLastN"] == 0 else h["tokens"] if p["PenaltyLastN"] < 0 else h["tokens"][-p["PenaltyLastN"]:]
    for t in set(window):
        z[t] = z[t] * p["PenaltyRepeat"] if z[t] <= 0 else z[t] / p["PenaltyRepeat"]
        z[t] -= window.count(t) * p["PenaltyFreq"] + p["PenaltyPresent"]
    if p["DryMultiplier"] and p["DryPenaltyLastN"]:
        z = dry(z, {"Multiplier": p["DryMultiplier"], "Base": p["DryBase"], "AllowedLength": p["DryAllowedLength"],
                    "Breakers": p["DrySequenceBreakers"], "Scope": {"Last": max(p["DryPenaltyLastN"], 0)}}, h)
    if p["TopNSigma"] > 0:
        z = top_n_sigma(z, p["TopNSigma"])
    if p["TopK"] > 0:
        z = first(z, p["TopK"])
    if p["TypP"] < 1:
        z = typical(z, {"P": max(p["TypP"], 0), "Exceed": True, "MinKeep": p["MinKeep"]})
    if p["TopP"] < 1:
        z = first(z, keep) if p["TopP"] <= 0 else top_p(z, p["TopP"], h, keep)
    if p["MinP"] > 0:
        z = min_p(z, p["MinP"], h, keep)
    if p["XTCThreshold"] <= 0.5:
        z = xtc(z, {"Probability": p["XTCProbability"], "Threshold": p["XTCThreshold"], "MinKeep": p["MinKeep"]}, h)
    if p["DynatempRange"] > 0 and p["Temp"] + p["DynatempRange"] > 0:
        return dynamic_temperature(z, {"Low": max(p["Temp"] - p["DynatempRange"], 0), "High": p["Temp"] + p["DynatempRange"],
                                       "Exponent": p["DynatempExponent"]})
    return temperature(z, max(p["Temp"], 0))


def nucleus_from_below(scores, p):
    """Top-p of transformers and vLLM: of the ascending sums, what is at most 1-p goes, but never the last."""
    up = order(scores)[::-1].copy()
    c = np.cumsum(probs(scores)[up])
    clear(c[(scores[up] > -INF) & (c < 1 - 1e-12)], 1 - p, "top-p from below")
    gone = c <= 1 - p
    gone[-1] = False
    out = scores.copy()
    out[up[gone]] = -INF
    return out


def huggingface(p, z, h):
    """transformers: GenerationMixin._get_logits_processor for the order, logits_process.py for the rules."""
    p = {**dict(DoSample=False, Temperature=1, TopK=50, TopP=1, TypicalP=1, RepetitionPenalty=1), **p}
    text, eos = h["tokens"], p.get("EOSTokenID") or []
    biases = {tuple(b["Sequence"]): b["Bias"] for b in p.get("SequenceBias") or []}
    for s, b in biases.items():
        z = sequence_bias(z, {"Sequence": list(s), "Bias": b}, h)
    z = z.copy()
    for t in set(text):
        z[t] = z[t] * p["RepetitionPenalty"] if z[t] < 0 else z[t] / p["RepetitionPenalty"]
    z = no_repeat(z, {"N": p.get("NoRepeatNGramSize") or 0}, h)
    z = bad_words(z, {"Words": [w for w in p.get("BadWordsIDs") or [] if len(w) > 1 or w[0] not in eos]}, h)
    if len(text) < (p.get("MinLength") or 0) or len(text) - h["prompt"] < (p.get("MinNewTokens") or 0):
        z = suppressed(z, eos, h)
    z = suppressed(z, p.get("SuppressTokens") or [], h)
    if not (z > -INF).any():
        raise Empty
    if not p["DoSample"]:
        return first(z, 1)
    z = z / p["Temperature"]
    if p.get("TopH"):
        z = top_h(first(z, 100), p["TopH"])
    if p["TopK"]:
        z = top_k_ties(z, p["TopK"])
    if p["TopP"] < 1:
        z = nucleus_from_below(z, p["TopP"])
    if p.get("MinP"):
        q = probs(z)
        clear(q[q < q.max()], p["MinP"] * q.max(), "min-p")
        z = only(z, q >= p["MinP"] * q.max())
    if 0 < p["TypicalP"] < 1:
        z = typical(z, {"P": p["TypicalP"], "Ties": True})
    if p.get("EpsilonCutoff"):
        z = epsilon(z, p["EpsilonCutoff"])
    if p.get("EtaCutoff"):
        z = eta(z, p["EtaCutoff"])
    return z


def vllm(p, z, h):
    """vLLM, engine 1: v1/sample/sampler.py for the order, its ops and processors for the rules."""
    p = {**dict(Temperature=1, TopP=1, TopK=0, MinP=0, RepetitionPenalty=1, FrequencyPenalty=0, PresencePenalty=0), **p}
    text, output, z = h["tokens"], h["tokens"][h["prompt"]:], z.copy()
    if p.get("AllowedTokenIDs"):
        z = allowed(z, p["AllowedTokenIDs"], h)
    z = bad_words(z, {"Words": p.get("BadWords") or [], "Scope": {"Of": "output only"}}, h)
    if len(output) < p.get("MinTokens", 0):
        z = suppressed(z, p["StopTokenIDs"], h)
    z = logit_bias(z, {t: min(max(b, -100), 100) for t, b in (p.get("LogitBias") or {}).items()}, h)
    for t in set(text):
        z[t] = z[t] / p["RepetitionPenalty"] if z[t] > 0 else z[t] * p["RepetitionPenalty"]
    for t in set(output):
        z[t] -= p["FrequencyPenalty"] * output.count(t) + p["PresencePenalty"]
    if not (z > -INF).any():
        raise Empty
    if p["Temperature"] == 0:
        return first(z, 1)
    z = z / max(p["Temperature"], 0.01)
    if p["MinP"]:
        q = probs(z)
        clear(q[q < q.max()], p["MinP"] * q.max(), "min-p")
        z = only(z, q >= p["MinP"] * q.max())
    if p["TopK"] > 0:
        z = top_k_ties(z, p["TopK"])
    return nucleus_from_below(z, p["TopP"]) if p["TopP"] < 1 else z


PRESETS = {"llamacpp": llamacpp, "huggingface": huggingface, "vllm": vllm}


# ---- rows ----------------------------------------------------------------------------------------------------------
def make_rows(rng, v):
    gauss, peaked = rng.normal(0, 3, v), rng.exponential(1.1, v) - 8
    peaked[rng.integers(v)] += 9
    rows = {"flat": rng.uniform(-1, 1, v), "gauss": gauss, "peaked": peaked, "ties": np.round(rng.normal(0, 1.5, v)),
            "masked": np.where(rng.random(v) < 0.3, -INF, rng.normal(0, 2, v)), "low": gauss - 30, "high": gauss + 1e4}
    if v == 5:
        rows["masked"] = np.array([1.5, -INF, 0.25, -INF, 2.125])
    return {k: x.astype(np.float32) for k, x in rows.items()}


def formula(kind, v):
    """A row that the test computes again: a linear congruence, and no function that rounds differently elsewhere."""
    s, u = 1, []
    for _ in range(4 * v):
        s = (s * 1103515245 + 12345) % 2**31
        u.append(s >> 7)
    u = np.array(u, float).reshape(v, 4)
    if kind == "flat":
        return (u[:, 0] / 2**24).astype(np.float32)
    if kind == "bell":
        return ((u.sum(1) - 2**25) * 5 / 2**24).astype(np.float32)
    t = u[:, 0] / 2**24
    for _ in range(8):
        t = t * t
    return (t * 16 + u[:, 1] / 2**24).astype(np.float32)


def make_history(rng, v):
    few = rng.integers(0, min(v - 1, 9), 40).tolist()
    tokens = few[:12] + few[2:9] + few[14:18] + few[2:9]  # so that the end is a repetition
    return {"tokens": tokens, "prompt": 10}


# ---- settings ------------------------------------------------------------------------------------------------------
def single(v, h):
    t = h["tokens"]
    last, out = t[-1], "output only"
    r = [{"Temperature": x} for x in (0, 0.3, 0.7, 1.9, 25)]
    r += [{"DynamicTemperature": {"Low": a, "High": b, "Exponent": c}} for a, b, c in
          ((0.5, 1.5, 1), (0, 2, 0.7), (0.2, 0.2, 3), (0.4, 3, 0))]
    r += [{"TopK": x} for x in (0, 1, 3, 17, 400)] + [{"TopKTies": x} for x in (1, 3, 17)]
    r += [{"TopP": x} for x in (0.05, 0.35, 0.8, 0.9731, 0.99991)]
    r += [{"MinP": x} for x in (0.0041, 0.071, 0.33, 0.9)]
    r += [{"AtLeast": {"N": 3, "Step": [{"TopP": 0.051}]}}, {"AtLeast": {"N": 4, "Step": [{"MinP": 0.91}]}}]
    r += [{"TypicalP": x} for x in (0.1, 0.45, 0.83, 0.985)]
    r += [{"TypicalRule": {"P": 0.451, **x}} for x in ({"Ties": True}, {"Exceed": True}, {"MinKeep": 4},
                                                       {"Ties": True, "Exceed": True, "MinKeep": 2})]
    r += [{"Epsilon": x} for x in (0.0007, 0.0131, 0.211, 0.9)] + [{"Eta": x} for x in (0.0007, 0.0131, 0.411)]
    r += [{"TopNSigma": x} for x in (0.31, 1.13, 2.71)] + [{"TopH": x} for x in (0.151, 0.503, 0.837)] + [{"PLess": {}}]
    r += [{"XTC": {"Probability": 0.6, "Threshold": x}} for x in (0, 0.0031, 0.0513, 0.193, 0.451)]
    r += [{"XTC": {"Probability": 0.6, "Threshold": 0.0031, "MinKeep": max(v - 2, 2)}},
          {"XTC": {"Probability": 0.2, "Threshold": 0.0031}}]
    scopes = ({}, {"Last": 5}, {"Of": "prompt only"}, {"Of": out}, {"Of": out, "Last": 3})
    r += [{"RepetitionPenalty": {"Penalty": x, "Scope": s}} for x, s in zip((1.3, 0.7, 2.5, 1.1, 5), scopes)]
    r += [{"RepetitionPenalty": {"Penalty": x, "Normalize": True, "Scope": s}} for x, s in ((1.3, {}), (0.6, {"Last": 4}))]
    r += [{"FrequencyPenalty": {"Penalty": x, "Scope": s}} for x, s in zip((0.3, -0.4, 1.9, 0.7, 12), scopes)]
    r += [{"PresencePenalty": {"Penalty": x, "Scope": s}} for x, s in zip((0.3, -0.4, 1.9, 0.7, 12), scopes)]
    r += [{"NoRepeatNGram": {"N": n, "Scope": s}} for n, s in ((1, {"Last": 2}), (2, {}), (3, {}), (3, {"Of": out}), (40, {}))]
    r += [{"DRY": {"Multiplier": 0.8}}, {"DRY": {"Multiplier": 0.3, "Base": 3, "AllowedLength": 1}},
          {"DRY": {"Multiplier": 2, "Base": 1.1, "AllowedLength": 4}}, {"DRY": {"Multiplier": 0.8, "Scope": {"Last": 9}}},
          {"DRY": {"Multiplier": 0.8, "AllowedLength": 1, "Breakers": [t[-4:-2]]}},
          {"DRY": {"Multiplier": 0.8, "AllowedLength": 1, "Breakers": [[t[-4]], [t[-5], t[-4]], [v - 1]]}}]
    r += [{"BadWords": {"Words": [[1], [last, 0], [t[-2], last, 2], [0, 0, 0]]}},
          {"BadWords": {"Words": [[last, 2]], "Scope": {"Of": "prompt only"}}}]
    r += [{"SequenceBias": {"Sequence": s, "Bias": b}} for s, b in (([2], 1.5), ([last, 3], -2.5), ([t[-2], 4], 7), ([last, 2], "-Inf"))]
    r += [{"LogitBias": {"0": 3.5, "2": -1.25, "4": "-Inf"}}, {"AllowedTokens": [4, 0, 2]}, {"SuppressedTokens": [0, 3]},
          {"AllowedTokens": [3, 1, 3]}, {"SuppressedTokens": [4, 2, 0]},  # of the masked row of 5 that is all
          {"ForcedTokens": {"At": len(t) - h["prompt"] - 1, "Tokens": [1, 3]}}, {"ForcedTokens": {"At": 0, "Tokens": [1]}},
          {"MinLength": {"Length": len(t) + 1, "Stop": [0, 2]}}, {"MinLength": {"Length": len(t), "Stop": [0, 2]}},
          {"MinLength": {"Length": 25, "Stop": [1], "Of": out}}]
    return [[s] for s in r]


def several():
    """Steps one after another, in orders that give different results."""
    k, p, m, t = {"TopK": 17}, {"TopP": 0.9}, {"MinP": 0.0213}, {"Temperature": 0.7}
    warm, rep = {"Temperature": 1.7}, {"RepetitionPenalty": {"Penalty": 1.4}}
    freq, bias = {"FrequencyPenalty": {"Penalty": 0.45}}, {"LogitBias": {"1": 2, "3": "-Inf"}}
    xtc_, typ = {"XTC": {"Probability": 1, "Threshold": 0.061}}, {"TypicalP": 0.713}
    return [[t, k, p, m], [k, p, m, t], [p, t, k], [p, warm, p], [warm, t, warm], [t, rep, freq], [rep, t, freq, p],
            [freq, k, rep], [bias, t, p, bias], [m, xtc_, t], [k, typ, warm, {"Eta": 0.021}], [{"TopNSigma": 1.51}, {"TopH": 0.613}, warm],
            [{"DRY": {"Multiplier": 1.1}}, {"TopP": 0.951}, {"DynamicTemperature": {"Low": 0.3, "High": 1.9, "Exponent": 1.5}}],
            [{"PLess": {}}, {"Epsilon": 0.0211}], [{"RepetitionPenalty": {"Penalty": 1.6, "Normalize": True}}, t, m],
            [{"TopKTies": 5}, {"TopP": 0.613}, freq, {"PresencePenalty": {"Penalty": -0.2}}, warm]]


def large(h):
    return [[s] for s in (
        {"Temperature": 0.6}, {"DynamicTemperature": {"Low": 0.5, "High": 1.5, "Exponent": 1}}, {"TopK": 50}, {"TopK": 5000},
        {"TopKTies": 1000}, {"TopP": 0.3}, {"TopP": 0.9}, {"TopP": 0.9991}, {"MinP": 0.0513}, {"MinP": 0.61}, {"TypicalP": 0.6},
        {"Epsilon": 0.0000313}, {"Eta": 0.00031}, {"TopNSigma": 1.013}, {"TopH": 0.411}, {"PLess": {}},
        {"XTC": {"Probability": 1, "Threshold": 0.0000313}}, {"RepetitionPenalty": {"Penalty": 1.3}},
        {"NoRepeatNGram": {"N": 3}}, {"DRY": {"Multiplier": 3}},
    )] + [[{"Temperature": 0.8}, {"TopK": 4000}, {"TopP": 0.951}, {"MinP": 0.013}], [{"FrequencyPenalty": {"Penalty": 0.7}}, {"TopP": 0.93}]]


def llama_settings(h):
    t = h["tokens"]
    off = {"TopK": 0, "TopP": 1, "MinP": 0, "Temp": 1}
    return [
        {}, {"Temp": 0}, {**off, "Temp": 1.3}, {"TopK": 20, "TopP": 0.8, "MinP": 0.113, "Temp": 0.5}, {"Temp": -1, "TopK": -1},
        {"PenaltyRepeat": 1.2, "PenaltyFreq": 0.4, "PenaltyPresent": 0.3}, {"PenaltyRepeat": 1.3, "PenaltyLastN": 4},
        {**off, "PenaltyLastN": -1, "PenaltyPresent": -0.5, "PenaltyRepeat": 0.8}, {"PenaltyLastN": 0, "PenaltyRepeat": 3},
        {"DryMultiplier": 0.9, "DryPenaltyLastN": -1, "DrySequenceBreakers": [[t[-5]]]}, {"DryMultiplier": 2, "DryPenaltyLastN": 10, "DryAllowedLength": 1},
        {**off, "TypP": 0.713}, {"TypP": 0.313, "MinKeep": 4}, {"TopNSigma": 1.213, "TopK": 0}, {"TopP": 0, "MinKeep": 2},
        {**off, "XTCProbability": 1, "XTCThreshold": 0.0813}, {"XTCProbability": 0.5, "XTCThreshold": 0.0613, "MinKeep": 3}, {**off, "XTCProbability": 0.2, "XTCThreshold": 0.0013},
        {"DynatempRange": 0.4, "DynatempExponent": 1.7}, {**off, "DynatempRange": 1, "Temp": 0.3}, {"MinKeep": 3, "TopP": 0.113, "MinP": 0.613},
        {"MinP": 1.5, "TopP": 2}, {"LogitBias": {"1": 2.5, "3": -4}, "TopK": 10},
        {"TopK": 30, "TopP": 0.973, "MinP": 0.0113, "XTCProbability": 1, "XTCThreshold": 0.213, "TypP": 0.973, "Temp": 1.1, "TopNSigma": 2.513,
         "PenaltyRepeat": 1.1, "PenaltyFreq": 0.1, "PenaltyPresent": 0.2, "DryMultiplier": 0.8, "LogitBias": {"2": 1}},
    ]


def hf_settings(h):
    t, on = h["tokens"], {"DoSample": True, "TopK": 0}
    last = t[-1]
    return [
        {}, {"DoSample": True}, {**on, "Temperature": 0.6}, {**on, "Temperature": 0.7, "TopK": 20, "TopP": 0.9}, {**on, "TopK": 3}, {**on, "TopP": 0.613},
        {**on, "TopP": 0}, {**on, "MinP": 0.113, "Temperature": 1.5}, {**on, "TypicalP": 0.713}, {**on, "TypicalP": 0.23, "TopK": 15}, {**on, "EpsilonCutoff": 0.0313},
        {**on, "EtaCutoff": 0.0413}, {**on, "TopH": 0.413}, {**on, "TopH": 0.713, "TopK": 12, "TopP": 0.93}, {**on, "RepetitionPenalty": 1.3},
        {"RepetitionPenalty": 1.2, "NoRepeatNGramSize": 3}, {**on, "NoRepeatNGramSize": 2}, {**on, "BadWordsIDs": [[1], [last, 2], [4]], "EOSTokenID": [4]},
        {**on, "BadWordsIDs": [[last, 2], [3]], "EOSTokenID": [last]},
        {**on, "SequenceBias": [{"Sequence": [last, 3], "Bias": 2.5}, {"Sequence": [0], "Bias": -1.5}, {"Sequence": [0], "Bias": 1}]},
        {**on, "MinLength": len(t) + 3, "EOSTokenID": [1, 2]}, {**on, "MinNewTokens": 5, "EOSTokenID": [1, 2]}, {**on, "MinNewTokens": 50, "EOSTokenID": [1]},
        {**on, "SuppressTokens": [0, 5]},
        {"DoSample": True, "Temperature": 0.8, "TopH": 0.913, "TopK": 25, "TopP": 0.953, "MinP": 0.0213, "TypicalP": 0.953, "EpsilonCutoff": 0.00313, "EtaCutoff": 0.00213,
         "RepetitionPenalty": 1.15, "NoRepeatNGramSize": 4, "BadWordsIDs": [[6]], "SuppressTokens": [7]},
    ]


def vllm_settings(h):
    t, off = h["tokens"], {"Temperature": 1}
    return [
        {}, {"Temperature": 0, "TopK": 4, "MinP": 0.5}, {"Temperature": 0.6}, {"Temperature": 0.003}, {"TopK": 3}, {"TopK": -1, "TopP": 0.613},
        {"Temperature": 0.7, "TopK": 20, "TopP": 0.9}, {"MinP": 0.113, "Temperature": 1.5}, {"MinP": 0.0313, "TopK": 12, "TopP": 0.83}, {"RepetitionPenalty": 1.3},
        {"FrequencyPenalty": 0.7, "PresencePenalty": -0.4}, {"RepetitionPenalty": 0.8, "FrequencyPenalty": -1.5, "PresencePenalty": 2, "TopP": 0.93},
        {"MinTokens": 30, "StopTokenIDs": [1, 2]}, {"MinTokens": 3, "StopTokenIDs": [1, 2]}, {"LogitBias": {"0": 3, "2": -2.5, "3": 1e6}}, {"LogitBias": {"1": -1e6, "4": 2}, "TopP": 0.913},
        {"AllowedTokenIDs": [0, 2, 4], "TopK": 2}, {"BadWords": [[1], [t[-1], 2], [t[9], t[10], 3]]}, {"BadWords": [t[-4:]], "TopP": 0.973},
        {"PresencePenalty": 0.3, "FrequencyPenalty": 0.2, "RepetitionPenalty": 1.1, "Temperature": 0.8, "TopP": 0.953, "TopK": 25, "MinP": 0.0213,
         "MinTokens": 99, "StopTokenIDs": [2], "LogitBias": {"4": 1}, "BadWords": [[6]]},
    ]


# ---- files ---------------------------------------------------------------------------------------------------------
FULL = 50


def weight(ids):
    return 1 + (ids * 7919 % 1009) / 1009


class File:
    def __init__(self, v, full=FULL):
        self.v, self.full, self.kept, self.probs, self.sums = v, full, [], [], []

    def add(self, z):
        """z is None where an error is due."""
        keep = np.zeros(self.v, bool) if z is None else z > -INF
        self.kept.append(np.packbits(keep, bitorder="little"))
        if z is None:
            self.sums.append(0)
            return
        ids, p = np.flatnonzero(keep), probs(z)
        self.sums.append(float((p[ids] * weight(ids)).sum()))
        if len(ids) > self.full:
            ids = ids[[j * (len(ids) - 1) // 7 for j in range(8)]]
        self.probs.append(p[ids].astype(float))

    def save(self, path, rows, meta):
        t = {f"row.{k}": x for k, x in rows.items()}
        if self.v > 5000:
            t["crc"] = np.array([[zlib.crc32(k.tobytes()), int(np.unpackbits(k).sum())] for k in self.kept], np.int64)
        else:
            t["kept"] = np.array(self.kept, np.uint8)
        t["probs"], t["sums"] = np.concatenate(self.probs), np.array(self.sums, float)
        meta = {k: x if isinstance(x, str) else json.dumps(x, separators=(",", ":")) for k, x in meta.items()}
        save(path, t, {"by": "internal/oracle/make_sampler.py", "full": str(self.full), **meta})
        print(f"{path}: {len(self.kept)} cases, {sum(not k.any() for k in self.kept)} errors, {os.path.getsize(path)} bytes")


def attempt(f, fn):
    try:
        z = fn()
    except Empty:
        z = None
    f.add(z if z is None or (z > -INF).any() else None)


def write_steps(path, name, rows, v, settings, h, stored=True):
    f = File(v)
    for row in rows:
        for s in settings:
            attempt(f, lambda: run(s, rows[row].astype(np.longdouble), h))
    f.save(os.path.join(path, f"vectors_{name}.safetensors"), rows if stored else {},
           {"rows": list(rows), "vocab": v, "history": h, "settings": settings})


def write_preset(path, name, rows, v, settings, h):
    f = File(v)
    for row in rows:
        for s in settings:
            attempt(f, lambda: PRESETS[name](s, rows[row].astype(np.longdouble), h))
    f.save(os.path.join(path, f"vectors_{name}.safetensors"), rows, {"rows": list(rows), "vocab": v, "history": h, "settings": settings})


def write_learners(path, rng):
    v, n = 50, 12
    rows = {str(i): (rng.normal(0, 1 + i % 4, v) + 10 * (i % 3)).astype(np.float32) for i in range(n)}
    settings = [
        {"steps": [{"Mirostat": {"Tau": 3, "Eta": 0.3}}]}, {"steps": [{"Mirostat": {"Tau": 0.4, "Eta": 1.1}}]},
        {"steps": [{"Temperature": 1.6}, {"TopK": 30}, {"Mirostat": {"Tau": 4.1, "Eta": 0.1}}]},
        {"steps": [{"Mirostat1": {"Tau": 3, "Eta": 0.3}}]}, {"steps": [{"Mirostat1": {"Tau": 1.7, "Eta": 0.9, "M": 6}}]},
        {"steps": [{"Temperature": 0.7}, {"Mirostat1": {"Tau": 2.5, "Eta": 0.2, "M": 20}}]},
        {"steps": [{"AdaptiveP": {"Target": 0.2, "Decay": 0.9}}]}, {"steps": [{"AdaptiveP": {"Target": 0.55, "Decay": 0.5}}]},
        {"steps": [{"MinP": 0.0131}, {"Temperature": 0.8}, {"AdaptiveP": {"Target": 0.05, "Decay": 0}}]},
        {"steps": [{"LogitBias": {"3": 2}}, {"Temperature": 0.9}, {"Mirostat": {"Tau": 2, "Eta": 0.25}}],
         "llamacpp": {"Mirostat": 2, "MirostatTau": 2, "MirostatEta": 0.25, "Temp": 0.9, "LogitBias": {"3": 2}, "PenaltyRepeat": 3}},
        {"steps": [{"Temperature": 1.2}, {"Mirostat1": {"Tau": 2, "Eta": 0.25, "M": 100}}],
         "llamacpp": {"Mirostat": 1, "MirostatTau": 2, "MirostatEta": 0.25, "Temp": 1.2}},
        {"steps": [{"TopK": 40}, {"TopP": 0.95}, {"MinP": 0.05}, {"Temperature": 0.8}, {"AdaptiveP": {"Target": 0.3, "Decay": 0.9}}],
         "llamacpp": {"AdaptiveP": True, "AdaptiveTarget": 0.3}},
    ]
    f = File(v)
    for s in settings:
        learners = {i: LEARNERS[name](o) for i, st in enumerate(s["steps"]) for name, o in st.items() if name in LEARNERS}
        s["draws"] = []
        for i in range(n):
            z = rows[str(i)].astype(np.longdouble)
            for j, st in enumerate(s["steps"]):
                z = learners[j].apply(z) if j in learners else run([st], z, {"tokens": [], "prompt": 0, "toss": 0})
            f.add(z)
            likely = order(z)[: min(5, int((z > -INF).sum()))]
            s["draws"].append(int(likely[3 * i % len(likely)]))
            for l in learners.values():
                l.learn(z, s["draws"][-1])
    f.save(os.path.join(path, "vectors_learners.safetensors"), rows, {"rows": list(rows), "vocab": v, "settings": settings})


def write_models(path, rows, rng):
    """Two models: guidance and contrastive decoding, whose logits are less the largest."""
    v = len(rows["gauss"])
    a, b = rows["gauss"], rng.normal(0, 3, v).astype(np.float32)
    a, b = a.copy(), b.copy()
    a[[3, 17]], b[[5, 17, 20]] = -INF, -INF
    la, lb = log_probs(a.astype(np.longdouble)), log_probs(b.astype(np.longdouble))
    masked = ~np.isfinite(la) | ~np.isfinite(lb)
    settings, out = [], []

    def add(setting, z):
        z = np.where(masked, -INF, z)
        settings.append(setting)
        out.append(z - z.max())

    with np.errstate(invalid="ignore"):
        for s in (0.25, 1, 1.5, 4, 30):
            add({"guidance": {"Scale": s}}, lb + s * (la - lb))
        for alpha in (0, 0.1, 0.531, 1):
            for t in (0, 0.5, 3):
                cool = log_probs(b.astype(np.longdouble) / (t or 1))
                if alpha:
                    clear(la[la < la.max()], la.max() + math.log(alpha), "plausibility")
                add({"contrastive": {"Alpha": alpha, "Temperature": t}}, np.where(np.exp(la) >= alpha * np.exp(la.max()) * (1 - 1e-12), la - cool, -INF))
    save(os.path.join(path, "vectors_models.safetensors"), {"row.first": a, "row.second": b, "out": np.array(out, float)},
         {"by": "internal/oracle/make_sampler.py", "settings": json.dumps(settings)})


def write_softmax(path, all_rows):
    t = {}
    for v, rows in all_rows.items():
        for name, x in rows.items():
            z = torch.from_numpy(x).double()
            t[f"row.{v}.{name}"], t[f"softmax.{v}.{name}"], t[f"log_softmax.{v}.{name}"] = x, torch.softmax(z, -1), torch.log_softmax(z, -1)
    save(os.path.join(path, "vectors_softmax.safetensors"), t, {"by": "internal/oracle/make_sampler.py"})


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--out", required=True)
    ap.add_argument("--seed", type=int, default=7)
    a = ap.parse_args()
    os.makedirs(a.out, exist_ok=True)
    rng = np.random.default_rng(a.seed)
    all_rows = {}
    for v in (5, 50, 500):
        rows, h = make_rows(rng, v), make_history(rng, v)
        h["toss"] = 0.31
        all_rows[v] = rows
        write_steps(a.out, str(v), rows, v, single(v, h) + several(), h)
    h = make_history(rng, 32000)
    h["toss"] = 0.31
    write_steps(a.out, "32000", {k: formula(k, 32000) for k in ("flat", "bell", "peaked")}, 32000, large(h), h, stored=False)
    rows, h = make_rows(rng, 60), make_history(rng, 60)
    h["toss"] = 0.31
    write_preset(a.out, "llamacpp", rows, 60, llama_settings(h), h)
    write_preset(a.out, "huggingface", rows, 60, hf_settings(h), h)
    write_preset(a.out, "vllm", rows, 60, vllm_settings(h), h)
    write_learners(a.out, rng)
    write_models(a.out, all_rows[50], rng)
    write_softmax(a.out, all_rows)


if __name__ == "__main__":
    main()
