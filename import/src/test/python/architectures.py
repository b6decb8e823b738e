"""Tiny models of more architectures, exported by torch.onnx at several operator sets.

    /usr/bin/python3 architectures.py ../resources/architectures

They have random weights. The tests hold the import against ONNX Runtime on the same file.
"""
import math
import sys
import warnings
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

WIDTH, HEADS, VOCABULARY = 16, 2, 40


class T5Norm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(WIDTH) + 0.5)

    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))


class T5Attention(nn.Module):
    """Relative position buckets, no scaling, as in Hugging Face's T5."""

    def __init__(self, biased, bidirectional=True):
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(4))
        self.bidirectional = bidirectional
        if biased:
            self.relative_attention_bias = nn.Embedding(8, HEADS)
        self.biased = biased

    def bucket(self, relative):
        buckets, exact = 8, 4
        result = torch.zeros_like(relative)
        if self.bidirectional:
            buckets, exact = 4, 2
            result = result + (relative > 0).long() * buckets
            distance = relative.abs()
        else:
            distance = -torch.min(relative, torch.zeros_like(relative))
        large = exact + (torch.log(distance.float() / exact + 1e-6) / math.log(16 / exact) * (buckets - exact)).long()
        large = torch.min(large, torch.full_like(large, buckets - 1))
        return result + torch.where(distance < exact, distance, large)

    def forward(self, x, states=None, mask=None, bias=None):
        b, s, _ = x.shape
        memory = x if states is None else states
        t = memory.shape[1]
        split = lambda y, n: y.view(b, n, HEADS, WIDTH // HEADS).transpose(1, 2)
        scores = split(self.q(x), s) @ split(self.k(memory), t).transpose(2, 3)
        if bias is None and self.biased:
            relative = torch.arange(t)[None, :] - torch.arange(s)[:, None]
            bias = self.relative_attention_bias(self.bucket(relative)).permute(2, 0, 1).unsqueeze(0)
            if not self.bidirectional:
                bias = bias.masked_fill(torch.arange(t)[None, :] > torch.arange(s)[:, None], float("-inf"))
        if bias is not None:
            scores = scores + bias
        if mask is not None:
            scores = scores + (1.0 - mask[:, None, None, :].float()) * -1e9
        out = F.softmax(scores, -1) @ split(self.v(memory), t)
        return self.o(out.transpose(1, 2).reshape(b, s, WIDTH)), bias


class T5Block(nn.Module):
    def __init__(self, first, decoder):
        super().__init__()
        self.SelfAttention = T5Attention(first, not decoder)
        self.norms = nn.ModuleList(T5Norm() for _ in range(3))
        self.decoder = decoder
        if decoder:
            self.EncDecAttention = T5Attention(False)
        self.wi = nn.Linear(WIDTH, 32, bias=False)
        self.wo = nn.Linear(32, WIDTH, bias=False)

    def forward(self, x, mask, bias, states=None):
        own = None if self.decoder else mask
        y, bias = self.SelfAttention(self.norms[0](x), mask=own, bias=bias)
        x = x + y
        if self.decoder:
            x = x + self.EncDecAttention(self.norms[1](x), states, mask)[0]
        return x + self.wo(F.relu(self.wi(self.norms[2](x)))), bias


class T5(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Embedding(VOCABULARY, WIDTH)
        self.encoder = nn.ModuleList(T5Block(i == 0, False) for i in range(2))
        self.decoder = nn.ModuleList(T5Block(i == 0, True) for i in range(2))
        self.final = T5Norm()
        self.lm_head = nn.Linear(WIDTH, VOCABULARY, bias=False)
        self.lm_head.weight = self.shared.weight

    def forward(self, input_ids, attention_mask, decoder_input_ids):
        x, bias = self.shared(input_ids), None
        for block in self.encoder:
            x, bias = block(x, attention_mask, bias)
        y, bias = self.shared(decoder_input_ids), None
        for block in self.decoder:
            y, bias = block(y, attention_mask, bias, x)
        return self.lm_head(self.final(y) * WIDTH**-0.5)


class Vit(nn.Module):
    def __init__(self):
        super().__init__()
        self.projection = nn.Conv2d(3, WIDTH, 4, 4)
        self.cls_token = nn.Parameter(torch.randn(1, 1, WIDTH))
        self.position_embeddings = nn.Parameter(torch.randn(1, 10, WIDTH))
        layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 32, 0.0, "gelu", batch_first=True, norm_first=True)
        self.encoder = nn.ModuleList([layer])
        self.classifier = nn.Linear(WIDTH, 5)

    def forward(self, pixel_values):
        x = self.projection(pixel_values).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x], 1) + self.position_embeddings
        for layer in self.encoder:
            x = layer(x)
        return self.classifier(x[:, 0])


class NeoX(nn.Module):
    """Parallel residual, rotation of a part of each head, one product for query, key and value."""

    def __init__(self):
        super().__init__()
        self.embed_in = nn.Embedding(VOCABULARY, WIDTH)
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.query_key_value = nn.Linear(WIDTH, 3 * WIDTH)
        self.dense = nn.Linear(WIDTH, WIDTH)
        self.dense_h_to_4h = nn.Linear(WIDTH, 32)
        self.dense_4h_to_h = nn.Linear(32, WIDTH)
        self.embed_out = nn.Linear(WIDTH, VOCABULARY, bias=False)
        self.register_buffer("inv_freq", 1.0 / (10000 ** (torch.arange(0, 4, 2).float() / 4)))

    def rotated(self, x, cos, sin):
        part, rest = x[..., :4], x[..., 4:]
        half = torch.cat((-part[..., 2:], part[..., :2]), -1)
        return torch.cat((part * cos + half * sin, rest), -1)

    def forward(self, input_ids):
        x = self.embed_in(input_ids)
        b, s, _ = x.shape
        qkv = self.query_key_value(self.norm1(x)).view(b, s, HEADS, 3 * (WIDTH // HEADS)).permute(0, 2, 1, 3)
        q, k, v = qkv.chunk(3, -1)
        angles = torch.arange(s).float()[:, None] * self.inv_freq[None, :]
        angles = torch.cat((angles, angles), -1)
        q, k = (self.rotated(y, angles.cos(), angles.sin()) for y in (q, k))
        scores = q @ k.transpose(-1, -2) / math.sqrt(WIDTH // HEADS)
        hidden = torch.arange(s)[None, :] > torch.arange(s)[:, None]
        scores = scores.masked_fill(hidden, float("-inf"))
        attended = (F.softmax(scores, -1) @ v).permute(0, 2, 1, 3).reshape(b, s, WIDTH)
        up = F.gelu(self.dense_h_to_4h(self.norm2(x)))
        return self.embed_out(x + self.dense(attended) + self.dense_4h_to_h(up))


class Mamba(nn.Module):
    """Depthwise causal convolution, gate, and the selective scan unrolled over a fixed length."""

    LENGTH, STATE = 6, 4

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        self.in_proj = nn.Linear(WIDTH, 4 * WIDTH, bias=False)
        self.conv1d = nn.Conv1d(2 * WIDTH, 2 * WIDTH, 4, groups=2 * WIDTH, padding=3)
        self.x_proj = nn.Linear(2 * WIDTH, 2 + 2 * self.STATE, bias=False)
        self.dt_proj = nn.Linear(2, 2 * WIDTH)
        self.A_log = nn.Parameter(torch.log(torch.arange(1, self.STATE + 1).float()).repeat(2 * WIDTH, 1))
        self.D = nn.Parameter(torch.ones(2 * WIDTH))
        self.out_proj = nn.Linear(2 * WIDTH, WIDTH, bias=False)
        self.lm_head = nn.Linear(WIDTH, VOCABULARY, bias=False)

    def forward(self, input_ids):
        hidden = self.embedding(input_ids)
        x, gate = self.in_proj(hidden).chunk(2, -1)
        x = F.silu(self.conv1d(x.transpose(1, 2))[:, :, : self.LENGTH].transpose(1, 2))
        dt, b, c = self.x_proj(x).split([2, self.STATE, self.STATE], -1)
        dt = F.softplus(self.dt_proj(dt))
        a = torch.exp(dt.unsqueeze(-1) * -torch.exp(self.A_log))
        bx = dt.unsqueeze(-1) * b.unsqueeze(2) * x.unsqueeze(-1)
        state, outputs = torch.zeros_like(bx[:, 0]), []
        for i in range(self.LENGTH):
            state = a[:, i] * state + bx[:, i]
            outputs.append((state * c[:, i].unsqueeze(1)).sum(-1))
        y = torch.stack(outputs, 1) + x * self.D
        return self.lm_head(hidden + self.out_proj(y * F.silu(gate)))


class Roberta(nn.Module):
    """Positions are counted from the mask; layers are shared as in ALBERT."""

    def __init__(self):
        super().__init__()
        self.word_embeddings = nn.Embedding(VOCABULARY, WIDTH, padding_idx=1)
        self.position_embeddings = nn.Embedding(20, WIDTH, padding_idx=1)
        self.query, self.key, self.value, self.dense = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.norm = nn.LayerNorm(WIDTH)
        self.classifier = nn.Linear(WIDTH, 3)

    def forward(self, input_ids, attention_mask):
        real = input_ids.ne(1).int()
        positions = (torch.cumsum(real, 1).type_as(real) * real).long() + 1
        x = self.word_embeddings(input_ids) + self.position_embeddings(positions)
        b, s, _ = x.shape
        hidden = (1.0 - attention_mask[:, None, None, :].to(x.dtype)) * torch.finfo(x.dtype).min
        split = lambda y: y.view(b, s, HEADS, WIDTH // HEADS).permute(0, 2, 1, 3)
        for _ in range(2):
            scores = split(self.query(x)) @ split(self.key(x)).transpose(-1, -2) / math.sqrt(WIDTH // HEADS)
            mixed = F.softmax(scores + hidden, -1) @ split(self.value(x))
            x = self.norm(x + self.dense(mixed.permute(0, 2, 1, 3).reshape(b, s, WIDTH)))
        return self.classifier(x[:, 0, :])


def main(folder):
    torch.manual_seed(3)
    warnings.filterwarnings("ignore")
    folder = Path(folder)
    ids = torch.tensor([[3, 5, 7, 2, 9, 4], [8, 6, 2, 3, 5, 11]])
    mask = torch.ones(2, 6, dtype=torch.long)
    text = {0: "batch", 1: "sequence"}
    models = {
        "t5": (T5(), (ids, mask, ids[:, :4]), {"input_ids": text, "attention_mask": text,
               "decoder_input_ids": {0: "batch", 1: "decoder_sequence"}}, (13, 14, 17)),
        "vit": (Vit(), (torch.randn(2, 3, 12, 12),), {"pixel_values": {0: "batch"}}, (11, 14, 17)),
        "neox": (NeoX(), (ids,), {"input_ids": text}, (11, 14, 17)),
        "mamba": (Mamba(), (ids,), {"input_ids": {0: "batch"}}, (11, 14, 17)),
        "roberta-shared": (Roberta(), (ids, mask), {"input_ids": text, "attention_mask": text}, (11, 14, 17)),
    }
    for name, (model, inputs, axes, opsets) in models.items():
        model.eval()
        for opset in opsets:
            file = folder / f"{name}-op{opset}.onnx"
            torch.onnx.export(model, inputs, str(file), input_names=list(axes), output_names=["logits"],
                              dynamic_axes={**axes, "logits": {0: "batch"}}, opset_version=opset)
            print(file.name, file.stat().st_size)


if __name__ == "__main__":
    main(sys.argv[1])
