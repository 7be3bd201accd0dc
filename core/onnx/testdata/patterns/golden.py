"""Writes models as PyTorch exports them, with inputs and results: attention, layer normalisation and Gelu in many nodes, which the compiler puts together.

Made with PyTorch 1.13 (Debian 12's python3-torch):

    python3 golden.py

NAME.onnx is a model, golden.json has for each the inputs and the output of PyTorch in float32.
"""
import json
import math

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(1)
B, S, H, D = 2, 7, 3, 4
E = H * D


class Attention(nn.Module):
    """The usual block: one projection for queries, keys and values."""

    def __init__(self, causal=None, scale="div", packed=True):
        super().__init__()
        self.qkv, self.out, self.norm = nn.Linear(E, 3 * E), nn.Linear(E, E), nn.LayerNorm(E)
        self.drop = nn.Dropout(0.3)
        self.causal, self.scale = causal, scale
        self.register_buffer("tril", torch.tril(torch.ones(1, 1, 16, 16)).bool())

    def forward(self, x, mask=None):
        b, s, _ = x.shape
        q, k, v = self.qkv(self.norm(x)).split(E, 2)
        q, k, v = (t.view(b, s, H, D).transpose(1, 2) for t in (q, k, v))
        if self.scale == "q":
            q = q * D**-0.5
        elif self.scale == "both":
            q, k = q * math.sqrt(D**-0.5), k * math.sqrt(D**-0.5)
        p = q @ k.transpose(-2, -1)
        if self.scale == "div":
            p = p / math.sqrt(D)
        if self.causal == "fill":
            p = p.masked_fill(~self.tril[:, :, :s, :s], float("-inf"))
        elif self.causal == "where":
            p = torch.where(self.tril[:, :, :s, :s], p, torch.tensor(torch.finfo(torch.float32).min))
        elif self.causal == "add":
            p = p + torch.triu(torch.full((s, s), float("-inf")), 1)
        if mask is not None:
            p = p + mask
        y = self.drop(p.softmax(-1)) @ v
        return self.out(y.transpose(1, 2).reshape(b, s, E))


class Two(nn.Module):
    """Attention to another sequence, and a value of the scores that is read elsewhere too."""

    def __init__(self, shown):
        super().__init__()
        self.q, self.kv, self.shown = nn.Linear(E, E), nn.Linear(E, 2 * E), shown

    def forward(self, x, m):
        q = self.q(x).view(B, -1, H, D).transpose(1, 2)
        k, v = (t.view(B, -1, H, D).transpose(1, 2) for t in self.kv(m).split(E, 2))
        p = (q @ k.transpose(-2, -1) * 0.4).softmax(-1)
        y = (p @ v).transpose(1, 2).flatten(2)
        return y + p.sum((1, 3))[..., None] if self.shown else y


class Gelu(nn.Module):
    def __init__(self, tanh):
        super().__init__()
        self.tanh = tanh

    def forward(self, x):
        if self.tanh:
            return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * torch.pow(x, 3))))
        return F.gelu(x)


golden = {}


def save(name, model, *inputs, dynamic=False):
    model.eval()
    with torch.no_grad():
        y = model(*inputs)
    axes = {"x%d" % i: {0: "batch", 1: "time"} for i in range(len(inputs))} if dynamic else None
    torch.onnx.export(model, inputs, name + ".onnx", opset_version=14, input_names=["x%d" % i for i in range(len(inputs))], output_names=["y"], dynamic_axes=axes)
    num = lambda t: {"shape": list(t.shape), "data": [float("%.9g" % v) for v in t.flatten()]}
    golden[name] = {"inputs": [num(t) for t in inputs], "output": num(y)}


x, m = torch.randn(B, S, E), torch.randn(B, 5, E)
pad = torch.zeros(B, 1, 1, S)
pad[1, :, :, 4:] = -1e9
save("plain", Attention(), x)
save("scaled_q", Attention(scale="q"), x)
save("scaled_both", Attention(scale="both"), x)
save("causal_fill", Attention("fill"), x)
save("causal_where", Attention("where", "q"), x)
save("causal_add", Attention("add"), x)
save("padded", Attention(), x, pad)
save("causal_padded", Attention("fill"), x, pad)
save("dynamic", Attention(scale="q"), x, dynamic=True)
save("cross", Two(False), x, m)
save("shown", Two(True), x, m)
save("gelu", Gelu(False), x)
save("gelu_tanh", Gelu(True), x)

save("encoder", nn.Sequential(nn.TransformerEncoderLayer(E, H, 16, activation="gelu", batch_first=True), nn.LayerNorm(E)).train(False), x)
json.dump(golden, open("golden.json", "w"), indent=0)
