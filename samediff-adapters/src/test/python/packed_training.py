"""Writes 30 steps of torch on a decoder with a LoRA, by label masks and by packing, to ../resources/train/packed.json:
python3 packed_training.py (torch 1.13). Isolated documents are computed here one by one, as if there were no rows."""
import json
import math
import pathlib

import torch
from torch.nn import functional as F

torch.manual_seed(5)
torch.set_num_threads(1)
VOCABULARY, WIDTH, HEADS, LONGEST, R, ALPHA, STEPS, BATCH, RATE = 17, 8, 2, 11, 2, 6.0, 30, 2, 1e-2
PARTS = ("q", "k", "v", "o")


def documents():
    """(tokens, which of them are learned): prompts and responses, texts that are learned whole, and one whose middle is."""
    sizes = [(2, 3), (1, 1), (4, 4), (0, 6), (3, 2), (1, 5), (5, 6), (2, 2), (0, 2), (6, 1), (1, 2)]
    made = []
    for prompt, response in sizes:
        ids = torch.randint(0, VOCABULARY, (prompt + response,)).tolist()
        made.append((ids, [i >= prompt for i in range(len(ids))]))
    made.append((torch.randint(0, VOCABULARY, (9,)).tolist(), [False, False, True, True, False, False, False, True, False]))
    return made


def joined(parts):
    """One text of several, whose borders are not learned."""
    ids, flags = [], []
    for part, labelled in parts:
        ids += part
        flags += [False] + labelled[1:]
    return ids, flags


def best_fit(parts, capacity):
    rows = []
    for part in sorted(parts, key=lambda part: -len(part[0])):
        room = [capacity - sum(len(one[0]) for one in row) for row in rows]
        fitting = [i for i in range(len(rows)) if room[i] >= len(part[0])]
        if fitting:
            # the fullest; of several equally full ones the one that has been so for longest
            best = min(fitting, key=lambda i: (room[i], touched[i]))
            rows[best].append(part)
        else:
            rows.append([part])
            touched.append(0)
            best = len(rows) - 1
        touched[best] = max(touched) + 1
    return rows


def stream(parts):
    ids, flags = joined(parts)
    cut = [(ids[i : i + LONGEST + 1], flags[i : i + LONGEST + 1]) for i in range(0, len(ids) - 1, LONGEST)]
    return [(part, [False] + labelled[1:]) for part, labelled in cut if any(labelled[1:])]


def nll(p, frozen, ids, flags):
    """Summed loss and number of labels of one text."""
    inputs = torch.tensor(ids[:-1])
    length = len(inputs)
    x = frozen["wte"][inputs] + frozen["wpe"][:length]

    def layer(name, z):
        change = F.linear(F.linear(z, p[name + ".A"]), p[name + ".B"])
        return F.linear(z, frozen[name]) + ALPHA / R * change

    heads = [layer(part, x).view(length, HEADS, -1).transpose(0, 1) for part in "qkv"]
    scores = heads[0] @ heads[1].transpose(1, 2) / math.sqrt(WIDTH / HEADS)
    scores = scores.masked_fill(torch.ones(length, length).triu(1).bool(), -1e9)
    mixed = (scores.softmax(-1) @ heads[2]).transpose(0, 1).reshape(length, WIDTH)
    logits = F.linear(torch.tanh(x + layer("o", mixed)), frozen["head"])
    losses = F.cross_entropy(logits, torch.tensor(ids[1:]), reduction="none")
    weights = torch.tensor(flags[1:]).float()
    return (losses * weights).sum(), weights.sum()


def case(name, rows):
    """rows: lists of texts; the texts of a row are computed apart."""
    p = {key: torch.nn.Parameter(value.clone()) for key, value in START.items()}
    optimizer = torch.optim.AdamW(p.values(), lr=RATE, weight_decay=0.05)
    batches = [rows[i : i + BATCH] for i in range(0, len(rows), BATCH)]
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        sums = [nll(p, FROZEN, *text) for row in batches[step % len(batches)] for text in row]
        loss = sum(one for one, _ in sums) / sum(count for _, count in sums)
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    return dict(
        name=name, losses=losses, rows=len(rows), end={key: value.detach().tolist() for key, value in p.items()}
    )


touched = []
FROZEN = {
    "wte": torch.randn(VOCABULARY, WIDTH),
    "wpe": torch.randn(LONGEST, WIDTH),
    **{part: torch.randn(WIDTH, WIDTH) / math.sqrt(WIDTH) for part in PARTS},
    "head": torch.randn(VOCABULARY, WIDTH) / math.sqrt(WIDTH),
}
START = {}
for part in PARTS:
    START[part + ".A"] = torch.randn(R, WIDTH) * 0.5
    START[part + ".B"] = torch.randn(WIDTH, R) * 0.1

ALL = documents()
packed = best_fit(ALL, LONGEST + 1)
result = dict(
    longest=LONGEST,
    batch=BATCH,
    heads=HEADS,
    rate=RATE,
    decay=0.05,
    alpha=ALPHA,
    documents=[dict(ids=ids, learned=flags) for ids, flags in ALL],
    frozen={key: value.tolist() for key, value in FROZEN.items()},
    start={key: value.tolist() for key, value in START.items()},
    cases=[
        case("NONE", [[part] for part in ALL]),
        case("STREAM", [[part] for part in stream(ALL)]),
        case("BEST_FIT", [[joined(row)] for row in packed]),
        case("ISOLATED", packed),
    ],
)
target = pathlib.Path(__file__).parent.parent / "resources" / "train" / "packed.json"
target.write_text(json.dumps(result) + "\n")
print({one["name"]: (one["rows"], one["losses"][0], one["losses"][-1]) for one in result["cases"]})
