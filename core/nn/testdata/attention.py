"""Writes attention.json: results and gradients of PyTorch's attention, transformer, normalisation and embedding layers, which the Go test reproduces.

Made with PyTorch 1.13 (Debian 12's python3-torch), float64:

    python3 attention.py > attention.json

Tensor t of case k has elements 3 * u(64 * k + t, i) - 1.5, u as in core/op/testdata/golden.py; inputs come first, then the variables in the order in which the
Go layer adds them, which are 0.4 times that (and 1 more where the name ends in "scale"). The gradients are those of sum(w * y), w being tensor 63 of the case. RMS
normalisation, sinusoids and rotary embedding, which PyTorch 1.13 does not have, are written by hand.
"""
import json
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.stateless import functional_call


def tensor(seed, shape):
    x = (np.arange(math.prod(shape), dtype=np.uint64) + np.uint64(seed * 0x9E3779B9)) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(16)
    x = x * np.uint64(0x7FEB352D) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(15)
    x = x * np.uint64(0x846CA68B) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(16)
    return torch.from_numpy(((x >> np.uint64(8)).astype(np.float64) / (1 << 24) * 3 - 1.5).reshape(shape))


torch.set_default_dtype(torch.float64)
N, T, S, D, H, FF = 2, 5, 4, 8, 2, 12
LENGTHS = torch.tensor([3, 4])
PADDED = torch.arange(S)[None] >= LENGTHS[:, None]
CAUSAL = torch.triu(torch.full((T, T), -math.inf), 1)
TOKENS = torch.tensor([[1, 0, 6, 2], [6, 6, 0, 5]])


def dense(name, units, features):
    return [(name + ".weight", (units, features)), (name + ".bias", (units,))]


def attention(name, cross=False, kdim=D, vdim=D):
    if cross:
        return dense(name + ".q", D, D) + dense(name + ".k", D, kdim) + dense(name + ".v", D, vdim) + dense(name + ".out", D, D)
    return dense(name + ".qkv", 3 * D, D) + dense(name + ".out", D, D)


def norm(name):
    return [(name + ".scale", (D,)), (name + ".bias", (D,))]


def mha(v, name, cross=False, split=False):
    """The parameters of nn.MultiheadAttention."""
    p = {"out_proj.weight": v[name + ".out.weight"], "out_proj.bias": v[name + ".out.bias"]}
    if not cross:
        p["in_proj_weight"], p["in_proj_bias"] = v[name + ".qkv.weight"], v[name + ".qkv.bias"]
        return p
    p["in_proj_bias"] = torch.cat([v[f"{name}.{c}.bias"] for c in "qkv"])
    if split:
        for c in "qkv":
            p[c + "_proj_weight"] = v[f"{name}.{c}.weight"]
    else:
        p["in_proj_weight"] = torch.cat([v[f"{name}.{c}.weight"] for c in "qkv"])
    return p


def under(prefix, p):
    return {prefix + "." + k: x for k, x in p.items()}


def self_attention(x, v, **kw):
    m = nn.MultiheadAttention(D, H, batch_first=True)
    return functional_call(m, mha(v, "attention"), (x[0], x[0], x[0]), dict(need_weights=False, **kw))[0]


def cross_attention(x, v):
    m = nn.MultiheadAttention(D, H, batch_first=True, kdim=6, vdim=3)
    return functional_call(m, mha(v, "attention", True, True), (x[0], x[1], x[2]), dict(need_weights=False, key_padding_mask=PADDED))[0]


def layer(kind, norms, act, first, x, v, *args, **kw):
    m = kind(D, H, FF, dropout=0, activation=act, batch_first=True, norm_first=first)
    name = "encoder" if kind is nn.TransformerEncoderLayer else "decoder"
    p = under("self_attn", mha(v, name + ".attn"))
    if name == "decoder":
        p |= under("multihead_attn", mha(v, name + ".cross", True))
    for i in (1, 2):
        p[f"linear{i}.weight"], p[f"linear{i}.bias"] = v[f"{name}.ffn{i}.weight"], v[f"{name}.ffn{i}.bias"]
    for i in range(1, norms + 1):
        p[f"norm{i}.weight"], p[f"norm{i}.bias"] = v[f"{name}.norm{i}.scale"], v[f"{name}.norm{i}.bias"]
    return functional_call(m, p, (x[0], *args), kw)


def encoder(act, first, **kw):
    return lambda x, v: layer(nn.TransformerEncoderLayer, 2, act, first, x, v, **kw)


def decoder(act, first):
    return lambda x, v: layer(nn.TransformerDecoderLayer, 3, act, first, x, v, x[1], tgt_mask=CAUSAL, memory_key_padding_mask=PADDED)


def encoder_vars(first):
    a, f = attention("encoder.attn"), dense("encoder.ffn1", FF, D) + dense("encoder.ffn2", D, FF)
    n1, n2 = norm("encoder.norm1"), norm("encoder.norm2")
    return n1 + a + n2 + f if first else a + n1 + f + n2


def decoder_vars(first):
    a, c = attention("decoder.attn"), attention("decoder.cross", True)
    f = dense("decoder.ffn1", FF, D) + dense("decoder.ffn2", D, FF)
    n = [norm(f"decoder.norm{i}") for i in (1, 2, 3)]
    return n[0] + a + n[1] + c + n[2] + f if first else a + n[0] + c + n[1] + f + n[2]


def rms(x, v):
    return x[0] / torch.sqrt((x[0] ** 2).mean(-1, keepdim=True) + 1e-5) * v["rmsnorm.scale"]


def sinusoids(x, v):
    p, i = torch.arange(T)[:, None], torch.arange(D)[None]
    a = p / 10000 ** (i // 2 * 2 / D)
    return x[0] + torch.where(i % 2 == 0, a.sin(), a.cos())


def rotary(x, v):
    size = D // H
    q, k, w = F.linear(x[0], v["attention.qkv.weight"], v["attention.qkv.bias"]).reshape(N, T, 3, H, size).permute(2, 0, 3, 1, 4)
    a = torch.arange(T)[:, None] / 10000 ** (torch.arange(size // 2)[None] * 2 / size)

    def turn(t):
        a1, a2 = t[..., : size // 2], t[..., size // 2 :]
        return torch.cat([a1 * a.cos() - a2 * a.sin(), a1 * a.sin() + a2 * a.cos()], -1)

    p = torch.softmax(turn(q) @ turn(k).transpose(-1, -2) / math.sqrt(size) + CAUSAL, -1)
    y = (p @ w).transpose(1, 2).reshape(N, T, D)
    return F.linear(y, v["attention.out.weight"], v["attention.out.bias"])


def grouped(x, v):
    size, kv = D // 4, 2
    qkv = F.linear(x[0], v["attention.qkv.weight"], v["attention.qkv.bias"])
    q, k, w = qkv.split([D, kv * size, kv * size], -1)
    q = q.reshape(N, T, 4, size).transpose(1, 2)
    k, w = (t.reshape(N, T, kv, size).transpose(1, 2).repeat_interleave(2, 1) for t in (k, w))
    y = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(size), -1) @ w
    return F.linear(y.transpose(1, 2).reshape(N, T, D), v["attention.out.weight"], v["attention.out.bias"])


CASES = [
    # name, shapes of inputs, variables, function of inputs and variables
    ("attention", [(N, T, D)], attention("attention"), self_attention),
    ("attention causal", [(N, T, D)], attention("attention"), lambda x, v: self_attention(x, v, attn_mask=CAUSAL)),
    ("attention padded", [(N, S, D)], attention("attention"), lambda x, v: self_attention(x, v, key_padding_mask=PADDED)),
    ("attention cross", [(N, T, D), (N, S, 6), (N, S, 3)], attention("attention", True, 6, 3), cross_attention),
    ("attention grouped", [(N, T, D)], dense("attention.qkv", 2 * D, D) + dense("attention.out", D, D), grouped),
    ("attention rotary", [(N, T, D)], attention("attention"), rotary),
    ("encoder", [(N, T, D)], encoder_vars(False), encoder("relu", False)),
    ("encoder first", [(N, T, D)], encoder_vars(True), encoder("gelu", True, src_mask=CAUSAL)),
    ("encoder padded", [(N, S, D)], encoder_vars(True), encoder("relu", True, src_key_padding_mask=PADDED)),
    ("decoder", [(N, T, D), (N, S, D)], decoder_vars(False), decoder("relu", False)),
    ("decoder first", [(N, T, D), (N, S, D)], decoder_vars(True), decoder("gelu", True)),
    ("layernorm", [(N, T, D)], norm("layernorm"), lambda x, v: F.layer_norm(x[0], (D,), v["layernorm.scale"], v["layernorm.bias"])),
    ("groupnorm", [(N, D, 3, 2)], norm("groupnorm"), lambda x, v: F.group_norm(x[0], 4, v["groupnorm.scale"], v["groupnorm.bias"])),
    ("rmsnorm", [(N, T, D)], [("rmsnorm.scale", (D,))], rms),
    ("embedding", [], [("embedding.weight", (7, 3))], lambda x, v: F.embedding(TOKENS, v["embedding.weight"])),
    ("embedding padded", [], [("embedding.weight", (7, 3))], lambda x, v: F.embedding(TOKENS, v["embedding.weight"] * (torch.arange(7) != 6)[:, None], padding_idx=6)),
    ("sinusoids", [(N, T, D)], [], sinusoids),
]


def numbers(t):
    return [float(f"{v:.9g}") for v in t.flatten().tolist()]


def main():
    out = []
    for k, (name, shapes, variables, f) in enumerate(CASES):
        x = [tensor(64 * k + i, s).requires_grad_() for i, s in enumerate(shapes)]
        v = {}
        for i, (n, s) in enumerate(variables):
            v[n] = (0.4 * tensor(64 * k + len(shapes) + i, s) + n.endswith("scale")).requires_grad_()
        y = f(x, v)
        wrt = x + list(v.values())
        grads = torch.autograd.grad((y * tensor(64 * k + 63, y.shape)).sum(), wrt)
        out.append(dict(name=name, shapes=shapes, variables=list(v), shape=list(y.shape), y=numbers(y), grads=[numbers(g) for g in grads]))
    print("[" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in out) + "]")


main()
