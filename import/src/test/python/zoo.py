"""Sixteen architectures as torch.onnx writes them, in all the ways that users ask it for.

    OPENBLAS_CORETYPE=SKYLAKEX /usr/bin/python3 import/src/test/python/zoo.py FOLDER

Each architecture is exported at the operator sets 11, 14 and 17, and each of those in four forms:

    dynamic    named dynamic axes
    unnamed    the same axes without names, which torch then numbers (input_ids_dynamic_axes_1)
    unfolded   without constant folding
    inputs     with the initialisers declared as inputs

What torch cannot export is written to not-exported.txt beside them. What the importer makes of the files is printed by the test
class ZooTable of the module import; docs/import.md has the table.
Needs torch 1.13 (Debian 12: python3-torch). The models have random weights and are tiny.
"""

import math
import re
import sys
import warnings
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import torch
from torch import nn
from torch.nn import functional as F

import architectures
import bert
import encoder
import gpt2
import llama

WIDTH, HEADS, VOCABULARY, CONTEXT = 16, 4, 40, 24
SIZE = WIDTH // HEADS
OPSETS = (11, 14, 17)
TEXT = {0: "batch", 1: "sequence"}


def heads(x, count=HEADS):
    return x.view(x.shape[0], x.shape[1], count, -1).transpose(1, 2)


def attend(q, k, v, mask):
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) + mask
    return (F.softmax(scores, -1) @ v).transpose(1, 2).reshape(q.shape[0], q.shape[2], -1)


def causal(length):
    places = torch.arange(length)
    return torch.full((length, length), torch.finfo(torch.float32).min) * (places[None, :] > places[:, None])


def padding(mask):
    return (1.0 - mask[:, None, None, :].float()) * torch.finfo(torch.float32).min


class Attention(nn.Module):
    """Names of projections as in Hugging Face's OPT and BART."""

    def __init__(self):
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(WIDTH, WIDTH) for _ in range(4))

    def forward(self, x, memory, mask):
        return self.out_proj(attend(heads(self.q_proj(x)), heads(self.k_proj(memory)), heads(self.v_proj(memory)), mask))


class Block(nn.Module):
    def __init__(self, cross):
        super().__init__()
        self.self_attn, self.self_attn_layer_norm = Attention(), nn.LayerNorm(WIDTH)
        self.fc1, self.fc2, self.final_layer_norm = nn.Linear(WIDTH, 24), nn.Linear(24, WIDTH), nn.LayerNorm(WIDTH)
        if cross:
            self.encoder_attn, self.encoder_attn_layer_norm = Attention(), nn.LayerNorm(WIDTH)

    def forward(self, x, mask, memory=None, memory_mask=None):
        x = self.self_attn_layer_norm(x + self.self_attn(x, x, mask))
        if memory is not None:
            x = self.encoder_attn_layer_norm(x + self.encoder_attn(x, memory, memory_mask))
        return self.final_layer_norm(x + self.fc2(F.gelu(self.fc1(x))))


class Opt(nn.Module):
    """Learned positions counted from the mask, with an offset of two; both masks added and cut off below."""

    def __init__(self):
        super().__init__()
        self.decoder = nn.Module()
        self.decoder.embed_tokens = nn.Embedding(VOCABULARY, WIDTH)
        self.decoder.embed_positions = nn.Embedding(CONTEXT + 2, WIDTH)
        self.decoder.layers = nn.ModuleList(Block(False) for _ in range(2))
        self.lm_head = nn.Linear(WIDTH, VOCABULARY, bias=False)

    def forward(self, input_ids, attention_mask):
        counted = (torch.cumsum(attention_mask, 1) * attention_mask).long() - 1
        x = self.decoder.embed_tokens(input_ids) + self.decoder.embed_positions(counted + 2)
        low = torch.tensor(torch.finfo(torch.float32).min)
        mask = torch.max(causal(input_ids.shape[1])[None, None] + padding(attention_mask), low)
        for layer in self.decoder.layers:
            x = layer(x, mask)
        return self.lm_head(x)


class Bart(nn.Module):
    """Encoder and decoder with one table of tokens, positions at an offset of two."""

    def __init__(self):
        super().__init__()
        self.shared = nn.Embedding(VOCABULARY, WIDTH)
        self.encoder_positions, self.decoder_positions = (nn.Embedding(CONTEXT + 2, WIDTH) for _ in range(2))
        self.encoder, self.decoder = nn.ModuleList([Block(False)]), nn.ModuleList([Block(True)])
        self.lm_head = nn.Linear(WIDTH, VOCABULARY, bias=False)
        self.lm_head.weight = self.shared.weight

    def forward(self, input_ids, attention_mask, decoder_input_ids):
        mask = padding(attention_mask)
        x = self.shared(input_ids) + self.encoder_positions(torch.arange(input_ids.shape[1]) + 2)
        for layer in self.encoder:
            x = layer(x, mask)
        length = decoder_input_ids.shape[1]
        y = self.shared(decoder_input_ids) + self.decoder_positions(torch.arange(length) + 2)
        for layer in self.decoder:
            y = layer(y, causal(length)[None, None], x, mask)
        return self.lm_head(y)


class Rms(nn.Module):
    def __init__(self, size, plus):
        super().__init__()
        self.weight, self.plus = nn.Parameter(torch.rand(size) + (0 if plus else 0.5)), plus

    def forward(self, x):
        y = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)
        return y * (1 + self.weight) if self.plus else self.weight * y


class Grouped(nn.Module):
    """Rotation of positions that come in, grouped queries, optionally a soft cap on scores."""

    def __init__(self, cap):
        super().__init__()
        self.q_proj, self.o_proj = nn.Linear(WIDTH, WIDTH, bias=cap is None), nn.Linear(WIDTH, WIDTH, bias=False)
        self.k_proj, self.v_proj = (nn.Linear(WIDTH, 2 * SIZE, bias=cap is None) for _ in range(2))
        self.cap = cap

    def forward(self, x, mask, cos, sin):
        def turned(y):
            half = torch.cat((-y[..., SIZE // 2:], y[..., : SIZE // 2]), -1)
            return y * cos[:, None] + half * sin[:, None]

        def repeated(y):
            b, n, s, d = y.shape
            return y[:, :, None].expand(b, n, HEADS // n, s, d).reshape(b, HEADS, s, d)

        q, k, v = heads(self.q_proj(x)), heads(self.k_proj(x), 2), heads(self.v_proj(x), 2)
        scores = turned(q) @ repeated(turned(k)).transpose(2, 3) / math.sqrt(SIZE)
        if self.cap is not None:
            scores = torch.tanh(scores / self.cap) * self.cap
        mixed = F.softmax(scores + mask, -1) @ repeated(v)
        return self.o_proj(mixed.transpose(1, 2).reshape(x.shape[0], x.shape[1], WIDTH))


class Gated(nn.Module):
    def __init__(self, activation):
        super().__init__()
        self.gate_proj, self.up_proj = (nn.Linear(WIDTH, 24, bias=False) for _ in range(2))
        self.down_proj, self.activation = nn.Linear(24, WIDTH, bias=False), activation

    def forward(self, x):
        return self.down_proj(self.activation(self.gate_proj(x)) * self.up_proj(x))


class GroupedLayer(nn.Module):
    def __init__(self, gemma):
        super().__init__()
        self.self_attn = Grouped(30.0 if gemma else None)
        self.mlp = Gated((lambda x: F.gelu(x)) if gemma else F.silu)
        self.input_layernorm, self.post_attention_layernorm = Rms(WIDTH, gemma), Rms(WIDTH, gemma)

    def forward(self, x, mask, cos, sin):
        x = x + self.self_attn(self.input_layernorm(x), mask, cos, sin)
        return x + self.mlp(self.post_attention_layernorm(x))


class Windowed(nn.Module):
    """Mistral: positions counted from the mask, a sliding window. Gemma: soft caps, norms by one plus the weight, tied.

    The inner module is never called as one, so that the names of nodes lack "model"."""

    def __init__(self, gemma):
        super().__init__()
        self.gemma, self.model = gemma, nn.Module()
        self.model.embed_tokens = nn.Embedding(VOCABULARY, WIDTH)
        self.model.layers = nn.ModuleList(GroupedLayer(gemma) for _ in range(2))
        self.model.norm = Rms(WIDTH, gemma)
        self.lm_head = nn.Linear(WIDTH, VOCABULARY, bias=False)
        if gemma:
            self.lm_head.weight = self.model.embed_tokens.weight
        self.register_buffer("inv_freq", 1.0 / (10000 ** (torch.arange(0, SIZE, 2).float() / SIZE)))

    def forward(self, input_ids, attention_mask):
        x = self.model.embed_tokens(input_ids)
        positions = attention_mask.long().cumsum(-1) - 1
        positions = positions.masked_fill(attention_mask == 0, 1)
        angles = positions[:, :, None].float() * self.inv_freq[None, None, :]
        angles = torch.cat((angles, angles), -1)
        places = torch.arange(input_ids.shape[1])
        far = (places[None, :] <= places[:, None] - 3) | (places[None, :] > places[:, None])
        hidden = far[None, None] | (attention_mask[:, None, None, :] == 0)
        mask = torch.zeros(hidden.shape).masked_fill(hidden, torch.finfo(torch.float32).min)
        for layer in self.model.layers:
            x = layer(x, mask, angles.cos(), angles.sin())
        logits = self.lm_head(self.model.norm(x))
        return torch.tanh(logits / 20) * 20 if self.gemma else logits


class Seq2Seq(nn.Module):
    """PyTorch's own nn.Transformer: in_proj of the cross attention is sliced when the graph runs."""

    def __init__(self):
        super().__init__()
        self.embedding, self.out = nn.Embedding(VOCABULARY, WIDTH), nn.Linear(WIDTH, VOCABULARY)
        self.transformer = nn.Transformer(WIDTH, HEADS, 1, 1, 24, dropout=0.0)

    def forward(self, src, tgt):
        length = tgt.shape[1]
        mask = torch.triu(torch.full((length, length), float("-inf")), 1)
        s, t = (self.embedding(x).transpose(0, 1) for x in (src, tgt))
        return self.out(self.transformer(s, t, tgt_mask=mask)).transpose(0, 1)


class Mixture(nn.Module):
    """Every expert computes every token, weighted by a router that keeps two of four; the first products are one Einsum."""

    def __init__(self):
        super().__init__()
        self.embed_tokens, self.lm_head = nn.Embedding(VOCABULARY, WIDTH), nn.Linear(WIDTH, VOCABULARY, bias=False)
        self.gate, self.norm = nn.Linear(WIDTH, 4, bias=False), nn.LayerNorm(WIDTH)
        self.up = nn.Parameter(torch.randn(4, WIDTH, 24) * 0.2)
        self.down = nn.ModuleList(nn.Linear(24, WIDTH, bias=False) for _ in range(4))

    def forward(self, input_ids):
        x = self.embed_tokens(input_ids)
        h = self.norm(x)
        scores = F.softmax(self.gate(h), -1)
        least = torch.topk(scores, 2, -1)[0][..., -1:]
        weights = torch.where(scores >= least, scores, torch.zeros_like(scores))
        inner = F.silu(torch.einsum("btd,edf->btef", h, self.up))
        for i, down in enumerate(self.down):
            x = x + weights[..., i : i + 1] * down(inner[:, :, i])
        return self.lm_head(x)


def models():
    """(name, model, inputs by name, dynamic axes by name)."""
    ids = torch.randint(3, VOCABULARY, (2, 6))
    mask = torch.ones(2, 6, dtype=torch.long)
    mask[0, -1] = 0
    kinds = torch.zeros(2, 6, dtype=torch.long)
    tokens = dict(input_ids=ids)
    masked = dict(input_ids=ids, attention_mask=mask)
    decoder = {0: "batch", 1: "decoder_sequence"}
    sizes = dict(vocab=VOCABULARY, context=CONTEXT, dim=WIDTH, layers=2, heads=HEADS)
    gpt = lambda **options: gpt2.Gpt2(gpt2.Gpt2Config(**sizes, **options))
    text = lambda inputs: {name: TEXT for name in inputs}
    return [
        ("gpt2", gpt(conv1d=True), tokens, text(tokens)),
        ("gpt2-tied", gpt(conv1d=False, tied=True), tokens, text(tokens)),
        ("llama", llama.Llama(llama.LlamaConfig(**sizes, hidden=24, kv_heads=2)), tokens, text(tokens)),
        ("bert", bert.Bert(bert.BertConfig(**sizes, hidden=24, tied=True)),
         dict(**masked, token_type_ids=kinds), text(("input_ids", "attention_mask", "token_type_ids"))),
        ("encoder", encoder.Encoder(encoder.EncoderConfig(VOCABULARY, WIDTH, 24, 2, HEADS, 3)), tokens, text(tokens)),
        ("t5", architectures.T5(), dict(**masked, decoder_input_ids=ids[:, :4]),
         dict(input_ids=TEXT, attention_mask=TEXT, decoder_input_ids=decoder)),
        ("vit", architectures.Vit(), dict(pixel_values=torch.randn(2, 3, 12, 12)), dict(pixel_values={0: "batch"})),
        ("neox", architectures.NeoX(), tokens, text(tokens)),
        ("mamba", architectures.Mamba(), tokens, dict(input_ids={0: "batch"})),
        ("roberta", architectures.Roberta(), masked, text(masked)),
        ("opt", Opt(), masked, text(masked)),
        ("bart", Bart(), dict(**masked, decoder_input_ids=ids[:, :4]),
         dict(input_ids=TEXT, attention_mask=TEXT, decoder_input_ids=decoder)),
        ("mistral", Windowed(False), masked, text(masked)),
        ("gemma", Windowed(True), masked, text(masked)),
        ("transformer", Seq2Seq(), dict(src=ids, tgt=ids[:, :4]), dict(src=TEXT, tgt=decoder)),
        ("mixture", Mixture(), tokens, text(tokens)),
    ]


def export(model, inputs, axes, opset, form, file):
    outputs = {"logits": {0: "batch"}}
    dynamic = {**axes, **outputs}
    if form == "unnamed":
        dynamic = {name: list(given) for name, given in dynamic.items()}
    torch.onnx.export(
        model, tuple(inputs.values()), str(file), input_names=list(inputs), output_names=["logits"],
        dynamic_axes=dynamic, opset_version=opset, do_constant_folding=form != "unfolded",
        keep_initializers_as_inputs=form == "inputs")


def main(folder):
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(7)
    missing = []
    for name, model, inputs, axes in models():
        model.eval()
        for opset in OPSETS:
            for form in ("dynamic", "unnamed", "unfolded", "inputs"):
                file = folder / f"{name}-op{opset}-{form}.onnx"
                try:
                    export(model, inputs, axes, opset, form, file)
                except Exception as error:  # torch has no translation of an operator at this operator set
                    file.unlink(missing_ok=True)
                    reason = re.sub(r"Exporting the operator '(.*)' to ONNX opset version (\d+) is not supported.*",
                                    r"torch 1.13 has no \1 at operator set \2", str(error).splitlines()[0])
                    missing.append(f"{file.stem}: {reason}")
                    print(f"not exported: {missing[-1]}", flush=True)
        print(name, flush=True)
    (folder / "not-exported.txt").write_text("".join(line + "\n" for line in missing))


if __name__ == "__main__":
    main(sys.argv[1])
