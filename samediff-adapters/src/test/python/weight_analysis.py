#!/usr/bin/env python3
"""Writes src/test/resources/analysis/cases.json: what a weight's singular values and vectors do when adapters change it, in numpy
float64, independent of the Java code; angles by scipy.

Run it from samediff-adapters:  python3 src/test/python/weight_analysis.py
Weights are [in,out], A [in,r], B [r,out], as in y = x W. All numbers that go in are float32.
"""
import json
import os

import numpy as np
from scipy.linalg import subspace_angles

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../resources/analysis/cases.json")
R = 3


def f32(a):
    return np.asarray(a, dtype=np.float32).astype(np.float64)


def spectrum(s):
    p = s / s.sum()
    return {"largest": s[0], "smallest": s[-1], "condition": s[0] / s[-1],
            "effective_rank": np.exp(-(p * np.log(p)).sum()), "stable_rank": (s ** 2).sum() / s[0] ** 2}


def variation(w0, w, r):
    """Equations 1 to 4 over the first r triplets; the share of the subspace that was left; the relative change."""
    u0, s0, v0 = np.linalg.svd(w0, full_matrices=False)
    u, s, v = np.linalg.svd(w, full_matrices=False)
    delta_s = np.abs(s - s0)[:r].mean()
    cos_u = [abs(u0[:, i] @ u[:, i]) for i in range(r)]
    cos_v = [abs(v0[i] @ v[i]) for i in range(r)]
    share = (np.linalg.norm(u0[:, :r].T @ u[:, :r]) ** 2 + np.linalg.norm(v0[:r] @ v[:r].T) ** 2) / (2 * r)
    return {"singular_values": delta_s, "singular_vectors": 1 - (sum(cos_u) + sum(cos_v)) / (2 * r), "subspace": 1 - share,
            "relative_change": np.linalg.norm(w - w0) / np.linalg.norm(w0)}


def angles(w0, w, r):
    u0, _, v0 = np.linalg.svd(w0, full_matrices=False)
    u, _, v = np.linalg.svd(w, full_matrices=False)
    return {"left": np.degrees(subspace_angles(u0[:, :r], u[:, :r]).max()),
            "right": np.degrees(subspace_angles(v0[:r].T, v[:r].T).max())}


def factors(u, v, part):
    eye = np.eye(u.shape[1])
    s = np.linalg.svd(part, compute_uv=False)
    return {"orthonormality_u": np.linalg.norm(u.T @ u - eye), "orthonormality_v": np.linalg.norm(v.T @ v - eye),
            "condition_u": np.linalg.cond(u), "condition_v": np.linalg.cond(v), "condition_part": s[0] / s[u.shape[1] - 1]}


def case(method, w0, w, scaling, tensors, start, starts_at_zero, trained=None):
    full = min(w0.shape)
    lists = lambda t: {k: v.tolist() for k, v in t.items()}
    return {"method": method, "rank": R, "scaling": scaling, "starts_at_zero": starts_at_zero, "weight": w0.tolist(),
            "tensors": lists(tensors), "start": lists(start),
            "expected": {"before": spectrum(np.linalg.svd(w0, compute_uv=False)),
                         "after": spectrum(np.linalg.svd(w, compute_uv=False)),
                         "all": variation(w0, w, full), "leading": variation(w0, w, R), "angles": angles(w0, w, R),
                         "factors": trained}}


def main():
    rng = np.random.default_rng(23)
    noise = lambda *shape: f32(rng.normal(0, 0.1, shape))

    def weight(m, n):  # singular values well apart, so that every vector is determined
        q, _ = np.linalg.qr(rng.normal(size=(m, n) if m >= n else (n, m)))
        p, _ = np.linalg.qr(rng.normal(size=(min(m, n),) * 2))
        w = q * (3 * 0.75 ** np.arange(min(m, n))) @ p
        return f32(w if m >= n else w.T)

    cases = []
    for method, m, n in [("lora", 9, 7), ("pissa", 7, 9), ("sorsa", 8, 8), ("dora", 9, 6), ("adalora", 6, 9)]:
        w0 = weight(m, n)
        u, s, vt = np.linalg.svd(w0, full_matrices=False)
        scaling = 2.0 if method in ("lora", "dora") else 1.0
        at_zero = method not in ("pissa", "sorsa")
        if method == "pissa":
            start = {"lora_A": f32(u[:, :R] * np.sqrt(s[:R])), "lora_B": f32(np.sqrt(s[:R])[:, None] * vt[:R])}
        elif method == "sorsa":
            start = {"sorsa_A": f32(u[:, :R]), "sorsa_S": f32(s[:R]), "sorsa_B": f32(vt[:R])}
        elif method == "adalora":
            start = {"lora_A": noise(m, R), "lora_E": np.zeros(R), "lora_B": noise(R, n)}
        else:
            start = {"lora_A": noise(m, R), "lora_B": np.zeros((R, n))}
        if method == "dora":
            start["lora_magnitude_vector"] = f32(np.linalg.norm(w0, axis=0))
        now = {k: f32(v + noise(*v.shape)) for k, v in start.items()}
        name = lambda t, end: next(v for k, v in t.items() if k.endswith(end))
        middle = lambda t: next((v for k, v in t.items() if k[-2:] in ("_S", "_E")), np.ones(R))
        product = lambda t: (name(t, "_A") * middle(t)) @ name(t, "_B")
        w = w0 + scaling * (product(now) - (0 if at_zero else product(start)))
        if method == "dora":
            w = w / np.linalg.norm(w, axis=0) * now["lora_magnitude_vector"]
        cases.append(case(method, w0, w, scaling, now, start, at_zero,
                          factors(name(now, "_A"), name(now, "_B").T, product(now))))
    for tensor, size in [("ia3_in", 9), ("ia3_out", 7)]:
        w0, scales = weight(9, 7), f32(1 + noise(size))
        w = w0 * scales if tensor == "ia3_out" else scales[:, None] * w0
        cases.append(case("ia3", w0, w, 1.0, {tensor: scales}, {tensor: np.ones(size)}, True))
    with open(OUT, "w") as f:
        json.dump(cases, f)


if __name__ == "__main__":
    os.makedirs(os.path.dirname(OUT), exist_ok=True)
    main()
