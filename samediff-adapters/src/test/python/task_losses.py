"""Writes 5 steps of torch's AdamW for losses over groups of texts and answers to ../resources/train/groups.json: python3 task_losses.py
(torch 1.13). Embeddings are the mean of tanh(LoRA(x)) over tokens; logits are a head on the same features of every token. Formulas are
those of sentence-transformers (contrastive, triplet, cosine) and TRL (DPO; the reference is the LoRA's base), and of the paper (ORPO)."""
import json
import pathlib

import torch
from torch.nn import functional as F

torch.manual_seed(21)
torch.set_num_threads(1)
B, T, H, V, R, ALPHA, STEPS, LR, DECAY = 4, 5, 6, 7, 2, 4.0, 5, 1e-2, 0.01
SCALE, MARGIN, BETA, SMOOTHING = 20.0, 0.7, 0.3, 0.1


def log_probabilities(logits, labels):
    tokens = logits.log_softmax(-1).gather(2, labels.clamp(min=0)[:, :, None])[:, :, 0]
    return (tokens * (labels >= 0)).sum(1), (labels >= 0).sum(1)


def loss_of(task, h, head, labels, reference):
    e = h.mean(1)
    parts = e.split(B)
    if task.startswith("contrastive"):
        a, c = F.normalize(parts[0]), F.normalize(torch.cat(parts[1:]))
        return F.cross_entropy(SCALE * a @ c.T, torch.arange(B))
    if task == "triplet":
        return F.triplet_margin_loss(*parts, margin=MARGIN)
    if task == "cosine":
        return F.mse_loss(F.cosine_similarity(parts[0], parts[1]), labels)
    sums, counts = log_probabilities(h @ head.T, labels)
    if task.startswith("dpo"):
        gained = sums - reference
        margin = BETA * (gained[:B] - gained[B:])
        e = SMOOTHING if task == "dpo_smoothed" else 0.0
        return (-(1 - e) * F.logsigmoid(margin) - e * F.logsigmoid(-margin)).mean()
    mean = sums / counts
    odds = mean - torch.log1p(-mean.exp())
    return (-mean[:B] - BETA * F.logsigmoid(odds[:B] - odds[B:])).mean()


cases = []
for task, group in [
    ("contrastive", 2), ("contrastive3", 3), ("triplet", 3), ("cosine", 2), ("dpo", 2), ("dpo_smoothed", 2), ("orpo", 2)
]:
    x = torch.randn(group * B, T, H)
    weight = torch.randn(H, H) * 0.5
    head = torch.randn(V, H)
    labels = torch.zeros(0)
    if task == "cosine":
        labels = torch.rand(B) * 2 - 1
    elif group == 2 and not task.startswith("contrastive"):
        labels = torch.randint(0, V, (2 * B, T))
        labels[:, 0] = -100
        labels[1, 3:] = -100
    start = dict(A=torch.randn(R, H) * 0.5, B=torch.randn(H, R) * 0.1)
    parameters = {name: torch.nn.Parameter(value.clone()) for name, value in start.items()}
    optimizer = torch.optim.AdamW(list(parameters.values()), lr=LR, weight_decay=DECAY)
    base = torch.tanh(F.linear(x, weight))
    reference = log_probabilities(base @ head.T, labels)[0] if task.startswith("dpo") else torch.zeros(0)
    losses = []
    for _ in range(STEPS):
        p = parameters
        h = torch.tanh(F.linear(x, weight) + ALPHA / R * F.linear(F.linear(x, p["A"]), p["B"]))
        loss = loss_of(task, h, head, labels, reference)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(list(parameters.values()), 1.0)
        optimizer.step()
        losses.append(float(loss))
    cases.append(
        dict(
            task=task,
            group=group,
            x=x.tolist(),
            weight=weight.tolist(),
            head=head.tolist(),
            labels=labels.tolist(),
            reference=reference.tolist(),
            start={name: value.tolist() for name, value in start.items()},
            end={name: value.detach().tolist() for name, value in parameters.items()},
            losses=losses,
        )
    )
target = pathlib.Path(__file__).parent.parent / "resources" / "train" / "groups.json"
target.write_text(json.dumps(cases))
