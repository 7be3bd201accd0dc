#!/usr/bin/env python3
"""PyTorch on one thread, in rows named like those of BenchmarkOperators (core/op/bench_test.go): ns per element.

    python3 core/op/testdata/bench_torch.py [ELEMENTS]
    go test ./core/op -run '^$' -bench 'Operators/65536/'
"""
import sys
import time

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
N = int(sys.argv[1]) if len(sys.argv) > 1 else 65536
side = 1
while side * side < N:
    side *= 2
torch.manual_seed(1)


def matrix():
    return torch.rand(N // side, side) * 2 - 1


def images():
    h = 16 if N >= 1 << 16 else 8
    return torch.rand(max(N // (64 * h * h), 1), 64, h, h) * 2 - 1


def measure(name, f):
    """The least of five rounds of about 20 ms."""
    f()
    start, n = time.perf_counter(), 0
    while time.perf_counter() - start < 0.02:
        f()
        n += 1
    best = 1e9
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(n):
            f()
        best = min(best, (time.perf_counter() - start) / n)
    print(f"{name:24s} {best / N * 1e9:9.3f}", flush=True)


def gradient(name, x, f, *params):
    """The backward pass alone of f, which takes a tensor that needs a gradient."""
    x = x.requires_grad_()
    y = f(x)
    dy = torch.rand_like(y)
    measure(name, lambda: torch.autograd.grad(y, [x, *params], dy, retain_graph=True))


x, m = torch.rand(N) * 2 - 1, matrix()
with torch.no_grad():
    measure("copy", lambda: x.clone())
    other = torch.rand(N)
    measure("Add", lambda: x + other)
    for name, f in [("Exp", torch.exp), ("Tanh", torch.tanh), ("Sigmoid", torch.sigmoid), ("Erf", torch.erf), ("Gelu", F.gelu), ("Swish", F.silu),
                    ("GeluTanh", lambda v: F.gelu(v, approximate="tanh")), ("Softplus", F.softplus), ("Compare", lambda v: v > 0)]:
        measure(name, lambda: f(x))
    c = x > 0
    measure("Where", lambda: torch.where(c, x, x))
    measure("Softmax", lambda: torch.softmax(m, -1))
    measure("LogSoftmax", lambda: torch.log_softmax(m, -1))
    ten = torch.rand(N // 10, 10)
    measure("Softmax10", lambda: torch.softmax(ten, -1))
    w, b = torch.rand(side), torch.rand(side)
    measure("LayerNorm", lambda: F.layer_norm(m, (side,), w, b))
    im, w64, b64 = images(), torch.rand(64), torch.rand(64)
    measure("GroupNorm", lambda: F.group_norm(im, 8, w64, b64))
    measure("InstanceNorm", lambda: F.instance_norm(im, None, None, w64, b64))
    measure("SumAll", lambda: m.sum())
    measure("SumRows", lambda: m.sum(-1))
    measure("SumColumns", lambda: m.sum(0))
    measure("MeanChannels", lambda: im.mean((0, 2, 3)))
    mid = torch.rand(N // 1024, 32, 32)
    measure("SumMiddle", lambda: mid.sum(1))
    measure("ArgMax", lambda: m.argmax(-1))
    measure("CumSum", lambda: m.cumsum(-1))
    measure("TopK8", lambda: m.topk(8, -1))
    measure("Transpose", lambda: m.t().contiguous())
    measure("TransposeNCHW-NHWC", lambda: im.permute(0, 2, 3, 1).contiguous())
    heads = torch.rand(max(N // 65536, 1), min(N // 256, 256), 4, 64)
    measure("TransposeHeads", lambda: heads.permute(0, 2, 1, 3).contiguous())
    measure("TransposeHeads021", lambda: heads.permute(0, 2, 3, 1).contiguous())
    halves = [torch.rand(N // 64, 32), torch.rand(N // 64, 32)]
    measure("ConcatInner", lambda: torch.cat(halves, 1))
    table, ix = torch.rand(256, 64), torch.randint(256, (N // 64,))
    measure("GatherRows", lambda: table[ix])
    measure("Dropout", lambda: F.dropout(x, 0.5, True))
    measure("Normal", lambda: torch.randn(N))

target = torch.randint(side, (N // side,))
leaf = matrix().requires_grad_()
measure("CrossEntropy+Grad", lambda: torch.autograd.grad(F.cross_entropy(leaf, target), leaf))
gradient("SoftmaxGrad", matrix(), lambda v: torch.softmax(v, -1))
w, b = torch.rand(side, requires_grad=True), torch.rand(side, requires_grad=True)
gradient("LayerNormGrad", matrix(), lambda v: F.layer_norm(v, (side,), w, b), w, b)
w, b = torch.rand(64, requires_grad=True), torch.rand(64, requires_grad=True)
gradient("GroupNormGrad", images(), lambda v: F.group_norm(v, 8, w, b), w, b)
gradient("GatherRowsGrad", torch.rand(256, 64), lambda v: F.embedding(ix, v))
for name, make in [("SGD32", lambda p: torch.optim.SGD(p, 0.01)), ("Momentum32", lambda p: torch.optim.SGD(p, 0.01, 0.9)), ("Adam32", lambda p: torch.optim.Adam(p, 0.01))]:
    params = [torch.rand(N // 32, requires_grad=True) for _ in range(32)]
    for p in params:
        p.grad = torch.rand(N // 32)
    o = make(params)
    measure(name, o.step)
