#!/usr/bin/env python3
"""Writes golden.json: data and metrics computed by their definitions, with NumPy alone.

Usage: python3 golden.py > golden.json   (NumPy 1.24; seed 20240229)

AUC is the mean over all (positive, negative) pairs of [p > n] + [p == n]/2, the definition, not
the sorting formula that the Go code uses.
"""
import json
import numpy as np

rng = np.random.default_rng(20240229)
N, C = 60, 4
labels = rng.integers(0, C, N)
# Coarse scores, so that ties occur within samples and between them.
scores = np.round((rng.normal(size=(N, C)) + 1.2 * np.eye(C)[labels]) * 2) / 2
pred = scores.argmax(1)

conf = np.zeros((C, C), int)
for t, p in zip(labels, pred):
    conf[t, p] += 1
tp = np.diag(conf).astype(float)
prec, rec = tp / conf.sum(0), tp / conf.sum(1)
f1 = 2 * prec * rec / (prec + rec)


def auc(s, pos):
    p, n = s[pos][:, None], s[~pos][None, :]
    return float(((p > n) + 0.5 * (p == n)).mean())


topk = {}
for k in (1, 2, 3, 4):
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    topk[k] = float((order == labels[:, None]).any(1).mean())

target = rng.normal(size=40).astype(np.float32)
predicted = (target + 0.3 * rng.normal(size=40)).astype(np.float32)
e = predicted.astype(float) - target.astype(float)
t = target.astype(float)

print(json.dumps({
    "classes": C, "labels": labels.tolist(), "scores": scores.ravel().tolist(),
    "confusion": conf.tolist(), "accuracy": float((pred == labels).mean()),
    "precision": prec.tolist(), "recall": rec.tolist(), "f1": f1.tolist(),
    "macro": [float(prec.mean()), float(rec.mean()), float(f1.mean())],
    "topk": [topk[k] for k in (1, 2, 3, 4)],
    "auc": [auc(scores[:, c], labels == c) for c in range(C)],
    "target": [float(v) for v in target], "predicted": [float(v) for v in predicted],
    "mse": float((e * e).mean()), "mae": float(np.abs(e).mean()),
    "r2": float(1 - (e * e).sum() / ((t - t.mean()) ** 2).sum()),
}, indent=None))
