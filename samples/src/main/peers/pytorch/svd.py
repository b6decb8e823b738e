"""Measures the singular value decompositions of every linear weight of a benchmark network, with numpy or torch.

    /usr/bin/python3 samples/src/main/peers/pytorch/svd.py FOLDER numpy|torch
"""

import json
import sys
import time
from pathlib import Path

import numpy
import torch

from network import read_tensors


def main():
    folder, library = Path(sys.argv[1]), sys.argv[2]
    tensors = read_tensors(folder / "weights.safetensors")
    weights = [tensor for name, tensor in tensors.items() if tensor.dim() == 2 and ".wte." not in name and ".wpe." not in name]
    start = time.perf_counter()
    for weight in weights:
        if library == "numpy":
            numpy.linalg.svd(weight.numpy(), full_matrices=False)
        else:
            torch.linalg.svd(weight, full_matrices=False)
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "decomposition_seconds": seconds, "matrices": len(weights)}))


if __name__ == "__main__":
    main()
