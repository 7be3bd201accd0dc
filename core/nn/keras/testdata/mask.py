"""Writes mask.json: results, losses and gradients of models with masked sequences, which the Go test reproduces.

Made with PyTorch 1.13 (Debian 12's python3-torch), float64, rounded to 9 digits:

    python3 mask.py > mask.json

A masked step is written out as Keras 3 defines it: the state and the output stay what they were before it (zeros before the first step), Bidirectional gives zeros there, masked keys are not
seen by attention and masked queries see nothing, averages and losses are over the steps that count. Where sequences are padded on the right, pack_padded_sequence gives the
same, which the script checks.

Element i of weight t of case c is 0.8 * (2 * u(32 * c + t, i) - 1); u(seed, i) is the upper 24 bits, as a fraction, of the 32-bit mixing function "lowbias32" (Chris Wellons,
https://nullprogram.com/blog/2018/07/31/) of i + seed * 0x9e3779b9. Targets are tensor 31, of scale 1.5. Weights have Keras's shapes and order.
"""
import json
import math

import numpy as np
import torch
import torch.nn.functional as F

IDS = torch.tensor([[3, 1, 4, 2, 5], [2, 5, 1, 0, 0], [1, 0, 3, 0, 2], [0, 0, 4, 1, 0], [0, 0, 0, 0, 0]])
MASK = IDS != 0
N, T = IDS.shape
V, D, H = 6, 4, 3


def tensor(seed, scale, *shape):
    x = (np.arange(math.prod(shape), dtype=np.uint64) + np.uint64(seed * 0x9E3779B9)) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(16)
    x = x * np.uint64(0x7FEB352D) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(15)
    x = x * np.uint64(0x846CA68B) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(16)
    u = ((x >> np.uint64(8)).astype(np.float64) / (1 << 24) * 2 - 1) * scale
    return torch.from_numpy(u.astype(np.float32).astype(np.float64).reshape(shape))


def step(kind, x, h, c, k, r, b):
    if kind == "rnn":
        return torch.tanh(x @ k + h @ r + b), c
    if kind == "lstm":
        i, f, g, o = (x @ k + h @ r + b).chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c
    xz, xr, xn = (x @ k + b[0]).chunk(3, -1)
    hz, hr, hn = (h @ r + b[1]).chunk(3, -1)
    z = (xz + hz).sigmoid()
    n = torch.tanh(xn + (xr + hr).sigmoid() * hn)
    return z * h + (1 - z) * n, c


def recurrent(kind, x, k, r, b, back=False, zero=False):
    """All outputs in the order in which they are computed, and the last one."""
    h = c = torch.zeros(N, r.shape[0], dtype=torch.float64)
    out = []
    for t in reversed(range(T)) if back else range(T):
        m = MASK[:, t, None]
        h1, c1 = step(kind, x[:, t], h, c, k, r, b)
        h, c = torch.where(m, h1, h), torch.where(m, c1, c)
        out.append(torch.where(m, h, torch.zeros_like(h)) if zero else h)
    return torch.stack(out, 1), h


def average(y):
    m = MASK[..., None].double()
    return (y * m).sum(1) / m.sum(1).clamp(min=1)


def masked_mean(per):
    return (per * MASK.double()).sum() / MASK.sum()


def lstm_tags(w, target):
    y, _ = recurrent("lstm", w[0][IDS], *w[1:4])
    y = F.softmax(y @ w[4] + w[5], -1)
    return y, masked_mean(-torch.log(y.gather(2, target[..., None])[..., 0]))


def gru_last(w, target):
    y = recurrent("gru", w[0][IDS], *w[1:4])[1] @ w[4] + w[5]
    return y, ((y - target) ** 2).mean()


def both_ways(w, target):
    x = w[0][IDS]
    y, _ = recurrent("rnn", x, *w[1:4], zero=True)
    z, _ = recurrent("rnn", x, *w[4:7], back=True, zero=True)
    y = average(torch.cat([y, z.flip(1)], -1)) @ w[7] + w[8]
    return y, ((y - target) ** 2).mean()


def stacked(w, target):
    y, _ = recurrent("lstm", w[0][IDS], *w[1:4])
    y, _ = recurrent("gru", y, *w[4:7], back=True)
    return y, masked_mean((y - target).abs().mean(-1))


def attention(w, target):
    x = w[0][IDS]
    q, k, v = (torch.einsum("ntf,fhe->nhte", x, w[1 + 2 * i]) + w[2 + 2 * i][:, None] for i in range(3))
    s = (q @ k.transpose(2, 3)) / math.sqrt(q.shape[-1])
    sees = (MASK[:, None, :, None] & MASK[:, None, None, :]).expand_as(s)
    p = F.softmax(s.masked_fill(~sees, -1e9), -1) * sees
    y = x + torch.einsum("nhte,heo->nto", p @ v, w[7]) + w[8]
    y = average(F.layer_norm(y, (D,), w[9], w[10], 1e-3)) @ w[11] + w[12]
    return y, ((y - target) ** 2).mean()


def statistics(w, target):
    x, m = w[0][IDS], MASK[..., None].double()
    n = m.sum() + 1e-7
    mean = (x * m).sum((0, 1)) / n
    var = (((x - mean) * m) ** 2).sum((0, 1)) / n
    y = (x - mean) / torch.sqrt(var + 1e-3) * w[1] + w[2]
    y = y @ w[5] + w[6]
    return y, masked_mean(((y - target) ** 2).mean(-1))


RNN = lambda d, g: [(d, g * H), (H, g * H), (g * H,)]
GRU = lambda d: [(d, 3 * H), (H, 3 * H), (2, 3 * H)]
CASES = [
    ("lstm tags", lstm_tags, [(V, D), *RNN(D, 4), (H, 3), (3,)], (N, T)),
    ("gru last", gru_last, [(V, D), *GRU(D), (H, 2), (2,)], (N, 2)),
    ("both ways", both_ways, [(V, D), *RNN(D, 1), *RNN(D, 1), (2 * H, 2), (2,)], (N, 2)),
    ("stacked", stacked, [(V, D), *RNN(D, 4), *GRU(H)], (N, T, H)),
    ("attention", attention, [(V, D), *[(D, 2, 3), (2, 3)] * 3, (2, 3, D), (D,), (D,), (D,), (D, 2), (2,)], (N, 2)),
    ("statistics", statistics, [(V, D), (D,), (D,), (D,), (D,), (D, 2), (2,)], (N, T, 2)),
]


def check():
    """On right-padded sequences the steps above are PyTorch's of packed sequences."""
    x, rows = tensor(999, 1, 2, T, D), [0, 1]
    w = [tensor(1000 + i, 0.8, *s) for i, s in enumerate(RNN(D, 4))]
    net = torch.nn.LSTM(D, H, batch_first=True).double()
    with torch.no_grad():
        net.weight_ih_l0.copy_(w[0].T), net.weight_hh_l0.copy_(w[1].T), net.bias_ih_l0.copy_(w[2]), net.bias_hh_l0.zero_()
        lengths = MASK[rows].sum(1)
        packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
        want, _ = torch.nn.utils.rnn.pad_packed_sequence(net(packed)[0], batch_first=True, total_length=T)
        full = torch.zeros(N, T, D, dtype=torch.float64)
        full[rows] = x
        got = recurrent("lstm", full, *w, zero=True)[0][rows]
        assert torch.allclose(got, want), (got - want).abs().max()


def rounded(t):
    return [float(f"{v:.9g}") for v in t.detach().reshape(-1).tolist()]


def main():
    check()
    out = []
    for c, (name, f, shapes, target) in enumerate(CASES):
        w = [tensor(32 * c + i, 0.8, *s).requires_grad_() for i, s in enumerate(shapes)]
        t = tensor(32 * c + 31, 1.5, *target)
        if name == "lstm tags":
            t = ((t + 1.5) / 3 * 2.999).long()
        y, loss = f(w, t)
        grads = torch.autograd.grad(loss, w, allow_unused=True)
        out.append({"name": name, "y": rounded(y), "loss": rounded(loss)[0], "grads": [None if g is None else rounded(g) for g in grads]})
    print(json.dumps(out, indent=0, separators=(",", ":")))


main()
