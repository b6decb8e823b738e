package dev.samediff.adapters.engine.kernel;
import dev.samediff.adapters.engine.plan.Kernel;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** The time of one run of each kernel of {@link KernelCases}; {@code src/jmh/python/kernels.py} times PyTorch's. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 200, timeUnit = TimeUnit.MILLISECONDS)
@Measurement(iterations = 5, time = 200, timeUnit = TimeUnit.MILLISECONDS)
public class KernelBenchmark {
    /** Threads of oneDNN. */
    @Param({"1", "2"})
    public int threads;

    /** The kernel. */
    @Param({
        "add 1024x768",
        "add bias 1024x3072",
        "gelu_tanh 1024x3072",
        "gelu_tanh grad 1024x3072",
        "gelu_erf 1024x3072",
        "gelu_erf grad 1024x3072",
        "tanh 1024x3072",
        "silu 1024x3072",
        "softmax 48x128x128",
        "softmax grad 48x128x128",
        "layer_norm 1024x768",
        "layer_norm grad 1024x768",
        "layer_norm grad data 1024x768",
        "rms_norm 1024x768",
        "rms_norm grad 1024x768",
        "sum rows 1024x3072",
        "heads 8x128x12x64",
        "to bf16 1024x3072",
        "gather 50257x768",
        "scatter_add 50257x768",
        "cross_entropy 1024x50257",
        "cross_entropy grad 1024x50257",
        "attention 4x12x128x64",
        "attention causal 4x12x128x64",
        "attention by products 4x12x128x64",
        "attention grad 4x12x128x64",
        "attention causal grad 4x12x128x64",
        "attention by products grad 4x12x128x64",
        "attention 4x12x256x64",
        "attention causal 4x12x256x64",
        "attention by products 4x12x256x64",
        "attention grad 4x12x256x64",
        "attention causal grad 4x12x256x64",
        "attention by products grad 4x12x256x64",
        "attention 8x4x128x64",
        "attention causal 8x4x128x64",
        "attention by products 8x4x128x64",
        "attention grad 8x4x128x64",
        "attention causal grad 8x4x128x64",
        "attention by products grad 8x4x128x64",
        "rotary 4x12x128x64",
        "rotary grad 4x12x128x64",
        "swiglu 1024x3072",
        "swiglu grad 1024x3072",
        "adamw 2400000",
        "matmul 1024x768x3072",
        "matmul 1024x3072x768",
        "matmul kept 1024x768x3072",
        "matmul kept 1024x3072x768",
        "matmul bf16 1024x768x3072",
        "matmul 1024x768x16",
        "matmul 1024x16x3072",
        "matmul 1024x768x50257"
    })
    public String kernel = "";

    private Kernel made = KernelCases.nothing();

    /** Makes the kernel. */
    @Setup
    public void make() {
        made = OneDnn.with(threads, () -> KernelCases.make(kernel));
    }

    /** Runs it. */
    @Benchmark
    public void run() {
        made.run();
    }
}
