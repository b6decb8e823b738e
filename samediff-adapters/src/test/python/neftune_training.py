"""Writes 30 steps of torch with NEFTune (Jain et al. 2023) on a model with a LoRA to ../resources/train/neftune.json:
python3 neftune_training.py (torch 1.13). The noise is that of graph.EmbeddingNoise, written out here."""
import json
import math
import pathlib

import torch
from torch.nn import functional as F

from training_draws import ALL, GOLDEN, mix, site

torch.manual_seed(21)
torch.set_num_threads(1)
VOCABULARY, WIDTH, BATCH, LENGTH, R, ALPHA, STEPS, SEED, PARTS = 13, 6, 3, 5, 2, 6.0, 30, 9, 2


def noise(alpha, step, part):
    base = mix(mix(mix(SEED) ^ step) ^ part) ^ site("/neftune")
    count = BATCH * LENGTH * WIDTH
    units = [(mix((base + (i + 1) * GOLDEN) & ALL) >> 40) * 2.0**-24 for i in range(count)]
    most = alpha / math.sqrt(LENGTH * WIDTH)
    return torch.tensor([most * (2 * u - 1) for u in units]).reshape(BATCH, LENGTH, WIDTH)


table = torch.randn(VOCABULARY, WIDTH)
places = torch.randn(LENGTH, WIDTH) * 0.3
layer = torch.randn(VOCABULARY, WIDTH) * 0.5
start = {
    "head.A": torch.randn(R, WIDTH) * 0.5,
    "head.B": torch.randn(VOCABULARY, R) * 0.1,
    "wte.A": torch.randn(VOCABULARY, R) * 0.3,
    "wte.B": torch.randn(R, WIDTH) * 0.2,
}
ids = torch.randint(0, VOCABULARY, (PARTS, BATCH, LENGTH))
labels = torch.randint(0, VOCABULARY, (PARTS, BATCH, LENGTH))


def case(alpha, embeddings):
    p = {k: torch.nn.Parameter(v.clone()) for k, v in start.items() if embeddings or k.startswith("head")}
    optimizer = torch.optim.AdamW(p.values(), lr=1e-2, weight_decay=0.0)
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        total = 0.0
        for part in range(PARTS):
            x = table[ids[part]]
            if embeddings:
                x = x + ALPHA / R * p["wte.A"][ids[part]] @ p["wte.B"]
            x = torch.tanh(x + noise(alpha, step, part) + places)
            logits = F.linear(x, layer) + ALPHA / R * F.linear(F.linear(x, p["head.A"]), p["head.B"])
            loss = F.cross_entropy(logits.reshape(-1, VOCABULARY), labels[part].reshape(-1)) / PARTS
            loss.backward()
            total += float(loss)
        optimizer.step()
        losses.append(total)
    return dict(alpha=alpha, embeddings=embeddings, losses=losses, end={k: v.detach().tolist() for k, v in p.items()})


result = dict(
    seed=SEED,
    table=table.tolist(),
    places=places.tolist(),
    layer=layer.tolist(),
    start={k: v.tolist() for k, v in start.items()},
    ids=ids.tolist(),
    labels=labels.tolist(),
    cases=[case(5.0, False), case(5.0, True), case(0.0, False)],
)
target = pathlib.Path(__file__).parent.parent / "resources" / "train" / "neftune.json"
target.write_text(json.dumps(result) + "\n")
