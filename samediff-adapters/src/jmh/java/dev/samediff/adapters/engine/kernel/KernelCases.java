package dev.samediff.adapters.engine.kernel;
import dev.samediff.adapters.engine.plan.Kernel;
import dev.samediff.adapters.engine.plan.Operand;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.ReduceKind;
import dev.samediff.adapters.engine.program.UnaryKind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/** The kernels that are timed, by name: what, then the sizes. */
final class KernelCases {
    private static final List<BytePointer> MEMORY = new ArrayList<>(); // keeps it alive

    private KernelCases() {}

    static Kernel nothing() {
        return new Kernel() {
            @Override
            public void run() {}

            @Override
            public String describe() {
                return "nothing";
            }
        };
    }

    static Kernel make(String name) {
        int space = name.lastIndexOf(' ');
        long[] s = Arrays.stream(name.substring(space + 1).split("x"))
                .mapToLong(Long::parseLong)
                .toArray();
        String what = name.substring(0, space);
        long last = s[s.length - 1];
        return switch (what) {
            case "add" -> new Kernels().binary(BinaryKind.ADD, floats(s), floats(s), floats(s));
            case "add bias" -> new Kernels().binary(BinaryKind.ADD, floats(s), floats(1, last), floats(s));
            case "gelu_tanh", "gelu_erf", "tanh", "silu" -> new Kernels().unary(unary(what), 1, 0, floats(s), floats(s));
            case "gelu_tanh grad", "gelu_erf grad" -> new Kernels().unaryGrad(
                    unary(what.replace(" grad", "")), 1, 0, floats(s), floats(s), floats(s));
            case "softmax" -> new LayerKernels().softmax(floats(s), floats(s));
            case "softmax grad" -> new LayerKernels().softmaxGrad(floats(s), floats(s), floats(s));
            case "layer_norm" -> new LayerKernels().layerNorm(
                    1e-5, floats(s), floats(last), floats(last), floats(s), floats(s[0]), floats(s[0]));
            case "layer_norm grad" -> layerNormGrad(s, floats(last), floats(last));
            case "layer_norm grad data" -> layerNormGrad(s, null, null);
            case "rms_norm" -> new LayerKernels().rmsNorm(1e-6, floats(s), floats(last), floats(s), floats(s[0]));
            case "rms_norm grad" -> new LayerKernels().rmsNormGrad(
                    floats(s), floats(s), floats(s[0]), floats(last), floats(s), floats(last));
            case "sum rows" -> new Kernels().reduce(ReduceKind.SUM, floats(s), floats(1, last));
            case "heads" -> new Kernels().copy(
                    floats(s),
                    placed(new Operand(DataType.FLOAT, s, new long[] {s[1] * s[2] * s[3], s[3], s[1] * s[3], 1})));
            case "to bf16" -> new Kernels().copy(floats(s), placed(Operand.dense(DataType.BFLOAT16, s)));
            case "gather" -> new LayerKernels().gatherRows(floats(s), ids(1024, s[0]), floats(1024, last));
            case "scatter_add" -> new LayerKernels().scatterAddRows(floats(1024, last), ids(1024, s[0]), floats(s));
            case "cross_entropy" -> new LayerKernels().crossEntropy(
                    floats(s), ids(s[0], last), floats(s[0]), floats(1), floats(s[0]));
            case "cross_entropy grad" -> new LayerKernels().crossEntropyGrad(
                    floats(s), ids(s[0], last), floats(s[0]), floats(s[0]), floats(1), floats(s));
            case "matmul" -> new Kernels().matmul(floats(s[0], s[1]), floats(s[1], s[2]), null, floats(s[0], s[2]), 1, false);
            case "matmul transposed" -> new Kernels().matmul(
                    floats(s[0], s[1]),
                    placed(new Operand(DataType.FLOAT, new long[] {s[1], s[2]}, new long[] {1, s[1]})),
                    null,
                    floats(s[0], s[2]),
                    1,
                    false);
            case "matmul kept" -> new Kernels().matmul(
                    floats(s[0], s[1]),
                    floats(s[1], s[2]),
                    new PackedMatrices().of("weight"),
                    null,
                    floats(s[0], s[2]),
                    1,
                    false);
            case "matmul bf16" -> new Kernels().matmul(
                    placed(Operand.dense(DataType.BFLOAT16, s[0], s[1])),
                    placed(Operand.dense(DataType.BFLOAT16, s[1], s[2])),
                    null,
                    floats(s[0], s[2]),
                    1,
                    false);
            case "attention" -> new LayerKernels().attention(floats(s), floats(s), floats(s), null, 0.125, floats(s));
            case "attention causal" -> new LayerKernels().attention(floats(s), floats(s), floats(s), causal(s[2]), 0.125, floats(s));
            case "attention grad" -> attentionGrad(s, null);
            case "attention causal grad" -> attentionGrad(s, causal(s[2]));
            case "attention by products" -> AttentionByProducts.forward(s, floats(1, 1, s[2], s[2]), KernelCases::floats);
            case "attention by products grad" -> AttentionByProducts.backward(s, KernelCases::floats);
            case "rotary" -> LayersBySteps.rotary(s, KernelCases::floats);
            case "rotary grad" -> LayersBySteps.rotaryGrad(s, KernelCases::floats);
            case "swiglu" -> LayersBySteps.swiglu(s, KernelCases::floats);
            case "swiglu grad" -> LayersBySteps.swigluGrad(s, KernelCases::floats);
            case "adamw" -> adamW(s[0]);
            default -> throw new IllegalArgumentException("no case `" + name + "`");
        };
    }

    private static UnaryKind unary(String name) {
        return switch (name) {
            case "gelu_tanh" -> UnaryKind.GELU_TANH;
            case "gelu_erf" -> UnaryKind.GELU_ERF;
            case "tanh" -> UnaryKind.TANH;
            default -> UnaryKind.SWISH;
        };
    }

    private static Kernel layerNormGrad(long[] s, @Nullable Operand dScale, @Nullable Operand dShift) {
        Operand scale = floats(s[1]);
        return new LayerKernels().layerNormGrad(
                1e-5, floats(s), floats(s), floats(s[0]), floats(s[0]), scale, floats(s), dScale, dShift);
    }

    private static Kernel attentionGrad(long[] s, @Nullable Operand mask) {
        return new LayerKernels().attentionGrad(
                floats(s), floats(s), floats(s), floats(s), mask, 0.125, floats(s), floats(s), floats(s));
    }

    private static Operand causal(long n) {
        Operand mask = floats(n, n);
        for (long i = 0; i < n * n; i++) {
            Memory.putFloat(mask.address() + 4 * i, i % n > i / n ? -3e38f : 0);
        }
        return mask;
    }

    private static Kernel adamW(long n) {
        AdamWUpdate update = new AdamWUpdate(0.9, 0.999, 1e-8);
        update.add(floats(n), floats(n), floats(n), floats(n));
        return new Kernel() {
            @Override
            public void run() {
                update.run(10, 1e-3, 0.01, 1);
            }

            @Override
            public String describe() {
                return "adamw";
            }
        };
    }

    private static Operand floats(long... shape) {
        Operand operand = placed(Operand.dense(DataType.FLOAT, shape));
        Random random = new Random(1);
        for (long i = 0; i < operand.length(); i++) {
            Memory.putFloat(operand.address() + 4 * i, 0.1f + random.nextFloat());
        }
        return operand;
    }

    private static Operand ids(long count, long rows) {
        Operand operand = placed(Operand.dense(DataType.INT, count));
        BytePointer memory = MEMORY.get(MEMORY.size() - 1);
        Random random = new Random(1);
        for (long i = 0; i < count; i++) {
            memory.putInt(operand.address() - memory.address() + 4 * i, random.nextInt((int) rows));
        }
        return operand;
    }

    private static Operand placed(Operand operand) {
        BytePointer memory = new BytePointer(operand.length() * Tensors.bytes(operand.type()) + 128);
        Pointer.memset(memory, 0, memory.capacity());
        MEMORY.add(memory);
        operand.place(Scratch.aligned(memory.address()));
        return operand;
    }
}
