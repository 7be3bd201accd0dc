"""Times PyTorch's pools and their gradients on the shapes of BenchmarkPools:

    python3 pools_torch.py [THREADS]

Prints the best time of each in ms: maxima, their gradient (which reads positions that the forward pass has stored), averages, their gradient.
"""
import os, sys, time

threads = int(sys.argv[1]) if len(sys.argv) > 1 else 1
os.environ["OMP_NUM_THREADS"] = str(threads)  # before torch is loaded
import torch

torch.set_num_threads(threads)


def best(f):
    f()
    t0, low = time.perf_counter(), 1e9
    while time.perf_counter() - t0 < 0.15:
        t = time.perf_counter()
        f()
        low = min(low, time.perf_counter() - t)
    return 1e3 * low


shapes = [(64, 112, 3, 2, 1), (192, 56, 3, 2, 1), (64, 56, 2, 2, 0), (64, 56, 3, 1, 1), (64, 28, 3, 1, 0), (256, 14, 5, 1, 2), (64, 57, 3, 3, 0), (512, 7, 7, 7, 0)]
for planes, h, k, s, p in shapes:
    x = torch.randn(1, planes, h, h)
    k2, s2, p2 = [k, k], [s, s], [p, p]
    a = torch.ops.aten
    with torch.no_grad():
        y, i = a.max_pool2d_with_indices(x, k2, s2, p2)
        dy = torch.randn_like(y)
        t = [best(lambda: torch.nn.functional.max_pool2d(x, k, s, p)), best(lambda: a.max_pool2d_with_indices_backward(dy, x, k2, s2, p2, [1, 1], False, i)),
             best(lambda: torch.nn.functional.avg_pool2d(x, k, s, p)), best(lambda: a.avg_pool2d_backward(dy, x, k2, s2, p2, False, True, None))]
    print("%-18s" % ("%dx%d_%d_p%d_s%d" % (k, k, planes, h, s)), *["%9.4f" % v for v in t], flush=True)
