"""Writes 30 steps of torch's AdamW on virtual tokens to ../resources/train/prompt.json: python3 prompt_tuning.py (torch 1.13).

x = [P; E[ids]] + positions, one causal attention head q = k = v = x W, logits = tanh(context) H^T with a head of its own or E (tied), cross
entropy with labels -100 at the virtual tokens but the last, which learns the text's first token, as PEFT's PeftModelForCausalLM does."""
import json
import math
import pathlib

import torch
from torch.nn import functional as F

torch.manual_seed(5)
torch.set_num_threads(1)
V, D, N, T, STEPS, LR, DECAY = 9, 6, 3, 5, 30, 1e-2, 0.01

cases = []
for tied in (False, True):
    table = torch.randn(V, D)
    head = table if tied else torch.randn(V, D)
    weight = torch.randn(D, D) * 0.5
    positions = torch.randn(N + T, D) * 0.3
    ids = torch.tensor([[8, 0, 7, 3, 1], [2, 8, 6, 8, 4]])  # rows 8 to 6 are what ids below zero would look up
    labels = torch.cat([torch.full((2, N), -100), ids], 1)[:, 1:]
    prompt = torch.nn.Parameter(torch.randn(N, D))
    start = prompt.detach().clone()
    optimizer = torch.optim.AdamW([prompt], lr=LR, weight_decay=DECAY)
    mask = torch.full((N + T, N + T), -1e9).triu(1)
    losses = []
    for _ in range(STEPS):
        x = torch.cat([prompt.expand(2, N, D), F.embedding(ids, table)], 1) + positions
        q = F.linear(x, weight)
        h = torch.softmax(q @ q.transpose(1, 2) / math.sqrt(D) + mask, -1) @ q
        logits = F.linear(torch.tanh(h), head)
        loss = F.cross_entropy(logits[:, :-1].reshape(-1, V), labels.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([prompt], 1.0)
        optimizer.step()
        losses.append(float(loss))
    cases.append(
        dict(
            tied=tied,
            table=table.tolist(),
            head=head.tolist(),
            weight=weight.tolist(),
            positions=positions.tolist(),
            ids=ids.tolist(),
            start=start.tolist(),
            end=prompt.detach().tolist(),
            losses=losses,
        )
    )
target = pathlib.Path(__file__).parent.parent / "resources" / "train" / "prompt.json"
target.write_text(json.dumps(cases))
