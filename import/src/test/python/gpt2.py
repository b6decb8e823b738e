"""A GPT-2-style decoder in plain PyTorch, with Hugging Face's module names and a dynamic ONNX export.

Module names (and so parameter names) are those of `GPT2LMHeadModel`:

    transformer.wte, transformer.wpe, transformer.h.N.{ln_1, attn.c_attn, attn.c_proj, ln_2, mlp.c_fc, mlp.c_proj},
    transformer.ln_f, lm_head

Paper: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners".
"""

import math
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Gpt2Config:
    """The sizes of a model and the form its linear layers take.

    conv1d   True: Hugging Face's Conv1D, weight [in, out]; False: nn.Linear, weight [out, in].
    flatten  Only with conv1d. True: run it as Hugging Face does, on [batch * seq, in] with addmm (ONNX Gemm);
             False: x @ weight + bias on [batch, seq, in] (ONNX MatMul and Add).
    tied     True: lm_head uses the token embedding's weight.
    """

    vocab: int
    context: int
    dim: int
    layers: int
    heads: int
    conv1d: bool = True
    flatten: bool = False
    tied: bool = False

    def __post_init__(self):
        if self.dim % self.heads != 0:
            raise ValueError(f"dim {self.dim} is not a multiple of heads {self.heads}")


class Conv1D(nn.Module):
    """y = x W + b with W [in, out]: a linear layer stored the other way round than nn.Linear."""

    def __init__(self, inputs: int, outputs: int, flatten: bool = False):
        super().__init__()
        self.flatten = flatten
        self.weight = nn.Parameter(torch.empty(inputs, outputs).normal_(std=0.02))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        if not self.flatten:
            return x @ self.weight + self.bias
        shape = x.size()[:-1] + (self.bias.size(0),)
        return torch.addmm(self.bias, x.view(-1, x.size(-1)), self.weight).view(shape)


def linear(config: Gpt2Config, inputs: int, outputs: int) -> nn.Module:
    """A linear layer in the form the configuration asks for."""
    if config.conv1d:
        return Conv1D(inputs, outputs, config.flatten)
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, std=0.02)
    nn.init.zeros_(layer.bias)
    return layer


def gelu_new(x):
    """The tanh approximation of GELU that GPT-2 uses: fused to train fast, spelled out in an ONNX graph."""
    if not torch.onnx.is_in_onnx_export():
        return nn.functional.gelu(x, approximate="tanh")
    return 0.5 * x * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * torch.pow(x, 3.0))))


class Attention(nn.Module):
    """Causal multi-head self-attention with one fused projection for query, key and value."""

    def __init__(self, config: Gpt2Config):
        super().__init__()
        self.dim, self.heads = config.dim, config.heads
        self.c_attn = linear(config, config.dim, 3 * config.dim)
        self.c_proj = linear(config, config.dim, config.dim)

    def forward(self, x, future):
        batch, seq = x.size(0), x.size(1)
        query, key, value = (self.split_heads(part) for part in self.c_attn(x).split(self.dim, dim=2))
        scores = query @ key.transpose(-1, -2) / math.sqrt(self.dim // self.heads)
        mixed = torch.softmax(scores.masked_fill(future, -1e9), dim=-1) @ value
        return self.c_proj(mixed.transpose(1, 2).reshape(batch, seq, self.dim))

    def split_heads(self, x):
        """[batch, seq, dim] -> [batch, heads, seq, dim / heads]"""
        return x.view(x.size(0), x.size(1), self.heads, self.dim // self.heads).transpose(1, 2)


class Mlp(nn.Module):
    """The position-wise feed-forward part: dim -> 4 dim -> dim."""

    def __init__(self, config: Gpt2Config):
        super().__init__()
        self.c_fc = linear(config, config.dim, 4 * config.dim)
        self.c_proj = linear(config, 4 * config.dim, config.dim)

    def forward(self, x):
        return self.c_proj(gelu_new(self.c_fc(x)))


class Block(nn.Module):
    """Attention and feed-forward, each behind a layer norm and added to the residual stream."""

    def __init__(self, config: Gpt2Config):
        super().__init__()
        self.ln_1 = nn.LayerNorm(config.dim)
        self.attn = Attention(config)
        self.ln_2 = nn.LayerNorm(config.dim)
        self.mlp = Mlp(config)

    def forward(self, x, future):
        x = x + self.attn(self.ln_1(x), future)
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    """Embeddings, blocks and the final layer norm: everything below the language-model head."""

    def __init__(self, config: Gpt2Config):
        super().__init__()
        self.wte = nn.Embedding(config.vocab, config.dim)
        self.wpe = nn.Embedding(config.context, config.dim)
        self.h = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.ln_f = nn.LayerNorm(config.dim)
        nn.init.normal_(self.wte.weight, std=0.02)
        nn.init.normal_(self.wpe.weight, std=0.01)

    def forward(self, input_ids):
        positions = torch.arange(input_ids.size(1), device=input_ids.device)
        future = positions.unsqueeze(1) < positions.unsqueeze(0)
        x = self.wte(input_ids) + self.wpe(positions)
        for block in self.h:
            x = block(x, future)
        return self.ln_f(x)


class Gpt2(nn.Module):
    """The language model: input_ids [batch, seq] int64 -> logits [batch, seq, vocab]."""

    def __init__(self, config: Gpt2Config):
        super().__init__()
        self.config = config
        self.transformer = Transformer(config)
        self.lm_head = nn.Linear(config.dim, config.vocab, bias=False)
        nn.init.normal_(self.lm_head.weight, std=0.02)
        if config.tied:
            self.lm_head.weight = self.transformer.wte.weight

    def forward(self, input_ids):
        return self.lm_head(self.transformer(input_ids))


def export_onnx(model: nn.Module, path: str, opset: int = 14) -> None:
    """Writes the model as ONNX with dynamic batch and sequence axes: input_ids -> logits."""
    model.eval()
    torch.onnx.export(
        model,
        (torch.zeros(2, 5, dtype=torch.int64),),
        path,
        input_names=["input_ids"],
        output_names=["logits"],
        dynamic_axes={"input_ids": {0: "batch", 1: "sequence"}, "logits": {0: "batch", 1: "sequence"}},
        opset_version=opset,
        do_constant_folding=True,
    )
