"""Writes trajectories of GaLore and LISA to ../resources/train/subspace.json: python3 subspace_training.py (numpy, float64).

Plain transcriptions of algorithm 2 of arXiv 2403.03507 (with AdamW's decay and the side of the authors' code: from the right if
rows >= columns) and of algorithm 1 of arXiv 2403.17919. Signs of singular vectors are chosen as in the javadoc of GaLore. The
gradients are given, as those of a quadratic loss would only follow the weights.
"""
import json
import pathlib

import numpy as np

rng = np.random.default_rng(11)
BETA1, BETA2, EPS = 0.9, 0.999, 1e-8
STEPS = 30


class Moments:
    """Adam's step of one tensor."""

    def __init__(self, shape):
        self.m, self.v, self.t = np.zeros(shape), np.zeros(shape), 0

    def step(self, g):
        self.t += 1
        self.m = BETA1 * self.m + (1 - BETA1) * g
        self.v = BETA2 * self.v + (1 - BETA2) * g * g
        m = self.m / (1 - BETA1**self.t)
        v = self.v / (1 - BETA2**self.t)
        return m / (np.sqrt(v) + EPS)


def signed(q, before):
    q = q.copy()
    for k in range(q.shape[1]):
        agreement = q[np.argmax(np.abs(q[:, k])), k] if before is None else q[:, k] @ before[:, k]
        if agreement < 0:
            q[:, k] = -q[:, k]
    return q


def galore(start, gradients, rank, interval, scale, lr, decay):
    weights = [w.copy() for w in start]
    projected = [w.ndim == 2 and min(w.shape) > rank for w in weights]
    bases = [None] * len(weights)
    moments = []
    for w, p in zip(weights, projected):
        shape = w.shape if not p else (w.shape[0], rank) if w.shape[0] >= w.shape[1] else (rank, w.shape[1])
        moments.append(Moments(shape))
    for step, gs in enumerate(gradients):
        for i, g in enumerate(gs):
            w = weights[i]
            right = w.ndim == 2 and w.shape[0] >= w.shape[1]
            if projected[i]:
                if step % interval == 0:
                    u, _, vt = np.linalg.svd(g, full_matrices=False)
                    bases[i] = signed(vt[:rank].T if right else u[:, :rank], bases[i])
                q = bases[i]
                n = moments[i].step(g @ q if right else q.T @ g)
                change = scale * (n @ q.T if right else q @ n)
            else:
                change = moments[i].step(g)
            weights[i] = w * (1 - lr * decay) - lr * change
    return weights


def lisa(start, gradients, layer_of, drawn, interval, lr, decay):
    weights = [w.copy() for w in start]
    moments = [Moments(w.shape) for w in weights]
    before = set()
    for step, gs in enumerate(gradients):
        now = set(drawn[step // interval])
        if step % interval == 0:
            for i, layer in enumerate(layer_of):
                if layer is not None and layer in now - before:
                    moments[i] = Moments(weights[i].shape)
            before = now
        for i, g in enumerate(gs):
            if layer_of[i] is None or layer_of[i] in now:
                weights[i] = weights[i] * (1 - lr * decay) - lr * moments[i].step(g)
    return weights


def spectrum(shape):
    """A gradient whose leading singular values are apart, so that float32 finds the vectors of float64."""
    if len(shape) == 1:
        return rng.standard_normal(shape)
    u, _, vt = np.linalg.svd(rng.standard_normal(shape), full_matrices=False)
    k = min(shape)
    return u @ np.diag(2.0 ** -np.arange(k)) @ vt


def listed(arrays):
    return [a.round(8).flatten().tolist() for a in arrays]


cases = []
names = ["embed.weight", "layers.0.up.weight", "layers.0.bias", "layers.1.up.weight", "layers.1.bias", "layers.2.up.weight",
         "norm.weight"]
shapes = [(7, 5), (4, 6), (5,), (4, 6), (5,), (4, 6), (5,)]
start = [rng.standard_normal(s).round(4) for s in shapes]
gradients = [[spectrum(s).round(4) for s in shapes] for _ in range(STEPS)]
gradients[7] = [np.zeros(s) for s in shapes]
common = dict(names=names, shapes=[list(s) for s in shapes], start=listed(start), gradients=[listed(g) for g in gradients])
for rank, interval, scale, lr, decay in [(2, 10, 0.25, 0.01, 0.0), (1, 4, 1.0, 0.02, 0.1), (4, 8, 0.5, 0.01, 0.01)]:
    end = galore(start, gradients, rank, interval, scale, lr, decay)
    cases.append(dict(kind="galore", rank=rank, interval=interval, scale=scale, lr=lr, decay=decay, end=listed(end)))
layer_of = [n.split(".up")[0].split(".bias")[0] if n.startswith("layers") else None for n in names]
draws = [["layers.1"], ["layers.0"], ["layers.0"], ["layers.2"], ["layers.1"], ["layers.1"]]
for lr, decay in [(0.01, 0.0), (0.02, 0.1)]:
    end = lisa(start, gradients, layer_of, draws, 5, lr, decay)
    cases.append(dict(kind="lisa", draws=draws, interval=5, lr=lr, decay=decay, end=listed(end)))
target = pathlib.Path(__file__).parent.parent / "resources" / "train" / "subspace.json"
target.write_text(json.dumps(dict(common, cases=cases)))
