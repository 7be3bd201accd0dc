"""Writes rnn.json: results and gradients of PyTorch's recurrent layers on small sequences, which the Go test reproduces.

Made with PyTorch 1.13 (Debian 12's python3-torch), float64, rounded to 9 digits:

    python3 golden_rnn.py > rnn.json

Element i of tensor t of case c is scale * (2 * u(32 * c + t, i) - 1); u(seed, i) is the upper 24 bits, as a fraction, of the 32-bit mixing function
"lowbias32" (Chris Wellons, https://nullprogram.com/blog/2018/07/31/) of i + seed * 0x9e3779b9. The scale is 0.8 for weights and 1.5 for others. Tensors 0 to 2 are the input, h0 and
c0; 3 to 5 weigh the results y, hn and cn, whose weighted sum is the loss; from 8 on follow the weights of each layer: W, R and both biases, in ONNX's layout.
States are [N, layers * directions, H].
"""
import json
import math
import sys

import numpy as np
import torch

N, T, D, H = 3, 5, 2, 4
# PyTorch's gates in ONNX's order.
ORDER = {"RNN": [0], "GRU": [1, 0, 2], "LSTM": [0, 3, 1, 2]}


def tensor(seed, scale, *shape):
    x = (np.arange(math.prod(shape), dtype=np.uint64) + np.uint64(seed * 0x9E3779B9)) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(16)
    x = x * np.uint64(0x7FEB352D) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(15)
    x = x * np.uint64(0x846CA68B) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(16)
    u = ((x >> np.uint64(8)).astype(np.float64) / (1 << 24) * 2 - 1) * scale
    return torch.from_numpy(u.astype(np.float32).astype(np.float64).reshape(shape))


def blocks(kind, t, back=False):
    """Reorders the gates of t [gates * H, ...] from ONNX's order to PyTorch's, or back."""
    parts = t.reshape(len(ORDER[kind]), H, *t.shape[1:])
    if back:
        return torch.cat([parts[g] for g in ORDER[kind]])
    out = torch.empty_like(parts)
    for onnx, theirs in enumerate(ORDER[kind]):
        out[theirs] = parts[onnx]
    return out.reshape(t.shape)


def rounded(t):
    return [float(f"{v:.9g}") for v in t.detach().reshape(-1).tolist()]


def case(number, kind, layers=1, both=False, lengths=None, states=False, relu=False):
    dirs, gates = 2 if both else 1, len(ORDER[kind])
    args = dict(num_layers=layers, bidirectional=both, batch_first=True)
    if kind == "RNN":
        args["nonlinearity"] = "relu" if relu else "tanh"
    net = getattr(torch.nn, kind)(D, H, **args).double()
    names = []
    seed = 32 * number
    for k in range(layers):
        size = D if k == 0 else dirs * H
        w, r, b = (tensor(seed + 8 + 3 * k + i, 0.8, dirs, gates * H, *s) for i, s in enumerate([(size,), (H,), (2,)]))
        # Biases are made as [dirs, gates * H, 2] and laid out as [dirs, 2, gates * H].
        names.append((w, r, b))
        for d in range(dirs):
            end = f"_l{k}" + ("_reverse" if d else "")
            for name, v in (("weight_ih", w[d]), ("weight_hh", r[d]), ("bias_ih", b[d, :, 0]), ("bias_hh", b[d, :, 1])):
                getattr(net, name + end).data = blocks(kind, v.contiguous()).contiguous()
    x = tensor(seed, 1.5, N, T, D).requires_grad_()
    h0, c0 = (tensor(seed + 1 + i, 1.5, N, layers * dirs, H).requires_grad_() for i in range(2))
    hx = None
    if states:
        hx = h0.transpose(0, 1).contiguous()
        if kind == "LSTM":
            hx = (hx, c0.transpose(0, 1).contiguous())
    inp = x
    if lengths:
        inp = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
    y, last = net(inp, hx)
    if lengths:
        y, _ = torch.nn.utils.rnn.pad_packed_sequence(y, batch_first=True, total_length=T)
    hn, cn = last if kind == "LSTM" else (last, None)
    results = {"y": y, "hn": hn.transpose(0, 1)}
    if cn is not None:
        results["cn"] = cn.transpose(0, 1)
    loss = sum((tensor(seed + 3 + i, 1.5, *v.shape) * v).sum() for i, v in enumerate(results.values()))
    loss.backward()
    grads = {"x": rounded(x.grad)}
    if states:
        grads["h0"] = rounded(h0.grad)
        if kind == "LSTM":
            grads["c0"] = rounded(c0.grad)
    for k in range(layers):
        for name in ("weight_ih", "weight_hh", "bias"):
            parts = []
            for d in range(dirs):
                end = f"_l{k}" + ("_reverse" if d else "")
                for n in ("bias_ih", "bias_hh") if name == "bias" else (name,):
                    parts += rounded(blocks(kind, getattr(net, n + end).grad, back=True))
            grads[f"{name}_l{k}"] = parts
    return dict(kind=kind, layers=layers, both=both, lengths=lengths, states=states, relu=relu,
                results={k: rounded(v) for k, v in results.items()}, grads=grads)


CASES = []
for kind, relu in (("RNN", False), ("RNN", True), ("GRU", False), ("LSTM", False)):
    CASES += [
        dict(kind=kind, relu=relu),
        dict(kind=kind, relu=relu, both=True, states=True),
        dict(kind=kind, relu=relu, lengths=[2, 5, 3], states=True),
        dict(kind=kind, relu=relu, layers=2, both=True, lengths=[5, 1, 4], states=True),
        dict(kind=kind, relu=relu, layers=2),
    ]
json.dump([case(i, **c) for i, c in enumerate(CASES)], sys.stdout, separators=(",", ":"))
print()
