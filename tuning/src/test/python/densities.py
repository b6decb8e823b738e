"""Writes ../resources/tpe-densities.json: float64 densities of the tree-structured Parzen estimator, as Optuna defines them.

The definitions are those of optuna.samplers.TPESampler with its defaults, one parameter at a time:

- Kernels: a normal distribution around every observation, cut off at the ends of the range and renormalised, and one around
  the middle as wide as the range (the prior). A kernel is as wide as the larger gap to its neighbours, the prior among them;
  the outermost kernels have one neighbour (consider_endpoints=False), unless there is no other. Widths lie between
  range / min(100, kernels + 1) and range (consider_magic_clip=True).
- Weights: the latest 25 observations and the prior 1, the older ones from 1 / n up to 1 in equal steps (default_weights).
- Whole numbers are cells of width 1 on [low - 1/2, high + 1/2]; the density is the probability of a cell.
- A choice of k: each kernel is 1 at its observation plus 1 / kernels everywhere, renormalised; the prior is even.

Everything lives in the unit interval here: an affine map of the range (of its logarithm for a logarithmic range) changes
densities by a constant only. Ties among centres are taken in the order of the trials, the prior last.

    python3 densities.py            writes the table
    python3 densities.py --optuna   compares it with the installed Optuna (3.1 or newer) instead
"""

import json
import math
import os
import random
import sys

import numpy as np
from scipy.special import log_ndtr, ndtr

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "resources", "tpe-densities.json")
RECENT = 25


def weights(n):
    if n < RECENT:
        old = np.ones(n)
    else:
        old = np.concatenate([np.linspace(1.0 / n, 1.0, num=n - RECENT), np.ones(RECENT)])
    all_weights = np.append(old, 1.0)
    return all_weights / all_weights.sum()


def widths(points):
    """Widths of the kernels of the points, in their order."""
    if len(points) == 0:
        return np.array([])
    centres = np.append(points, 0.5)
    order = np.argsort(centres, kind="stable")
    ordered = centres[order]
    result = np.empty(len(centres))
    for place, kernel in enumerate(order):
        gaps = []
        if place > 0:
            gaps.append(ordered[place] - ordered[place - 1])
        if place + 1 < len(ordered):
            gaps.append(ordered[place + 1] - ordered[place])
        result[kernel] = max(gaps)
    kernels = len(centres)
    return np.clip(result[:-1], 1.0 / min(100.0, 1.0 + kernels), 1.0)


def kernels(points):
    return np.append(points, 0.5), np.append(widths(points), 1.0), weights(len(points))


def log_sum(terms):
    top = np.max(terms)
    return top + math.log(np.sum(np.exp(terms - top)))


def log_mass(a, b):
    """Logarithm of the mass of the standard normal distribution in [a, b], exact in both tails."""
    if a > 0:
        a, b = -b, -a
    if b <= 0:
        return log_ndtr(b) + math.log1p(-math.exp(log_ndtr(a) - log_ndtr(b)))
    return math.log(ndtr(b) - ndtr(a))


def continuous(points, at):
    mu, sigma, weight = kernels(np.array(points))
    terms = [
        math.log(w) - (at - m) ** 2 / (2 * s * s) - math.log(s * math.sqrt(2 * math.pi)) - log_mass(-m / s, (1 - m) / s)
        for m, s, w in zip(mu, sigma, weight)
    ]
    return log_sum(np.array(terms))


def cell(u, count):
    return min(count - 1, int(u * count))


def whole(points, at, count):
    mu, sigma, weight = kernels(np.array([(cell(u, count) + 0.5) / count for u in points]))
    low, high = cell(at, count) / count, (cell(at, count) + 1) / count
    terms = [
        math.log(w) + log_mass((low - m) / s, (high - m) / s) - log_mass(-m / s, (1 - m) / s)
        for m, s, w in zip(mu, sigma, weight)
    ]
    return log_sum(np.array(terms))


def choice(points, at, count):
    if not points:
        return math.log(1.0 / count)
    kernel_count = len(points) + 1
    rows = np.full((kernel_count, count), 1.0 / kernel_count)
    for row, u in enumerate(points):
        rows[row, cell(u, count)] += 1
    rows /= rows.sum(axis=1, keepdims=True)
    return math.log(float(weights(len(points)) @ rows[:, cell(at, count)]))


def density(kind, count, points, at):
    if kind == "continuous":
        return continuous(points, at)
    return (whole if kind == "whole" else choice)(points, at, count)


def some_points(kind, n, seed):
    source = random.Random(seed)
    points = [round(source.betavariate(2, 3), 3) for _ in range(n)]
    if n >= 3:
        points[1] = points[0]  # one twice
        points[2] = 0.5  # where the prior is
    if n >= 10:
        points[4], points[7] = 0.0, 1.0  # the ends
    return points


def cases():
    # 25 is where old observations begin to weigh less; at 26 they are one; at 99 kernels reach the least width
    sizes = (0, 1, 2, 3, 10, 24, 25, 26, 27, 40, 97, 98, 99, 130)
    for kind, counts in (("continuous", (0,)), ("whole", (2, 9, 16, 17, 1000)), ("choice", (2, 3, 12))):
        for count in counts:
            for n in sizes:
                points = some_points(kind, n, 1000 * count + n)
                ats = [0.0, 0.013, 0.25, 0.5, 0.777, 1.0] + points[:1] + points[-1:]
                yield {"kind": kind, "count": count, "points": points, "at": ats}


def write():
    table = [dict(case, log=[density(case["kind"], case["count"], case["points"], u) for u in case["at"]]) for case in cases()]
    with open(TABLE, "w") as file:
        file.write("[" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in table) + "]\n")
    print(len(table), "densities at", sum(len(case["at"]) for case in table), "points")


def compare_with_optuna():
    import optuna
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
    from optuna.samplers._tpe import _truncnorm
    from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator, _ParzenEstimatorParameters
    from optuna.samplers._tpe.sampler import default_weights

    if tuple(int(part) for part in optuna.__version__.split(".")[:2]) < (3, 5):  # its issue 5109: without the scale
        unscaled = _truncnorm.logpdf
        _truncnorm.logpdf = lambda x, a, b, loc=0, scale=1: unscaled(x, a, b, loc, scale) - np.log(scale)
    unstable = np.argsort  # leaves the order of ties open
    np.argsort = lambda values, kind="stable": unstable(values, kind=kind)
    worst = 0.0
    for case in cases():
        kind, count, points = case["kind"], case["count"], case["points"]
        names = _ParzenEstimatorParameters._fields
        given = dict(consider_prior=True, prior_weight=1.0, consider_magic_clip=True, consider_endpoints=False,
                     weights=default_weights, multivariate=False, categorical_distance_func={})
        parameters = _ParzenEstimatorParameters(**{name: given[name] for name in names})
        spaces = {
            "continuous": lambda: FloatDistribution(0, 1),
            "whole": lambda: IntDistribution(0, count - 1),
            "choice": lambda: CategoricalDistribution(list(range(count))),
        }
        value = {"continuous": lambda u: u, "whole": lambda u: float(cell(u, count)), "choice": lambda u: cell(u, count)}[kind]
        number = int if kind == "choice" else float
        estimator = _ParzenEstimator({"x": np.array([value(u) for u in points], dtype=number)}, {"x": spaces[kind]()}, parameters)
        theirs = estimator.log_pdf({"x": np.array([value(u) for u in case["at"]], dtype=number)})
        ours = np.array([density(kind, count, points, u) for u in case["at"]])
        worst = max(worst, float(np.max(np.abs(theirs - ours))))
    print("Optuna", optuna.__version__, "largest difference of a logarithm", worst)


if __name__ == "__main__":
    compare_with_optuna() if "--optuna" in sys.argv[1:] else write()
