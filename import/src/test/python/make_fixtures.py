"""Exports the small transformers the importer's tests read, with what torch computes for them.

    OPENBLAS_CORETYPE=SKYLAKEX /usr/bin/python3 import/src/test/python/make_fixtures.py import/src/test/resources/fixtures

Needs torch 1.13 and onnx 1.12 (Debian 12: python3-torch, python3-onnx). The same versions write the same bytes again.

A case is one seeded model with one set of inputs; several ONNX files (opsets, static or dynamic axes, folding) can come
from one case. Written are, into the given folder,

    fixtures.json     what there is: see README.md beside this script
    <case>.npz        inputs, logits, labels, mask, loss, gradients, computed in float64, stored as float32
    <fixture>.onnx    the exported models, without doc strings (they hold absolute paths)
"""

import argparse
import json
import os
import pathlib
import sys
import warnings
from dataclasses import dataclass

os.environ.setdefault("OPENBLAS_CORETYPE", "SKYLAKEX")
sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import numpy as np
import onnx
import torch
from torch import nn

import bert
import encoder
import gpt2
import llama

VOCAB, CONTEXT = 61, 24
IDS = ("input_ids",)
IDS_MASK_TYPES = ("input_ids", "attention_mask", "token_type_ids")


@dataclass(frozen=True)
class Export:
    """One ONNX file of a case. fold is torch's do_constant_folding; a static file fixes the case's first shape."""

    name: str
    opset: int
    dynamic: bool = True
    fold: bool = True


@dataclass(frozen=True)
class Case:
    """A model, the (batch, sequence) shapes to run it at, and the files to write."""

    name: str
    model: nn.Module
    inputs: tuple
    exports: tuple
    seed: int
    gradients: bool = True
    shapes: tuple = ((2, 7), (3, 12))
    tied: bool = False


def gpt2_model(layers=1, **options):
    return gpt2.Gpt2(gpt2.Gpt2Config(vocab=VOCAB, context=CONTEXT, dim=32, layers=layers, heads=4, **options))


def llama_model(hidden=64, layers=1, **options):
    return llama.Llama(
        llama.LlamaConfig(
            vocab=VOCAB, context=CONTEXT, dim=32, hidden=hidden, layers=layers, heads=4, kv_heads=2, **options
        )
    )


def bert_model(**options):
    return bert.Bert(
        bert.BertConfig(vocab=VOCAB, context=CONTEXT, dim=32, hidden=64, layers=1, heads=4, **options)
    )


def cases():
    return [
        Case(
            "gpt2-linear",
            gpt2_model(layers=2, conv1d=False),
            IDS,
            (Export("gpt2-linear-op14", 14), Export("gpt2-linear-static-op12", 12, dynamic=False)),
            seed=1,
        ),
        Case("gpt2-conv1d", gpt2_model(conv1d=True), IDS, (Export("gpt2-conv1d-op13", 13),), seed=2),
        Case(
            "gpt2-gemm-tied",
            gpt2_model(conv1d=True, flatten=True, tied=True),
            IDS,
            (Export("gpt2-gemm-tied-op11", 11), Export("gpt2-gemm-tied-unfolded-op14", 14, fold=False)),
            seed=3,
            tied=True,
        ),
        Case(
            "llama",
            llama_model(),
            IDS,
            (Export("llama-op11", 11), Export("llama-op17", 17), Export("llama-static-unfolded-op16", 16, False, False)),
            seed=4,
        ),
        Case(
            "llama-tied",
            llama_model(tied=True, rope="cached", causal="buffer"),
            IDS,
            (Export("llama-tied-op14", 14),),
            seed=5,
            tied=True,
        ),
        Case(
            "llama-deep",
            llama_model(hidden=80, layers=4, causal="triu"),
            IDS,
            (Export("llama-deep-op15", 15),),
            seed=6,
            gradients=False,
        ),
        Case(
            "bert-mlm",
            bert_model(tied=True),
            IDS_MASK_TYPES,
            (Export("bert-mlm-op11", 11), Export("bert-mlm-op17", 17)),
            seed=7,
            tied=True,
        ),
        Case(
            "bert-cls",
            bert_model(labels=4),
            IDS_MASK_TYPES,
            (Export("bert-cls-op13", 13), Export("bert-cls-static-op14", 14, dynamic=False)),
            seed=8,
        ),
        Case(
            "encoder",
            encoder.Encoder(encoder.EncoderConfig(vocab=VOCAB, dim=32, hidden=64, layers=1, heads=4, labels=4)),
            IDS,
            (Export("encoder-op14", 14),),
            seed=9,
        ),
    ]


def randomise(model, seed):
    """Fills every parameter so that each layer keeps the size of what it is given and logits are about 1."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in model.modules():
            for name, parameter in module.named_parameters(recurse=False):
                noise = torch.randn(parameter.shape, generator=generator)
                if parameter.dim() == 1:
                    parameter.copy_(0.1 * noise + (1.0 if name == "weight" else 0.0))
                else:
                    fan_in = parameter.shape[0] if isinstance(module, gpt2.Conv1D) else parameter.shape[1]
                    parameter.copy_(noise / fan_in**0.5)


def linear_layers(model):
    """(module path, module) of everything with a linear weight, in torch's order."""
    kinds = (nn.Linear, gpt2.Conv1D, nn.MultiheadAttention)
    return [(path, module) for path, module in model.named_modules() if isinstance(module, kinds)]


def weight(module):
    """The linear weight of a module: of attention, the fused projection of query, key and value."""
    return module.in_proj_weight if isinstance(module, nn.MultiheadAttention) else module.weight


def describe(path, module):
    """How fixtures.json tells of one linear layer; its gradient has the orientation of the torch weight."""
    shape = list(weight(module).shape)
    if isinstance(module, gpt2.Conv1D):
        return {"module": path, "in": shape[0], "out": shape[1], "torch": "IN_OUT"}
    return {"module": path, "in": shape[1], "out": shape[0], "torch": "OUT_IN"}


def random_inputs(case, shape, generator):
    """Token ids, a mask with zeros at the end of every second row, and segments that change in the middle."""
    batch, seq = shape
    attention = torch.ones(shape, dtype=torch.int64)
    attention[::2, seq - 2 :] = 0
    types = torch.zeros(shape, dtype=torch.int64)
    types[:, seq // 2 :] = 1
    ids = torch.randint(0, VOCAB, shape, generator=generator)
    return dict(zip(case.inputs, (ids, attention, types)))


def evaluate(case, shape, generator):
    """Everything torch says about one shape: inputs, logits, labels, mask, loss; gradients are left in the model."""
    inputs = random_inputs(case, shape, generator)
    logits = case.model(*inputs.values())
    labels = torch.randint(0, logits.shape[-1], logits.shape[:-1], generator=generator)
    mask = (torch.rand(labels.shape, generator=generator) < 0.7).to(logits.dtype)
    mask.view(-1)[0] = 1.0
    nll = -torch.log_softmax(logits, dim=-1).gather(-1, labels.unsqueeze(-1)).squeeze(-1)
    loss = (nll * mask).sum() / mask.sum()
    case.model.zero_grad()
    loss.backward()
    values = {f"input.{name}": value for name, value in inputs.items()}
    return {**values, "logits": logits, "labels": labels.int(), "mask": mask, "loss": loss}


def untie(case):
    """Gives a tied head its own copy of the embedding's weight, so that both get their own gradient."""
    for _, module in linear_layers(case.model):
        if weight(module) is embedding(case.model).weight:
            module.weight = nn.Parameter(module.weight.detach().clone())


def embedding(model):
    """The token embedding: the first nn.Embedding of every model here."""
    return next(module for module in model.modules() if isinstance(module, nn.Embedding))


def gradients(case):
    """gradient.<module path> of every linear weight, in torch's orientation."""
    return {f"gradient.{path}": weight(module).grad.clone() for path, module in linear_layers(case.model)}


def reference(case):
    """The arrays of a case's npz; computed in float64, stored as float32 and integers."""
    generator = torch.Generator().manual_seed(1000 + case.seed)
    untie(case)
    case.model.double()
    arrays = {}
    for index, shape in enumerate(case.shapes):
        arrays.update({f"{index}.{name}": value for name, value in evaluate(case, shape, generator).items()})
        if index == 0 and case.gradients:
            arrays.update(gradients(case))
    return {name: as_stored(name, value.detach()) for name, value in arrays.items()}


def as_stored(name, value):
    """float64 as float32; gradients with 12 bits of mantissa (1.2e-4 of each entry), which packs into less space."""
    if value.dtype != torch.float64:
        return value.numpy()
    if name.startswith("gradient"):
        mantissa, exponent = torch.frexp(value)
        value = torch.ldexp(torch.round(mantissa * 2**13) / 2**13, exponent)
    return value.float().numpy()


def export(case, what, path):
    """Writes one ONNX file without doc strings."""
    shape = case.shapes[0]
    inputs = random_inputs(case, shape, torch.Generator().manual_seed(0))
    axes = {name: {0: "batch", 1: "sequence"} for name in case.inputs}
    axes["logits"] = {0: "batch"} if getattr(case.model.config, "labels", 0) else {0: "batch", 1: "sequence"}
    case.model.eval()
    torch.onnx.export(
        case.model,
        tuple(inputs.values()),
        str(path),
        input_names=list(case.inputs),
        output_names=["logits"],
        dynamic_axes=axes if what.dynamic else None,
        opset_version=what.opset,
        do_constant_folding=what.fold,
    )
    model = onnx.load(str(path))
    clean(model)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))


def clean(model):
    """Takes out what would differ between machines: doc strings hold the paths of source files."""
    model.doc_string = model.graph.doc_string = ""
    for item in [*model.graph.node, *model.graph.initializer, *model.graph.input, *model.graph.output]:
        item.doc_string = ""


def write(case, folder):
    """Writes the files of one case and returns its entries of fixtures.json."""
    randomise(case.model, case.seed)
    for what in case.exports:
        export(case, what, folder / f"{what.name}.onnx")
    layers = [describe(path, module) for path, module in linear_layers(case.model)]
    np.savez_compressed(folder / f"{case.name}.npz", **reference(case))
    return [
        {
            "name": what.name,
            "case": case.name,
            "opset": what.opset,
            "dynamic": what.dynamic,
            "folded": what.fold,
            "tied": case.tied,
            "gradients": case.gradients,
            "inputs": list(case.inputs),
            "vocab": VOCAB,
            "shapes": [list(shape) for shape in case.shapes],
            "linear": layers,
        }
        for what in case.exports
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path, help="where to write; made if it does not exist")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)
    entries = [entry for case in cases() for entry in write(case, folder)]
    (folder / "fixtures.json").write_text("[\n" + ",\n".join(json.dumps(entry) for entry in entries) + "\n]\n")
    for file in sorted(folder.iterdir()):
        print(f"{file.stat().st_size:8d} {file.name}")


if __name__ == "__main__":
    main()
