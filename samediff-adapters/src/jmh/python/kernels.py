"""Times PyTorch's kernels under the names of KernelBenchmark: python3 kernels.py THREADS [PREFIX].

Prints one line per kernel: name, milliseconds (the median of at least 0.6 s of runs).
"""
import sys
import time

import torch
import torch.nn.functional as F

torch.set_num_threads(int(sys.argv[1]))
prefix = sys.argv[2] if len(sys.argv) > 2 else ""
torch.manual_seed(0)


def time_ms(run):
    times = []
    end = time.perf_counter() + 0.8
    while time.perf_counter() < end or len(times) < 8:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    times = sorted(times[2:])
    return 1e3 * times[len(times) // 2]


def show(name, make):
    if name.startswith(prefix):
        print(f"{name:34} {time_ms(make()):9.3f}", flush=True)


def backward(f, *shapes, wanted=None):
    """The backward pass alone of f, with the gradients of the first `wanted` inputs."""

    def make():
        inputs = [torch.randn(*s) for s in shapes]
        for x in inputs[: wanted or len(inputs)]:
            x.requires_grad_()
        y = f(*inputs)
        dy = torch.randn_like(y)
        leaves = [x for x in inputs if x.requires_grad]
        return lambda: torch.autograd.grad(y, leaves, dy, retain_graph=True)

    return make


def forward(f, *shapes):
    def make():
        inputs = [torch.randn(*s) for s in shapes]
        return lambda: f(*inputs)

    return make


def rms(x, scale):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * scale


N, D, H, V = 1024, 768, 3072, 50257
ids = torch.randint(0, V, (N,))
ln = lambda x, g, b: F.layer_norm(x, (D,), g, b)

with torch.no_grad():
    show("add 1024x768", forward(torch.add, (N, D), (N, D)))
    show("add bias 1024x3072", forward(torch.add, (N, H), (1, H)))
    if "approximate" in F.gelu.__doc__:
        show("gelu_tanh 1024x3072", forward(lambda x: F.gelu(x, approximate="tanh"), (N, H)))
    show("gelu_erf 1024x3072", forward(F.gelu, (N, H)))
    show("tanh 1024x3072", forward(torch.tanh, (N, H)))
    show("silu 1024x3072", forward(F.silu, (N, H)))
    show("softmax 48x128x128", forward(lambda x: torch.softmax(x, -1), (48, 128, 128)))
    show("layer_norm 1024x768", forward(ln, (N, D), (D,), (D,)))
    show("rms_norm 1024x768", forward(rms, (N, D), (D,)))
    show("sum rows 1024x3072", forward(lambda x: x.sum(0), (N, H)))
    show("heads 8x128x12x64", forward(lambda x: x.transpose(1, 2).contiguous(), (8, 128, 12, 64)))
    show("to bf16 1024x3072", forward(lambda x: x.to(torch.bfloat16), (N, H)))
    show("gather 50257x768", forward(lambda t: F.embedding(ids, t), (V, D)))
    show("cross_entropy 1024x50257", forward(lambda x: F.cross_entropy(x, ids), (N, V)))
    for m, k, n in [(N, D, H), (N, H, D), (N, D, 16), (N, 16, H), (N, D, V)]:
        show(f"matmul {m}x{k}x{n}", forward(torch.mm, (m, k), (k, n)))
    show(
        "matmul bf16 1024x768x3072",
        lambda: (lambda a, b: lambda: torch.mm(a, b))(torch.randn(N, D).bfloat16(), torch.randn(D, H).bfloat16()),
    )

def attention(q, k, v, mask=None):
    scores = q @ k.transpose(-1, -2) * 0.125
    return torch.softmax(scores if mask is None else scores + mask, -1) @ v


for b, h, t, d in [(4, 12, 128, 64), (4, 12, 256, 64), (8, 4, 128, 64)]:
    causal = torch.full((t, t), -3e38).triu(1)
    for name, mask in [("attention", None), ("attention causal", causal)]:
        f = lambda q, k, v: attention(q, k, v, mask)
        with torch.no_grad():
            show(f"{name} {b}x{h}x{t}x{d}", forward(f, *[(b, h, t, d)] * 3))
        show(f"{name} grad {b}x{h}x{t}x{d}", backward(f, *[(b, h, t, d)] * 3))


def rotary(x, cos, sin):
    half = x.shape[-1] // 2
    return x * cos + torch.cat((-x[..., half:], x[..., :half]), -1) * sin


with torch.no_grad():
    show("rotary 4x12x128x64", forward(rotary, (4, 12, 128, 64), (128, 64), (128, 64)))
    show("swiglu 1024x3072", forward(lambda a, b: F.silu(a) * b, (N, H), (N, H)))
show("swiglu grad 1024x3072", backward(lambda a, b: F.silu(a) * b, (N, H), (N, H)))


def adamw():
    p = torch.nn.Parameter(torch.randn(2400000))
    p.grad = torch.randn(2400000)
    return torch.optim.AdamW([p], lr=1e-3).step


show("adamw 2400000", adamw)
show("gelu_tanh grad 1024x3072", backward(lambda x: F.gelu(x, approximate="tanh"), (N, H)))
show("gelu_erf grad 1024x3072", backward(F.gelu, (N, H)))
show("softmax grad 48x128x128", backward(lambda x: torch.softmax(x, -1), (48, 128, 128)))
show("layer_norm grad 1024x768", backward(ln, (N, D), (D,), (D,)))
show("layer_norm grad data 1024x768", backward(ln, (N, D), (D,), (D,), wanted=1))
show("rms_norm grad 1024x768", backward(rms, (N, D), (D,)))
show("scatter_add 50257x768", backward(lambda t: F.embedding(ids, t), (V, D)))
show("cross_entropy grad 1024x50257", backward(lambda x: F.cross_entropy(x, ids), (N, V)))
