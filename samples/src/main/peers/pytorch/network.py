"""The benchmark's GPT-2-like network with adapters on every linear layer, as a PyTorch 1.13 engineer writes it.

Weights are [in, out] and used as x W. Frozen tensors need no gradient, so autograd computes none below the first adapter.
"""

import json
import math
import struct
from pathlib import Path

import numpy
import torch
from torch.nn import functional

TYPES = {"F32": numpy.float32, "I64": numpy.int64}


def read_tensors(path, prefix=""):
    """The tensors of a safetensors file whose names start with the prefix, by the rest of their names."""
    tensors = {}
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        for name, entry in header.items():
            if name != "__metadata__" and name.startswith(prefix):
                begin, end = entry["data_offsets"]
                kind = numpy.dtype(TYPES[entry["dtype"]])
                file.seek(8 + length + begin)
                array = numpy.fromfile(file, dtype=kind, count=(end - begin) // kind.itemsize)
                tensors[name[len(prefix) :]] = torch.from_numpy(array.reshape(entry["shape"]))
    return tensors


class Linear:
    """y = x W + b + x A diag(S) B, with W the residual; LoRA has no S, and its W is the weight itself."""

    def __init__(self, weight, bias, start, precision):
        self.factors = [tensor.requires_grad_() for _, tensor in start]
        self.weight, self.bias = weight, bias
        if len(self.factors) == 3:
            left, values, right = (factor.detach() for factor in self.factors)
            self.weight.addmm_(left * values, right, alpha=-1)
        if precision == "bf16":
            self.weight = self.weight.bfloat16()

    def __call__(self, x):
        y = x @ self.weight if self.bias is None else torch.addmm(self.bias, x, self.weight)
        first, *middle, last = self.factors
        hidden = x @ first
        if middle:
            hidden = hidden * middle[0]
        if torch.is_autocast_cpu_enabled():
            return torch.addmm(y, hidden, last)
        return y.addmm_(hidden, last)

    def penalty_gradient(self, coefficient):
        """Adds the gradient of coefficient (||A^T A - I||^2 + ||B B^T - I||^2): 4 A (A^T A - I) and 4 (B B^T - I) B."""
        first, _, last = self.factors
        identity = torch.eye(last.shape[0])
        left, right = first.detach(), last.detach()
        first.grad.addmm_(left, torch.addmm(identity, left.T, left, beta=-1), alpha=4 * coefficient)
        last.grad.addmm_(torch.addmm(identity, right, right.T, beta=-1), right, alpha=4 * coefficient)


class DenseLinear(Linear):
    """As the SORSA authors' layer computes: the dense product A diag(S) B in every forward pass, then x times it."""

    def __call__(self, x):
        first, values, last = self.factors
        y = x @ self.weight if self.bias is None else torch.addmm(self.bias, x, self.weight)
        return y + x @ ((first * values) @ last)

    def norms(self):
        """The terms of the authors' regulariser, Frobenius norms that are not squared."""
        first, _, last = self.factors
        identity = torch.eye(last.shape[0])
        return torch.linalg.norm(first.T @ first - identity) + torch.linalg.norm(last @ last.T - identity)


class Gpt:
    """The language model; method is lora, sorsa or sorsa-dense."""

    def __init__(self, job):
        folder, self.heads, self.layers = Path(job["folder"]), job["heads"], job["layers"]
        self.weights = read_tensors(folder / "weights.safetensors")
        kind = DenseLinear if job["method"] == "sorsa-dense" else Linear
        method = job["method"].split("-")[0]
        starts = {}
        for name, tensor in read_tensors(folder / method / "native" / "adapter.safetensors", "start.").items():
            starts.setdefault(name.rpartition(".")[0], []).append((name[-1:].replace("S", "AS"), tensor))
        self.linear = {
            module: kind(
                self.weights.pop(module + ".weight"),
                self.weights.pop(module + ".bias", None),
                sorted(start, key=lambda item: item[0]),
                job["precision"],
            )
            for module, start in starts.items()
        }
        length = job["length"]
        self.mask = torch.full((length, length), -1e9).triu(1)

    def trainables(self):
        return [factor for linear in self.linear.values() for factor in linear.factors]

    def norm(self, name, x):
        weight = self.weights[name + ".weight"]
        return functional.layer_norm(x, weight.shape, weight, self.weights[name + ".bias"])

    def attention(self, path, x, batch, length):
        size = x.shape[1] // self.heads
        joined = self.linear[path + "c_attn"](x).view(batch, length, 3, self.heads, size)
        query, key, value = joined.permute(2, 0, 3, 1, 4).reshape(3, batch * self.heads, length, size).unbind()
        mask = self.mask.expand(batch * self.heads, length, length)
        scores = torch.baddbmm(mask, query, key.transpose(1, 2), alpha=1 / math.sqrt(size))
        mixed = torch.softmax(scores, dim=-1) @ value
        mixed = mixed.view(batch, self.heads, length, size).transpose(1, 2).reshape(batch * length, -1)
        return self.linear[path + "c_proj"](mixed)

    def loss(self, ids, labels):
        """Mean cross entropy of the next tokens."""
        batch, length = ids.shape
        x = self.weights["transformer.wte.weight"][ids] + self.weights["transformer.wpe.weight"][:length]
        x = x.view(batch * length, -1)
        for layer in range(self.layers):
            path = f"transformer.h.{layer}."
            x = x + self.attention(path + "attn.", self.norm(path + "ln_1", x), batch, length)
            hidden = functional.gelu(self.linear[path + "mlp.c_fc"](self.norm(path + "ln_2", x)))
            x = x + self.linear[path + "mlp.c_proj"](hidden)
        logits = self.linear["lm_head"](self.norm("transformer.ln_f", x))
        return functional.cross_entropy(logits.float(), labels.view(-1))
