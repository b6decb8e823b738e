"""Runs the command line on files of zoo.py: verify, two steps of finetune, merge, verify of the merged file.

    /usr/bin/python3 import/src/test/python/zoo_cli.py FOLDER [PATTERN]

FOLDER is that of zoo.py, PATTERN chooses files (default: *-op14-dynamic.onnx). Classifiers are trained by --task classify, encoders with
decoders by --task seq2seq. The methods LoRA, OLoRA, PiSSA and SORSA take turns. Prints
the table of docs/import.md: an architecture has the number of its files for which all four commands ended well, or what the first one
that did not said. Needs samples/run, which builds what is missing.
"""

import itertools
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

RUN = Path(__file__).resolve().parents[4] / "samples" / "run"
LETTERS = "abcdefghijklmnopqr"
CLASSIFY = ["--task", "classify", "--logits", "logits"]
TASKS = {"encoder": CLASSIFY, "roberta": CLASSIFY, "vit": CLASSIFY, **dict.fromkeys(["bart", "t5", "transformer"], ["--task", "seq2seq"])}


def data(folder):
    """A tokenizer of letters, fewer than the models' vocabulary, and examples of a few of them."""
    tokens = ["<pad>", "<eos>", "<unk>", *LETTERS, " ", "\n"]
    vocabulary = {"type": "char", "pad": 0, "eos": 1, "unk": 2, "tokens": tokens}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    lines = [{"prompt": LETTERS[i : i + 4], "response": LETTERS[i + 4 : i + 8]} for i in range(8)]
    (folder / "train.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    classes = [{"text": LETTERS[i : i + 4], "label": "xyz"[i % 3]} for i in range(9)]
    (folder / "classes.jsonl").write_text("".join(json.dumps(line) + "\n" for line in classes))


def run(command):
    """Returns nothing if the command ends well, else what it said last."""
    done = subprocess.run([str(RUN), *map(str, command)], capture_output=True, text=True)
    said = (done.stdout + done.stderr).strip().splitlines() or ["nothing"]
    return None if done.returncode == 0 else f"{command[0]} {done.returncode}: {said[-1].removeprefix('error: ')}"


def commands(model, method, folder):
    merged, out = folder / f"{model.stem}-merged.onnx", folder / model.stem
    task = TASKS.get(re.sub(r"-op\d+-.*", "", model.stem), [])
    examples = folder / ("classes.jsonl" if task is CLASSIFY else "train.jsonl")
    training = ["--tokenizer", folder / "vocab.json", "--train", examples, "--steps", 2, "--batch", 2, *task]
    return [
        ["verify", model],
        ["finetune", "--model", model, "--method", method, "--rank", 2, *training, "--out", out],
        ["merge", "--model", model, "--adapter", out / "adapter", "--out", merged],
        ["verify", merged],
    ]


def main():
    models = sorted(Path(sys.argv[1]).glob(sys.argv[2] if len(sys.argv) > 2 else "*-op14-dynamic.onnx"))
    results = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        data(folder)
        for model, method in zip(models, itertools.cycle(["lora", "olora", "pissa", "sorsa"])):
            said = next(filter(None, map(run, commands(model, method, folder))), None)
            print(f"{model.stem} {method}: {said or 'all four'}", file=sys.stderr, flush=True)
            results.setdefault(re.sub(r"-op\d+-.*", "", model.stem), []).append(said)
    print("| architecture | files | verify, finetune, merge, verify | otherwise |\n|---|---|---|---|")
    for name, all_said in results.items():
        reasons = "; ".join(sorted({said for said in all_said if said}))
        print(f"| {name} | {len(all_said)} | {all_said.count(None)} | {reasons} |")


if __name__ == "__main__":
    main()
