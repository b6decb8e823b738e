"""Writes small Hugging Face folders, with the logits and gradients that torch computes from their tensors.

    OPENBLAS_CORETYPE=SKYLAKEX /usr/bin/python3 import/src/test/python/make_hub_folders.py import/src/test/resources/hub

Needs torch 1.13 (Debian 12: python3-torch). The same version writes the same bytes again. Each folder has config.json, its
safetensors (whole or in shards, in the type that the case names) and expected.npz:

    input_ids, attention_mask, position_ids   int64 [batch, sequence]; padding on the left in row 1, on the right in row 2
    logits                                    float32 [batch, sequence, vocab], computed in float64
    loss, gradient.<module>                   of sum(mask * -log softmax(logits)[next token]) / sum(mask)

The models are functions of a configuration and its tensors, written from the papers and from what the fields of config.json are
documented to mean, not from the importer: `decoder` for Llama's kin (Touvron et al. 2023; Jiang et al. 2023 for windows; Peng et
al. 2023 for yarn; Abdin et al. 2024 for Phi-3's fused projections), `gpt2` (Radford et al. 2019), `gemma` (Gemma Team 2024), `opt` (Zhang et
al. 2022), `neox` (Black et al. 2022).
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
LINEAR = ("proj.weight", ".c_", ".fc", ".project_", "query_key_value", ".dense")
TYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def rms(x, weight, eps):
    return weight * x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps)


def activation(name, x):
    if name == "silu":
        return x * torch.sigmoid(x)
    if name == "relu":
        return x.clamp(min=0)
    if name in ("gelu_new", "gelu_pytorch_tanh"):
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


def attend(query, key, value, allowed, scale, cap=None):
    """[batch, heads, sequence, width] each; a query that may see nothing sees everything alike, as a lowest score does."""
    scores = (query @ key.transpose(2, 3)) * scale
    if cap:
        scores = cap * torch.tanh(scores / cap)
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


def rotation(config, positions, width):
    """A function that turns the first `width` numbers of every head."""
    inverse, factor = frequencies(config, width)
    angles = positions[:, :, None] * inverse
    angles = torch.cat((angles, angles), -1)[:, None]
    cos, sin = angles.cos() * factor, angles.sin() * factor

    def turn(x):
        head, rest = x[..., :width], x[..., width:]
        a, b = head.chunk(2, -1)
        return torch.cat((head * cos + torch.cat((-b, a), -1) * sin, rest), -1)

    return turn


def phi3(config, t, ids, mask, positions):
    heads, kv, dim = config["num_attention_heads"], config["num_key_value_heads"], config["hidden_size"]
    width, eps = dim // heads, config["rms_norm_eps"]
    batch, length = ids.shape
    turn = rotation(config, positions, int(width * config.get("partial_rotary_factor", 1.0)))
    allowed = visible(mask, config.get("sliding_window"))
    split = lambda z, n: z.view(batch, length, n, width).transpose(1, 2)
    repeat = lambda z: z.repeat_interleave(heads // kv, 1)
    x = t["model.embed_tokens.weight"][ids]
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}."
        fused = rms(x, t[at + "input_layernorm.weight"], eps) @ t[at + "self_attn.qkv_proj.weight"].T
        query = split(fused[..., : heads * width], heads)
        key = split(fused[..., heads * width : (heads + kv) * width], kv)
        value = split(fused[..., (heads + kv) * width :], kv)
        mixed = attend(turn(query), repeat(turn(key)), repeat(value), allowed, 1 / math.sqrt(width))
        x = x + mixed @ t[at + "self_attn.o_proj.weight"].T
        y = rms(x, t[at + "post_attention_layernorm.weight"], eps)
        gate, up = (y @ t[at + "mlp.gate_up_proj.weight"].T).chunk(2, -1)
        x = x + (activation("silu", gate) * up) @ t[at + "mlp.down_proj.weight"].T
    return rms(x, t["model.norm.weight"], eps) @ t["lm_head.weight"].T


def gemma(config, t, ids, mask, positions):
    second = config["model_type"] == "gemma2"
    heads, kv, width = config["num_attention_heads"], config["num_key_value_heads"], config["head_dim"]
    eps, batch, length = config["rms_norm_eps"], ids.shape[0], ids.shape[1]
    turn = rotation(config, positions, width)
    norm = lambda name, x: rms(x, 1 + t[name + ".weight"], eps)
    linear = lambda name, x: x @ t[name + ".weight"].T
    split = lambda z, n: z.view(batch, length, n, width).transpose(1, 2)
    repeat = lambda z: z.repeat_interleave(heads // kv, 1)
    scale = 1 / math.sqrt(config["query_pre_attn_scalar"] if second else width)
    root = torch.tensor(config["hidden_size"] ** 0.5).to(TYPES[config["_kind"]]).double()
    x = t["model.embed_tokens.weight"][ids] * root
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}."
        allowed = visible(mask, config["sliding_window"] if second and layer % 2 == 0 else None)
        y = norm(at + "input_layernorm", x)
        query, key, value = (
            split(linear(at + f"self_attn.{name}_proj", y), n) for name, n in (("q", heads), ("k", kv), ("v", kv)))
        mixed = attend(turn(query), repeat(turn(key)), repeat(value), allowed, scale,
                       config["attn_logit_softcapping"] if second else None)
        y = linear(at + "self_attn.o_proj", mixed)
        x = x + (norm(at + "post_attention_layernorm", y) if second else y)
        y = norm(at + ("pre_feedforward_layernorm" if second else "post_attention_layernorm"), x)
        gate = activation("gelu_pytorch_tanh", linear(at + "mlp.gate_proj", y))
        y = linear(at + "mlp.down_proj", gate * linear(at + "mlp.up_proj", y))
        x = x + (norm(at + "post_feedforward_layernorm", y) if second else y)
    logits = norm("model.norm", x) @ t["model.embed_tokens.weight"].T
    cap = config.get("final_logit_softcapping")
    return cap * torch.tanh(logits / cap) if cap else logits


def opt(config, t, ids, mask, positions):
    heads, dim = config["num_attention_heads"], config["hidden_size"]
    before, root = config["do_layer_norm_before"], "model.decoder."
    batch, length = ids.shape
    allowed = visible(mask)
    norm = lambda name, x: torch.nn.functional.layer_norm(x, (dim,), t[name + ".weight"], t[name + ".bias"], 1e-5)
    linear = lambda name, x: x @ t[name + ".weight"].T + (t[name + ".bias"] if name + ".bias" in t else 0)
    x = t[root + "embed_tokens.weight"][ids]
    if root + "project_in.weight" in t:
        x = linear(root + "project_in", x)
    x = x + t[root + "embed_positions.weight"][positions + 2]
    for layer in range(config["num_hidden_layers"]):
        at = root + f"layers.{layer}."
        y = norm(at + "self_attn_layer_norm", x) if before else x
        query, key, value = (
            linear(at + f"self_attn.{name}_proj", y).view(batch, length, heads, dim // heads).transpose(1, 2)
            for name in "qkv")
        x = x + linear(at + "self_attn.out_proj", attend(query, key, value, allowed, 1 / math.sqrt(dim // heads)))
        x = x if before else norm(at + "self_attn_layer_norm", x)
        y = norm(at + "final_layer_norm", x) if before else x
        x = x + linear(at + "fc2", activation(config["activation_function"], linear(at + "fc1", y)))
        x = x if before else norm(at + "final_layer_norm", x)
    if before:
        x = norm(root + "final_layer_norm", x)
    if root + "project_out.weight" in t:
        x = linear(root + "project_out", x)
    return x @ t[root + "embed_tokens.weight"].T


def neox(config, t, ids, mask, positions):
    heads, dim = config["num_attention_heads"], config["hidden_size"]
    each, eps, root = dim // heads, config["layer_norm_eps"], "gpt_neox."
    batch, length = ids.shape
    allowed = visible(mask)
    turn = rotation({"rope_theta": config["rotary_emb_base"]}, positions, int(each * config["rotary_pct"]))
    norm = lambda name, x: torch.nn.functional.layer_norm(x, (dim,), t[name + ".weight"], t[name + ".bias"], eps)
    linear = lambda name, x: x @ t[name + ".weight"].T + t[name + ".bias"]
    x = t[root + "embed_in.weight"][ids]
    for layer in range(config["num_hidden_layers"]):
        at = root + f"layers.{layer}."
        fused = linear(at + "attention.query_key_value", norm(at + "input_layernorm", x))
        query, key, value = fused.view(batch, length, heads, 3, each).permute(3, 0, 2, 1, 4)
        mixed = linear(at + "attention.dense", attend(turn(query), turn(key), value, allowed, 1 / math.sqrt(each)))
        y = norm(at + "post_attention_layernorm", x if config["use_parallel_residual"] else x + mixed)
        up = activation(config["hidden_act"], linear(at + "mlp.dense_h_to_4h", y))
        x = x + mixed + linear(at + "mlp.dense_4h_to_h", up)
    return norm(root + "final_layer_norm", x) @ t["embed_out.weight"].T


def random_tensors(shapes):
    """Matrices [out, in] of unit gain, tables of unit numbers, vectors near 0, those of `around` near 1."""
    t = {}
    for name, shape in shapes:
        if "embed" in name and name != "embed_out.weight":
            t[name] = torch.randn(*shape) * 0.6
        elif len(shape) == 2:
            t[name] = torch.randn(*shape) / math.sqrt(shape[-1])
        else:
            t[name] = 0.2 * torch.randn(*shape)
    return t


def with_ones(t, *names):
    """Weights of layer norms are around 1."""
    return {n: 1 + v if n.endswith(".weight") and any(name in n for name in names) else v for n, v in t.items()}


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
        whole = not value.is_floating_point()  # a buffer of positions
        narrow = value if whole else value.to(torch.float32).to(TYPES[kind])
        blob = (narrow if whole or kind == "F32" else narrow.view(torch.int16)).numpy().tobytes()
        header[name] = {"dtype": "I64" if whole else kind, "shape": list(value.shape), "data_offsets": [offset, offset + len(blob)]}
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def write_model(folder, config, tensors, kind="F32", shards=1):
    """config.json and the tensors, whole or in shards; returns the tensors as they are in the file, in float64."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(
        json.dumps({k: v for k, v in config.items() if not k.startswith("_")}, indent=2) + "\n")
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
    return {n: v.to(torch.float32).to(TYPES[kind]).double().requires_grad_() for n, v in tensors.items()
            if v.is_floating_point()}


def write(root, name, config, tensors, model, kind="F32", shards=1):
    folder = root / name
    t = write_model(folder, config, tensors, kind, shards)
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
                 if n.endswith(".weight") and v.dim() == 2 and any(part in n for part in LINEAR)}
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
    main_later(root)


def main_later(root):
    base = {"vocab_size": VOCAB, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4,
            "max_position_embeddings": 32, "bos_token_id": 1, "eos_token_id": 2}
    for name, kind, fields in (
            ("gemma", "BF16", {"model_type": "gemma", "architectures": ["GemmaForCausalLM"], "hidden_act": "gelu"}),
            ("gemma2", "F32", {
                "model_type": "gemma2", "architectures": ["Gemma2ForCausalLM"], "num_hidden_layers": 3,
                "hidden_activation": "gelu_pytorch_tanh", "query_pre_attn_scalar": 10, "sliding_window": 4,
                "attn_logit_softcapping": 3.0, "final_logit_softcapping": 5.0})):
        config = {**base, "intermediate_size": 24, "num_key_value_heads": 2, "head_dim": 6, "rms_norm_eps": 1e-6,
                  "_kind": kind, **fields}
        if name == "gemma":
            config["num_key_value_heads"] = 1
        queries, keys = 4 * 6, config["num_key_value_heads"] * 6
        norms = ["input_layernorm", "post_attention_layernorm"]
        norms += ["pre_feedforward_layernorm", "post_feedforward_layernorm"] if name == "gemma2" else []
        shapes = [("model.embed_tokens.weight", (VOCAB, 16))]
        for at in (f"model.layers.{layer}." for layer in range(config["num_hidden_layers"])):
            shapes += [(f"{at}{norm}.weight", (16,)) for norm in norms]
            shapes += [(f"{at}self_attn.{n}_proj.weight", shape) for n, shape in (
                ("q", (queries, 16)), ("k", (keys, 16)), ("v", (keys, 16)), ("o", (16, queries)))]
            shapes += [(f"{at}mlp.{n}_proj.weight", shape) for n, shape in (
                ("gate", (24, 16)), ("up", (24, 16)), ("down", (16, 24)))]
        shapes.append(("model.norm.weight", (16,)))
        write(root, name, config, random_tensors(shapes), gemma, kind=kind)

    for name, fields in (("phi3", {"sliding_window": 5}), ("phi3-partial", {"partial_rotary_factor": 0.5, "head": 8})):
        heads = 2 if "head" in fields else 4
        config = {**base, "model_type": "phi3", "architectures": ["Phi3ForCausalLM"], "intermediate_size": 24,
                  "num_attention_heads": heads, "num_key_value_heads": heads // 2, "rms_norm_eps": 1e-5, "hidden_act": "silu",
                  "rope_theta": 10000.0, "attention_bias": False, "tie_word_embeddings": False, "rope_scaling": None,
                  **{k: v for k, v in fields.items() if k != "head"}}
        shapes = [("model.embed_tokens.weight", (VOCAB, 16))]
        for at in (f"model.layers.{layer}." for layer in range(2)):
            shapes += [(at + "input_layernorm.weight", (16,)), (at + "post_attention_layernorm.weight", (16,)),
                       (at + "self_attn.qkv_proj.weight", (32, 16)), (at + "self_attn.o_proj.weight", (16, 16)),
                       (at + "mlp.gate_up_proj.weight", (48, 16)), (at + "mlp.down_proj.weight", (16, 24))]
        shapes += [("model.norm.weight", (16,)), ("lm_head.weight", (VOCAB, 16))]
        write(root, name, config, with_ones(random_tensors(shapes), "norm"), phi3)

    for name, before, narrow in (("opt", True, 16), ("opt-350m", False, 10)):
        config = {**base, "model_type": "opt", "architectures": ["OPTForCausalLM"], "ffn_dim": 24,
                  "activation_function": "relu", "do_layer_norm_before": before, "word_embed_proj_dim": narrow,
                  "tie_word_embeddings": True, "enable_bias": True}
        at = "model.decoder."
        shapes = [(at + "embed_tokens.weight", (VOCAB, narrow)), (at + "embed_positions.weight", (34, 16))]
        if narrow != 16:
            shapes += [(at + "project_in.weight", (16, narrow)), (at + "project_out.weight", (narrow, 16))]
        vectors = ["final_layer_norm"] if before else []
        for layer in range(2):
            own = f"layers.{layer}."
            vectors += [own + "self_attn_layer_norm", own + "final_layer_norm"]
            for n, shape in (("self_attn.q_proj", (16, 16)), ("self_attn.k_proj", (16, 16)),
                             ("self_attn.v_proj", (16, 16)), ("self_attn.out_proj", (16, 16)), ("fc1", (24, 16)),
                             ("fc2", (16, 24))):
                shapes += [(f"{at}{own}{n}.weight", shape), (f"{at}{own}{n}.bias", shape[:1])]
        shapes += [(f"{at}{n}.{part}", (16,)) for n in vectors for part in ("weight", "bias")]
        write(root, name, config, with_ones(random_tensors(shapes), "layer_norm"), opt)

    for name, parallel in (("gpt-neox", True), ("gpt-neox-sequential", False)):
        config = {**base, "model_type": "gpt_neox", "architectures": ["GPTNeoXForCausalLM"], "intermediate_size": 24,
                  "num_attention_heads": 2, "layer_norm_eps": 1e-5, "hidden_act": "gelu" if parallel else "gelu_new",
                  "rotary_pct": 0.25 if parallel else 1.0, "rotary_emb_base": 10000, "use_parallel_residual": parallel,
                  "tie_word_embeddings": False}
        shapes, at = [("gpt_neox.embed_in.weight", (VOCAB, 16))], "gpt_neox."
        vectors = ["final_layer_norm"]
        for layer in range(2):
            own = f"layers.{layer}."
            vectors += [own + "input_layernorm", own + "post_attention_layernorm"]
            for n, shape in (("attention.query_key_value", (48, 16)), ("attention.dense", (16, 16)),
                             ("mlp.dense_h_to_4h", (24, 16)), ("mlp.dense_4h_to_h", (16, 24))):
                shapes += [(f"{at}{own}{n}.weight", shape), (f"{at}{own}{n}.bias", shape[:1])]
        shapes += [(f"{at}{n}.{part}", (16,)) for n in vectors for part in ("weight", "bias")]
        shapes.append(("embed_out.weight", (VOCAB, 16)))
        write(root, name, config, with_ones(random_tensors(shapes), "norm"), neox)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
