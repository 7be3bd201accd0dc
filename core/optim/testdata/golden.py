"""Writes optimizers.json: 20 steps of PyTorch's optimizers on a small bowl, which the Go test reproduces.

Made with PyTorch 1.13 (Debian 12's python3-torch), float32, nothing random; Lion, which PyTorch lacks, follows algorithm 2 of
Chen et al., "Symbolic Discovery of Optimization Algorithms" (2023), in NumPy float32:

    python3 golden.py > optimizers.json

The parameter is a 2x3 matrix p that starts at START; the loss is sum(CURVE * (p - TARGET)^2) / 2. Weight decay is 0.01
where a run's name says so, the learning rate 0.1 (0.01 where noted). Runs named "clipped" limit the norm of the gradient to 1 (clip_grad_norm_, or by
its formula for Lion).
"""
import json
import sys

import numpy as np
import torch

START = [[1.0, -2.0, 0.5], [3.0, -0.25, 0.0]]
TARGET = [[0.5, 1.0, -1.5], [2.0, 0.125, -3.0]]
CURVE = [[1.0, 0.5, 2.0], [0.25, 4.0, 0.75]]


def run(make, steps=20, clip=None):
    p = torch.tensor(START, requires_grad=True)
    opt = make([p])
    out = []
    for _ in range(steps):
        loss = (torch.tensor(CURVE) * (p - torch.tensor(TARGET)) ** 2).sum() / 2
        opt.zero_grad()
        loss.backward()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_([p], clip)
        opt.step()
        out.append([float("%.9g" % v) for v in p.detach().flatten()])
    return out


def lion(lr, wd, steps=20, b1=0.9, b2=0.99, clip=None):
    f = np.float32
    p, m = np.array(START, f), np.zeros((2, 3), f)
    out = []
    for _ in range(steps):
        g = np.array(CURVE, f) * (p - np.array(TARGET, f))
        if clip is not None:
            g = g * f(min(1, clip / np.sqrt(np.sum(g * g))))
        p = p - f(lr) * (np.sign(f(b1) * m + f(1 - b1) * g) + f(wd) * p)
        m = f(b2) * m + f(1 - b2) * g
        out.append([float("%.9g" % v) for v in p.flatten()])
    return out


torch.set_num_threads(1)
O = torch.optim
json.dump({
    "sgd": run(lambda p: O.SGD(p, lr=0.1)),
    "sgd decay": run(lambda p: O.SGD(p, lr=0.1, weight_decay=0.01)),
    "momentum": run(lambda p: O.SGD(p, lr=0.1, momentum=0.9)),
    "momentum decay": run(lambda p: O.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01)),
    "nesterov": run(lambda p: O.SGD(p, lr=0.1, momentum=0.9, nesterov=True)),
    "nesterov decay": run(lambda p: O.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01)),
    "rmsprop": run(lambda p: O.RMSprop(p, lr=0.01)),
    "rmsprop decay": run(lambda p: O.RMSprop(p, lr=0.01, alpha=0.9, weight_decay=0.01)),
    "adagrad": run(lambda p: O.Adagrad(p, lr=0.1)),
    "adagrad decay": run(lambda p: O.Adagrad(p, lr=0.1, weight_decay=0.01)),
    "adam": run(lambda p: O.Adam(p, lr=0.1)),
    "adam decay": run(lambda p: O.Adam(p, lr=0.1, weight_decay=0.01)),
    "adamw": run(lambda p: O.AdamW(p, lr=0.1, weight_decay=0.01)),
    "lion": lion(0.01, 0),
    "lion decay": lion(0.01, 0.01),
    "sgd clipped": run(lambda p: O.SGD(p, lr=0.1), clip=1),
    "momentum clipped": run(lambda p: O.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01), clip=1),
    "nesterov clipped": run(lambda p: O.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01), clip=1),
    "rmsprop clipped": run(lambda p: O.RMSprop(p, lr=0.01, alpha=0.9, weight_decay=0.01), clip=1),
    "adagrad clipped": run(lambda p: O.Adagrad(p, lr=0.1, weight_decay=0.01), clip=1),
    "adam clipped": run(lambda p: O.Adam(p, lr=0.1, weight_decay=0.01), clip=1),
    "adamw clipped": run(lambda p: O.AdamW(p, lr=0.1, weight_decay=0.01), clip=1),
    "lion clipped": lion(0.01, 0.01, clip=1),
}, sys.stdout, indent=1)
print()
