"""Writes 5 steps of torch's AdamW on heads and biases that are trained whole beside a LoRA to ../resources/train/whole.json:
python3 whole_training.py (torch 1.13). A dense layer with a LoRA and its bias, a pooling, a head; the loss of each task."""
import json
import pathlib

import torch
from torch.nn import functional as F

torch.manual_seed(5)
torch.set_num_threads(1)
B, T, H, R, ALPHA, STEPS, LR, DECAY = 4, 5, 6, 2, 4.0, 5, 1e-2, 0.01


def pooled(kind, h, mask):
    if kind == "EACH":
        return h
    if kind == "FIRST":
        return h[:, 0]
    if kind == "MEAN":
        return (h * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
    last = (mask * torch.arange(1, T + 1)).argmax(1)
    return h[torch.arange(B), last]


def loss_of(task, scores, labels, weights):
    if task == "classification":
        return F.cross_entropy(scores, labels)
    if task == "smoothed":
        return F.cross_entropy(scores, labels, label_smoothing=0.1)
    if task == "weighted":
        return F.cross_entropy(scores, labels, weight=weights)
    if task == "tokenClassification":
        return F.cross_entropy(scores.flatten(0, 1), labels.flatten(), ignore_index=-100)
    if task == "regression":
        return F.mse_loss(scores, labels)
    return F.binary_cross_entropy_with_logits(scores, labels)


def right(lengths):
    return (torch.arange(T)[None] < torch.tensor(lengths)[:, None]).float()


cases = []
for task, pooling, outputs, left in [
    ("classification", "FIRST", 3, False),
    ("smoothed", "MEAN", 3, False),
    ("weighted", "LAST", 3, False),
    ("classification", "LAST", 2, True),
    ("regression", "MEAN", 1, False),
    ("regression", "FIRST", 3, False),
    ("multiLabel", "LAST", 4, True),
    ("tokenClassification", "EACH", 3, False),
]:
    mask = right([5, 3, 1, 4])
    if left:
        mask = mask.flip(1)
    x = torch.randn(B, T, H)
    weight = torch.randn(H, H) * 0.5
    start = dict(
        A=torch.randn(R, H) * 0.5,
        B=torch.randn(H, R) * 0.1,
        bias=torch.randn(H) * 0.1,
        head_weight=torch.randn(outputs, H) * 0.3,
        head_bias=torch.randn(outputs) * 0.1,
    )
    class_weights = torch.rand(outputs) + 0.5
    if task in ("regression", "multiLabel"):
        labels = torch.randn(B, outputs) if task == "regression" else torch.randint(0, 2, (B, outputs)).float()
        label_mask = torch.ones(B, outputs)
    elif task == "tokenClassification":
        labels = torch.randint(0, outputs, (B, T))
        labels[mask == 0] = -100
        label_mask = mask
    else:
        labels = torch.randint(0, outputs, (B,))
        label_mask = class_weights[labels] if task == "weighted" else torch.ones(B)
    parameters = {name: torch.nn.Parameter(value.clone()) for name, value in start.items()}
    optimizer = torch.optim.AdamW(list(parameters.values()), lr=LR, weight_decay=DECAY)
    losses = []
    for _ in range(STEPS):
        p = parameters
        h = torch.tanh(F.linear(x, weight, p["bias"]) + ALPHA / R * F.linear(F.linear(x, p["A"]), p["B"]))
        scores = F.linear(pooled(pooling, h, mask), p["head_weight"], p["head_bias"])
        loss = loss_of(task, scores, labels, class_weights)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(list(parameters.values()), 1.0)
        optimizer.step()
        losses.append(float(loss))
    cases.append(
        dict(
            task=task,
            pooling=pooling,
            outputs=outputs,
            x=x.tolist(),
            mask=mask.tolist(),
            labels=labels.tolist(),
            label_mask=label_mask.tolist(),
            weight=weight.tolist(),
            start={name: value.tolist() for name, value in start.items()},
            end={name: value.detach().tolist() for name, value in parameters.items()},
            losses=losses,
        )
    )
target = pathlib.Path(__file__).parent.parent / "resources" / "train" / "whole.json"
target.write_text(json.dumps(cases))
