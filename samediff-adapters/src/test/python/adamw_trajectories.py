"""Writes torch's AdamW trajectories to ../resources/train/adamw.json: python3 adamw_trajectories.py (torch 1.13)."""
import json
import pathlib

import torch

torch.manual_seed(3)
torch.set_num_threads(1)
cases = []
for lr, betas, eps, decay in [(1e-2, (0.9, 0.999), 1e-8, 0.0), (3e-3, (0.9, 0.999), 1e-8, 0.1), (0.05, (0.8, 0.95), 1e-4, 0.01)]:
    start = [torch.randn(3, 4), torch.randn(5)]
    gradients = [[torch.randn(3, 4) * 10 ** (k % 5 - 2), torch.randn(5) * 1e-3] for k in range(25)]
    parameters = [torch.nn.Parameter(p.clone()) for p in start]
    optimizer = torch.optim.AdamW(parameters, lr=lr, betas=betas, eps=eps, weight_decay=decay)
    norms = []
    for g in gradients:
        for p, values in zip(parameters, g):
            p.grad = values.clone()
        norms.append(float(torch.nn.utils.clip_grad_norm_(parameters, 1.0)))
        optimizer.step()
    cases.append(
        dict(
            lr=lr,
            beta1=betas[0],
            beta2=betas[1],
            eps=eps,
            weightDecay=decay,
            shapes=[list(p.shape) for p in start],
            start=[p.flatten().tolist() for p in start],
            gradients=[[values.flatten().tolist() for values in g] for g in gradients],
            norms=norms,
            end=[p.detach().flatten().tolist() for p in parameters],
        )
    )
target = pathlib.Path(__file__).parent.parent / "resources" / "train" / "adamw.json"
target.write_text(json.dumps(cases))
