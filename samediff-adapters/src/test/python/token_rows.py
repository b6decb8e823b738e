"""Writes 5 steps of torch's AdamW on rows of an embedding, or all of it, beside a LoRA to ../resources/train/rows.json:
python3 token_rows.py (torch 1.13). logits = tanh(E[ids] W') H^T, the head H being a matrix of its own or E (tied), cross entropy.
Rows are trained as PEFT's trainable_token_indices are: index_copy of the rows into the table, for the lookup and for a tied head."""
import json
import pathlib

import torch
from torch.nn import functional as F

torch.manual_seed(11)
torch.set_num_threads(1)
V, D, R, ALPHA, STEPS, LR, DECAY = 9, 6, 2, 4.0, 5, 1e-2, 0.01

cases = []
for rows, tied in [([7, 8, 2], False), ([7, 8, 2], True), ([8], True), ([8], False), ([], False)]:
    table = torch.randn(V, D)
    head = table if tied else torch.randn(V, D)
    weight = torch.randn(D, D) * 0.5
    ids = torch.tensor([[7, 0, 7, 3], [8, 2, 8, 8]])  # repeats rows; row 5 is read by nobody
    labels = torch.randint(0, V, ids.shape)
    start = dict(A=torch.randn(R, D) * 0.5, B=torch.randn(D, R) * 0.1, rows=table[rows] if rows else table.clone())
    parameters = {name: torch.nn.Parameter(value.clone()) for name, value in start.items()}
    optimizer = torch.optim.AdamW(list(parameters.values()), lr=LR, weight_decay=DECAY)
    losses = []
    for _ in range(STEPS):
        p = parameters
        merged = table.index_copy(0, torch.tensor(rows), p["rows"]) if rows else p["rows"]
        x = F.embedding(ids, merged).flatten(0, 1)
        h = torch.tanh(F.linear(x, weight) + ALPHA / R * F.linear(F.linear(x, p["A"]), p["B"]))
        loss = F.cross_entropy(F.linear(h, merged if tied else head), labels.flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(list(parameters.values()), 1.0)
        optimizer.step()
        losses.append(float(loss))
    cases.append(
        dict(
            tokens=rows,
            tied=tied,
            table=table.tolist(),
            head=head.tolist(),
            weight=weight.tolist(),
            ids=ids.tolist(),
            labels=labels.tolist(),
            start={name: value.tolist() for name, value in start.items()},
            end={name: value.detach().tolist() for name, value in parameters.items()},
            losses=losses,
        )
    )
target = pathlib.Path(__file__).parent.parent / "resources" / "train" / "rows.json"
target.write_text(json.dumps(cases))
