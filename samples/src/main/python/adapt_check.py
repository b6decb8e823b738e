"""Adapts the bundled ONNX model to the shifted stories in PyTorch: what the Java sample's fine-tuning should reach.

    python3 samples/src/main/python/adapt_check.py --method lora

Adapts every linear layer of the blocks (16 sites; --head adds lm_head) with scaling 1 and a response-only loss.
"""

import argparse
import math
import time
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import nn

from pretrain import CONFIG, MODEL_FOLDER, batch, report, stories, weighted_loss
from gpt2 import Gpt2


def factors(method, weight, rank):
    """Trainable tensors of one site, for weight [in, out] and y = x weight."""
    inputs, outputs = weight.shape
    if method == "lora":
        return [torch.empty(inputs, rank).uniform_(-(inputs**-0.5), inputs**-0.5), torch.zeros(rank, outputs)]
    if method == "olora":
        orthonormal, triangle = torch.linalg.qr(weight.T)
        return [triangle[:rank].T, orthonormal[:, :rank].T]
    left, values, right = torch.linalg.svd(weight, full_matrices=False)
    left, values, right = left[:, :rank], values[:rank], right[:rank]
    if method == "pissa":
        return [left * values.sqrt(), values.sqrt().unsqueeze(1) * right]
    return [left, values, right]  # SORSA


class Adapted(nn.Module):
    """y = x (W - D0) + b + x A diag(S) B, where D0 is the starting value of A diag(S) B."""

    def __init__(self, weight, bias, method, rank):
        super().__init__()
        self.factors = nn.ParameterList(nn.Parameter(f.clone().contiguous()) for f in factors(method, weight, rank))
        self.register_buffer("residual", weight - self.branch(torch.eye(weight.shape[0])).detach())
        self.register_buffer("bias", bias)

    def branch(self, x):
        first, *middle, last = self.factors
        hidden = x @ first
        return (hidden * middle[0] if middle else hidden) @ last

    def forward(self, x):
        y = x @ self.residual + self.branch(x)
        return y if self.bias is None else y + self.bias

    def penalty(self):
        """SORSA's ||U^T U - I||^2 + ||V V^T - I||^2 (Frobenius)."""
        identity = torch.eye(self.factors[1].shape[0])
        left, _, right = self.factors
        return ((left.T @ left - identity) ** 2).sum() + ((right @ right.T - identity) ** 2).sum()


def load(path):
    """The PyTorch model with the ONNX file's weights; PyTorch's exporter transposes the head and loses its name."""
    initializers = onnx.load(str(path)).graph.initializer
    weights = {entry.name: torch.tensor(numpy_helper.to_array(entry)) for entry in initializers}
    model = Gpt2(CONFIG)
    named = {name: value for name, value in weights.items() if name in model.state_dict()}
    head = next(value for name, value in weights.items() if value.shape == (CONFIG.dim, CONFIG.vocab))
    model.load_state_dict({**named, "lm_head.weight": head.T})
    return model


def adapt(model, method, rank, head):
    """Freezes the model, replaces its linear layers and returns the adapters."""
    model.requires_grad_(False)
    adapters = []
    for block in model.transformer.h:
        attn, mlp = block.attn, block.mlp
        for parent, name in ((attn, "c_attn"), (attn, "c_proj"), (mlp, "c_fc"), (mlp, "c_proj")):
            layer = getattr(parent, name)
            adapters.append(Adapted(layer.weight.detach(), layer.bias.detach(), method, rank))
            setattr(parent, name, adapters[-1])
    if head:
        adapters.append(Adapted(model.lm_head.weight.detach().T, None, method, rank))
        model.lm_head = adapters[-1]
    return adapters


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=MODEL_FOLDER / "stories-gpt.onnx")
    parser.add_argument("--method", choices=["lora", "olora", "pissa", "sorsa", "full"], default="lora")
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--head", action="store_true", help="adapt lm_head too")
    parser.add_argument("--rate", type=float, default=1e-2, help="peak learning rate")
    parser.add_argument("--gamma", type=float, default=0.0, help="SORSA's regulariser: gamma / rate times the penalty")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--evaluate", type=int, default=200)
    parser.add_argument("--forgetting", action="store_true", help="measure the pre-training distribution afterwards")
    options = parser.parse_args()
    print(" ".join(f"{name}={value}" for name, value in vars(options).items() if name != "model"))
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    model = load(options.model)
    adapters = [] if options.method == "full" else adapt(model, options.method, options.rank, options.head)
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    print(f"{sum(parameter.numel() for parameter in trainable):,} trainable parameters")
    training = stories("shifted", options.steps * options.batch, options.seed)
    held_out = stories("shifted", options.evaluate, options.seed, "eval")
    report(model, "shifted", held_out)
    optimizer = torch.optim.AdamW(trainable, weight_decay=0.0)
    started, recent = time.time(), []
    for step in range(1, options.steps + 1):
        warm, cosine = step / (0.05 * options.steps), 0.5 * (1 + math.cos(math.pi * step / options.steps))
        for group in optimizer.param_groups:
            group["lr"] = options.rate * min(warm, cosine)
        pairs = training[(step - 1) * options.batch : step * options.batch]
        loss = weighted_loss(model, *batch(pairs, context_weight=0.0))
        recent.append(loss.item())
        if options.method == "sorsa" and options.gamma > 0:
            loss = loss + options.gamma / options.rate * sum(adapter.penalty() for adapter in adapters)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trainable, 1.0)
        optimizer.step()
        if step in (1, 5, 10) or step % 20 == 0:
            seconds = (time.time() - started) / step
            print(f"step {step} loss {sum(recent) / len(recent):.4f} {seconds:.2f} s/step", flush=True)
            recent = []
    report(model, "shifted", held_out)
    if options.forgetting:
        report(model, "pretrain", stories("pretrain", options.evaluate, options.seed, "eval"))


if __name__ == "__main__":
    main()
