package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.io.Safetensors;
import dev.samediff.importer.tensor.HostTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * PEFT's factors of a convolution, A [r,in,k...] and B [out,r,1...]: what they do is what ONNX Runtime computes with the kernel that PEFT's
 * merging would give, {@code W + s B A}, its rows of all inputs and places brought to their lengths with DoRA.
 */
class PeftConvolutionTest {
    private static final int IN = 3;
    private static final int OUT = 5;
    private static final int RANK = 2;
    private static final double SCALING = 2;

    @TempDir
    Path folder;

    static Stream<Arguments> kernels() {
        return Stream.of(new long[] {1}, new long[] {3}, new long[] {1, 1}, new long[] {3, 3}, new long[] {2, 3})
                .flatMap(kernel -> Stream.of(false, true).map(lengths -> Arguments.of(kernel, lengths)));
    }

    private static long[] shape(long first, long second, long... kernel) {
        return LongStream.concat(LongStream.of(first, second), Arrays.stream(kernel))
                .toArray();
    }

    private static INDArray random(long... shape) {
        return Nd4j.rand(DataType.FLOAT, shape).subi(0.5);
    }

    private Path model(INDArray kernel) {
        long[] places = Arrays.copyOfRange(kernel.shape(), 2, kernel.rank());
        long[] open = new long[places.length];
        Arrays.setAll(open, i -> -2 - i);
        double[] numbers = kernel.dup('c').data().asDouble();
        return new TinyModel(17)
                .input("x", DataType.FLOAT, shape(-1, IN, open))
                .initializer("block.conv.weight", HostTensor.of(DataType.FLOAT, kernel.shape(), numbers))
                .node("Conv", "x block.conv.weight", "y", "kernel_shape", places)
                .output(
                        "y",
                        DataType.FLOAT,
                        shape(-1, OUT, Arrays.stream(open).map(i -> i - 4).toArray()))
                .write(folder);
    }

    @ParameterizedTest
    @MethodSource("kernels")
    void factors_change_the_kernel_as_in_peft(long[] kernel, boolean withLengths) throws IOException {
        INDArray w = random(shape(OUT, IN, kernel));
        INDArray a = random(shape(RANK, IN, kernel));
        INDArray b = random(OUT, RANK);
        INDArray flat = w.reshape(OUT, -1).add(b.mmul(a.reshape(RANK, -1)).mul(SCALING));
        INDArray lengths = Nd4j.rand(DataType.FLOAT, OUT).addi(0.5);
        INDArray changed = withLengths ? flat.mulColumnVector(lengths.div(flat.norm2(1))) : flat;
        long[] ones = new long[kernel.length];
        Arrays.fill(ones, 1);
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        tensors.put("base_model.model.block.conv.lora_A.weight", a);
        tensors.put("base_model.model.block.conv.lora_B.weight", b.reshape(shape(OUT, RANK, ones)));
        if (withLengths) {
            tensors.put("base_model.model.block.conv.lora_magnitude_vector", lengths.reshape(shape(1, OUT, ones)));
        }
        new Safetensors(tensors, Safetensors.PYTORCH).write(folder.resolve("adapter_model.safetensors"));
        Files.writeString(folder.resolve("adapter_config.json"), """
                {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "target_modules": ["conv"], "use_dora": %s}
                """.formatted(withLengths));
        AdapterState state = AdapterFolder.load(folder);
        ImportedModel model = OnnxImporter.load(model(w));
        AdaptedModel.inject(model.graph(), model.modulePaths(), state);
        long[] size = new long[kernel.length];
        Arrays.fill(size, 6);
        INDArray x = random(shape(2, IN, size));
        INDArray actual = model.graph().output(Map.of("x", x), "y").get("y");
        try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(model(changed.reshape(w.shape())))) {
            INDArray expected = runtime.run(Map.of("x", x)).get("y");
            assertThat(actual.shape()).isEqualTo(expected.shape());
            assertThat(actual.sub(expected).amaxNumber().doubleValue()).isLessThan(1e-5);
        }
    }
}
