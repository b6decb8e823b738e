"""Writes small Hugging Face folders of encoders, with what torch computes from their tensors.

    OPENBLAS_CORETYPE=SKYLAKEX /usr/bin/python3 import/src/test/python/make_encoder_folders.py import/src/test/resources/encoders

Needs torch 1.13 (Debian 12: python3-torch). The same version writes the same bytes again. Each folder has config.json, its
safetensors, a tokenizer and expected.npz. Of the batches N = 0 (padding on the left in row 1, on the right in row 2), 1 (one text) and 2 (others):

    N.input.<name>      int64 [batch, sequence]
    N.output.<name>     float32, computed in float64

and of batch 0 the gradients of `loss`, the sum of all numbers of all outputs, each times one of `weight.<output>`:

    gradient.<module>   of every linear weight that the outputs depend on, by its module's path below the head

The models are functions of a configuration and its tensors, written from the papers and from what the fields of config.json are documented to
mean, not from the importer: `bert` (Devlin et al. 2018), `roberta` (Liu et al. 2019), `distilbert` (Sanh et al. 2019).
"""

import json
import math
import pathlib
import sys

import numpy as np
import torch

from make_hub_folders import activation, write_model

VOCAB, DIM, INNER, HEADS, LAYERS, PLACES = 31, 16, 24, 4, 2, 20


class Tensors:
    """The tensors of a file by the names of modules: with or without the prefix, gamma and beta for weight and bias."""

    def __init__(self, tensors, prefix):
        self.tensors, self.prefix = tensors, prefix

    def find(self, name):
        old = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        for each in (name, old):
            for stored in (each, each[len(self.prefix):] if each.startswith(self.prefix) else each):
                if stored in self.tensors:
                    return stored
        return None

    def __getitem__(self, name):
        return self.tensors[self.find(name)]

    def linear(self, path, x):
        return x @ self[path + ".weight"].T + self[path + ".bias"]

    def norm(self, path, x, eps):
        weight, bias = self[path + ".weight"], self[path + ".bias"]
        centred = x - x.mean(-1, keepdim=True)
        return weight * centred / torch.sqrt((centred**2).mean(-1, keepdim=True) + eps) + bias


def attend(t, at, names, x, mask, heads):
    batch, length, dim = x.shape
    query, key, value = (t.linear(at + n, x).view(batch, length, heads, dim // heads).transpose(1, 2) for n in names)
    scores = query @ key.transpose(2, 3) / math.sqrt(dim // heads)
    scores = scores.masked_fill(mask[:, None, None, :] == 0, -math.inf)
    return (torch.softmax(scores, -1) @ value).transpose(1, 2).reshape(batch, length, dim)


def bert_layers(config, t, root, x, mask):
    eps = config["layer_norm_eps"]
    for layer in range(config["num_hidden_layers"]):
        at = f"{root}encoder.layer.{layer}."
        names = ("query", "key", "value")
        mixed = attend(t, at + "attention.self.", names, x, mask, config["num_attention_heads"])
        x = t.norm(at + "attention.output.LayerNorm", x + t.linear(at + "attention.output.dense", mixed), eps)
        up = activation(config["hidden_act"], t.linear(at + "intermediate.dense", x))
        x = t.norm(at + "output.LayerNorm", x + t.linear(at + "output.dense", up), eps)
    return x


def bert(config, t, inputs):
    root, eps = "bert.", config["layer_norm_eps"]
    ids, at = inputs["input_ids"], root + "embeddings."
    x = t[at + "word_embeddings.weight"][ids] + t[at + "position_embeddings.weight"][: ids.shape[1]]
    x = x + t[at + "token_type_embeddings.weight"][inputs["token_type_ids"]]
    x = bert_layers(config, t, root, t.norm(at + "LayerNorm", x, eps), inputs["attention_mask"])
    out = {"last_hidden_state": x}
    kind = config["architectures"][0][len("Bert"):]
    if kind in ("Model", "ForMaskedLM", "ForSequenceClassification"):
        out["pooler_output"] = torch.tanh(t.linear(root + "pooler.dense", x[:, 0]))
    if kind == "ForMaskedLM":
        y = activation(config["hidden_act"], t.linear("cls.predictions.transform.dense", x))
        y = t.norm("cls.predictions.transform.LayerNorm", y, eps)
        tied = config.get("tie_word_embeddings", True)
        head = t[at + "word_embeddings.weight" if tied else "cls.predictions.decoder.weight"]
        out["logits"] = y @ head.T + t["cls.predictions.bias"]
    elif kind == "ForSequenceClassification":
        out["logits"] = t.linear("classifier", out["pooler_output"])
    elif kind == "ForTokenClassification":
        out["logits"] = t.linear("classifier", x)
    elif kind == "ForQuestionAnswering":
        out["start_logits"], out["end_logits"] = t.linear("qa_outputs", x).unbind(-1)
    return out


def roberta(config, t, inputs):
    root, eps, padding = "roberta.", config["layer_norm_eps"], config["pad_token_id"]
    ids, at = inputs["input_ids"], root + "embeddings."
    positions = torch.empty_like(ids)
    for row in range(ids.shape[0]):
        count = padding
        for place in range(ids.shape[1]):
            real = ids[row, place] != padding
            count += int(real)
            positions[row, place] = count if real else padding
    x = t[at + "word_embeddings.weight"][ids] + t[at + "position_embeddings.weight"][positions]
    x = x + t[at + "token_type_embeddings.weight"][0]
    x = bert_layers(config, t, root, t.norm(at + "LayerNorm", x, eps), inputs["attention_mask"])
    out = {"last_hidden_state": x}
    kind = config["architectures"][0].replace("XLM", "").replace("Roberta", "").replace("Camembert", "")
    if kind == "Model" and t.find(root + "pooler.dense.weight"):
        out["pooler_output"] = torch.tanh(t.linear(root + "pooler.dense", x[:, 0]))
    elif kind == "ForMaskedLM":
        y = t.norm("lm_head.layer_norm", activation("gelu", t.linear("lm_head.dense", x)), eps)
        out["logits"] = y @ t[at + "word_embeddings.weight"].T + t["lm_head.bias"]
    elif kind == "ForSequenceClassification":
        out["logits"] = t.linear("classifier.out_proj", torch.tanh(t.linear("classifier.dense", x[:, 0])))
    elif kind == "ForTokenClassification":
        out["logits"] = t.linear("classifier", x)
    elif kind == "ForQuestionAnswering":
        out["start_logits"], out["end_logits"] = t.linear("qa_outputs", x).unbind(-1)
    return out


def distilbert(config, t, inputs):
    root, eps, ids = "distilbert.", 1e-12, inputs["input_ids"]
    x = t[root + "embeddings.word_embeddings.weight"][ids]
    x = t.norm(root + "embeddings.LayerNorm", x + t[root + "embeddings.position_embeddings.weight"][: ids.shape[1]], eps)
    for layer in range(config["n_layers"]):
        at = f"{root}transformer.layer.{layer}."
        names = ("q_lin", "k_lin", "v_lin")
        mixed = attend(t, at + "attention.", names, x, inputs["attention_mask"], config["n_heads"])
        x = t.norm(at + "sa_layer_norm", x + t.linear(at + "attention.out_lin", mixed), eps)
        up = activation(config["activation"], t.linear(at + "ffn.lin1", x))
        x = t.norm(at + "output_layer_norm", x + t.linear(at + "ffn.lin2", up), eps)
    out = {"last_hidden_state": x}
    kind = config["architectures"][0][len("DistilBert"):]
    if kind == "ForMaskedLM":
        y = t.norm("vocab_layer_norm", activation(config["activation"], t.linear("vocab_transform", x)), eps)
        out["logits"] = y @ t[root + "embeddings.word_embeddings.weight"].T + t["vocab_projector.bias"]
    elif kind == "ForSequenceClassification":
        out["logits"] = t.linear("classifier", t.linear("pre_classifier", x[:, 0]).clamp(min=0))
    elif kind == "ForTokenClassification":
        out["logits"] = t.linear("classifier", x)
    elif kind == "ForQuestionAnswering":
        out["start_logits"], out["end_logits"] = t.linear("qa_outputs", x).unbind(-1)
    return out


def add_linear(t, path, out, into):
    t[path + ".weight"] = torch.randn(out, into) / math.sqrt(into)
    t[path + ".bias"] = 0.3 * torch.randn(out)


def add_norm(t, path):
    t[path + ".weight"], t[path + ".bias"] = 1 + 0.3 * torch.randn(DIM), 0.3 * torch.randn(DIM)


def bert_tensors(root, places, segments, pooler):
    t = {}
    for name, rows in (("word", VOCAB), ("position", places), ("token_type", segments)):
        t[f"{root}embeddings.{name}_embeddings.weight"] = torch.randn(rows, DIM)
    add_norm(t, root + "embeddings.LayerNorm")
    for layer in range(LAYERS):
        at = f"{root}encoder.layer.{layer}."
        for name in ("query", "key", "value"):
            add_linear(t, f"{at}attention.self.{name}", DIM, DIM)
        add_linear(t, at + "attention.output.dense", DIM, DIM)
        add_norm(t, at + "attention.output.LayerNorm")
        add_linear(t, at + "intermediate.dense", INNER, DIM)
        add_linear(t, at + "output.dense", DIM, INNER)
        add_norm(t, at + "output.LayerNorm")
    if pooler:
        add_linear(t, root + "pooler.dense", DIM, DIM)
    return t


def distilbert_tensors(root):
    t = {root + "embeddings.word_embeddings.weight": torch.randn(VOCAB, DIM),
         root + "embeddings.position_embeddings.weight": torch.randn(PLACES, DIM)}
    add_norm(t, root + "embeddings.LayerNorm")
    for layer in range(LAYERS):
        at = f"{root}transformer.layer.{layer}."
        for name in ("q_lin", "k_lin", "v_lin", "out_lin"):
            add_linear(t, f"{at}attention.{name}", DIM, DIM)
        add_norm(t, at + "sa_layer_norm")
        add_linear(t, at + "ffn.lin1", INNER, DIM)
        add_linear(t, at + "ffn.lin2", DIM, INNER)
        add_norm(t, at + "output_layer_norm")
    return t


def batch(shape, padding, segments):
    ids = torch.randint(3, VOCAB, shape)
    mask = torch.ones(shape, dtype=torch.int64)
    if shape[0] > 1:
        mask[1, :3] = 0
    if shape[0] > 2:
        mask[2, shape[1] - 3 :] = 0
    inputs = {"input_ids": ids.masked_fill(mask == 0, padding), "attention_mask": mask}
    if segments:
        inputs["token_type_ids"] = (torch.arange(shape[1]) >= shape[1] // 2).long().expand(shape).contiguous()
    return inputs


LETTERS = "abcdefghijklmnopqrstuvwxyz"


def tokenizer(folder, model):
    """Words of one letter (WordPiece, BERT's frame), or letters of words (bytes, RoBERTa's frame): as many tokens as VOCAB."""
    if model is roberta:
        special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
        vocabulary = special + ["\u0120"] + list(LETTERS[:-1])
        level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
        steps = {"normalizer": None, "pre_tokenizer": level, "decoder": level,
                 "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0], "trim_offsets": True,
                                    "add_prefix_space": False}}
        kind = {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": "", "end_of_word_suffix": "",
                "fuse_unk": False, "merges": []}
        names = {"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>",
                 "unk_token": "<unk>", "mask_token": "<mask>", "tokenizer_class": "RobertaTokenizer"}
    else:
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        vocabulary = special + list(LETTERS)
        steps = {"normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                                "strip_accents": None, "lowercase": True},
                 "pre_tokenizer": {"type": "BertPreTokenizer"}, "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
                 "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}}
        kind = {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100}
        names = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]", "mask_token": "[MASK]",
                 "tokenizer_class": "BertTokenizer"}
    assert len(vocabulary) == VOCAB
    added = [{"id": i, "content": s, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
             for i, s in enumerate(special)]
    whole = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, **steps,
             "model": {**kind, "vocab": {token: i for i, token in enumerate(vocabulary)}}}
    (folder / "tokenizer.json").write_text(json.dumps(whole, indent=1) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(names, indent=1) + "\n")


def write(root, name, config, tensors, model, prefix, kind="F32", shards=1):
    folder = root / name
    t = write_model(folder, config, tensors, kind, shards)
    tokenizer(folder, model)
    expected = {}
    for case, shape in enumerate(((3, 9), (1, 6), (2, 12))):
        inputs = batch(shape, config["pad_token_id"], model is bert)
        outputs = model(config, Tensors(t, prefix), inputs)
        expected.update({f"{case}.input.{n}": v.numpy() for n, v in inputs.items()})
        expected.update({f"{case}.output.{n}": v.detach().numpy().astype(np.float32) for n, v in outputs.items()})
        if case == 0:
            weights = {n: torch.randn(v.shape).float().double() for n, v in outputs.items()}
            loss = sum((weights[n] * v).sum() for n, v in outputs.items())
            loss.backward()
            expected["loss"] = np.float32(loss.item())
            expected.update({f"weight.{n}": v.numpy().astype(np.float32) for n, v in weights.items()})
    below = "" if config["architectures"][0].endswith("Model") else prefix
    for n, v in t.items():
        if n.endswith(".weight") and v.dim() == 2 and "embeddings" not in n and v.grad is not None:
            full = n if n.startswith(prefix) or not n.startswith(("encoder.", "transformer.", "pooler.")) else below + n
            expected["gradient." + full[:-7]] = v.grad.numpy().astype(np.float32)
    np.savez_compressed(folder / "expected.npz", **expected)


def labels(*names):
    return {"id2label": {str(i): n for i, n in enumerate(names)}, "label2id": {n: i for i, n in enumerate(names)}}


def berts(root):
    base = {"model_type": "bert", "vocab_size": VOCAB, "hidden_size": DIM, "intermediate_size": INNER, "num_hidden_layers": LAYERS,
            "num_attention_heads": HEADS, "max_position_embeddings": PLACES, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
            "hidden_act": "gelu", "pad_token_id": 0, "position_embedding_type": "absolute", "hidden_dropout_prob": 0.1,
            "attention_probs_dropout_prob": 0.1, "classifier_dropout": None, "initializer_range": 0.02}

    def case(name, architecture, fields, prefix, pooler, add, kind="F32", shards=1):
        t = bert_tensors(prefix, PLACES, 2, pooler)
        t = add(t) or t
        write(root, name, {**base, "architectures": [architecture], **fields}, t, bert, "bert.", kind, shards)

    def position_ids(t):
        t["embeddings.position_ids"] = torch.arange(PLACES)[None]

    def masked_lm(t):
        add_linear(t, "cls.predictions.transform.dense", DIM, DIM)
        add_norm(t, "cls.predictions.transform.LayerNorm")
        t["cls.predictions.bias"] = torch.randn(VOCAB)
        add_linear(t, "cls.seq_relationship", 2, DIM)
        return {n.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): v
                for n, v in t.items()}

    def own_decoder(t):
        add_linear(t, "cls.predictions.transform.dense", DIM, DIM)
        add_norm(t, "cls.predictions.transform.LayerNorm")
        add_linear(t, "cls.predictions.decoder", VOCAB, DIM)
        t["cls.predictions.bias"] = t["cls.predictions.decoder.bias"]

    case("bert", "BertModel", {}, "", True, position_ids, kind="F16")
    case("bert-masked-lm", "BertForMaskedLM", {}, "bert.", True, masked_lm)
    case("bert-masked-lm-untied", "BertForMaskedLM", {"tie_word_embeddings": False, "hidden_act": "relu"}, "bert.", True,
         own_decoder, shards=2)
    case("bert-classification", "BertForSequenceClassification",
         {**labels("bad", "fair", "good"), "problem_type": "single_label_classification", "hidden_act": "gelu_new"}, "bert.", True,
         lambda t: add_linear(t, "classifier", 3, DIM), kind="BF16")
    case("bert-tagging", "BertForTokenClassification", labels("O", "B-PER", "I-PER", "B-LOC", "I-LOC"), "bert.", True,
         lambda t: add_linear(t, "classifier", 5, DIM))
    case("bert-answers", "BertForQuestionAnswering", {}, "bert.", False, lambda t: add_linear(t, "qa_outputs", 2, DIM))


def robertas(root):
    base = {"vocab_size": VOCAB, "hidden_size": DIM, "intermediate_size": INNER, "num_hidden_layers": LAYERS,
            "num_attention_heads": HEADS, "max_position_embeddings": PLACES, "type_vocab_size": 1, "layer_norm_eps": 1e-5,
            "hidden_act": "gelu", "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}

    def case(name, kind, architecture, fields, prefix, pooler, add, shards=1):
        t = bert_tensors(prefix, PLACES, 1, pooler)
        add(t)
        config = {**base, "model_type": kind, "architectures": [architecture], **fields}
        write(root, name, config, t, roberta, "roberta.", shards=shards)

    def masked_lm(t):
        add_linear(t, "lm_head.dense", DIM, DIM)
        add_norm(t, "lm_head.layer_norm")
        t["lm_head.bias"] = torch.randn(VOCAB)
        t["lm_head.decoder.weight"] = t["roberta.embeddings.word_embeddings.weight"]
        t["lm_head.decoder.bias"] = t["lm_head.bias"]

    def classification(t):
        add_linear(t, "classifier.dense", DIM, DIM)
        add_linear(t, "classifier.out_proj", 4, DIM)

    case("roberta-masked-lm", "roberta", "RobertaForMaskedLM", {}, "roberta.", True, masked_lm)
    case("roberta-classification", "roberta", "RobertaForSequenceClassification",
         {**labels("a", "b", "c", "d"), "problem_type": "multi_label_classification"}, "roberta.", False, classification)
    case("roberta-answers", "roberta", "RobertaForQuestionAnswering", {}, "roberta.", False,
         lambda t: add_linear(t, "qa_outputs", 2, DIM))
    case("xlm-roberta-tagging", "xlm-roberta", "XLMRobertaForTokenClassification", labels("O", "B-X", "I-X"), "roberta.", False,
         lambda t: add_linear(t, "classifier", 3, DIM), shards=2)
    case("camembert", "camembert", "CamembertModel", {"pad_token_id": 2}, "", True, lambda t: None)


def distilberts(root):
    base = {"model_type": "distilbert", "vocab_size": VOCAB, "dim": DIM, "hidden_dim": INNER, "n_layers": LAYERS, "n_heads": HEADS,
            "max_position_embeddings": PLACES, "activation": "gelu", "pad_token_id": 0, "sinusoidal_pos_embds": False,
            "tie_weights_": True, "qa_dropout": 0.1, "seq_classif_dropout": 0.2, "pruned_heads": {}}

    def case(name, architecture, fields, prefix, add):
        t = distilbert_tensors(prefix)
        add(t)
        write(root, name, {**base, "architectures": [architecture], **fields}, t, distilbert, "distilbert.")

    def masked_lm(t):
        add_linear(t, "vocab_transform", DIM, DIM)
        add_norm(t, "vocab_layer_norm")
        t["vocab_projector.bias"] = torch.randn(VOCAB)
        t["vocab_projector.weight"] = t["distilbert.embeddings.word_embeddings.weight"]

    def regression(t):
        add_linear(t, "pre_classifier", DIM, DIM)
        add_linear(t, "classifier", 1, DIM)

    case("distilbert", "DistilBertModel", {}, "", lambda t: None)
    case("distilbert-masked-lm", "DistilBertForMaskedLM", {}, "distilbert.", masked_lm)
    case("distilbert-regression", "DistilBertForSequenceClassification", {**labels("LABEL_0"), "problem_type": "regression"},
         "distilbert.", regression)
    case("distilbert-tagging", "DistilBertForTokenClassification", {**labels("O", "B-X", "I-X"), "activation": "relu"},
         "distilbert.", lambda t: add_linear(t, "classifier", 3, DIM))
    case("distilbert-answers", "DistilBertForQuestionAnswering", {}, "distilbert.", lambda t: add_linear(t, "qa_outputs", 2, DIM))


def main(root):
    torch.manual_seed(21)
    berts(root)
    robertas(root)
    distilberts(root)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
