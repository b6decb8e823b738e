"""A classifier on PyTorch's own nn.TransformerEncoder, whose attention is the fused nn.MultiheadAttention.

The projection of query, key and value is one parameter, `self_attn.in_proj_weight`, of no nn.Linear; torch.onnx exports
it as a MatMul named after the attention, and takes its result apart by slices whose bounds are computed from shapes.
Tokens come as [batch, seq] and travel as [seq, batch, dim], which keeps PyTorch off the inference path it cannot export.
"""

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class EncoderConfig:
    """The sizes of a model."""

    vocab: int
    dim: int
    hidden: int
    layers: int
    heads: int
    labels: int


class Encoder(nn.Module):
    """input_ids [batch, seq] int64 -> logits [batch, labels], from the mean over the sequence."""

    def __init__(self, config: EncoderConfig):
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.vocab, config.dim)
        layer = nn.TransformerEncoderLayer(config.dim, config.heads, config.hidden, dropout=0.0)
        self.encoder = nn.TransformerEncoder(layer, config.layers)
        self.head = nn.Linear(config.dim, config.labels)

    def forward(self, input_ids):
        x = self.encoder(self.embed(input_ids).transpose(0, 1))
        return self.head(torch.mean(x, dim=0))
