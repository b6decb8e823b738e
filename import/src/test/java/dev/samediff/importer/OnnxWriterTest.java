package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.fixture.Fixture;
import dev.samediff.importer.fixture.OnnxFiles;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import onnx.Onnx;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.shade.protobuf.ByteString;

class OnnxWriterTest {
    @TempDir
    Path folder;

    static List<Fixture> fixtures() {
        return Fixture.all();
    }

    /** Every linear weight of the graph, moved at random by about a tenth of its size. */
    private static Map<String, INDArray> perturbed(ImportedModel model) {
        Map<String, INDArray> weights = new HashMap<>();
        for (String name : model.modulePaths().keySet()) {
            INDArray weight = model.graph().getArrForVarName(name);
            INDArray noise = Nd4j.randn(DataType.FLOAT, weight.shape());
            weights.put(name, weight.add(noise.muli(0.1 * weight.stdNumber().doubleValue())));
        }
        return weights;
    }

    @ParameterizedTest
    @MethodSource("fixtures")
    void onnx_runtime_gives_the_logits_of_the_changed_graph(Fixture fixture) {
        ImportedModel model = OnnxImporter.load(fixture.onnx());
        Fixture.Sample sample = fixture.samples().get(0);
        Map<String, INDArray> weights = perturbed(model);
        Path target = folder.resolve("merged.onnx");
        OnnxWriter.writeMerged(model, weights, target);

        weights.forEach((name, values) -> model.graph().getVariable(name).setArray(values));
        INDArray changed =
                Objects.requireNonNull(OnnxVerifier.run(model, sample.inputs()).get("logits"));
        INDArray served;
        try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(target)) {
            served = Objects.requireNonNull(runtime.run(sample.inputs()).get("logits"));
        }
        Verification.Comparison comparison = Verification.Comparison.of("", "logits", changed, served);
        assertThat(comparison.absolute()).as(comparison.toString()).isLessThan(1e-4);
        assertThat(changed.distance2(sample.logits()))
                .as("the change is visible")
                .isGreaterThan(0.1);
    }

    @ParameterizedTest
    @MethodSource("fixtures")
    void everything_but_the_weights_stays(Fixture fixture) {
        ImportedModel model = OnnxImporter.load(fixture.onnx());
        Map<String, INDArray> same = new HashMap<>();
        model.modulePaths()
                .keySet()
                .forEach(name -> same.put(name, model.graph().getArrForVarName(name)));
        Path target = folder.resolve("merged.onnx");
        OnnxWriter.writeMerged(model, same, target, Map.of());

        Onnx.ModelProto written = OnnxFiles.read(target);
        Onnx.ModelProto source = OnnxFiles.read(fixture.onnx());
        if (fixture.tied() && !fixture.folded()) {
            List<Onnx.TensorProto> tensors = written.getGraph().getInitializerList();
            assertThat(tensors)
                    .startsWith(source.getGraph().getInitializerList().toArray(Onnx.TensorProto[]::new));
            assertThat(tensors.get(tensors.size() - 1).getName()).isEqualTo("lm_head.weight");
            assertThat(written.getGraph().getNodeCount())
                    .isEqualTo(source.getGraph().getNodeCount());
        } else {
            assertThat(written).isEqualTo(source);
        }
    }

    @Test
    void the_file_says_what_was_merged_into_it() {
        Fixture fixture = Fixture.named("llama-op17");
        ImportedModel model = OnnxImporter.load(fixture.onnx());
        Path target = folder.resolve("merged.onnx");
        OnnxWriter.writeMerged(model, perturbed(model), target);

        assertThat(OnnxFiles.read(target).getMetadataPropsList())
                .extracting(Onnx.StringStringEntryProto::getKey, Onnx.StringStringEntryProto::getValue)
                .containsExactly(org.assertj.core.groups.Tuple.tuple("samediff-adapters", "merged 8 weights"));
    }

    @Test
    void a_name_the_graph_does_not_have_is_refused_and_the_target_stays() throws IOException {
        Fixture fixture = Fixture.named("llama-op17");
        ImportedModel model = OnnxImporter.load(fixture.onnx());
        Path target = Files.writeString(folder.resolve("merged.onnx"), "what was there");

        assertThatThrownBy(() -> OnnxWriter.writeMerged(model, Map.of("q_prj.weight", Nd4j.zeros(32, 32)), target))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("q_prj.weight")
                .hasMessageContaining("lm_head");
        assertThat(target).hasContent("what was there");
        assertOnly(target);
    }

    @Test
    void another_shape_is_refused() {
        Fixture fixture = Fixture.named("llama-op17");
        ImportedModel model = OnnxImporter.load(fixture.onnx());
        String weight = weight(model, "model.layers.0.mlp.up_proj");

        assertThatThrownBy(() ->
                        OnnxWriter.writeMerged(model, Map.of(weight, Nd4j.zeros(3, 5)), folder.resolve("merged.onnx")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(weight)
                .hasMessageContaining("[3, 5]")
                .hasMessageContaining("[32, 64]");
    }

    @Test
    void integers_and_numbers_that_are_not_finite_are_refused() {
        Fixture fixture = Fixture.named("llama-op17");
        ImportedModel model = OnnxImporter.load(fixture.onnx());
        String weight = weight(model, "lm_head");
        INDArray values = model.graph().getArrForVarName(weight).dup();
        Path target = folder.resolve("merged.onnx");

        assertThatThrownBy(() -> OnnxWriter.writeMerged(model, Map.of(weight, values.castTo(DataType.INT)), target))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("INT");
        values.putScalar(0, 0, Float.NaN);
        assertThatThrownBy(() -> OnnxWriter.writeMerged(model, Map.of(weight, values), target))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("diverged");
        assertThat(target).doesNotExist();
    }

    @Test
    void a_file_that_was_changed_since_it_was_imported_is_refused() throws IOException {
        Path file = Files.copy(Fixture.named("llama-op17").onnx(), folder.resolve("model.onnx"));
        ImportedModel model = OnnxImporter.load(file);
        Files.write(file, new byte[] {0}, StandardOpenOption.APPEND);

        assertThatThrownBy(() -> OnnxWriter.writeMerged(model, perturbed(model), folder.resolve("merged.onnx")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("was changed")
                .hasMessageContaining("import it again");
        assertOnly(file);
    }

    @Test
    void the_source_may_be_its_own_target() throws IOException {
        Path file = Files.copy(Fixture.named("llama-op17").onnx(), folder.resolve("model.onnx"));
        ImportedModel model = OnnxImporter.load(file);
        OnnxWriter.writeMerged(model, perturbed(model), file);

        assertThat(OnnxVerifier.verify(file, 1e-4, 1).passed()).isTrue();
        assertOnly(file);
    }

    @Test
    void norms_and_biases_can_be_written_too() {
        Fixture fixture = Fixture.named("bert-cls-op13");
        ImportedModel model = OnnxImporter.load(fixture.onnx());
        Map<String, INDArray> weights = new HashMap<>();
        for (String name : List.of("bert.encoder.layer.0.output.LayerNorm.weight", "classifier.bias")) {
            weights.put(name, model.graph().getArrForVarName(name).add(0.25));
        }
        Path target = folder.resolve("merged.onnx");
        OnnxWriter.writeMerged(model, weights, target);

        weights.forEach((name, values) -> model.graph().getVariable(name).setArray(values));
        assertThat(OnnxVerifier.verify(target, model, InputSizes.SAMPLES, 1e-4, 1)
                        .passed())
                .isTrue();
        assertThat(OnnxVerifier.verify(fixture.onnx(), model, InputSizes.SAMPLES, 1e-4, 1)
                        .passed())
                .isFalse();
    }

    @Test
    void a_tensor_that_several_layers_share_changes_for_all_of_them() {
        Onnx.GraphProto.Builder graph = Onnx.GraphProto.newBuilder()
                .addInput(OnnxFiles.floats("x", "batch", 4))
                .addInitializer(OnnxFiles.tensor("shared.weight", Nd4j.randn(DataType.FLOAT, 4, 4)))
                .addNode(OnnxFiles.node("MatMul", "h", "x", "shared.weight"))
                .addNode(OnnxFiles.node("Tanh", "a", "h"))
                .addNode(OnnxFiles.node("MatMul", "y", "a", "shared.weight"))
                .addOutput(OnnxFiles.floats("y", "batch", 4));
        Path source = OnnxFiles.write(OnnxFiles.model(graph), folder.resolve("m.onnx"));
        ImportedModel model = OnnxImporter.load(source);
        Map<String, INDArray> weights = perturbed(model);
        Path target = folder.resolve("merged.onnx");
        OnnxWriter.writeMerged(model, weights, target);

        assertThat(weights).hasSize(1);
        weights.forEach((name, values) -> model.graph().getVariable(name).setArray(values));
        assertThat(OnnxVerifier.verify(target, model, InputSizes.SAMPLES, 1e-5, 1)
                        .passed())
                .isTrue();
        assertThat(OnnxFiles.read(target).getGraph().getInitializerCount()).isEqualTo(1);
    }

    @Test
    void a_target_that_cannot_be_written_is_a_failure_that_names_it() throws IOException {
        Fixture fixture = Fixture.named("llama-op17");
        ImportedModel model = OnnxImporter.load(fixture.onnx());
        Path file = Files.writeString(folder.resolve("file"), "what was there");

        assertThatThrownBy(() -> OnnxWriter.writeMerged(model, perturbed(model), file.resolve("merged.onnx")))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("merged.onnx");
        assertThat(file).hasContent("what was there");
        assertOnly(file);
    }

    /** A copy of the model whose tensors lie in `weights.bin` beside it. */
    private Path external(Fixture fixture) throws IOException {
        Onnx.ModelProto.Builder model = OnnxFiles.read(fixture.onnx()).toBuilder();
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        for (Onnx.TensorProto.Builder tensor : model.getGraphBuilder().getInitializerBuilderList()) {
            tensor.setDataLocation(Onnx.TensorProto.DataLocation.EXTERNAL)
                    .addExternalData(entry("location", "weights.bin"))
                    .addExternalData(entry("offset", Integer.toString(data.size())))
                    .addExternalData(
                            entry("length", Integer.toString(tensor.getRawData().size())));
            tensor.getRawData().writeTo(data);
            tensor.clearRawData();
        }
        Files.write(folder.resolve("weights.bin"), data.toByteArray());
        return OnnxFiles.write(model.build(), folder.resolve("external.onnx"));
    }

    private static Onnx.StringStringEntryProto entry(String key, String value) {
        return Onnx.StringStringEntryProto.newBuilder()
                .setKey(key)
                .setValue(value)
                .build();
    }

    @Test
    void a_model_with_data_in_other_files_gets_a_complete_data_file_wherever_it_is_written() throws IOException {
        Path file = external(Fixture.named("llama-op17"));
        byte[] before = Files.readAllBytes(folder.resolve("weights.bin"));
        ImportedModel model = OnnxImporter.load(file);
        Map<String, INDArray> weights = perturbed(model);
        Path target = Files.createDirectory(folder.resolve("sub")).resolve("merged.onnx");
        OnnxWriter.writeMerged(model, weights, target);
        OnnxWriter.writeMerged(model, weights, target);

        weights.forEach((name, values) -> model.graph().getVariable(name).setArray(values));
        Verification verification = OnnxVerifier.verify(target, model, InputSizes.SAMPLES, 1e-5, 1);
        assertThat(verification.passed()).as(verification.toString()).isTrue();
        assertThat(OnnxVerifier.verify(target, 1e-4, 1).passed()).isTrue();
        try (Stream<Path> files = Files.list(target.getParent())) {
            assertThat(files.map(each -> each.getFileName().toString()))
                    .containsExactlyInAnyOrder("merged.onnx", "merged.onnx.data1");
        }
        assertThat(folder.resolve("weights.bin")).hasBinaryContent(before);
    }

    /** Softmax over axis 0 is not its default, and a zero is easily lost. */
    @Test
    void zeros_of_attributes_are_written() {
        Onnx.AttributeProto zero = Onnx.AttributeProto.newBuilder()
                .setName("axis")
                .setType(Onnx.AttributeProto.AttributeType.INT)
                .build();
        Onnx.GraphProto.Builder graph = Onnx.GraphProto.newBuilder()
                .addInput(OnnxFiles.floats("x", 3, 4))
                .addInitializer(OnnxFiles.tensor("w", Nd4j.randn(DataType.FLOAT, 4, 4)))
                .addNode(OnnxFiles.node("MatMul", "h", "x", "w"))
                .addNode(OnnxFiles.node("Softmax", "y", "h").toBuilder().addAttribute(zero))
                .addOutput(OnnxFiles.floats("y", 3, 4));
        Path source = folder.resolve("m.onnx");
        OnnxFiles.write(OnnxFiles.model(graph), source);
        ImportedModel model = OnnxImporter.load(source);
        Path target = folder.resolve("merged.onnx");
        OnnxWriter.writeMerged(model, perturbed(model), target);
        try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(target)) {
            INDArray columns = runtime.run(Map.of("x", Nd4j.randn(DataType.FLOAT, 3, 4)))
                    .get("y")
                    .sum(0);
            assertThat(columns.toFloatVector()).containsExactly(new float[] {1, 1, 1, 1}, within(1e-5f));
        }
    }

    /** A copy of the model with its floats in another type. */
    private Path stored(Fixture fixture, Onnx.TensorProto.DataType type) throws IOException {
        Onnx.ModelProto.Builder model = OnnxFiles.read(fixture.onnx()).toBuilder();
        for (Onnx.TensorProto.Builder tensor : model.getGraphBuilder().getInitializerBuilderList()) {
            if (tensor.getDataType() == Onnx.TensorProto.DataType.FLOAT_VALUE) {
                ByteBuffer floats =
                        ByteBuffer.wrap(tensor.getRawData().toByteArray()).order(ByteOrder.LITTLE_ENDIAN);
                ByteBuffer halves = ByteBuffer.allocate(floats.capacity() / 2).order(ByteOrder.LITTLE_ENDIAN);
                while (floats.hasRemaining()) {
                    int bits = Float.floatToIntBits(floats.getFloat());
                    halves.putShort((short) (bits >>> 16));
                }
                tensor.setDataType(type.getNumber()).setRawData(ByteString.copyFrom(halves.flip()));
            }
        }
        return OnnxFiles.write(model.build(), folder.resolve("halves.onnx"));
    }

    @Test
    void half_precision_stays_half_precision() throws IOException {
        Path file = stored(Fixture.named("llama-op17"), Onnx.TensorProto.DataType.BFLOAT16);
        ImportedModel model = OnnxImporter.load(file);
        Map<String, INDArray> weights = perturbed(model);
        Path target = folder.resolve("merged.onnx");
        OnnxWriter.writeMerged(model, weights, target);

        ImportedModel merged = OnnxImporter.load(target);
        weights.forEach((name, values) -> {
            INDArray written = merged.graph().getArrForVarName(name);
            assertThat(written.sub(values).amaxNumber().doubleValue())
                    .isLessThanOrEqualTo(values.amaxNumber().doubleValue() / 256);
        });
        Map<Integer, Long> before = types(file);
        assertThat(types(target)).isEqualTo(before);
        assertThat(before).containsKey(Onnx.TensorProto.DataType.BFLOAT16_VALUE);
    }

    private static Map<Integer, Long> types(Path file) throws IOException {
        return OnnxFiles.read(file).getGraph().getInitializerList().stream()
                .collect(Collectors.groupingBy(Onnx.TensorProto::getDataType, Collectors.counting()));
    }

    @Test
    void an_entry_that_half_precision_cannot_hold_is_refused() throws IOException {
        Path file = stored(Fixture.named("llama-op17"), Onnx.TensorProto.DataType.FLOAT16);
        ImportedModel model = OnnxImporter.load(file);
        String weight = weight(model, "lm_head");
        INDArray values = Nd4j.zeros(
                DataType.FLOAT, model.graph().getArrForVarName(weight).shape());
        values.putScalar(0, 1, -70000f);
        assertThatThrownBy(() -> OnnxWriter.writeMerged(model, Map.of(weight, values), folder.resolve("merged.onnx")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("70000")
                .hasMessageContaining("FLOAT16");
    }

    private static String weight(ImportedModel model, String module) {
        return model.linearLayers().stream()
                .filter(layer -> layer.module().equals(module))
                .map(LinearLayer::weight)
                .findFirst()
                .orElseThrow();
    }

    private void assertOnly(Path file) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(file);
        }
    }
}
