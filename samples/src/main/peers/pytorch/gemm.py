"""Prints how fast float32 matrix products are with the BLAS kernels that the environment chooses, as JSON."""

import json
import time

import torch

ROWS, INNER, COLUMNS = 1024, 768, 768


def main():
    torch.set_num_threads(1)
    left, right = torch.randn(ROWS, INNER), torch.randn(INNER, COLUMNS)
    times, start = [], time.perf_counter()
    while time.perf_counter() - start < 1:
        before = time.perf_counter()
        left @ right
        times.append(time.perf_counter() - before)
    print(json.dumps({"gigaflops": 2 * ROWS * INNER * COLUMNS / sorted(times)[len(times) // 2] / 1e9}))


if __name__ == "__main__":
    main()
