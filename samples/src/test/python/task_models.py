"""Writes the models that the tests of tasks train: an encoder, an encoder with a decoder, and decoders whose mask is of pairs, of letters.

    python3 samples/src/test/python/task_models.py samples/src/test/resources/tasks

Needs numpy and onnx. The numbers are random, of a fixed seed; nothing is trained.
"""
import json
import pathlib
import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

WIDTH = 16
CONTEXT = 24
TOKENS = ["<pad>", "<eos>", "<unk>", " "] + [chr(ord("a") + i) for i in range(26)]


class Graph:
    def __init__(self):
        self.nodes, self.weights, self.random = [], [], numpy.random.default_rng(7)

    def weight(self, name, scale, *shape):
        self.weights.append(numpy_helper.from_array(
            (scale * self.random.standard_normal(shape)).astype(numpy.float32), name))
        return name

    def constant(self, name, values):
        self.weights.append(numpy_helper.from_array(numpy.array(values, numpy.int64), name))
        return name

    def op(self, kind, out, *inputs, **attributes):
        self.nodes.append(helper.make_node(kind, list(inputs), [out], name="node_" + out, **attributes))
        return out

    def embedded(self, ids, module):
        table = self.weight(module + ".embedding.weight", 1, len(TOKENS), WIDTH)
        return self.op("Gather", module + "_embedded", table, ids, axis=0)

    def dense(self, x, module, width=WIDTH, scale=0.4):
        return self.op("MatMul", module + "_product", x, self.weight(module + ".weight", scale, WIDTH, width))

    def mean(self, x, module):
        mask = self.op("Cast", module + "_mask", "attention_mask", to=TensorProto.FLOAT)
        column = self.op("Unsqueeze", module + "_column", mask, self.constant(module + "_last", [2]))
        summed = self.op("ReduceSum", module + "_sum", self.op("Mul", module + "_counted", x, column),
                         self.constant(module + "_axis", [1]), keepdims=1)
        count = self.op("ReduceSum", module + "_count", column, module + "_axis", keepdims=1)
        return self.op("Div", module + "_mean", summed, count)

    def save(self, path, inputs, output, width):
        text = [length if isinstance(length, onnx.ValueInfoProto)
                else helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", length])
                for name, length in inputs]
        result = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", inputs[-1][1], width])
        model = helper.make_model(
            helper.make_graph(self.nodes, path.stem, text, [result], self.weights),
            opset_imports=[helper.make_opsetid("", 13)], producer_name="task_models.py")
        model.ir_version = 7
        onnx.checker.check_model(model)
        onnx.save(model, str(path))


def encoder(path):
    graph = Graph()
    embedded = graph.embedded("input_ids", "encoder")
    mixed = graph.op("Add", "mixed", embedded, graph.mean(embedded, "context"))
    graph.op("Tanh", "last_hidden_state", graph.dense(mixed, "encoder.dense"))
    graph.save(path, [("input_ids", "tokens"), ("attention_mask", "tokens")], "last_hidden_state", WIDTH)


def responder(path):
    graph = Graph()
    read = graph.op("Tanh", "read", graph.dense(graph.embedded("input_ids", "encoder"), "encoder.dense"))
    context = graph.dense(graph.mean(read, "context"), "decoder.cross")
    written = graph.dense(graph.embedded("decoder_input_ids", "decoder"), "decoder.dense")
    hidden = graph.op("Tanh", "hidden", graph.op("Add", "both", written, context))
    graph.op("Identity", "logits", graph.dense(hidden, "lm_head", len(TOKENS)))
    graph.save(path, [("input_ids", "tokens"), ("attention_mask", "tokens"), ("decoder_input_ids", "answer")],
               "logits", len(TOKENS))


def decoder(path, added):
    """One head of attention; the mask is FLOAT [batch, T, T] that is added, or INT64 [batch, 1, T, T] of 1 and 0."""
    graph = Graph()
    table = graph.weight("positions.weight", 1, CONTEXT, WIDTH)
    x = graph.op("Add", "embedded", graph.embedded("input_ids", "tokens"),
                 graph.op("Gather", "placed", table, "position_ids", axis=0))
    heads = graph.constant("heads", [1])
    q, k, v = (graph.op("Unsqueeze", name, graph.dense(x, "attention." + name), heads) for name in "qkv")
    scores = graph.op("MatMul", "scores", q, graph.op("Transpose", "turned", k, perm=[0, 1, 3, 2]))
    if added:
        blocked = graph.op("Unsqueeze", "blocked", "attention_mask", heads)
    else:
        graph.weights.append(numpy_helper.from_array(numpy.array(1, numpy.float32), "one"))
        graph.weights.append(numpy_helper.from_array(numpy.array(-1e9, numpy.float32), "never"))
        mask = graph.op("Cast", "mask", "attention_mask", to=TensorProto.FLOAT)
        blocked = graph.op("Mul", "blocked", graph.op("Sub", "hidden_pairs", "one", mask), "never")
    looked = graph.op("Softmax", "looked", graph.op("Add", "masked", scores, blocked), axis=-1)
    mixed = graph.op("Squeeze", "mixed", graph.op("MatMul", "seen", looked, v), heads)
    hidden = graph.op("Tanh", "hidden", graph.op("Add", "both", x, graph.dense(mixed, "attention.o")))
    graph.op("Identity", "logits", graph.dense(hidden, "lm_head", len(TOKENS)))
    pairs = helper.make_tensor_value_info(
        "attention_mask", TensorProto.FLOAT if added else TensorProto.INT64,
        ["batch", "tokens", "tokens"] if added else ["batch", 1, "tokens", "tokens"])
    graph.save(path, [("input_ids", "tokens"), ("attention_mask", pairs), ("position_ids", "tokens")],
               "logits", len(TOKENS))


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    encoder(folder / "encoder.onnx")
    responder(folder / "responder.onnx")
    decoder(folder / "decoder.onnx", added=False)
    decoder(folder / "decoder_added.onnx", added=True)
    (folder / "letters.json").write_text(json.dumps(
        {"type": "char", "pad": 0, "eos": 1, "unk": 2, "tokens": TOKENS}) + "\n")
