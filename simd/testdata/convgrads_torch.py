"""Times PyTorch's gradients of convolutions on the shapes of convgrads.json:

    python3 convgrads_torch.py [THREADS [REGEX]]

Beside it: go test -run - -bench ConvGrads ./simd. Prints the best time of each pass in ms: forward, by input, by weight.
"""
import json, os, re, sys, time

threads = int(sys.argv[1]) if len(sys.argv) > 1 else 1
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(threads)  # before torch is loaded
import torch

only = re.compile(sys.argv[2] if len(sys.argv) > 2 else "")
torch.set_num_threads(threads)


def best(f):
    f()
    t0, low = time.perf_counter(), 1e9
    while time.perf_counter() - t0 < 0.15:
        t = time.perf_counter()
        f()
        low = min(low, time.perf_counter() - t)
    return 1e3 * low


here = os.path.dirname(os.path.abspath(__file__))
for s in json.load(open(os.path.join(here, "convgrads.json"))):
    if not only.search(s["name"]):
        continue
    pad, stride, dil, groups = s.get("pad", 0), s.get("stride", 1), s.get("dilation", 1), s.get("groups", 1)
    x = torch.rand(s["n"], s["c"], s["h"], s["h"]) - 0.5
    w = torch.rand(s["m"], s["c"] // groups, s["k"], s["k"]) - 0.5
    conv = lambda: torch.nn.functional.conv2d(x, w, None, stride, pad, dil, groups)
    with torch.no_grad():
        dy = torch.rand_like(conv())
        grad = lambda mask: torch.ops.aten.convolution_backward(
            dy, x, w, None, [stride] * 2, [pad] * 2, [dil] * 2, False, [0, 0], groups, mask)
        t = [best(conv), best(lambda: grad([True, False, False])), best(lambda: grad([False, True, False]))]
    flops = 2 * dy.numel() * w[0].numel()
    print("%-20s" % s["name"], *["%9.4f ms %6.1f" % (v, flops / v / 1e6) for v in t], flush=True)
