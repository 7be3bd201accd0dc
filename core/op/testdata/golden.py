"""Writes torch.json: results and gradients of PyTorch's operators on small tensors, which the Go test reproduces.

Made with PyTorch 1.13 (Debian 12's python3-torch), float64:

    python3 golden.py > torch.json

A case is a function of tensors; element i of tensor t of a case is 3 * u(16 * case + t, i) - 1.5 (plus 1.6 where it must be
positive), and the gradients are those of sum(w * y), w being tensor 15 of the case. u(seed, i) is the upper 24 bits, as a
fraction, of the 32-bit mixing function "lowbias32" (Chris Wellons, https://nullprogram.com/blog/2018/07/31/) of
i + seed * 0x9e3779b9.
"""
import json
import math
import sys

import numpy as np
import torch
import torch.nn.functional as F


def tensor(seed, shape):
    x = (np.arange(math.prod(shape), dtype=np.uint64) + np.uint64(seed * 0x9E3779B9)) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(16)
    x = x * np.uint64(0x7FEB352D) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(15)
    x = x * np.uint64(0x846CA68B) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(16)
    return torch.from_numpy(((x >> np.uint64(8)).astype(np.float64) / (1 << 24) * 3 - 1.5).reshape(shape))


V = (3, 4)
LABELS = torch.tensor([1, 0, 4])
CASES = [
    # name, shapes, which tensors are made positive, function
    ("relu", [V], [], F.relu),
    ("leakyrelu", [V], [], lambda x: F.leaky_relu(x, 0.1)),
    ("prelu", [(2, 3, 4), (3,)], [], F.prelu),
    ("elu", [V], [], lambda x: F.elu(x, 0.7)),
    ("selu", [V], [], F.selu),
    ("gelu", [V], [], F.gelu),
    ("gelu tanh", [V], [], lambda x: F.gelu(x, approximate="tanh")),
    ("sigmoid", [V], [], torch.sigmoid),
    ("hardsigmoid", [V], [], F.hardsigmoid),
    ("tanh", [V], [], torch.tanh),
    ("softplus", [V], [], F.softplus),
    ("softsign", [V], [], F.softsign),
    ("hardswish", [V], [], F.hardswish),
    ("mish", [V], [], F.mish),
    ("silu", [V], [], F.silu),
    ("softmax", [V], [], lambda x: F.softmax(x, 1)),
    ("softmax 0", [V], [], lambda x: F.softmax(x, 0)),
    ("logsoftmax", [V], [], lambda x: F.log_softmax(x, 1)),
    ("matmul", [(2, 3, 4), (4, 5)], [], torch.matmul),
    ("conv", [(2, 2, 6, 7), (4, 2, 3, 3), (4,)], [], F.conv2d),
    ("conv strided", [(1, 4, 8, 7), (6, 2, 3, 2), (6,)], [], lambda x, w, b: F.conv2d(x, w, b, (2, 1), (1, 2), (1, 2), 2)),
    ("conv depthwise", [(2, 3, 5, 5), (3, 1, 3, 3), (3,)], [], lambda x, w, b: F.conv2d(x, w, b, 1, 1, 1, 3)),
    ("conv 1d", [(2, 2, 9), (3, 2, 4), (3,)], [], lambda x, w, b: F.conv1d(x, w, b, 2, 1)),
    ("convtranspose", [(1, 4, 3, 4), (4, 2, 3, 3), (4,)], [],
     lambda x, w, b: F.conv_transpose2d(x, w, b, (2, 1), (1, 0), (1, 0), 2)),
    ("maxpool", [(2, 2, 6, 6)], [], lambda x: F.max_pool2d(x, 2)),
    ("maxpool padded", [(1, 2, 7, 6)], [], lambda x: F.max_pool2d(x, 3, 2, 1)),
    ("averagepool", [(1, 2, 6, 6)], [], lambda x: F.avg_pool2d(x, 2)),
    ("averagepool padded", [(1, 2, 7, 6)], [], lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)),
    ("global average", [(2, 3, 4, 2)], [], lambda x: F.adaptive_avg_pool2d(x, 1)),
    ("batchnorm", [(3, 2, 4), (2,), (2,)], [], lambda x, s, b: F.batch_norm(x, torch.zeros(2).double(), torch.ones(2).double(), s, b, True)),
    ("layernorm", [(3, 2, 4), (2, 4), (2, 4)], [], lambda x, s, b: F.layer_norm(x, (2, 4), s, b)),
    ("groupnorm", [(2, 4, 3), (4,), (4,)], [], lambda x, s, b: F.group_norm(x, 2, s, b)),
    ("instancenorm", [(2, 3, 5), (3,), (3,)], [], lambda x, s, b: F.instance_norm(x, weight=s, bias=b)),
    ("cross entropy", [(3, 5)], [], lambda x: F.cross_entropy(x, LABELS)),
    ("cross entropy weighted", [(3, 5), (5,)], [1], lambda x, w: F.cross_entropy(x, LABELS, w.detach())),
    ("cross entropy ignored", [(3, 5)], [], lambda x: F.cross_entropy(x, LABELS, ignore_index=0, reduction="sum")),
    ("pow", [V, V], [0], torch.pow),
    ("log", [V], [0], torch.log),
    ("sqrt", [V], [0], torch.sqrt),
    ("erf", [V], [], torch.erf),
    ("div", [V, (4,)], [1], torch.div),
    ("clip", [V], [], lambda x: torch.clamp(x, -0.5, 0.75)),
    ("mean", [(2, 3, 4)], [], lambda x: x.mean(1)),
    ("max", [(2, 3, 4)], [], lambda x: x.amax(2)),
    ("logsumexp", [(2, 3, 4)], [], lambda x: x.logsumexp(1)),
    ("prod", [(2, 3, 4)], [], lambda x: x.prod(2)),
]

out = []
for k, (name, shapes, positive, f) in enumerate(CASES):
    x = [(tensor(16 * k + i, s) + (1.6 if i in positive else 0)).requires_grad_() for i, s in enumerate(shapes)]
    y = f(*x)
    (tensor(16 * k + 15, tuple(y.shape)) * y).sum().backward()
    number = lambda t: [float("%.9g" % v) for v in t.detach().flatten()]
    out.append({"name": name, "shapes": shapes, "positive": positive, "shape": list(y.shape), "y": number(y),
                "grads": [number(t.grad) if t.grad is not None else None for t in x]})
text = ",\n".join(json.dumps(c) for c in out)
sys.stdout.write("[\n" + text + "\n]\n")
