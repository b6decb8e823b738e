#!/usr/bin/env python3
"""Writes src/test/resources/golden: the adapter formulas once more, in numpy float64, independent of the Java code.

Run it from samediff-adapters:  python3 src/test/python/make_golden.py
Only numpy is needed. Layout and names are those of the reference collection (weights [out,in], A [r,in], B [r,out]^T), so
that GoldenNumbersTest reads both.
"""
import json
import os

import numpy as np

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../resources/golden")
LR, DECAY, GAMMA, STEPS = 0.01, 0.01, 0.004, 20


def svd_factors(w, r):
    u, s, vt = np.linalg.svd(w, full_matrices=False)
    return u[:, :r], s[:r], vt[:r]


def start(method, w, r, s, rng):
    out, inp = w.shape
    if method == "lora":
        a = rng.uniform(-1, 1, (r, inp)) / np.sqrt(inp)
        return {"A": a, "B": np.zeros((out, r))}
    if method == "olora":
        q, rr = np.linalg.qr(w)
        return {"A": rr[:r], "B": q[:, :r]}
    u, sv, vt = svd_factors(w, r)
    if method == "pissa":
        root = np.sqrt(sv / s)
        return {"A": root[:, None] * vt, "B": u * root}
    return {"A": vt, "S": sv, "B": u}


def delta(p, s):
    return s * (p["B"] * p.get("S", 1.0)) @ p["A"]


class Layer:
    def __init__(self, data, residual, s):
        self.x, self.y, self.b, self.w, self.s = data["x"], data["y"], data["b"], residual, s

    def out(self, p):
        return self.x @ self.w.T + self.b + self.s * ((self.x @ p["A"].T) * p.get("S", 1.0)) @ p["B"].T

    def loss(self, p):
        return float(np.mean((self.out(p) - self.y) ** 2))

    def gradients(self, p):
        g = 2 * (self.out(p) - self.y) / self.y.size
        h, k, sv = self.x @ p["A"].T, g @ p["B"], p.get("S", 1.0)
        result = {"A": self.s * (k * sv).T @ self.x, "B": self.s * g.T @ (h * sv)}
        if "S" in p:
            result["S"] = self.s * np.sum(h * k, axis=0)
        return result


def regulariser(p, form):
    r = p["A"].shape[0]
    ea, eb = p["A"] @ p["A"].T - np.eye(r), p["B"].T @ p["B"] - np.eye(r)
    na, nb = np.linalg.norm(ea), np.linalg.norm(eb)
    if form == "sq":
        return na**2 + nb**2, {"A": 4 * ea @ p["A"], "B": 4 * p["B"] @ eb}
    scale = 0.5 if form == "repo" else 1.0
    return scale * (na + nb), {"A": scale * 2 * ea @ p["A"] / na, "B": scale * 2 * p["B"] @ eb / nb}


def train(layer, p, form=None, coefficient=0.0, clip=False):
    p = {k: v.copy() for k, v in p.items()}
    m, v, losses = {}, {}, []
    for t in range(1, STEPS + 1):
        losses.append(layer.loss(p))
        g = layer.gradients(p)
        if clip:
            norm = np.sqrt(sum(np.sum(x**2) for x in g.values()))
            g = {k: x * min(1.0, 1.0 / (norm + 1e-6)) for k, x in g.items()}
        if form:
            for k, x in regulariser(p, form)[1].items():
                g[k] = g[k] + coefficient * x
        for k in p:
            m[k] = 0.9 * m.get(k, 0) + 0.1 * g[k]
            v[k] = 0.999 * v.get(k, 0) + 0.001 * g[k] ** 2
            step = m[k] / (np.sqrt(v[k]) / np.sqrt(1 - 0.999**t) + 1e-8)
            p[k] = p[k] * (1 - LR * DECAY) - LR / (1 - 0.9**t) * step
    losses.append(layer.loss(p))
    return p, losses


def end(arrays, prefix, layer, p, losses):
    for k, v in p.items():
        arrays[prefix + k + "20"] = v
    arrays[prefix + "losses"] = np.array(losses)
    arrays[prefix + "delta20"] = delta(p, layer.s)
    arrays[prefix + "merged20"] = layer.w + delta(p, layer.s)
    arrays[prefix + "out20"] = layer.out(p)


def case(method, key, data, r, alpha, rslora):
    s = 1.0 if alpha is None else alpha / (np.sqrt(r) if rslora else r)
    rng = np.random.default_rng(17)
    w = data["W"]
    p0 = start(method, w, r, s, rng)
    residual = w if method == "lora" else w - delta(p0, s)
    layer = Layer(data, residual, s)
    pp = {k: v + 0.1 * rng.standard_normal(v.shape) for k, v in p0.items()}
    arrays = {"W_res": residual, "delta0": delta(p0, s), "out0": layer.out(p0), "outp": layer.out(pp)}
    for suffix, p in (("0", p0), ("p", pp)):
        arrays.update({k + suffix: v for k, v in p.items()})
        arrays.update({"g" + k + suffix: v for k, v in layer.gradients(p).items()})
    name = f"{method}/{key}_r{r}_a{alpha}" + ("_rslora" if rslora else "")
    entry = {"id": name, "method": method, "data": key, "r": r, "alpha": alpha, "rslora": rslora, "scaling": s,
             "loss0": layer.loss(p0), "lossp": layer.loss(pp)}
    if method == "sorsa":
        coefficient = GAMMA / LR
        entry.update(gamma=GAMMA, reg_coef=coefficient, reg={
            long: float(regulariser(pp, form)[0])
            for long, form in (("sum_sq_fro", "sq"), ("sum_fro", "fro"), ("repo_mean_fro", "repo"))})
        for form in ("sq", "fro", "repo"):
            for k, v in regulariser(pp, form)[1].items():
                arrays[f"reg_{form}_g{k}"] = v
        for prefix, p, args in (("noreg_", p0, {}), ("sqreg_", p0, {"form": "sq", "coefficient": coefficient}),
                                ("sqreg_p_", pp, {"form": "sq", "coefficient": coefficient}),
                                ("repo_p_", pp, {"form": "repo", "coefficient": coefficient, "clip": True})):
            end(arrays, prefix, layer, *train(layer, p, **args))
    else:
        p20, losses = train(layer, p0)
        end(arrays, "", layer, p20, losses)
        if method != "lora":
            arrays["A_conv"] = np.concatenate([p20["A"], p0["A"]])
            arrays["B_conv"] = np.concatenate([p20["B"], -p0["B"]], axis=1)
    path = os.path.join(ROOT, name + ".npz")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    np.savez_compressed(path, **arrays)
    return entry


def main():
    os.makedirs(os.path.join(ROOT, "data"), exist_ok=True)
    cases = []
    for out, inp in ((7, 5), (5, 7)):
        rng = np.random.default_rng(out)
        key = f"{out}x{inp}"
        # float32 values held in float64, so that the Java side starts from exactly the same weights
        data = {"W": rng.standard_normal((out, inp)) / np.sqrt(inp), "b": 0.1 * rng.standard_normal(out),
                "x": rng.standard_normal((6, inp)), "y": rng.standard_normal((6, out))}
        data = {k: v.astype(np.float32).astype(np.float64) for k, v in data.items()}
        np.savez_compressed(os.path.join(ROOT, "data", key + ".npz"), **data)
        for method in ("lora", "olora", "pissa", "sorsa"):
            cases.append(case(method, key, data, 2, None if method == "sorsa" else 2, False))
            cases.append(case(method, key, data, 3, 6, method != "sorsa" and out > inp))
    with open(os.path.join(ROOT, "index.json"), "w") as f:
        json.dump({"made by": "src/test/python/make_golden.py", "cases": cases}, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    main()
