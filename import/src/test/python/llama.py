"""A Llama-style decoder in plain PyTorch, with Hugging Face's module names.

Module names (and so parameter names) are those of `LlamaForCausalLM`:

    model.embed_tokens, model.layers.N.{input_layernorm, self_attn.{q,k,v,o}_proj, post_attention_layernorm,
    mlp.{gate,up,down}_proj}, model.norm, lm_head

No linear layer has a bias, so an importer can take module paths only from the names of nodes.

Papers: Touvron et al. 2023, "Llama 2"; Zhang and Sennrich 2019 (RMSNorm); Su et al. 2021 (rotary embedding);
Shazeer 2020 (SwiGLU); Ainslie et al. 2023 (grouped-query attention).
"""

import math
from dataclasses import dataclass

import torch
from torch import nn

MASKED = torch.finfo(torch.float32).min


@dataclass(frozen=True)
class LlamaConfig:
    """The sizes of a model and the way it spells what different releases of transformers spell differently.

    kv_heads  Heads of key and value; each serves heads / kv_heads query heads.
    tied      True: lm_head uses the token embedding's weight.
    rope      "computed": cosine and sine of the positions at hand; "cached": slices of tables made beforehand.
    causal    "arange": a matrix of the lowest float, filled with 0 by comparing positions; "triu": torch.triu (needs
              opset 14); "buffer": a table of booleans, sliced, and -inf where it is false.
    """

    vocab: int
    context: int
    dim: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    tied: bool = False
    rope: str = "computed"
    causal: str = "arange"

    def __post_init__(self):
        if self.dim % self.heads != 0 or self.heads % self.kv_heads != 0:
            raise ValueError(f"dim {self.dim}, heads {self.heads} and kv_heads {self.kv_heads} do not divide evenly")
        if self.rope not in ("computed", "cached") or self.causal not in ("arange", "triu", "buffer"):
            raise ValueError(f"unknown rope {self.rope} or causal {self.causal}")


class RmsNorm(nn.Module):
    """x / sqrt(mean(x^2) + eps) * weight"""

    def __init__(self, dim: int, eps: float = 1e-5):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps))


class RotaryEmbedding(nn.Module):
    """Cosine and sine of position times frequency, [seq, head_dim] each; both halves of a head share the angles."""

    def __init__(self, config: LlamaConfig):
        super().__init__()
        head_dim = config.dim // config.heads
        self.cached = config.rope == "cached"
        frequencies = 1.0 / (10000.0 ** (torch.arange(0, head_dim, 2).float() / head_dim))
        self.register_buffer("inv_freq", frequencies, persistent=False)
        if self.cached:
            cos, sin = self.angles(torch.arange(config.context))
            self.register_buffer("cos_cached", cos, persistent=False)
            self.register_buffer("sin_cached", sin, persistent=False)

    def angles(self, positions):
        angles = positions.to(self.inv_freq.dtype).unsqueeze(1) * self.inv_freq.unsqueeze(0)
        both = torch.cat((angles, angles), dim=-1)
        return both.cos(), both.sin()

    def forward(self, positions):
        if self.cached:
            return self.cos_cached[: positions.size(0)], self.sin_cached[: positions.size(0)]
        return self.angles(positions)


def rotate_half(x):
    """(a, b) -> (-b, a), where a and b are the halves of the last dimension."""
    half = x.shape[-1] // 2
    return torch.cat((-x[..., half:], x[..., :half]), dim=-1)


class Attention(nn.Module):
    """Causal grouped-query attention with rotary positions."""

    def __init__(self, config: LlamaConfig):
        super().__init__()
        self.heads, self.kv_heads, self.head_dim = config.heads, config.kv_heads, config.dim // config.heads
        self.q_proj = nn.Linear(config.dim, self.heads * self.head_dim, bias=False)
        self.k_proj = nn.Linear(config.dim, self.kv_heads * self.head_dim, bias=False)
        self.v_proj = nn.Linear(config.dim, self.kv_heads * self.head_dim, bias=False)
        self.o_proj = nn.Linear(config.dim, config.dim, bias=False)

    def forward(self, x, cos, sin, mask):
        batch, seq, dim = x.size()
        query = self.q_proj(x).view(batch, seq, self.heads, self.head_dim).transpose(1, 2)
        key = self.k_proj(x).view(batch, seq, self.kv_heads, self.head_dim).transpose(1, 2)
        value = self.v_proj(x).view(batch, seq, self.kv_heads, self.head_dim).transpose(1, 2)
        query = query * cos + rotate_half(query) * sin
        key = key * cos + rotate_half(key) * sin
        scores = query @ self.repeat(key).transpose(2, 3) / math.sqrt(self.head_dim) + mask
        mixed = torch.softmax(scores, dim=-1) @ self.repeat(value)
        return self.o_proj(mixed.transpose(1, 2).reshape(batch, seq, dim))

    def repeat(self, x):
        """[batch, kv_heads, seq, head_dim] -> [batch, heads, seq, head_dim]"""
        times = self.heads // self.kv_heads
        if times == 1:
            return x
        batch, kv_heads, seq, head_dim = x.size()
        x = x[:, :, None, :, :].expand(batch, kv_heads, times, seq, head_dim)
        return x.reshape(batch, kv_heads * times, seq, head_dim)


class Mlp(nn.Module):
    """SwiGLU: down(silu(gate(x)) * up(x))"""

    def __init__(self, config: LlamaConfig):
        super().__init__()
        self.gate_proj = nn.Linear(config.dim, config.hidden, bias=False)
        self.up_proj = nn.Linear(config.dim, config.hidden, bias=False)
        self.down_proj = nn.Linear(config.hidden, config.dim, bias=False)

    def forward(self, x):
        return self.down_proj(nn.functional.silu(self.gate_proj(x)) * self.up_proj(x))


class DecoderLayer(nn.Module):
    """Attention and feed-forward, each behind an RMS norm and added to the residual stream."""

    def __init__(self, config: LlamaConfig):
        super().__init__()
        self.input_layernorm = RmsNorm(config.dim)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = RmsNorm(config.dim)
        self.mlp = Mlp(config)

    def forward(self, x, cos, sin, mask):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, mask)
        return x + self.mlp(self.post_attention_layernorm(x))


class LlamaModel(nn.Module):
    """Embedding, layers and the final norm: everything below the language-model head."""

    def __init__(self, config: LlamaConfig):
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab, config.dim)
        self.rotary_emb = RotaryEmbedding(config)
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.layers))
        self.norm = RmsNorm(config.dim)
        if config.causal == "buffer":
            visible = torch.ones(config.context, config.context, dtype=torch.bool).tril()
            self.register_buffer("visible", visible, persistent=False)

    def forward(self, input_ids):
        x = self.embed_tokens(input_ids)
        positions = torch.arange(input_ids.size(1), device=input_ids.device)
        cos, sin = self.rotary_emb(positions)
        mask = self.mask(positions, x)
        for layer in self.layers:
            x = layer(x, cos, sin, mask)
        return self.norm(x)

    def mask(self, positions, x):
        """[seq, seq], added to the scores: 0 where a position may look, very low where it may not."""
        seq = positions.size(0)
        if self.config.causal == "buffer":
            zeros = torch.zeros(seq, seq, dtype=x.dtype)
            return zeros.masked_fill(self.visible[:seq, :seq] == 0, -math.inf)
        mask = torch.full((seq, seq), MASKED, dtype=x.dtype)
        if self.config.causal == "triu":
            return torch.triu(mask, diagonal=1)
        return mask.masked_fill(positions < (positions + 1).view(seq, 1), 0.0)


class Llama(nn.Module):
    """The language model: input_ids [batch, seq] int64 -> logits [batch, seq, vocab]."""

    def __init__(self, config: LlamaConfig):
        super().__init__()
        self.config = config
        self.model = LlamaModel(config)
        self.lm_head = nn.Linear(config.dim, config.vocab, bias=False)
        if config.tied:
            self.lm_head.weight = self.model.embed_tokens.weight

    def forward(self, input_ids):
        return self.lm_head(self.model(input_ids))
