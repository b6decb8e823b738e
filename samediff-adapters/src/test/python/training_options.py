"""Writes 30 steps of torch on two layers with a LoRA, by dropout, by learning rates and by optimiser, to
../resources/train/options.json: python3 training_options.py (torch 1.13). The masks are those of graph.Dropout, written out here."""
import json
import pathlib

import torch
from torch.nn import functional as F

from training_draws import ALL, GOLDEN, mix, site


def mask(rate, seed, step, part, name, shape):
    if rate == 0:
        return torch.ones(shape)
    key = mix(mix(mix(seed) ^ step) ^ part)
    kept = round((1 - rate) * 2**32)
    base = key ^ site(name)
    count = shape[0] * shape[1]
    values = [2**32 / kept if mix((base + (i + 1) * GOLDEN) & ALL) >> 32 < kept else 0.0 for i in range(count)]
    return torch.tensor(values).reshape(shape)


torch.manual_seed(11)
torch.set_num_threads(1)
N, IN, HIDDEN, R, ALPHA, STEPS, SEED = 6, 5, 7, 2, 6.0, 30, 3

OPTIMIZERS = {
    "adamw": lambda groups: torch.optim.AdamW(groups, lr=1e-2),
    "adam": lambda groups: torch.optim.Adam(groups, lr=1e-2),
    "sgd": lambda groups: torch.optim.SGD(groups, lr=2e-2),
    "rmsprop": lambda groups: torch.optim.RMSprop(groups, lr=1e-2, alpha=0.95),
}


def case(name, rate=0.0, ratio=1.0, accumulate=1, decay=0.05, optimizer="adamw", dora=False):
    x = torch.randn(accumulate, N, IN)
    y = torch.randn(accumulate, N, IN)
    up, down = torch.randn(HIDDEN, IN) * 0.5, torch.randn(IN, HIDDEN) * 0.5
    start = {
        "up.A": torch.randn(R, IN) * 0.5,
        "up.B": torch.randn(HIDDEN, R) * 0.1,
        "down.A": torch.randn(R, HIDDEN) * 0.5,
        "down.B": torch.randn(IN, R) * 0.1,
    }
    if dora:
        start |= {"up.m": up.norm(dim=1), "down.m": down.norm(dim=1)}
    p = {key: torch.nn.Parameter(value.clone()) for key, value in start.items()}
    base = 2e-2 if optimizer == "sgd" else 1e-2
    fast = [value for key, value in p.items() if not key.endswith("A")]
    slow = [value for key, value in p.items() if key.endswith("A")]
    groups = [
        dict(params=slow, lr=base, weight_decay=decay),
        dict(params=fast, lr=base * ratio, weight_decay=decay),
    ]
    optim = OPTIMIZERS[optimizer](groups)
    losses = []

    def layer(weight, z, key, drop):
        kept = z * drop
        change = ALPHA / R * F.linear(F.linear(kept, p[key + ".A"]), p[key + ".B"])
        if not dora:
            return F.linear(z, weight) + change
        whole = weight + ALPHA / R * p[key + ".B"] @ p[key + ".A"]
        f = p[key + ".m"] / whole.norm(dim=1).detach()
        return F.linear(z, weight) + (f - 1) * F.linear(kept, weight) + f * change

    for step in range(STEPS):
        optim.zero_grad()
        total = 0
        for part in range(accumulate):
            drops = [
                mask(rate, SEED, step, part, f"{output}/default/keep", (N, width))
                for output, width in (("up_product", IN), ("down_product", HIDDEN))
            ]
            h = torch.tanh(layer(up, x[part], "up", drops[0]))
            out = layer(down, h, "down", drops[1])
            loss = F.mse_loss(out, y[part]) / accumulate
            loss.backward()
            total += float(loss)
        optim.step()
        losses.append(total)
    return dict(
        name=name,
        rate=rate,
        ratio=ratio,
        accumulate=accumulate,
        decay=decay,
        optimizer=optimizer,
        dora=dora,
        lr=base,
        x=x.tolist(),
        y=y.tolist(),
        up=up.tolist(),
        down=down.tolist(),
        start={key: value.tolist() for key, value in start.items()},
        end={key: value.detach().tolist() for key, value in p.items()},
        losses=losses,
    )


cases = [
    case("dropout", rate=0.3),
    case("dropout, accumulated", rate=0.5, accumulate=2),
    case("dropout of dora", rate=0.3, dora=True),
    case("lora+", ratio=16.0),
    case("lora+ with dropout", ratio=4.0, rate=0.2),
    case("lora+ of dora", ratio=4.0, dora=True),
    case("adam", optimizer="adam", decay=0.0),
    case("sgd", optimizer="sgd", decay=0.0),
    case("rmsprop", optimizer="rmsprop", decay=0.0),
    case("sgd, lora+", optimizer="sgd", decay=0.0, ratio=4.0),
]
target = pathlib.Path(__file__).parent.parent / "resources" / "train" / "options.json"
target.write_text(json.dumps(cases))
