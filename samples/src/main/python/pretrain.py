"""Pre-trains the bundled character model on generated arithmetic stories and exports it as ONNX.

    python3 samples/src/main/python/pretrain.py

Everything follows from the seed: the stories come from ArithmeticStories.java, run here as a single-file program.
Needs Java 17, torch, onnx and numpy; docs/pretraining.md describes the run whose result is in the repository.
"""

import argparse
import json
import math
import random
import subprocess
import sys
import time
from itertools import cycle
from pathlib import Path

import onnx
import torch
from torch import nn
from torch.nn.functional import cross_entropy

ROOT = Path(__file__).resolve().parents[4]
sys.path.insert(0, str(ROOT / "import/src/test/python"))
from gpt2 import Gpt2, Gpt2Config, export_onnx  # noqa: E402

GENERATOR = ROOT / "samples/src/main/java/dev/samediff/samples/stories/ArithmeticStories.java"
MODEL_FOLDER = ROOT / "samples/src/main/resources/dev/samediff/samples/model"
CONTEXT = 96
PAD, EOS, UNK = 0, 1, 2
ALPHABET = "\n #$'*+,-./0123456789:;=?" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + "abcdefghijklmnopqrstuvwxyz"
MARKS = {"pretrain": "Answer: ", "shifted": "#### "}


class Vocabulary:
    """Characters to ids and back; ids 0, 1, 2 are padding, end of text and unknown."""

    def __init__(self):
        self.tokens = ["<pad>", "<eos>", "<unk>", *ALPHABET]
        self.ids = {token: index for index, token in enumerate(self.tokens)}

    def encode(self, text):
        return [self.ids.get(character, UNK) for character in text]

    def decode(self, ids):
        return "".join(self.tokens[index] for index in ids)

    def write(self, path):
        content = {"type": "char", "pad": PAD, "eos": EOS, "unk": UNK, "tokens": self.tokens}
        path.write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")


VOCABULARY = Vocabulary()
CONFIG = Gpt2Config(len(VOCABULARY.tokens), CONTEXT, dim=128, layers=4, heads=4)


def stories(distribution, count, seed, split="train"):
    """(prompt, response) pairs from the Java generator."""
    command = ["java", str(GENERATOR), distribution, str(count), str(seed), split]
    lines = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout.splitlines()
    return [(row["prompt"], row["response"]) for row in map(json.loads, lines)]


def echo(draw):
    """A line of random characters and its repetition: gives every character of the alphabet a trained embedding."""
    line = "".join(draw.choices(ALPHABET[1:], k=draw.randint(4, 30)))
    return line + "\n", line


def drill(draw, longest=80):
    """A line of equations like 16+8=24, 23-5=18 with the numbers of the pre-training stories and no story."""
    row = []
    while len("".join(row)) < longest - 8:
        left, sign, right = draw.randint(2, 40), draw.choice("+-"), draw.randint(2, 20)
        if sign == "+" or left > right:
            row += [f"{left}{sign}{right}=", f"{left + right if sign == '+' else left - right}, "]
    row[-1] = row[-1][:-2]
    return tuple(row)


def batch(rows, context_weight):
    """Inputs, next-token targets and per-target weights, padded to the longest row.

    A row's texts are in turn context, whose tokens weigh context_weight, and what is to be learned, which weighs 1.
    """
    texts = [VOCABULARY.encode("".join(row)) + [EOS] for row in rows]
    width = max(map(len, texts))
    ids = torch.tensor([text + [PAD] * (width - len(text)) for text in texts])
    weights = torch.zeros(ids.shape)
    for index, row in enumerate(rows):
        row_weights = [w for part, w in zip(row, cycle([context_weight, 1.0])) for _ in part] + [1.0]
        weights[index, : len(row_weights)] = torch.tensor(row_weights)
    return ids[:, :-1], ids[:, 1:], weights[:, 1:]


def weighted_loss(model, ids, targets, weights):
    """Mean next-token loss in nats under the weights."""
    losses = cross_entropy(model(ids).flatten(0, 1), targets.flatten(), reduction="none")
    return (losses * weights.flatten()).sum() / weights.sum()


@torch.no_grad()
def respond(model, prompts, longest=30):
    """Greedy continuations. Prompts are padded on the right, which a causal model cannot see."""
    texts = [VOCABULARY.encode(prompt) for prompt in prompts]
    starts = [len(text) for text in texts]
    open_rows = set(range(len(texts)))
    for _ in range(longest):
        rows = sorted(open_rows)
        width = max(len(texts[row]) for row in rows)
        ids = torch.tensor([texts[row] + [PAD] * (width - len(texts[row])) for row in rows])
        last = torch.tensor([len(texts[row]) - 1 for row in rows])
        best = model(ids)[torch.arange(len(rows)), last].argmax(dim=-1)
        for row, token in zip(rows, best.tolist()):
            if token == EOS or len(texts[row]) + 1 == CONTEXT:
                open_rows.remove(row)
            else:
                texts[row].append(token)
        if not open_rows:
            break
    return [VOCABULARY.decode(text[start:]) for text, start in zip(texts, starts)]


def number_after(response, marks):
    """The rest of the line after the last of the marks, or None."""
    ends = [response.rfind(mark) + len(mark) for mark in marks if mark in response]
    return response[max(ends) :].split("\n")[0] if ends else None


def accuracy(model, distribution, pairs):
    """Exact match, and the looser share of right numbers behind either mark."""
    model.eval()
    exact = loose = 0
    for start in range(0, len(pairs), 100):
        part = pairs[start : start + 100]
        for (_, expected), response in zip(part, respond(model, [prompt for prompt, _ in part])):
            answer = number_after(expected, MARKS.values())
            right = number_after(response, MARKS.values()) == answer
            loose += right
            exact += right and MARKS[distribution] + answer in response
    model.train()
    return exact / len(pairs), loose / len(pairs)


def report(model, distribution, pairs):
    exact, loose = accuracy(model, distribution, pairs)
    print(f"{distribution}: exact match {exact:.1%}, right number behind either mark {loose:.1%}, n={len(pairs)}")


def export(model, folder):
    """Writes the ONNX file, without the source paths that PyTorch leaves in it, and the vocabulary."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "stories-gpt.onnx"
    export_onnx(model, str(path), opset=14)
    proto = onnx.load(str(path))
    proto.graph.name = "stories-gpt"
    for node in proto.graph.node:
        node.ClearField("doc_string")
    onnx.checker.check_model(proto)
    path.write_bytes(proto.SerializeToString(deterministic=True))
    VOCABULARY.write(folder / "stories-vocab.json")
    model.train()
    print(f"wrote {path.name}, {path.stat().st_size:,} bytes")


def initialize(model):
    """Weights of variance 1 / inputs, smaller into the residual stream: GPT-2's 0.02 is too small for this width."""
    for name, weight in model.named_parameters():
        if name.endswith(("wte.weight", "wpe.weight")):
            nn.init.normal_(weight, std=0.3)
        elif weight.dim() == 2:
            inputs = weight.shape[1] if name == "lm_head.weight" else weight.shape[0]
            residual = 2 * model.config.layers if "c_proj" in name else 1
            nn.init.normal_(weight, std=(inputs * residual) ** -0.5)


def pretrain(options):
    torch.manual_seed(options.seed)
    torch.set_flush_denormal(True)
    draw = random.Random(options.seed)
    model = Gpt2(CONFIG)
    initialize(model)
    print(f"{CONFIG}: {sum(parameter.numel() for parameter in model.parameters()):,} parameters")
    training = stories("pretrain", options.stories, options.seed)
    held_out = stories("pretrain", 500, options.seed, "eval")
    decayed = [parameter for parameter in model.parameters() if parameter.dim() == 2]
    others = [parameter for parameter in model.parameters() if parameter.dim() != 2]
    groups = [{"params": decayed, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98))
    started = time.time()
    for step in range(1, options.steps + 1):
        progress = step / options.steps
        rate = options.rate * min(step / 100, 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        drills = [drill(draw) for _ in range(options.batch * 3 // 8)]
        echoes = [echo(draw) for _ in range(options.batch // 32)]
        told = draw.sample(training, options.batch - len(drills) - len(echoes))
        loss = weighted_loss(model, *batch(told + drills + echoes, context_weight=0.2))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 100 == 0:
            print(f"step {step} loss {loss.item():.4f} lr {rate:.2e} {time.time() - started:.0f} s", flush=True)
        if step % 500 == 0:
            report(model, "pretrain", held_out[:100])
            export(model, options.folder)
    export(model, options.folder)
    report(model, "pretrain", held_out)
    report(model, "shifted", stories("shifted", 500, options.seed, "eval"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=MODEL_FOLDER, help="where the model and vocabulary go")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stories", type=int, default=200_000)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rate", type=float, default=2e-3)
    torch.set_num_threads(1)
    pretrain(parser.parse_args())


if __name__ == "__main__":
    main()
