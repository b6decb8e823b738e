"""Measures training steps in PyTorch: reads a job (StepJob.java) as JSON from the command line, prints JSON.

    /usr/bin/python3 samples/src/main/peers/pytorch/step.py '{"folder": ..., "method": "sorsa", ...}'
"""

import json
import sys
import time
from pathlib import Path

import torch

from network import Gpt, read_tensors


def peak_memory():
    """Peak resident memory of this process in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


class Training:
    """Forward, backward, clipping at norm 1, SORSA's regulariser, AdamW."""

    def __init__(self, job):
        self.job = job
        self.model = Gpt(job)
        self.parameters = self.model.trainables()
        self.optimizer = torch.optim.AdamW(self.parameters, lr=job["learning_rate"], weight_decay=0.0, foreach=True)
        self.batch = read_tensors(Path(job["folder"]) / "batch.safetensors")

    def step(self):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.job["precision"] == "bf16"):
            loss = self.model.loss(self.batch["input_ids"], self.batch["labels"])
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.add_penalty(self.job["gamma"] / self.job["learning_rate"])
        self.optimizer.step()
        return loss.item()

    def add_penalty(self, coefficient):
        linears = self.model.linear.values()
        if self.job["method"] == "sorsa":
            for linear in linears:
                linear.penalty_gradient(coefficient)
        elif self.job["method"] == "sorsa-dense":  # as in the authors' trainer: a second backward pass
            (coefficient * sum(linear.norms() for linear in linears) / (2 * len(linears))).backward()


def main():
    job = json.loads(sys.argv[1])
    torch.set_num_threads(job["threads"])
    training = Training(job)
    losses = [training.step() for _ in range(job["warm_up"])]
    times = []
    while len(times) < job["steps"]:
        before = time.perf_counter()
        losses.append(training.step())
        times.append(time.perf_counter() - before)
    print(
        json.dumps(
            {
                "ms": 1000 * sorted(times)[len(times) // 2],
                "peak_bytes": peak_memory(),
                "losses": losses[:10],
                "version": torch.__version__,
            }
        )
    )


if __name__ == "__main__":
    main()
