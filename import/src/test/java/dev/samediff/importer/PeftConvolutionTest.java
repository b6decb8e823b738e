package dev.samediff.importer;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.ToLora;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.io.Safetensors;
import dev.samediff.adapters.method.AdapterMethods;
import dev.samediff.adapters.method.Ia3;
import dev.samediff.adapters.method.Lora;
import dev.samediff.importer.tensor.HostTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * PEFT's factors of a convolution, A [r,in,k...] and B [out,r,1...]: what they do is what ONNX Runtime computes with the kernel that PEFT's
 * merging would give, {@code W + s B A}, its rows of all inputs and places brought to their lengths with DoRA; and they are saved with the axes
 * that they were read with.
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
        AdaptedModel adapted = AdaptedModel.inject(model.graph(), model.modulePaths(), state);
        long[] size = new long[kernel.length];
        Arrays.fill(size, 6);
        INDArray x = random(shape(2, IN, size));
        INDArray actual = model.graph().output(Map.of("x", x), "y").get("y");
        try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(model(changed.reshape(w.shape())))) {
            INDArray expected = runtime.run(Map.of("x", x)).get("y");
            assertThat(actual.shape()).isEqualTo(expected.shape());
            assertThat(actual.sub(expected).amaxNumber().doubleValue()).isLessThan(1e-5);
        }
        for (AdapterState saved : List.of(state, adapted.state(), ToLora.exact(state))) {
            Path again = folder.resolve("again" + System.identityHashCode(saved));
            AdapterFolder.save(saved, again);
            assertThatBits(Safetensors.read(again.resolve("adapter_model.safetensors"))
                            .tensors())
                    .isEqualTo(tensors);
            assertThat(AdapterFolder.load(again).sites().get(0).kernel())
                    .containsExactlyElementsOf(
                            Arrays.stream(kernel).mapToObj(Math::toIntExact).toList());
        }
    }

    static Stream<AdapterMethod> methods() {
        return AdapterMethods.names().stream()
                .map(name -> AdapterMethods.named(name, 2))
                .filter(AdapterMethod::isLowRank);
    }

    /** Whatever a method's own form is, PEFT gets factors that fit its module; pointwise kernels are no linear layers either. */
    @ParameterizedTest
    @MethodSource("methods")
    void every_method_on_a_convolution_is_saved_with_the_axes_of_its_kernel(AdapterMethod method) throws IOException {
        ImportedModel model = OnnxImporter.load(model(random(OUT, IN, 1, 1)));
        AdaptedModel adapted = AdaptedModel.inject(model, AdapterConfig.of(method));
        AdapterFolder.save(adapted.state(), folder.resolve("adapter"));
        Map<String, INDArray> tensors = Safetensors.read(
                        folder.resolve("adapter").resolve("adapter_model.safetensors"))
                .tensors();
        INDArray a = tensors.get("base_model.model.block.conv.lora_A.weight");
        INDArray b = tensors.get("base_model.model.block.conv.lora_B.weight");
        assertThat(a.shape()).containsExactly(a.size(0), IN, 1, 1);
        assertThat(b.shape()).containsExactly(OUT, a.size(0), 1, 1);
        assertThatBits(AdapterFolder.load(folder.resolve("adapter"))
                        .sites()
                        .get(0)
                        .tensors())
                .isEqualTo(adapted.state().sites().get(0).tensors());
    }

    @Test
    void a_graph_that_was_saved_and_read_keeps_its_kernels() throws IOException {
        ImportedModel model = OnnxImporter.load(model(random(OUT, IN, 2, 3)));
        Path file = folder.resolve("graph.fb");
        model.graph().save(file.toFile(), false);
        SameDiff read = SameDiff.load(file.toFile(), false);
        AdaptedModel adapted = AdaptedModel.inject(read, model.modulePaths(), AdapterConfig.of(Lora.rank(2)));
        assertThat(adapted.state().sites().get(0).kernel()).containsExactly(2, 3);
    }

    @Test
    void a_method_that_multiplies_layers_is_refused_on_a_convolution() {
        ImportedModel model = OnnxImporter.load(model(random(OUT, IN, 1, 1)));
        assertThatThrownBy(() -> AdaptedModel.inject(model, AdapterConfig.of(Ia3.usual())))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("block.conv")
                .hasMessageContaining("convolution")
                .hasMessageContaining("ia3");
    }

    @Test
    void an_adapter_of_another_kernel_of_as_many_places_is_refused() throws IOException {
        ImportedModel model = OnnxImporter.load(model(random(OUT, IN, 2, 3)));
        AdapterState state =
                AdaptedModel.inject(model, AdapterConfig.of(Lora.rank(2))).state();
        ImportedModel other = OnnxImporter.load(model(random(OUT, IN, 3, 2)));
        AdapterState.Site site = state.sites().get(0);
        AdapterState unknown = new AdapterState(
                state.config(), List.of(site.withWeightHash(AdapterState.UNKNOWN_HASH)), state.baseHash());
        assertThatThrownBy(() -> AdaptedModel.inject(other, unknown))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("block.conv")
                .hasMessageContaining("[2, 3]")
                .hasMessageContaining("[3, 2]");
    }

    @Test
    void a_kernel_that_is_trained_whole_is_saved_with_its_axes() throws IOException {
        INDArray w = random(OUT, IN, 2, 3);
        ImportedModel model = OnnxImporter.load(model(w));
        AdapterConfig config = AdapterConfig.of(Lora.rank(2))
                .withTargets(TargetSelector.none())
                .withModulesToSave("conv");
        AdapterState state = AdaptedModel.inject(model, config).state();
        AdapterFolder.save(state, folder.resolve("adapter"));
        Map<String, INDArray> tensors = Safetensors.read(
                        folder.resolve("adapter").resolve("adapter_model.safetensors"))
                .tensors();
        assertThatBits(tensors.get("base_model.model.block.conv.weight")).isEqualTo(w);
        ImportedModel again = OnnxImporter.load(model(w));
        AdaptedModel restored = AdaptedModel.inject(again, AdapterFolder.load(folder.resolve("adapter")));
        assertThatBits(restored.state().whole().get(0).tensor()).isEqualTo(w);
    }
}
