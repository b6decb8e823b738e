"""Writes small Hugging Face folders, with the logits and gradients that torch computes from their tensors.

    OPENBLAS_CORETYPE=SKYLAKEX /usr/bin/python3 import/src/test/python/make_hub_folders.py import/src/test/resources/hub

Needs torch 1.13 (Debian 12: python3-torch). The same version writes the same bytes again. Each folder has config.json, its
safetensors (whole or in shards, in the type that the case names) and expected.npz:

    input_ids, attention_mask, position_ids   int64 [batch, sequence]; padding on the left in row 1, on the right in row 2
    logits                                    float32 [batch, sequence, vocab], computed in float64
    loss, gradient.<module>                   of sum(mask * -log softmax(logits)[next token]) / sum(mask)

The models are functions of a configuration and its tensors, written from the papers and from what the fields of config.json are
documented to mean, not from the importer: `decoder` for Llama's kin (Touvron et al. 2023; Jiang et al. 2023 for windows; Peng et
al. 2023 for yarn), `gpt2` (Radford et al. 2019).
"""

import json
import math
import pathlib
import struct
import sys

import numpy as np
import torch

torch.set_default_dtype(torch.float64)
VOCAB = 29
TYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def rms(x, weight, eps):
    return weight * x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps)


def activation(name, x):
    if name == "silu":
        return x * torch.sigmoid(x)
    if name == "gelu_new":
        return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    if name == "gelu":
        return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))
    raise ValueError(name)


def frequencies(config, width):
    """inv_freq [width / 2] and the factor of cosine and sine."""
    scaling = config.get("rope_parameters") or config.get("rope_scaling") or {}
    theta = (config.get("rope_parameters") or {}).get("rope_theta", config.get("rope_theta", 10000.0))
    plain = 1.0 / theta ** (torch.arange(0, width, 2) / width)
    kind = scaling.get("rope_type", scaling.get("type", "default"))
    if kind == "default":
        return plain, 1.0
    factor = scaling["factor"]
    if kind == "linear":
        return plain / factor, 1.0
    if kind == "llama3":
        original = scaling["original_max_position_embeddings"]
        low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
        out = []
        for f in plain.tolist():
            wave = 2 * math.pi / f
            if wave < original / high:
                out.append(f)
            elif wave > original / low:
                out.append(f / factor)
            else:
                smooth = (original / wave - low) / (high - low)
                out.append((1 - smooth) * f / factor + smooth * f)
        return torch.tensor(out), 1.0
    if kind == "yarn":
        original = scaling["original_max_position_embeddings"]
        attention = scaling.get("attention_factor", 0.1 * math.log(factor) + 1)
        place = lambda turns: width * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(theta))
        low = max(math.floor(place(scaling.get("beta_fast", 32))), 0)
        high = min(math.ceil(place(scaling.get("beta_slow", 1))), width - 1)
        ramp = ((torch.arange(width // 2) - low) / max(high - low, 0.001)).clamp(0, 1)
        return plain / factor * ramp + plain * (1 - ramp), attention
    raise ValueError(kind)


def attend(query, key, value, allowed, scale):
    """[batch, heads, sequence, width] each; a query that may see nothing sees everything alike, as a lowest score does."""
    scores = (query @ key.transpose(2, 3)) * scale
    scores = torch.where(allowed, scores, torch.tensor(torch.finfo(torch.float32).min))
    mixed = torch.softmax(scores, -1) @ value
    batch, heads, length, width = mixed.shape
    return mixed.transpose(1, 2).reshape(batch, length, heads * width)


def visible(mask, window=None):
    length = mask.shape[1]
    far = torch.arange(length).view(-1, 1) - torch.arange(length).view(1, -1)
    allowed = far >= 0
    if window:
        allowed = allowed & (far < window)
    return allowed[None, None] & mask[:, None, None, :].bool()


def decoder(config, t, ids, mask, positions):
    heads = config["num_attention_heads"]
    kv = config.get("num_key_value_heads", heads)
    width = config.get("head_dim", config["hidden_size"] // heads)
    eps = config.get("rms_norm_eps", 1e-6)
    batch, length = ids.shape
    inverse, factor = frequencies(config, width)
    angles = positions[:, :, None] * inverse
    angles = torch.cat((angles, angles), -1)[:, None]
    cos, sin = angles.cos() * factor, angles.sin() * factor

    def turn(x):
        a, b = x.chunk(2, -1)
        return x * cos + torch.cat((-b, a), -1) * sin

    def linear(name, x):
        y = x @ t[name + ".weight"].T
        return y + t[name + ".bias"] if name + ".bias" in t else y

    window = config.get("sliding_window") if config["model_type"] == "mistral" else None
    allowed = visible(mask, window)
    x = t["model.embed_tokens.weight"][ids]
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}."
        y = rms(x, t[at + "input_layernorm.weight"], eps)
        split = lambda z, n: z.view(batch, length, n, width).transpose(1, 2)
        query = split(linear(at + "self_attn.q_proj", y), heads)
        key = split(linear(at + "self_attn.k_proj", y), kv)
        value = split(linear(at + "self_attn.v_proj", y), kv)
        if at + "self_attn.q_norm.weight" in t:
            query = rms(query, t[at + "self_attn.q_norm.weight"], eps)
            key = rms(key, t[at + "self_attn.k_norm.weight"], eps)
        repeat = lambda z: z.repeat_interleave(heads // kv, 1)
        mixed = attend(turn(query), repeat(turn(key)), repeat(value), allowed, 1 / math.sqrt(width))
        x = x + linear(at + "self_attn.o_proj", mixed)
        y = rms(x, t[at + "post_attention_layernorm.weight"], eps)
        gate = activation(config.get("hidden_act", "silu"), linear(at + "mlp.gate_proj", y))
        x = x + linear(at + "mlp.down_proj", gate * linear(at + "mlp.up_proj", y))
    x = rms(x, t["model.norm.weight"], eps)
    head = "model.embed_tokens.weight" if config.get("tie_word_embeddings", False) else "lm_head.weight"
    return x @ t[head].T


def gpt2(config, t, ids, mask, positions):
    heads, dim = config["n_head"], config["n_embd"]
    batch, length = ids.shape
    allowed = visible(mask)
    norm = lambda name, x: torch.nn.functional.layer_norm(
        x, (dim,), t[name + ".weight"], t[name + ".bias"], config["layer_norm_epsilon"])
    conv = lambda name, x: x @ t[name + ".weight"] + t[name + ".bias"]
    x = t["wte.weight"][ids] + t["wpe.weight"][positions]
    for layer in range(config["n_layer"]):
        at = f"h.{layer}."
        parts = conv(at + "attn.c_attn", norm(at + "ln_1", x)).split(dim, -1)
        query, key, value = (p.view(batch, length, heads, dim // heads).transpose(1, 2) for p in parts)
        x = x + conv(at + "attn.c_proj", attend(query, key, value, allowed, 1 / math.sqrt(dim // heads)))
        up = activation(config["activation_function"], conv(at + "mlp.c_fc", norm(at + "ln_2", x)))
        x = x + conv(at + "mlp.c_proj", up)
    return norm("ln_f", x) @ t["wte.weight"].T


def llama_tensors(config, attention_bias=False, mlp_bias=False, qkv_bias=False, qk_norm=False):
    dim, inner = config["hidden_size"], config["intermediate_size"]
    heads, kv = config["num_attention_heads"], config["num_key_value_heads"]
    width = config.get("head_dim", dim // heads)
    normal = lambda *shape: torch.randn(*shape) * (0.7 if len(shape) == 1 else 1 / math.sqrt(shape[-1]))
    t = {"model.embed_tokens.weight": torch.randn(VOCAB, dim)}
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}."
        t[at + "input_layernorm.weight"] = 1 + 0.2 * torch.randn(dim)
        t[at + "post_attention_layernorm.weight"] = 1 + 0.2 * torch.randn(dim)
        for name, out, into in (("q", heads * width, dim), ("k", kv * width, dim), ("v", kv * width, dim),
                                ("o", dim, heads * width)):
            t[f"{at}self_attn.{name}_proj.weight"] = normal(out, into)
            if attention_bias or (qkv_bias and name != "o"):
                t[f"{at}self_attn.{name}_proj.bias"] = normal(out)
        if qk_norm:
            t[at + "self_attn.q_norm.weight"] = 1 + 0.3 * torch.randn(width)
            t[at + "self_attn.k_norm.weight"] = 1 + 0.3 * torch.randn(width)
        for name, out, into in (("gate", inner, dim), ("up", inner, dim), ("down", dim, inner)):
            t[f"{at}mlp.{name}_proj.weight"] = normal(out, into)
            if mlp_bias:
                t[f"{at}mlp.{name}_proj.bias"] = normal(out)
    t["model.norm.weight"] = 1 + 0.2 * torch.randn(dim)
    if not config.get("tie_word_embeddings", False):
        t["lm_head.weight"] = normal(VOCAB, dim)
    return t


def gpt2_tensors(config):
    dim = config["n_embd"]
    t = {"wte.weight": torch.randn(VOCAB, dim), "wpe.weight": 0.5 * torch.randn(config["n_positions"], dim)}
    for layer in range(config["n_layer"]):
        at = f"h.{layer}."
        for name in ("ln_1", "ln_2"):
            t[at + name + ".weight"], t[at + name + ".bias"] = 1 + 0.2 * torch.randn(dim), 0.2 * torch.randn(dim)
        for name, into, out in (("attn.c_attn", dim, 3 * dim), ("attn.c_proj", dim, dim), ("mlp.c_fc", dim, 4 * dim),
                                ("mlp.c_proj", 4 * dim, dim)):
            t[at + name + ".weight"] = torch.randn(into, out) / math.sqrt(into)
            t[at + name + ".bias"] = 0.2 * torch.randn(out)
        t[at + "attn.bias"] = torch.ones(1, 1, config["n_positions"], config["n_positions"]).tril()
    t["ln_f.weight"], t["ln_f.bias"] = 1 + 0.2 * torch.randn(dim), 0.2 * torch.randn(dim)
    return t


def safetensors(path, tensors, kind):
    header, blobs, offset = {"__metadata__": {"format": "pt"}}, [], 0
    for name, value in tensors.items():
        narrow = value.to(torch.float32).to(TYPES[kind])
        blob = narrow.view(torch.int16).numpy().tobytes() if kind != "F32" else narrow.numpy().tobytes()
        header[name] = {"dtype": kind, "shape": list(value.shape), "data_offsets": [offset, offset + len(blob)]}
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def write(root, name, config, tensors, model, kind="F32", shards=1):
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    if shards == 1:
        safetensors(folder / "model.safetensors", tensors, kind)
    else:
        names, places = list(tensors), {}
        for shard in range(shards):
            file = f"model-{shard + 1:05d}-of-{shards:05d}.safetensors"
            own = {n: tensors[n] for n in names[shard::shards]}
            safetensors(folder / file, own, kind)
            places.update({n: file for n in own})
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}, indent=2) + "\n")
    t = {n: v.to(torch.float32).to(TYPES[kind]).double().requires_grad_() for n, v in tensors.items()}
    ids = torch.randint(0, VOCAB, (3, 9))
    mask = torch.ones(3, 9, dtype=torch.int64)
    mask[1, :3], mask[2, 6:] = 0, 0
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    logits = model(config, t, ids, mask, positions)
    counted = (mask[:, :-1] * mask[:, 1:]).double()
    losses = -torch.log_softmax(logits[:, :-1], -1).gather(-1, ids[:, 1:, None])[..., 0]
    loss = (losses * counted).sum() / counted.sum()
    loss.backward()
    prefix = "transformer." if config["model_type"] == "gpt2" else ""
    gradients = {f"gradient.{prefix}{n[:-7]}": v.grad.numpy().astype(np.float32) for n, v in t.items()
                 if n.endswith("proj.weight") or ".c_" in n and n.endswith(".weight")}
    np.savez_compressed(
        folder / "expected.npz", input_ids=ids.numpy(), attention_mask=mask.numpy(), position_ids=positions.numpy(),
        logits=logits.detach().numpy().astype(np.float32), loss=np.float32(loss.item()), **gradients)


def llama_config(kind="llama", **fields):
    names = {"llama": "LlamaForCausalLM", "mistral": "MistralForCausalLM", "qwen2": "Qwen2ForCausalLM",
             "qwen3": "Qwen3ForCausalLM"}
    return {"architectures": [names[kind]], "model_type": kind, "vocab_size": VOCAB, "hidden_size": 16,
            "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
            "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "hidden_act": "silu", "bos_token_id": 1,
            "eos_token_id": 2, **fields}


def main(root):
    torch.manual_seed(20)
    plain = llama_config(tie_word_embeddings=False, rope_theta=10000.0, rope_scaling=None, attention_bias=False)
    write(root, "llama", plain, llama_tensors(plain), decoder, kind="BF16")
    third = llama_config(tie_word_embeddings=True, rope_theta=500000.0, attention_bias=True, mlp_bias=True, head_dim=6,
                         rope_scaling={"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
                                       "high_freq_factor": 4.0, "original_max_position_embeddings": 16})
    write(root, "llama3-shards", third, llama_tensors(third, True, True), decoder, shards=3)
    yarn = llama_config(hidden_act="gelu", rope_parameters={
        "rope_type": "yarn", "rope_theta": 1000.0, "factor": 4.0, "original_max_position_embeddings": 16, "beta_fast": 4})
    write(root, "llama-yarn", yarn, llama_tensors(yarn), decoder)
    window = llama_config("mistral", sliding_window=4, rope_theta=10000.0)
    write(root, "mistral", window, llama_tensors(window), decoder, kind="F16")
    second = llama_config("qwen2", tie_word_embeddings=True, use_sliding_window=False, sliding_window=4,
                          max_window_layers=2, rope_theta=1000000.0)
    write(root, "qwen2", second, llama_tensors(second, qkv_bias=True), decoder)
    third = llama_config("qwen3", head_dim=6, attention_bias=False, rope_theta=1000000.0,
                         rope_scaling={"type": "linear", "factor": 2.0}, layer_types=["full_attention"] * 2)
    write(root, "qwen3", third, llama_tensors(third, qk_norm=True), decoder)
    old = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": VOCAB, "n_embd": 16, "n_head": 4,
           "n_layer": 2, "n_positions": 12, "n_inner": None, "activation_function": "gelu_new",
           "layer_norm_epsilon": 1e-5}
    write(root, "gpt2", old, gpt2_tensors(old), gpt2)


main(pathlib.Path(sys.argv[1]))
