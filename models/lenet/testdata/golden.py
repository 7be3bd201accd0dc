"""Writes losses.json: the first 100 training losses of LeNet in PyTorch, which the Go test reproduces.

Made with PyTorch 1.13 (Debian 12's python3-torch) on a CPU, one thread, float32:

    python3 golden.py > losses.json

Nothing random is stored: weights, images and labels come from an integer hash of (seed, index), which the test computes too.
hash(seed, i) is the 32-bit mixing function "lowbias32" of Chris Wellons, https://nullprogram.com/blog/2018/07/31/,
of i + seed * 0x9e3779b9; u(seed, i) is its upper 24 bits as a fraction in [0, 1).

Weights are (u - 0.5) * 2 * sqrt(3 / fan_in), in PyTorch's layouts: conv1 [6,1,5,5] seed 11, conv2 [16,6,5,5] seed 12,
fc1 [120,256] seed 13, fc2 [10,120] seed 14; biases are 0. Image k (of 3200) has label hash(d+1, k) mod 10. Its pixel j is
0.75 * ink + 0.25 * u(d+2, 784 k + j), where ink is the bit u(d+3, 49 label + b) < 0.5 of the label's pattern of 7x7 blocks of 4x4
pixels, b = 7 (y / 4) + x / 4, except that where u(d+4, 784 k + j) >= 0.5 the bit is u(d+5, 784 k + j) < 0.5: half of the pixels say
nothing. One image in eight, those with u(d+6, k) < 0.125, gets a label that says nothing, hash(d+7, k) mod 10. So the loss
falls, and stays away from 0.

A run whose activations come so near to a kink that rounding decides the side turns chaotic: then no two summation orders
agree to 1e-5 after it. The data seed d of each run is one for which that does not happen when the initial weights are
changed by up to one part in 10^7; --check does that, and compares with float64.
"""
import json
import math
import sys

import numpy as np
import torch
import torch.nn.functional as F

BATCH, STEPS = 32, 100


def mix(seed, n):
    x = (np.arange(n, dtype=np.uint64) + np.uint64(seed * 0x9E3779B9)) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(16)
    x = x * np.uint64(0x7FEB352D) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(15)
    x = x * np.uint64(0x846CA68B) & np.uint64(0xFFFFFFFF)
    return x ^ x >> np.uint64(16)


def uniform(seed, n):
    return (mix(seed, n) >> np.uint64(8)).astype(np.float64) / (1 << 24)


def weight(seed, fan_in, *shape):
    w = (uniform(seed, math.prod(shape)) - 0.5) * (2 * math.sqrt(3 / fan_in))
    return torch.from_numpy(w.astype(np.float32).reshape(shape))


def data(data_seed):
    n = BATCH * STEPS
    label = (mix(data_seed + 1, n) % np.uint64(10)).astype(np.int64)
    pattern = np.kron((uniform(data_seed + 3, 490) < 0.5).reshape(10, 7, 7), np.ones((4, 4), bool)).reshape(10, 784)
    ink = np.where(uniform(data_seed + 4, n * 784).reshape(n, 784) < 0.5, pattern[label], uniform(data_seed + 5, n * 784).reshape(n, 784) < 0.5)
    x = np.float32(0.75) * ink.astype(np.float32) + np.float32(0.25) * uniform(data_seed + 2, n * 784).reshape(n, 784).astype(np.float32)
    label = np.where(uniform(data_seed + 6, n) < 0.125, (mix(data_seed + 7, n) % np.uint64(10)).astype(np.int64), label)
    return torch.from_numpy(x.reshape(STEPS, BATCH, 1, 28, 28)), torch.from_numpy(label.reshape(STEPS, BATCH))


def losses(data_seed, make, dtype=torch.float32, changed=0):
    p = [weight(11, 25, 6, 1, 5, 5), torch.zeros(6), weight(12, 150, 16, 6, 5, 5), torch.zeros(16),
         weight(13, 256, 120, 256), torch.zeros(120), weight(14, 120, 10, 120), torch.zeros(10)]
    noise = torch.Generator().manual_seed(changed)
    if changed:
        p = [t * (1 + 2e-7 * (torch.rand(t.shape, generator=noise) - 0.5)) for t in p]
    p = [t.to(dtype).requires_grad_() for t in p]
    opt = make(p)
    out = []
    images, labels = data(data_seed)
    for x, y in zip(images.to(dtype), labels):
        h = F.max_pool2d(F.relu(F.conv2d(x, p[0], p[1])), 2)
        h = F.max_pool2d(F.relu(F.conv2d(h, p[2], p[3])), 2).flatten(1)
        h = F.relu(F.linear(h, p[4], p[5]))
        loss = F.cross_entropy(F.linear(h, p[6], p[7]), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        out.append(float(loss))
    return out


def main():
    torch.set_num_threads(1)
    runs = {
        "sgd-0.05": (30, lambda p: torch.optim.SGD(p, lr=0.05)),
        "momentum-0.01": (60, lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9)),
        "adam-0.001": (320, lambda p: torch.optim.Adam(p, lr=1e-3)),
        "adam-0.002": (50, lambda p: torch.optim.Adam(p, lr=2e-3)),
    }
    result = {"torch": torch.__version__.split("+")[0], "runs": []}
    for name, (data_seed, make) in runs.items():
        found = [float("%.9g" % v) for v in losses(data_seed, make)]
        result["runs"].append({"name": name, "data_seed": data_seed, "losses": found})
        if "--check" in sys.argv:  # how far rounding alone moves the losses
            others = [losses(data_seed, make, torch.float64)] + [losses(data_seed, make, changed=k) for k in range(1, 9)]
            worst = max(abs(a - b) / b for o in others for a, b in zip(found, o))
            print(name, "first %.4f last %.4f" % (found[0], found[-1]), "rounding moves it by %.2g" % worst, file=sys.stderr)
    json.dump(result, sys.stdout, indent=1)
    print()


main()
