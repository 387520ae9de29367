#!/usr/bin/env python3
"""Losses and gradients of every function of package loss with every option, by PyTorch's autograd in float64.

Usage: /usr/bin/python3 make_losses.py --out testdata
Needs: Debian's python3-torch and python3-numpy (torch 1.13).

It writes loss_options.safetensors:
  in.FAMILY.KIND.NAME  operands (F32; I64 for ids), the same for all cases of a family of functions and a kind of numbers
  out                  F64: of one case after another the loss, and the gradients of what is trained
"cases" under __metadata__ lists [function, config, kind]. Kinds are plain numbers, large ones, of about 1e4 and integers,
which float32 multiplies without rounding, and masked ones, with infinities. A loss of rows is multiplied by in.FAMILY.KIND.gy.
"""
import argparse, json, math, os
import numpy as np
import torch
from make_oracle import save

BIG = 1e30  # what an infinity is here: exp(-BIG) is 0, and 0·BIG is no NaN
CLASSES = [1.0, 0.5, 2.0, 0.25, 1.5]
MEAN, SUM, NONE = 0, 1, 2


def reduced(o, losses, weight, gy):
    """The mean divides by weight."""
    r = o.get("Reduction", MEAN)
    if r == NONE:
        return losses, (losses * gy).sum()
    y = losses.sum() if r == SUM else losses.sum() / weight
    return y, y


def capped(o, x):
    c = o.get("SoftCap", 0)
    return x if not c else torch.where(x.abs() < BIG / 2, c * torch.tanh(x / c), x)


def scores(o, logits, targets, rows, gy):
    x = capped(o, logits)
    lp, lse = torch.log_softmax(x, -1), torch.logsumexp(x, -1)
    keep = (targets != -100) & ~torch.isin(targets, torch.tensor(o.get("Ignore") or [-100]))
    t = torch.where(keep, targets, 0)
    cw = torch.tensor(o.get("Weights") or [1.0] * x.shape[-1], dtype=torch.float64)
    nll, w, e = -lp.gather(-1, t[..., None])[..., 0], cw[t] * rows * keep, o.get("LabelSmoothing", 0)
    loss = w * (1 - torch.exp(-nll)) ** o["FocalGamma"] * nll if o.get("FocalGamma") else w * nll
    if e:
        loss = (1 - e) * loss + e / x.shape[-1] * rows * keep * (cw * -lp).sum(-1)
    z = o.get("ZLoss", 0) * rows * keep * lse**2
    a, b = reduced(o, loss, w.sum(), gy), reduced(o, z, (rows * keep).sum(), gy)
    return a[0] + b[0], a[1] + b[1]


def soft(o, logits, probs, rows, gy):
    x = capped(o, logits)
    lp, e, n = torch.log_softmax(x, -1), o.get("LabelSmoothing", 0), x.shape[-1]
    cw = torch.tensor(o.get("Weights") or [1.0] * n, dtype=torch.float64)
    p = (1 - e) * probs + e / n
    loss = rows * ((p * cw * -lp).sum(-1) + o.get("ZLoss", 0) * torch.logsumexp(x, -1) ** 2)
    return reduced(o, loss, rows.sum(), gy)


def binary(o, x, y, rows, gy):
    log_p, log_q = torch.nn.functional.logsigmoid(x), torch.nn.functional.logsigmoid(-x)
    p, a, gamma = torch.sigmoid(x), o.get("Alpha") or None, o.get("FocalGamma", 0)
    pos = torch.tensor(o.get("PosWeight") or [1.0], dtype=torch.float64)
    yes, no = pos * y * (a or 1) * -log_p, (1 - y) * (1 - a if a else 1) * -log_q
    if gamma:
        yes, no = yes * (1 - p) ** gamma, no * p**gamma
    return reduced(o, rows * (yes + no), rows.sum(), gy)


def divergence(o, student, teacher, rows, gy):
    t, m = o.get("Temperature") or 1, o.get("Measure", 0)
    lq, lp = torch.log_softmax(student / t, -1), torch.log_softmax(teacher / t, -1)
    kl = lambda a, b: (a.exp() * (a - b)).sum(-1)
    if m == 0:
        d = kl(lp, lq)
    elif m == 1:
        d = kl(lq, lp)
    else:
        b = o.get("Beta") or 0.5
        lm = torch.logaddexp(lp + math.log(b), lq + math.log(1 - b))
        d = b * kl(lp, lm) + (1 - b) * kl(lq, lm)
    return reduced(o, rows * d * t * t, rows.sum(), gy)


def sequence(o, logits, targets, gy, gyrow):
    x = capped(o, logits)
    keep = (targets != -100) & ~torch.isin(targets, torch.tensor(o.get("Ignore") or [-100]))
    lp = torch.log_softmax(x, -1).gather(-1, torch.where(keep, targets, 0)[..., None])[..., 0] * keep
    r = o.get("Reduction", MEAN)
    if r == NONE:
        return lp, (lp * gy).sum()
    y = lp.sum(-1) if r == SUM else lp.sum(-1) / keep.sum(-1)
    return y, (y * gyrow).sum()


def pairs(o, chosen, rejected, ref_chosen, ref_rejected, gy):
    h = chosen - rejected
    if not o.get("ReferenceFree"):
        h = h - (ref_chosen - ref_rejected)
    b, s = o.get("Beta") or 0.1, o.get("LabelSmoothing", 0)
    ls = torch.nn.functional.logsigmoid
    loss = (h - 1 / (2 * b)) ** 2 if o.get("IPO") else -(1 - s) * ls(b * h) - s * ls(-b * h)
    return reduced(o, loss, float(len(h)), gy)


def rollout(o, now, advantages, old, reference, rows, gy):
    r = torch.exp(now - old)
    low = o.get("Clip") or 0.2
    high = o.get("ClipHigh") or low
    loss = -torch.minimum(r * advantages, torch.clamp(r, 1 - low, 1 + high) * advantages)
    if o.get("KL"):
        d = reference - now
        loss = loss + o["KL"] * (torch.exp(d) - d - 1)
    loss = rows * loss
    if o.get("PerSequence"):
        y = (loss.sum(-1) / rows.sum(-1)).mean()
        return y, y
    return reduced(o, loss, rows.sum(), gy)


# ---- functions: family, what is trained, the loss of the operands --------------------------------------------------
def of_linear(f):
    return lambda o, i: f(o, {**i, "logits": i["x"] @ i["w"].T})


def ce(weighted):
    return lambda o, i: scores(o, i["logits"], i["targets"], i["weights"] if weighted else torch.ones_like(i["weights"]), i["gy"])


def seq(o, i):
    return sequence(o, i["logits"], i["targets"], i["gy"], i["gy"][:, 0])


def rows_of(f, a, b, weighted):
    return lambda o, i: f(o, i[a], i[b], i["weights"] if weighted else torch.ones_like(i["weights"]), i["gy"])


FUNCTIONS = {
    "Options.CrossEntropy": ("scores", ["logits"], ce(False)),
    "Options.CrossEntropyWeighted": ("scores", ["logits"], ce(True)),
    "Options.LinearCrossEntropy": ("linear", ["x", "w"], of_linear(ce(False))),
    "Options.LinearCrossEntropyWeighted": ("linear", ["x", "w"], of_linear(ce(True))),
    "Options.SequenceLogProb": ("scores", ["logits"], seq),
    "Options.LinearSequenceLogProb": ("linear", ["x", "w"], of_linear(seq)),
    "Options.SoftCrossEntropy": ("soft", ["logits"], rows_of(soft, "logits", "probs", False)),
    "Options.SoftCrossEntropyWeighted": ("soft", ["logits"], rows_of(soft, "logits", "probs", True)),
    "Binary.CrossEntropy": ("binary", ["logits"], rows_of(binary, "logits", "targets", False)),
    "Binary.CrossEntropyWeighted": ("binary", ["logits"], rows_of(binary, "logits", "targets", True)),
    "Distillation.Divergence": ("divergence", ["student"], rows_of(divergence, "student", "teacher", False)),
    "Distillation.DivergenceWeighted": ("divergence", ["student"], rows_of(divergence, "student", "teacher", True)),
    "DPO.Loss": ("pairs", ["chosen", "rejected"], lambda o, i: pairs(o, i["chosen"], i["rejected"], i["ref_chosen"], i["ref_rejected"], i["gy"])),
    "PolicyGradient.Loss": ("rollout", ["now"], lambda o, i: rollout(o, i["now"], i["advantages"], i["old"], i["reference"], i["weights"], i["gy"])),
}
for short, full, fixed in (("CrossEntropy", "Options.CrossEntropy", {}), ("LinearCrossEntropy", "Options.LinearCrossEntropy", {}),
                           ("SequenceLogProb", "Options.SequenceLogProb", {"Reduction": SUM}), ("TokenLogProb", "Options.SequenceLogProb", {"Reduction": NONE}),
                           ("SoftCrossEntropy", "Options.SoftCrossEntropy", None), ("BinaryCrossEntropy", "Binary.CrossEntropy", {}),
                           ("KLDivergence", "Distillation.Divergence", None)):
    family, trained, f = FUNCTIONS[full]
    FUNCTIONS[short] = (family, trained, (lambda f, fixed: lambda o, i: f(o if fixed is None else fixed, i))(f, fixed))

REDUCTIONS = [{}, {"Reduction": SUM}, {"Reduction": NONE}]
OPTIONS = [{"Weights": CLASSES}, {"LabelSmoothing": 0.2}, {"ZLoss": 0.3}, {"SoftCap": 1.5}]
ALL = {"Weights": CLASSES, "LabelSmoothing": 0.1, "ZLoss": 0.02, "SoftCap": 5}
SCORED = REDUCTIONS + OPTIONS + [{"Ignore": [1]}, {"FocalGamma": 2}, {"FocalGamma": 3, "Weights": CLASSES, "ZLoss": 0.1, "SoftCap": 4},
                                 *[{**ALL, "Ignore": [1], **r} for r in REDUCTIONS]]
CONFIGS = {
    "scores": SCORED, "linear": SCORED, "soft": REDUCTIONS + OPTIONS + [{**ALL, **r} for r in REDUCTIONS],
    "binary": REDUCTIONS + [{"PosWeight": [2.5]}, {"PosWeight": CLASSES}, {"FocalGamma": 2}, {"Alpha": 0.3}]
    + [{"PosWeight": CLASSES, "FocalGamma": 3, "Alpha": 0.25, **r} for r in REDUCTIONS],
    "divergence": REDUCTIONS + [{"Temperature": 2.5}, {"Measure": 1}, {"Measure": 2}, {"Measure": 2, "Beta": 0.2}]
    + [{"Measure": m, "Temperature": 0.5, **r} for m in (1, 2) for r in REDUCTIONS],
    "pairs": REDUCTIONS + [{"Beta": 0.7}, {"LabelSmoothing": 0.2}, {"IPO": True}, {"ReferenceFree": True}]
    + [{"Beta": 0.4, "LabelSmoothing": 0.1, **r} for r in REDUCTIONS] + [{"IPO": True, "Beta": 0.3, "ReferenceFree": True}],
    "rollout": REDUCTIONS + [{"PerSequence": True}, {"Clip": 0.4}, {"ClipHigh": 0.5}, {"KL": 0.3}, {"PerSequence": True, "Clip": 0.4, "KL": 0.1}],
}
SEQUENCES = REDUCTIONS + [{"Ignore": [1]}, {"SoftCap": 1.5}, {"Ignore": [1], "SoftCap": 3, "Reduction": SUM}]


def configs(name):
    if "SequenceLogProb" in name and "." in name:
        return SEQUENCES
    if name in ("SoftCrossEntropy", "KLDivergence"):
        return REDUCTIONS
    return CONFIGS[FUNCTIONS[name][0]] if "." in name else [{}]


def inputs(rng):
    f = lambda a: np.asarray(a, np.float32)
    targets = np.array([[0, 3, 1], [4, -100, 2]])
    rows = f([[1, 0.5, 2], [0.25, 3, 0]])
    gy = f(rng.normal(0, 1, (2, 3)))
    out = {}
    for kind in ("plain", "large"):
        num = (lambda *s: f(rng.normal(0, 1, s))) if kind == "plain" else (lambda *s: f(np.round(rng.normal(0, 1e4, s))))
        few = (lambda *s: f(rng.normal(0, 1, s))) if kind == "plain" else (lambda *s: f(np.round(rng.normal(0, 60, s))))
        probs = rng.dirichlet(np.ones(5), (2, 3))
        probs[0, 0] = [0.5, 0, 0, 0.5, 0]
        yes = rng.random((2, 3, 5))
        yes[0], yes[1, 0] = np.round(yes[0]), 1
        out["scores", kind] = {"logits": num(2, 3, 5), "targets": targets, "weights": rows, "gy": gy}
        out["linear", kind] = {"x": few(2, 3, 3), "w": few(5, 3), "targets": targets, "weights": rows, "gy": gy}
        out["soft", kind] = {"logits": num(2, 3, 5), "probs": f(probs), "weights": rows, "gy": gy}
        out["binary", kind] = {"logits": num(2, 3, 5), "targets": f(yes), "weights": f(rng.integers(0, 4, (2, 3, 5)) / 2), "gy": f(rng.normal(0, 1, (2, 3, 5)))}
        out["divergence", kind] = {"student": num(2, 3, 5), "teacher": num(2, 3, 5), "weights": rows, "gy": gy}
        out["binary", kind]["weights"][0, 0, 0] = 1
        out["pairs", kind] = {k: num(6) for k in ("chosen", "rejected", "ref_chosen", "ref_rejected")}
        out["pairs", kind]["gy"] = f(rng.normal(0, 1, 6))
        base = f(rng.normal(-3, 1, (2, 3))) if kind == "plain" else f(np.full((2, 3), -10000))
        step = f([[0.28, -0.4, 0.46], [-0.1, 0.6, 0.05]]) if kind == "plain" else f([[1, -1, 2], [0, -3, 1]])
        out["rollout", kind] = {"now": base + step, "old": base, "reference": base - step[:, ::-1].copy(), "weights": rows, "gy": gy,
                                "advantages": f([[1, -0.5, 2], [-1.5, 0.8, 1]]) * f(1 if kind == "plain" else 1e4)}
    inf = np.inf
    for family, name in (("scores", "logits"), ("soft", "logits"), ("divergence", "student")):
        m = {k: x.copy() for k, x in out[family, "plain"].items()}
        m[name][0, 0, 1:3] = m[name][1, 0, 0] = -inf
        if family == "soft":
            m["probs"][1, 0] = [0, 0.25, 0.25, 0, 0.5]
        if family == "divergence":
            m["teacher"][0, 0, 1:3] = m["teacher"][1, 0, 0] = -inf
        out[family, "masked"] = m
    m = {k: x.copy() for k, x in out["binary", "plain"].items()}
    m["logits"][0] = np.where(m["targets"][0] > 0.5, inf, -inf)
    out["binary", "masked"] = m
    return out


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--out", required=True)
    ap.add_argument("--seed", type=int, default=5)
    a = ap.parse_args()
    given = inputs(np.random.default_rng(a.seed))
    cases, out = [], []
    for name, (family, trained, f) in FUNCTIONS.items():
        for o in configs(name):
            for kind in ("plain", "large", "masked"):
                if (family, kind) not in given or kind == "masked" and o.get("LabelSmoothing"):
                    continue  # under label smoothing a masked class costs +Inf
                i = {k: torch.from_numpy(np.clip(x, -BIG, BIG).astype(float) if x.dtype == np.float32 else x) for k, x in given[family, kind].items()}
                for k in trained:
                    i[k].requires_grad_(True)
                y, cost = f(o, i)
                cost.backward()
                parts = [y.detach().reshape(-1)] + [i[k].grad.reshape(-1) for k in trained]
                if not all(torch.isfinite(p).all() for p in parts):
                    raise SystemExit(f"{name} {o} {kind}: {parts}")
                cases.append([name, o, kind])
                out += parts
    t = {f"in.{family}.{kind}.{k}": x for (family, kind), i in given.items() for k, x in i.items()}
    t["out"] = torch.cat(out)
    save(os.path.join(a.out, "loss_options.safetensors"), t, {"cases": json.dumps(cases, separators=(",", ":"))})
    print(len(cases), "cases,", os.path.getsize(os.path.join(a.out, "loss_options.safetensors")), "bytes")


if __name__ == "__main__":
    main()
