"""Small models, each with one form that real transformers have, as torch.onnx and ONNX's own operators write them.

    OPENBLAS_CORETYPE=SKYLAKEX /usr/bin/python3 import/src/test/python/forms.py FOLDER

Each is a few lines: masks, positions, ways to share keys, to pack and cut projections, to normalise, to gate, to pool, to store
parameters, and the later forms of ONNX's operators (operator sets 18 to 21). The importer's test class ZooTable verifies, trains and
merges the files, as those of zoo.py. Needs torch 1.13 and onnx 1.12 (Debian 12: python3-torch, python3-onnx). Random weights.
"""

import math
import sys
import warnings
from pathlib import Path

sys.dont_write_bytecode = True

import numpy
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn import functional as F

WIDTH, HEADS, SIZE, VOCABULARY, CONTEXT = 16, 4, 4, 40, 24
LOWEST = torch.finfo(torch.float32).min
FORMS = {}


def form(function):
    """Registers forward(self, x, mask); self makes linear layers by self.linear(name, ...) and parameters by self.weight(...)."""
    FORMS[function.__name__.replace("_", "-")] = function
    return function


class Model(nn.Module):
    """Runs a form once to make its parameters, and then with them."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def layer(self, name, make):
        if not hasattr(self, name):
            setattr(self, name, make())
        return getattr(self, name)

    def linear(self, name, x, out=WIDTH, bias=True):
        return self.layer(name, lambda: nn.Linear(x.shape[-1], out, bias))(x)

    def weight(self, name, *shape):
        return self.layer(name, lambda: nn.Parameter(torch.randn(*shape) / math.sqrt(shape[-1])))

    def buffer(self, name, value):
        if not hasattr(self, name):
            self.register_buffer(name, value)
        return getattr(self, name)

    def forward(self, x, mask):
        return self.function(self, x, mask)


def heads(x, count=HEADS):
    return x.view(x.shape[0], x.shape[1], count, -1).transpose(1, 2)


def together(x):
    return x.transpose(1, 2).reshape(x.shape[0], x.shape[2], -1)


def project(m, x, names="qkv"):
    return [heads(m.linear(name, x)) for name in names]


def attend(m, q, k, v, bias):
    return m.linear("o", together(F.softmax(q @ k.transpose(-1, -2) / 2 + bias, -1) @ v))


def padding(mask):
    return (1.0 - mask[:, None, None, :].float()) * LOWEST


def places(x):
    return torch.arange(x.shape[1], device=x.device)


# masks


@form
def mask_causal_tril(m, x, mask):
    allowed = torch.tril(torch.ones(x.shape[1], x.shape[1], dtype=torch.bool))[None, None] & (mask[:, None, None, :] > 0)
    q, k, v = project(m, x)
    scores = (q @ k.transpose(-1, -2)).masked_fill(~allowed, float("-inf"))
    return m.linear("o", together(torch.nan_to_num(F.softmax(scores, -1), 0.0) @ v))


@form
def mask_sliding_window(m, x, mask):
    away = places(x)[:, None] - places(x)[None, :]
    bias = torch.where((away >= 0) & (away < 3), torch.zeros(1), torch.full((1,), LOWEST))[None, None]
    return attend(m, *project(m, x), torch.max(bias + padding(mask), torch.tensor(LOWEST)))


@form
def mask_prefix(m, x, mask):
    prefix = mask.sum(-1, keepdim=True) // 2
    seen = (places(x)[None, None, :] < prefix[:, :, None]) | (places(x)[None, :] <= places(x)[:, None])[None]
    return attend(m, *project(m, x), (~seen)[:, None].float() * -1e4 + padding(mask))


@form
def mask_segments(m, x, mask):
    segments = torch.cumsum(mask, 1) // 3
    same = segments[:, :, None] == segments[:, None, :]
    return attend(m, *project(m, x), torch.where(same[:, None], torch.zeros(1), torch.full((1,), -1e9)))


@form
def mask_diagonal_blocks(m, x, mask):
    block = torch.div(places(x), 4, rounding_mode="floor")
    return attend(m, *project(m, x), (block[:, None] != block[None, :]).float()[None, None] * -1e4 + padding(mask))


@form
def mask_dilated(m, x, mask):
    away = (places(x)[:, None] - places(x)[None, :]).abs()
    return attend(m, *project(m, x), ((away % 2 != 0) & (away > 2)).to(x.dtype) * -1e4)


@form
def mask_stored_causal(m, x, mask):
    stored = m.buffer("causal", torch.tril(torch.ones(CONTEXT, CONTEXT)).view(1, 1, CONTEXT, CONTEXT).bool())
    q, k, v = project(m, x)
    scores = q @ k.transpose(-1, -2)
    t = x.shape[1]
    scores = torch.where(stored[:, :, :t, :t], scores, torch.tensor(LOWEST)) + padding(mask)
    return m.linear("o", together(F.softmax(scores, -1) @ v))


@form
def mask_by_scatter(m, x, mask):
    bias = torch.full((x.shape[1], x.shape[1]), LOWEST)
    bias = torch.triu(bias, diagonal=1)
    bias = bias * (places(x) > -1).reshape(-1, 1)
    return attend(m, *project(m, x), bias[None, None].expand(x.shape[0], 1, -1, -1) + padding(mask))


# positions


@form
def positions_alibi(m, x, mask):
    slopes = m.buffer("slopes", torch.tensor([2.0 ** -(2 * i + 2) for i in range(HEADS)]))
    away = -(places(x)[None, :] - places(x)[:, None]).abs().float()
    return attend(m, *project(m, x), slopes[None, :, None, None] * away[None, None] + padding(mask))


@form
def positions_alibi_of_mask(m, x, mask):
    slopes = m.buffer("slopes", torch.tensor([[2.0 ** -(2 * i + 2)] for i in range(HEADS)]))
    where = ((mask.cumsum(-1) - 1) * mask)[:, None, :]
    return attend(m, *project(m, x), slopes[None, ..., None] * where[:, None] + padding(mask))


@form
def positions_buckets(m, x, mask):
    away = places(x)[None, :] - places(x)[:, None]
    bucket = (away > 0).long() * 8
    far = away.abs()
    large = 4 + (torch.log(far.float() / 4 + 1e-6) / math.log(16 / 4) * 4).long()
    bucket = bucket + torch.where(far < 4, far, torch.min(large, torch.full_like(large, 7)))
    bias = m.layer("relative", lambda: nn.Embedding(16, HEADS))(bucket).permute(2, 0, 1)[None]
    return attend(m, *project(m, x), bias + padding(mask))


@form
def positions_disentangled(m, x, mask):
    table = m.layer("relative", lambda: nn.Embedding(16, WIDTH)).weight
    away = torch.clamp(places(x)[:, None] - places(x)[None, :] + 8, 0, 15)
    q, k, v = project(m, x)
    keys = m.linear("position_key", table).view(16, HEADS, SIZE).permute(1, 0, 2)
    queries = m.linear("position_query", table).view(16, HEADS, SIZE).permute(1, 0, 2)
    index = away.expand(x.shape[0], HEADS, -1, -1)
    content = torch.gather(q @ keys.transpose(-1, -2)[None], -1, index)
    position = torch.gather(k @ queries.transpose(-1, -2)[None], -1, index).transpose(-1, -2)
    scores = (q @ k.transpose(-1, -2) + content + position) / math.sqrt(3 * SIZE) + padding(mask)
    return m.linear("o", together(F.softmax(scores, -1) @ v))


@form
def positions_shifted(m, x, mask):
    """Transformer-XL: scores by distance, moved into place by a pad and two views."""
    q, k, v = project(m, x)
    t = x.shape[1]
    distances = m.buffer("distances", torch.randn(CONTEXT, WIDTH))[:t].flip(0)
    r = m.linear("r", distances).view(1, t, HEADS, SIZE).transpose(1, 2)
    by = F.pad(q @ r.transpose(-1, -2), (1, 0)).view(x.shape[0], HEADS, t + 1, t)[:, :, 1:]
    return m.linear("o", together(F.softmax((q @ k.transpose(-1, -2) + by) / 2 + padding(mask), -1) @ v))


def angles(t, size=SIZE):
    rates = 1.0 / (100 ** (torch.arange(0, size, 2).float() / size))
    return torch.outer(torch.arange(t).float(), rates)


@form
def positions_rotary_halves(m, x, mask):
    q, k, v = project(m, x)
    angle = torch.cat([angles(x.shape[1])] * 2, -1)[None, None]

    def turned(y):
        first, second = y.chunk(2, -1)
        return y * angle.cos() + torch.cat([-second, first], -1) * angle.sin()

    return attend(m, turned(q), turned(k), v, padding(mask))


@form
def positions_rotary_pairs(m, x, mask):
    q, k, v = project(m, x)
    angle = angles(x.shape[1])[None, None]

    def turned(y):
        even, odd = y[..., ::2], y[..., 1::2]
        pairs = [even * angle.cos() - odd * angle.sin(), odd * angle.cos() + even * angle.sin()]
        return torch.stack(pairs, -1).flatten(-2)

    return attend(m, turned(q), turned(k), v, padding(mask))


@form
def positions_rotary_part(m, x, mask):
    q, k, v = project(m, x)
    table = m.buffer("table", torch.cat([torch.cos(angles(CONTEXT, 2)), torch.sin(angles(CONTEXT, 2))], -1))
    row = table[(mask.cumsum(-1) - 1).clamp(min=0)][:, None]
    cosine, sine = torch.split(row, 1, -1)

    def turned(y):
        part, rest = y[..., :2], y[..., 2:]
        even, odd = part[..., 0:1], part[..., 1:2]
        return torch.cat([even * cosine - odd * sine, odd * cosine + even * sine, rest], -1)

    return attend(m, turned(q), turned(k), v, padding(mask))


@form
def positions_sine(m, x, mask):
    where = torch.cumsum(mask, 1).type_as(mask) * mask
    table = m.buffer("table", torch.sin(torch.randn(CONTEXT + 2, WIDTH)))
    x = x * math.sqrt(WIDTH) + table.index_select(0, where.view(-1)).view(x.shape[0], x.shape[1], -1)
    return attend(m, *project(m, x), padding(mask))


# keys and values that heads share


@form
def shared_expand(m, x, mask):
    q = heads(m.linear("q", x))
    k, v = [heads(m.linear(name, x, 2 * SIZE), 2) for name in "kv"]
    k, v = [y[:, :, None].expand(-1, -1, 2, -1, -1).reshape(y.shape[0], HEADS, y.shape[2], SIZE) for y in (k, v)]
    return attend(m, q, k, v, padding(mask))


@form
def shared_repeat_interleave(m, x, mask):
    q = heads(m.linear("q", x))
    k, v = [torch.repeat_interleave(heads(m.linear(name, x, 2 * SIZE), 2), 2, dim=1) for name in "kv"]
    return attend(m, q, k, v, padding(mask))


@form
def shared_one(m, x, mask):
    q = m.linear("q", x).view(x.shape[0], -1, HEADS, SIZE)
    k, v = torch.split(m.linear("kv", x, 2 * SIZE), SIZE, -1)
    scores = torch.einsum("bqhd,bkd->bhqk", q, k) + padding(mask)
    return m.linear("o", torch.einsum("bhqk,bkd->bqhd", F.softmax(scores, -1), v).flatten(2))


@form
def shared_groups(m, x, mask):
    q = m.linear("q", x).view(x.shape[0], -1, 2, 2, SIZE)
    k, v = [m.linear(name, x, 2 * SIZE).view(x.shape[0], -1, 2, SIZE) for name in "kv"]
    scores = torch.einsum("bqgnd,bkgd->bgnqk", q, k) + padding(mask)[:, None]
    return m.linear("o", torch.einsum("bgnqk,bkgd->bqgnd", F.softmax(scores, -1), v).flatten(2))


# packed projections


def packed(m, x, cut):
    return attend(m, *[heads(y) for y in cut(m.linear("qkv", x, 3 * WIDTH))], torch.zeros(1))


@form
def packed_split(m, x, mask):
    return packed(m, x, lambda y: y.split(WIDTH, -1))


@form
def packed_chunk(m, x, mask):
    return packed(m, x, lambda y: y.chunk(3, -1))


@form
def packed_slices(m, x, mask):
    return packed(m, x, lambda y: (y[..., :WIDTH], y[..., WIDTH : 2 * WIDTH], y[..., -WIDTH:]))


@form
def packed_unbind(m, x, mask):
    y = m.linear("qkv", x, 3 * WIDTH).reshape(x.shape[0], x.shape[1], 3, HEADS, SIZE).permute(2, 0, 3, 1, 4)
    return attend(m, *y.unbind(0), padding(mask))


@form
def packed_interleaved(m, x, mask):
    y = m.linear("qkv", x, 3 * WIDTH).view(x.shape[0], x.shape[1], HEADS, 3, SIZE)
    return attend(m, *[y[..., i, :].transpose(1, 2) for i in range(3)], padding(mask))


@form
def packed_parameter(m, x, mask):
    stored = m.weight("in_proj_weight", 3 * WIDTH, WIDTH)
    q, k, v = [heads(F.linear(x, stored[i * WIDTH : (i + 1) * WIDTH])) for i in range(3)]
    return attend(m, q, k, v, padding(mask))


@form
def packed_uneven(m, x, mask):
    q, kv, gate = torch.split(m.linear("in", x, WIDTH + 2 * WIDTH + 5), [WIDTH, 2 * WIDTH, 5], -1)
    k, v = kv.chunk(2, -1)
    return attend(m, heads(q), heads(k), heads(v), padding(mask)) + m.linear("gate", torch.sigmoid(gate))


# normalisation


@form
def norm_root_mean_square(m, x, mask):
    x = x.float()
    y = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)
    return m.linear("o", y * (1.0 + m.weight("scale", WIDTH)))


@form
def norm_by_length(m, x, mask):
    y = x / (x.norm(2, dim=-1, keepdim=True) * WIDTH**-0.5 + 1e-8)
    return m.linear("o", y * m.weight("scale", WIDTH))


@form
def norm_in_double(m, x, mask):
    y = x.double()
    y = (y / torch.sqrt(torch.mean(y * y, -1, True) + 1e-6)).to(x.dtype)
    return m.linear("o", m.weight("scale", WIDTH) * y)


@form
def norm_of_queries(m, x, mask):
    q, k, v = project(m, x)
    q, k = [m.layer("norm_" + name, lambda: nn.LayerNorm(SIZE))(y) for name, y in (("q", q), ("k", k))]
    return attend(m, q, k, v, padding(mask))


@form
def norm_cosine_attention(m, x, mask):
    q, k, v = project(m, x)
    scale = torch.clamp(m.weight("logit_scale", HEADS, 1, 1), max=math.log(100.0)).exp()
    scores = F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).transpose(-2, -1) * scale
    return m.linear("o", together(F.softmax(scores + padding(mask), -1) @ v))


@form
def norm_groups(m, x, mask):
    y = m.layer("norm", lambda: nn.GroupNorm(4, WIDTH))(x.transpose(1, 2)).transpose(1, 2)
    return m.linear("o", y)


@form
def norm_batch(m, x, mask):
    y = m.layer("norm", lambda: nn.BatchNorm1d(WIDTH))(x.transpose(1, 2)).transpose(1, 2)
    return m.linear("o", y)


@form
def norm_soft_cap(m, x, mask):
    q, k, v = project(m, x)
    scores = 5.0 * torch.tanh(q @ k.transpose(-1, -2) / 5.0)
    return m.linear("o", together(F.softmax(scores + padding(mask), -1, dtype=torch.float32) @ v))


@form
def norm_log_sum_exp(m, x, mask):
    y = m.linear("o", x)
    return y - torch.logsumexp(y, -1, keepdim=True) + F.log_softmax(y, -1)


# gates


@form
def gate_glu(m, x, mask):
    return m.linear("o", F.glu(m.linear("in", x, 2 * WIDTH), -1))


@form
def gate_swiglu_packed(m, x, mask):
    gate, up = m.linear("gate_up", x, 2 * WIDTH).chunk(2, -1)
    return m.linear("down", F.silu(gate) * up)


@form
def gate_geglu(m, x, mask):
    return m.linear("down", F.gelu(m.linear("gate", x)) * m.linear("up", x, bias=False))


@form
def gate_relu_square(m, x, mask):
    return m.linear("down", torch.square(F.relu(m.linear("up", x, 32))))


@form
def gate_clamped(m, x, mask):
    y = m.linear("gate_up", x, 2 * WIDTH)
    gate, up = y[..., ::2].clamp(max=7.0), y[..., 1::2].clamp(min=-7.0, max=7.0)
    return m.linear("down", (up + 1) * gate * torch.sigmoid(gate * 1.702))


@form
def gate_fast_gelu(m, x, mask):
    y = m.linear("up", x)
    return m.linear("down", 0.5 * y * (1.0 + torch.tanh(math.sqrt(2 / math.pi) * (y + 0.044715 * torch.pow(y, 3.0)))))


@form
def gate_spatial(m, x, mask):
    u, v = m.linear("in", x, 2 * WIDTH).chunk(2, -1)
    v = m.layer("norm", lambda: nn.LayerNorm(WIDTH))(v)
    v = m.layer("mix", lambda: nn.Conv1d(WIDTH, WIDTH, 3, padding=1, groups=WIDTH))(v.transpose(1, 2)).transpose(1, 2)
    return m.linear("o", u * v)


@form
def gate_talking_heads(m, x, mask):
    q, k, v = project(m, x)
    before = m.linear("before", (q @ k.transpose(-1, -2)).permute(0, 2, 3, 1), HEADS).permute(0, 3, 1, 2)
    after = m.linear("after", F.softmax(before + padding(mask), -1).permute(0, 2, 3, 1), HEADS).permute(0, 3, 1, 2)
    return m.linear("o", together(after @ v))


# other mixers


@form
def mixer_linear_attention(m, x, mask):
    q, k, v = project(m, x)
    q, k = F.elu(q) + 1, (F.elu(k) + 1) * mask[:, None, :, None]
    state = torch.einsum("bhtd,bhte->bhde", k, v)
    total = 1 / (torch.einsum("bhtd,bhd->bht", q, k.sum(2)) + 1e-6)
    return m.linear("o", together(torch.einsum("bhtd,bhde,bht->bhte", q, state, total)))


@form
def mixer_causal_linear(m, x, mask):
    q, k, v = [torch.sigmoid(y) for y in project(m, x)]
    state = torch.cumsum(k[..., :, None] * v[..., None, :], 2)
    return m.linear("o", together((q[..., None, :] @ state)[..., 0, :] / (torch.cumsum(k, 2) * q).sum(-1, keepdim=True)))


@form
def mixer_retention(m, x, mask):
    q, k, v = project(m, x)
    decay = torch.log(1 - 2.0 ** (-5 - torch.arange(HEADS).float()))
    away = places(x)[:, None] - places(x)[None, :]
    weights = torch.exp(decay[:, None, None] * away.clamp(min=0)) * (away >= 0)
    y = (q @ k.transpose(-1, -2) * weights[None]) @ v
    return m.linear("o", together(y) * F.silu(m.linear("gate", x)))


@form
def mixer_convolution(m, x, mask):
    y = F.glu(m.layer("point", lambda: nn.Conv1d(WIDTH, 2 * WIDTH, 1))(x.transpose(1, 2)), 1)
    y = m.layer("depth", lambda: nn.Conv1d(WIDTH, WIDTH, 5, padding=2, groups=WIDTH))(y)
    y = F.silu(m.layer("norm", lambda: nn.BatchNorm1d(WIDTH))(y))
    return m.layer("out", lambda: nn.Conv1d(WIDTH, WIDTH, 1))(y).transpose(1, 2)


@form
def mixer_token_shift(m, x, mask):
    before = F.pad(x, (0, 0, 1, -1))
    ratio = torch.sigmoid(m.weight("ratio", 1, 1, WIDTH))
    return m.linear("o", torch.square(torch.relu(m.linear("k", x * ratio + before * (1 - ratio)))))


@form
def mixer_latents(m, x, mask):
    latents = m.weight("latents", 1, 3, WIDTH).expand(x.shape[0], -1, -1)
    q, (k, v) = heads(m.linear("q", latents)), project(m, x, "kv")
    return attend(m, q, k, v, padding(mask))


@form
def mixer_module(m, x, mask):
    mixed, _ = m.layer("attention", lambda: nn.MultiheadAttention(WIDTH, HEADS, batch_first=True))(
        x, x, x, key_padding_mask=mask == 0, need_weights=True
    )
    return m.linear("o", mixed)


@form
def mixer_merged_tokens(m, x, mask):
    """Two tokens become one, of an even number of tokens (the mask's last one is repeated)."""
    x = torch.cat([x, x], 1)
    return m.linear("reduce", torch.cat([x[:, 0::2], x[:, 1::2]], -1))


# front ends and heads


@form
def front_convolutions(m, x, mask):
    y = F.gelu(m.layer("first", lambda: nn.Conv1d(WIDTH, WIDTH, 3, padding=1))(x.transpose(1, 2)))
    y = F.gelu(m.layer("second", lambda: nn.Conv1d(WIDTH, WIDTH, 3, stride=2, padding=1))(y)).permute(0, 2, 1)
    return attend(m, *project(m, y), torch.zeros(1))


@form
def front_causal_convolution(m, x, mask):
    y = F.pad(x.transpose(1, 2), (2, 0))
    return m.linear("o", m.layer("conv", lambda: nn.Conv1d(WIDTH, WIDTH, 3))(y).transpose(1, 2))


@form
def front_weight_norm(m, x, mask):
    conv = m.layer("conv", lambda: nn.utils.weight_norm(nn.Conv1d(WIDTH, WIDTH, 3, padding=1), dim=2))
    return m.linear("o", F.gelu(conv(x.transpose(1, 2))).transpose(1, 2))


@form
def front_class_token(m, x, mask):
    first = m.weight("class_token", 1, 1, WIDTH).expand(x.shape[0], -1, -1)
    x = torch.cat([first, x], 1)
    x = x + m.buffer("positions", torch.randn(1, CONTEXT + 1, WIDTH))[:, : x.shape[1]]
    return attend(m, *project(m, x), torch.zeros(1))[:, 0]


def head(m, x):
    return m.linear("classifier", torch.tanh(m.linear("dense", x)), 3)


@form
def head_mean(m, x, mask):
    weights = mask[..., None].expand(x.size()).float()
    return head(m, torch.sum(x * weights, 1) / torch.clamp(weights.sum(1), min=1e-9))


@form
def head_max(m, x, mask):
    return head(m, x.masked_fill(mask[..., None] == 0, -1e9).max(1)[0])


@form
def head_last(m, x, mask):
    last = (mask.sum(-1) - 1).clamp(min=0)
    return head(m, x)[torch.arange(x.shape[0]), last]


@form
def head_by_argmax(m, x, mask):
    last = mask.long().argmax(-1)
    return head(m, torch.gather(x, 1, last[:, None, None].expand(-1, 1, WIDTH)).squeeze(1))


@form
def head_attention_pool(m, x, mask):
    weights = F.softmax(m.linear("scores", x, 1).squeeze(-1).masked_fill(mask == 0, LOWEST), -1)
    return head(m, torch.bmm(weights.unsqueeze(1), x).squeeze(1))


@form
def head_spans(m, x, mask):
    start, end = m.linear("spans", x, 2).split(1, dim=-1)
    return start.squeeze(-1).contiguous() + end.squeeze(-1).contiguous()


@form
def head_pairs(m, x, mask):
    """Biaffine scores of every pair of tokens."""
    left, right = m.linear("left", x), m.linear("right", x)
    return torch.einsum("bxi,ij,byj->bxy", left, m.weight("between", WIDTH, WIDTH), right)


# parameters


@form
def stored_transposed(m, x, mask):
    return x @ m.weight("matrix", WIDTH, WIDTH).t() + torch.matmul(x, m.weight("other", WIDTH, WIDTH).transpose(0, 1))


@form
def stored_in_half(m, x, mask):
    half = m.layer("halves", lambda: nn.Parameter(torch.randn(WIDTH, WIDTH).half(), requires_grad=False))
    return F.linear(x, half.float())


@form
def stored_scaled(m, x, mask):
    weight = m.weight("matrix", WIDTH, WIDTH)
    return F.linear(x, weight * m.weight("scale", WIDTH, 1)) + F.linear(x, weight)


@form
def stored_as_vector(m, x, mask):
    return x @ m.weight("flat", 1, WIDTH * WIDTH).view(WIDTH, WIDTH)


@form
def stored_standardised(m, x, mask):
    w = m.weight("matrix", WIDTH, WIDTH)
    w = (w - w.mean(1, keepdim=True)) / (w.var(1, keepdim=True, unbiased=False) + 1e-5).sqrt()
    return F.linear(m.linear("first", x), w)


@form
def stored_shared(m, x, mask):
    for _ in range(3):
        x = x + torch.tanh(m.linear("again", x))
    return x


# experts


def routed(m, x, experts=4):
    scores = F.softmax(m.linear("router", x, experts, bias=False), -1)
    value, index = torch.topk(scores, 2, -1)
    value = value / value.sum(-1, keepdim=True)
    return torch.zeros_like(scores).scatter(-1, index, value)


@form
def experts_repeated(m, x, mask):
    rows = x.reshape(-1, WIDTH)
    each = rows.repeat(4, 1).view(4, -1, WIDTH)
    gate, up = torch.bmm(each, m.weight("experts_gate_up", 4, WIDTH, 2 * WIDTH)).chunk(2, -1)
    y = torch.bmm(F.silu(gate) * up, m.weight("experts_down", 4, WIDTH, WIDTH))
    return (y * routed(m, rows).t()[..., None]).sum(0).view(x.shape)


@form
def experts_einsum(m, x, mask):
    hidden = F.gelu(torch.einsum("bti,eih->bteh", x, m.weight("experts_in", 4, WIDTH, 8)))
    y = torch.einsum("bteh,eho->bteo", hidden, m.weight("experts_out", 4, 8, WIDTH))
    return torch.einsum("bteo,bte->bto", y, routed(m, x))


@form
def experts_transposed(m, x, mask):
    each = x.reshape(1, -1, WIDTH) + m.weight("experts_shift", 4, 1, WIDTH)
    y = torch.matmul(each, m.weight("experts_up", 4, WIDTH, WIDTH).transpose(1, 2))
    return torch.einsum("eno,ne->no", y, routed(m, x.reshape(-1, WIDTH))).view(x.shape)


@form
def experts_stacked(m, x, mask):
    layers = m.layer("experts", lambda: nn.ModuleList([nn.Linear(WIDTH, WIDTH) for _ in range(4)]))
    y = torch.stack([layer(x) for layer in layers], -2)
    return (y * routed(m, x)[..., None]).sum(-2)


def export(name, function, opset, folder):
    torch.manual_seed(len(name))
    model = Model(function).eval()
    x, mask = torch.randn(2, 6, WIDTH), torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]])
    with torch.no_grad():
        model(x, mask)
    axes = {0: "batch", 1: "sequence"}
    torch.onnx.export(
        model,
        (x, mask),
        str(folder / f"{name}-op{opset}-torch.onnx"),
        opset_version=opset,
        input_names=["x", "attention_mask"],
        output_names=["y"],
        dynamic_axes={"x": axes, "attention_mask": axes, "y": {0: "batch"}},
    )


# ONNX's own operators in forms that torch 1.13 does not write


def stored(name, *shape):
    return numpy_helper.from_array((numpy.random.randn(*shape) / 4).astype(numpy.float32), name)


def whole(name, *values):
    return numpy_helper.from_array(numpy.array(values, numpy.int64), name)


def write(folder, name, opset, nodes, tensors, functions=(), domains=()):
    floats = [TensorProto.FLOAT, ["batch", "sequence", WIDTH]]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "first.weight"], ["h"]), *nodes, helper.make_node("MatMul", ["r", "last.weight"], ["y"])],
        name,
        [helper.make_tensor_value_info("x", *floats)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [stored("first.weight", WIDTH, WIDTH), stored("last.weight", WIDTH, WIDTH), *tensors],
    )
    imports = [helper.make_opsetid("", opset), *[helper.make_opsetid(domain, 1) for domain in domains]]
    model = helper.make_model(graph, opset_imports=imports, ir_version=8, functions=list(functions))
    onnx.save(model, folder / f"{name}-op{opset}-onnx.onnx")


def node(operator, inputs, outputs, **attributes):
    return helper.make_node(operator, inputs.split(" "), outputs.split(" "), **attributes)


def operators(folder):
    axes = whole("axes", -1)
    for opset in (18, 20, 21):
        mean = [node("ReduceMean", "h axes", "m", keepdims=1), node("Sub", "h m", "r")]
        write(folder, "reduce-mean", opset, mean, [axes])
        largest = [node("ReduceMax", "h axes", "m"), node("ReduceL2", "h axes", "l"), node("Mul", "m l", "t"), node("Div", "h t", "r")]
        write(folder, "reduce-others", opset, largest, [axes])
        parts = [node("Split", "h", "a b c", axis=-1, num_outputs=3), node("Concat", "c a b", "r", axis=-1)]
        write(folder, "split-uneven", opset, parts, [])
        pad = [node("Pad", "h pads  where", "p", mode="constant"), node("Slice", "p start end where", "r")]
        pad[0].input[2] = ""
        write(folder, "pad-axes", opset, pad, [whole("pads", 1, 2), whole("where", 1), whole("start", 1), whole("end", -2)])
    write(folder, "gelu", 20, [node("Gelu", "h", "g", approximate="tanh"), node("Gelu", "g", "r")], [])
    write(folder, "mish", 18, [node("Mish", "h", "r")], [])
    groups = [node("Transpose", "h", "t", perm=[0, 2, 1]), node("GroupNormalization", "t s b", "n", num_groups=4)]
    groups.append(node("Transpose", "n", "r", perm=[0, 2, 1]))
    write(folder, "group-norm", 21, groups, [stored("s", WIDTH), stored("b", WIDTH)])
    cast = [node("Cast", "h", "d", to=TensorProto.DOUBLE), node("CastLike", "d h", "r")]
    write(folder, "cast-like", 19, cast, [])
    scan = [node("CumSum", "h at", "s", exclusive=1, reverse=1), node("Softmax", "s", "r", axis=1)]
    write(folder, "cumsum-backwards", 17, scan, [numpy_helper.from_array(numpy.int64(1), "at")])
    pieces = [node("SplitToSequence", "h sizes", "list", axis=-1, keepdims=1), node("SequenceAt", "list at", "a")]
    pieces += [node("SequenceAt", "list other", "b"), node("Concat", "b a", "r", axis=-1)]
    places_ = [numpy_helper.from_array(numpy.int64(0), "at"), numpy_helper.from_array(numpy.int64(-1), "other")]
    write(folder, "sequence", 17, pieces, [whole("sizes", 6, 10), *places_])
    joined = [node("SplitToSequence", "h sizes", "list", axis=-1), node("ConcatFromSequence", "list", "r", axis=-1)]
    write(folder, "sequence-joined", 17, joined, [whole("sizes", 6, 10)])

    def branch(operator, name):
        result = helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
        return helper.make_graph([node(operator, "h", name)], name, [], [result])

    chosen = helper.make_node("If", ["yes"], ["r"], then_branch=branch("Tanh", "then"), else_branch=branch("Relu", "else"))
    write(folder, "if-constant", 17, [chosen], [numpy_helper.from_array(numpy.array(True), "yes")])
    rank = [node("Shape", "h", "shape"), node("Size", "shape", "rank"), node("Equal", "rank three", "yes"), chosen]
    write(folder, "if-rank", 17, rank, [numpy_helper.from_array(numpy.int64(3), "three")])
    body = [node("Mul", "a a", "s"), node("ReduceMean", "s", "v", axes=[-1]), node("Sqrt", "v", "q"), node("Div", "a q", "b")]
    function = helper.make_function("local", "Normal", ["a"], ["b"], body, [helper.make_opsetid("", 17)])
    calls = [helper.make_node("Normal", ["h"], ["n"], domain="local"), helper.make_node("Normal", ["n"], ["r"], domain="local")]
    write(folder, "functions", 17, calls, [], [function], ["local"])
    best = [node("TopK", "h k", "v i", axis=-1, largest=1, sorted=1), node("ScatterElements", "h i v", "r", axis=-1, reduction="add")]
    write(folder, "scatter-add", 18, best, [whole("k", 4)])
    lists = [node("Shape", "h", "tail", start=-1), node("Shape", "h", "front", end=-1), node("Concat", "front two eight", "to", axis=0)]
    lists += [node("Reshape", "h to", "c"), node("Transpose", "c", "t", perm=[0, 1, 3, 2]), node("Concat", "front tail", "back", axis=0)]
    lists += [node("Reshape", "t back", "r")]
    write(folder, "shape-parts", 18, lists, [whole("two", 2), whole("eight", 8)])
    codes = numpy_helper.from_array(numpy.random.randint(-100, 100, (WIDTH, WIDTH)).astype(numpy.int8), "codes")
    quantised = [node("DequantizeLinear", "codes scales", "w", axis=1), node("MatMul", "h w", "r")]
    write(folder, "dequantised", 19, quantised, [codes, numpy_helper.from_array(numpy.full(WIDTH, 0.01, numpy.float32), "scales")])


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    warnings.filterwarnings("ignore")
    failures = []
    for name, function in FORMS.items():
        for opset in (13, 17):
            try:
                export(name, function, opset, folder)
            except Exception as e:
                failures.append(f"{name}-op{opset}: {str(e).strip().splitlines()[0]}")
    numpy.random.seed(5)
    operators(folder)
    (folder / "not-exported.txt").write_text("".join(line + "\n" for line in failures))


if __name__ == "__main__":
    main()
