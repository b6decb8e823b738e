package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.importer.fixture.OnnxFiles;
import dev.samediff.importer.tensor.HostTensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.shade.protobuf.ByteString;

/**
 * Weights that are not read as they are stored: every kind is a linear layer, computes what ONNX Runtime computes, and what
 * adapters make of it is written back, merged and beside the weight.
 */
class WeightsBehindNodesTest {
    @TempDir
    Path folder;

    static HostTensor reals(long... shape) {
        double[] values = new double[(int) HostTensor.length(shape)];
        for (int i = 0; i < values.length; i++) {
            values[i] = Math.sin(1.3 * i + shape[0]);
        }
        return HostTensor.of(DataType.FLOAT, shape, values);
    }

    /** {@code [d1,d2,4] -> y [d1,d2,6]}, by a weight w that is computed. */
    static TinyModel model() {
        return new TinyModel(17).input("x", DataType.FLOAT, -1, -2, 4);
    }

    private static TinyModel times(TinyModel model) {
        return model.named("/block/proj/MatMul", "MatMul", "x w", "y").output("y", DataType.FLOAT, -1, -2, 6);
    }

    private static TensorProto half(String name, long... shape) {
        HostTensor numbers = reals(shape);
        TensorProto.Builder tensor =
                TensorProto.newBuilder().setName(name).setDataType(TensorProto.DataType.FLOAT16_VALUE);
        for (long size : shape) {
            tensor.addDims(size);
        }
        for (int i = 0; i < numbers.length(); i++) {
            tensor.addInt32Data(Short.toUnsignedInt(
                    ai.onnxruntime.platform.Fp16Conversions.floatToFp16((float) numbers.asDouble(i))));
        }
        return tensor.build();
    }

    private static TensorProto bytes(String name, long... shape) {
        TensorProto.Builder tensor =
                TensorProto.newBuilder().setName(name).setDataType(TensorProto.DataType.INT8_VALUE);
        int length = (int) HostTensor.length(shape);
        byte[] values = new byte[length];
        for (int i = 0; i < length; i++) {
            values[i] = (byte) (i * 37 % 101 - 50);
        }
        for (long size : shape) {
            tensor.addDims(size);
        }
        return tensor.setRawData(ByteString.copyFrom(values)).build();
    }

    private static Map<String, TinyModel> kinds() {
        Map<String, TinyModel> kinds = new LinkedHashMap<>();
        kinds.put("as it is stored", times(model().initializer("w", reals(4, 6))));
        kinds.put("Identity", times(model().initializer("s", reals(4, 6)).node("Identity", "s", "w")));
        kinds.put(
                "Transpose",
                times(model().initializer("s", reals(6, 4)).node("Transpose", "s", "w", "perm", new long[] {1, 0})));
        kinds.put(
                "Cast from half precision",
                times(model().initializer(half("s", 4, 6)).node("Cast", "s", "w", "to", 1)));
        kinds.put(
                "Cast and Transpose",
                times(model().initializer(half("s", 6, 4))
                        .node("Cast", "s", "c", "to", 1)
                        .node("Transpose", "c", "w", "perm", new long[] {1, 0})));
        kinds.put(
                "Reshape",
                times(model().initializer("s", reals(4, 2, 3))
                        .initializer("shape", HostTensor.vector(4, -1))
                        .node("Reshape", "s shape", "w")));
        kinds.put(
                "Squeeze",
                times(model().initializer("s", reals(1, 4, 6))
                        .initializer("axis", HostTensor.vector(0))
                        .node("Squeeze", "s axis", "w")));
        kinds.put(
                "Transpose of three axes, and Reshape",
                times(model().initializer("s", reals(2, 4, 3))
                        .initializer("shape", HostTensor.vector(4, 6))
                        .node("Transpose", "s", "t", "perm", new long[] {1, 0, 2})
                        .node("Reshape", "t shape", "w")));
        kinds.put(
                "Slice of a joined weight",
                times(model().initializer("s", reals(18, 4))
                        .initializer("from", HostTensor.vector(6))
                        .initializer("to", HostTensor.vector(12))
                        .initializer("axis", HostTensor.vector(0))
                        .node("Slice", "s from to axis", "part")
                        .node("Transpose", "part", "w", "perm", new long[] {1, 0})));
        kinds.put(
                "Slice by the width of activations",
                times(model().initializer("s", reals(10, 6))
                        .initializer("width", HostTensor.vector(2))
                        .initializer("axis", HostTensor.vector(0))
                        .node("Shape", "x", "sizes")
                        .node("Gather", "sizes width", "four")
                        .node("Add", "four four", "eight")
                        .node("Slice", "s four eight axis", "w")));
        kinds.put(
                "Slice and Reshape by the width of activations",
                times(model().initializer("s", reals(48))
                        .initializer("width", HostTensor.vector(2))
                        .initializer("six", HostTensor.vector(6))
                        .initializer("axis", HostTensor.vector(0))
                        .node("Shape", "x", "sizes")
                        .node("Gather", "sizes width", "four")
                        .node("Mul", "four six", "most")
                        .node("Slice", "s axis most axis", "part")
                        .node("Concat", "four six", "shape", "axis", 0)
                        .node("Reshape", "part shape", "w")));
        kinds.put(
                "Split of a joined weight",
                times(model().initializer("s", reals(4, 18))
                        .initializer("sizes", HostTensor.vector(6, 12))
                        .node("Split", "s sizes", "w rest", "axis", 1)));
        kinds.put(
                "Gather of one of several",
                times(model().initializer("s", reals(3, 4, 6))
                        .initializer("second", HostTensor.of(DataType.LONG, new long[0], new long[] {1}))
                        .node("Gather", "s second", "w")));
        kinds.put(
                "Concat",
                times(model().initializer("a.weight", reals(4, 2))
                        .initializer("b.weight", reals(4, 4))
                        .node("Concat", "a.weight b.weight", "w", "axis", 1)));
        kinds.put(
                "weight norm",
                times(model().initializer("p.weight_v", reals(6, 4))
                        .initializer("p.weight_g", reals(6, 1))
                        .node("ReduceL2", "p.weight_v", "norm", "axes", new long[] {1}, "keepdims", 1)
                        .node("Div", "p.weight_v norm", "unit")
                        .node("Mul", "p.weight_g unit", "normed")
                        .node("Transpose", "normed", "w", "perm", new long[] {1, 0})));
        kinds.put(
                "DequantizeLinear",
                times(model().initializer(bytes("q", 4, 6))
                        .initializer("scale", HostTensor.filled(DataType.FLOAT, new long[0], 0.03))
                        .node("DequantizeLinear", "q scale", "w")));
        kinds.put(
                "DequantizeLinear along an axis, and Transpose",
                times(model().initializer(bytes("q", 6, 4))
                        .initializer(
                                "scale",
                                HostTensor.of(DataType.FLOAT, new long[] {6}, new double[] {.1, .2, .3, .1, .2, .1}))
                        .initializer(TensorProto.newBuilder()
                                .setName("zero")
                                .setDataType(TensorProto.DataType.INT8_VALUE)
                                .addDims(6)
                                .setRawData(ByteString.copyFrom(new byte[6]))
                                .build())
                        .node("DequantizeLinear", "q scale zero", "d", "axis", 0)
                        .node("Transpose", "d", "w", "perm", new long[] {1, 0})));
        kinds.put("Gemm of a part", model2());
        kinds.put(
                "Einsum of a stored tensor of three axes",
                model().initializer("mha.query.kernel", reals(4, 2, 3))
                        .named("/block/proj/Einsum", "Einsum", "x mha.query.kernel", "e", "equation", "abc,cde->abde")
                        .initializer("shape", HostTensor.vector(0, 0, 6))
                        .node("Reshape", "e shape", "y")
                        .output("y", DataType.FLOAT, -1, -2, 6));
        kinds.put(
                "Einsum with two axes that are summed over",
                model().initializer("shape", HostTensor.vector(0, 0, 2, 2))
                        .initializer("w", reals(2, 2, 6))
                        .node("Reshape", "x shape", "heads")
                        .node("Einsum", "heads w", "y", "equation", "abhd,hde->abe")
                        .output("y", DataType.FLOAT, -1, -2, 6));
        kinds.put(
                "Einsum of a weight [out,in], written first",
                model().initializer("w", reals(6, 4))
                        .node("Einsum", "w x", "y", "equation", "oi,bti->bto")
                        .output("y", DataType.FLOAT, -1, -2, 6));
        kinds.put(
                "Einsum with an ellipsis",
                model().initializer("w", reals(4, 2, 3))
                        .node("Einsum", "x w", "e", "equation", "...c,cde->...de")
                        .initializer("shape", HostTensor.vector(0, 0, 6))
                        .node("Reshape", "e shape", "y")
                        .output("y", DataType.FLOAT, -1, -2, 6));
        return kinds;
    }

    private static TinyModel model2() {
        return new TinyModel(17)
                .input("x", DataType.FLOAT, -1, 4)
                .initializer("s", reals(12, 4))
                .initializer("sizes", HostTensor.vector(6, 6))
                .node("Split", "s sizes", "rest w", "axis", 0)
                .node("Gemm", "x w", "y", "transB", 1)
                .output("y", DataType.FLOAT, -1, 6);
    }

    @TestFactory
    Stream<DynamicTest> they_are_layers_and_compute_what_onnx_runtime_does() {
        return kinds().entrySet().stream()
                .map(kind -> DynamicTest.dynamicTest(kind.getKey(), () -> {
                    Path file = kind.getValue().write(folder);
                    ImportedModel model = OnnxImporter.load(file);
                    assertThat(model.linearLayers()).singleElement().satisfies(layer -> {
                        assertThat(layer.in()).isEqualTo(4);
                        assertThat(layer.out()).isEqualTo(6);
                    });
                    assertThat(model.report().notAdapted()).isEmpty();
                    assertThat(OnnxWriter.refusals(model, model.modulePaths().keySet()))
                            .isEmpty();
                    assertThat(OnnxVerifier.verify(file, VerificationPlan.thorough(1e-5, 1, 8))
                                    .passed())
                            .isTrue();
                }));
    }

    @TestFactory
    Stream<DynamicTest> merged_weights_are_written_back() {
        return kinds().entrySet().stream()
                .map(kind -> DynamicTest.dynamicTest(kind.getKey(), () -> {
                    ImportedModel model = OnnxImporter.load(kind.getValue().write(folder));
                    AdaptedModel adapted = trained(model, Sorsa.rank(2));
                    Path target = Files.createTempFile(folder, "merged", ".onnx");
                    OnnxWriter.writeMerged(model, adapted.mergedWeights(), target);
                    // half precision rounds what is written
                    double tolerance = kind.getKey().contains("Cast") ? 5e-3 : 1e-4;
                    Verification verification = OnnxVerifier.verify(target, model, InputSizes.SAMPLES, tolerance, 1);
                    assertThat(verification.passed())
                            .as(verification.toString())
                            .isTrue();
                    assertThat(OnnxImporter.load(target).linearLayers()).hasSize(1);
                }));
    }

    @TestFactory
    Stream<DynamicTest> adapters_are_written_beside_them() {
        return kinds().entrySet().stream()
                .flatMap(kind -> Stream.of(Lora.rank(2), Sorsa.rank(2))
                        .map(method -> DynamicTest.dynamicTest(kind.getKey() + " " + method.name(), () -> {
                            ImportedModel model =
                                    OnnxImporter.load(kind.getValue().write(folder));
                            AdaptedModel adapted = trained(model, method);
                            Path target = Files.createTempFile(folder, "adapted", ".onnx");
                            OnnxWriter.writeAdapted(model, adapted.updates(), target);
                            double tolerance = kind.getKey().contains("Cast") ? 5e-3 : 1e-4;
                            Verification verification =
                                    OnnxVerifier.verify(target, model, InputSizes.SAMPLES, tolerance, 1);
                            assertThat(verification.passed())
                                    .as(verification.toString())
                                    .isTrue();
                        })));
    }

    /** Projections of tables of relative positions, as DeBERTa has them. */
    @Test
    void a_layer_on_stored_numbers_alone_is_adapted_and_merged() {
        TinyModel positions = model().initializer("relative", reals(5, 4))
                .initializer("key.weight", reals(6, 4))
                .initializer("key.bias", reals(6))
                .initializer("w", reals(4, 6))
                .node("Gemm", "relative key.weight key.bias", "keys", "transB", 1)
                .initializer("rows", HostTensor.vector(3))
                .node("Gather", "keys rows", "row")
                .node("MatMul", "x w", "h")
                .node("Add", "h row", "y")
                .output("y", DataType.FLOAT, -1, -2, 6);
        ImportedModel model = OnnxImporter.load(positions.write(folder));
        AdaptedModel adapted = trained(model, Sorsa.rank(2));
        assertThat(adapted.sites()).extracting(site -> site.module()).contains("key");
        assertThat(adapted.sites()).hasSameSizeAs(model.linearLayers());
        Path target = folder.resolve("merged.onnx");
        OnnxWriter.writeMerged(model, adapted.mergedWeights(), target);
        Verification verification = OnnxVerifier.verify(target, model, InputSizes.SAMPLES, 1e-4, 1);
        assertThat(verification.passed()).as(verification.toString()).isTrue();
    }

    /** Biaffine scores and the like: the graph had the layer, and the file no place for it. */
    @TestFactory
    Stream<DynamicTest> a_matrix_in_a_sum_of_three_is_a_layer_that_can_be_merged() {
        Map<String, String> sums = new LinkedHashMap<>();
        sums.put("bti,io,bso->bts", "x w z");
        sums.put("bti,oi,bso->bts", "x turned z");
        sums.put("io,bti,bso->bts", "w x z");
        sums.put("bti,bso,io->bts", "");
        sums.put("bti,io,o->bto", "x w v");
        return sums.entrySet().stream()
                .map(sum -> DynamicTest.dynamicTest(sum.getKey(), () -> {
                    boolean none = sum.getValue().isEmpty();
                    TinyModel three = model().initializer("w", reals(4, 6))
                            .initializer("turned", reals(6, 4))
                            .initializer("v", reals(6))
                            .initializer("u", reals(4, 6))
                            .node("MatMul", "x u", "z")
                            .node("Einsum", none ? "x z w" : sum.getValue(), "y", "equation", sum.getKey())
                            .output("y", DataType.FLOAT, -1, -2, sum.getKey().endsWith("bts") ? -2 : 6);
                    ImportedModel model = OnnxImporter.load(three.write(folder));
                    boolean unused = sum.getValue().equals("x w v");
                    assertThat(model.linearLayers()).hasSize(none || unused ? 1 : 2);
                    assertThat(model.report().notAdapted()).hasSize(none ? 1 : 0);
                    Path target = Files.createTempFile(folder, "merged", ".onnx");
                    OnnxWriter.writeMerged(model, trained(model, Sorsa.rank(2)).mergedWeights(), target);
                    Verification verification = OnnxVerifier.verify(target, model, InputSizes.SAMPLES, 1e-4, 1);
                    assertThat(verification.passed())
                            .as(verification.toString())
                            .isTrue();
                }));
    }

    private static AdaptedModel trained(ImportedModel model, AdapterMethod method) {
        AdaptedModel adapted = AdaptedModel.inject(
                model.graph(), model.modulePaths(), AdapterConfig.of(method).withTargets(TargetSelector.regex(".*")));
        for (String trainable : adapted.trainableNames()) {
            INDArray values = model.graph().getVariable(trainable).getArr();
            values.addi(
                    Nd4j.linspace(DataType.FLOAT, -0.3, 0.11, values.length()).reshape(values.shape()));
        }
        return adapted;
    }

    @Test
    void what_a_replaced_weight_was_computed_from_is_not_in_the_file_any_more() {
        ImportedModel model = OnnxImporter.load(kinds().get("DequantizeLinear").write(folder));
        Path target = folder.resolve("merged.onnx");
        OnnxWriter.writeMerged(model, trained(model, Lora.rank(1)).mergedWeights(), target);
        ModelProto written = OnnxFiles.read(target);
        assertThat(written.getGraph().getNodeList())
                .extracting(NodeProto::getOpType)
                .containsExactly("MatMul");
        assertThat(written.getGraph().getInitializerList()).hasSize(1);
    }

    @Test
    void other_parts_of_a_joined_weight_keep_their_numbers() {
        TinyModel joined = model().initializer("s", reals(4, 12))
                .initializer("sizes", HostTensor.vector(6, 6))
                .node("Split", "s sizes", "w v", "axis", 1)
                .node("MatMul", "x w", "a")
                .node("MatMul", "x v", "b")
                .node("Sub", "a b", "y")
                .output("y", DataType.FLOAT, -1, -2, 6);
        ImportedModel model = OnnxImporter.load(joined.write(folder));
        assertThat(model.linearLayers()).hasSize(2);
        String first = model.linearLayers().get(0).weight();
        INDArray changed = model.graph().getVariable(first).getArr();
        changed.addi(0.5);
        Path target = folder.resolve("part.onnx");
        OnnxWriter.writeMerged(model, Map.of(first, changed), target);
        Verification verification = OnnxVerifier.verify(target, model, InputSizes.SAMPLES, 1e-5, 1);
        assertThat(verification.passed()).as(verification.toString()).isTrue();
    }

    @Test
    void a_head_that_was_built_onto_the_graph_is_named_when_a_file_is_written() {
        ImportedModel model = OnnxImporter.load(kinds().get("Identity").write(folder));
        Map<String, INDArray> weights = Map.of(
                model.linearLayers().get(0).weight(),
                model.graph().getVariable(model.linearLayers().get(0).weight()).getArr());
        OnnxWriter.writeMerged(model, weights, folder.resolve("before.onnx"));
        var head = model.graph().var("head.weight", Nd4j.ones(DataType.FLOAT, 6, 2));
        var rows = model.graph()
                .reshape(model.graph().getVariable(model.outputs().get(0).variable()), -1, 6);
        model.graph().mmul("logits", rows, head);
        assertThatThrownBy(() -> OnnxWriter.writeMerged(model, weights, folder.resolve("after.onnx")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("head.weight")
                .hasMessageContaining("built onto it");
    }

    @Test
    void packed_weights_are_replaced_with_their_operator() throws Exception {
        // MatMulNBits of onnxruntime: K = 32, N = 6, blocks of 32, 4 bits
        byte[] packed = new byte[6 * 16];
        for (int i = 0; i < packed.length; i++) {
            packed[i] = (byte) (i * 29);
        }
        TensorProto quantised = TensorProto.newBuilder()
                .setName("layer.proj.weight_Q4")
                .setDataType(TensorProto.DataType.UINT8_VALUE)
                .addDims(6)
                .addDims(1)
                .addDims(16)
                .setRawData(ByteString.copyFrom(packed))
                .build();
        TinyModel bits = new TinyModel(17)
                .input("x", DataType.FLOAT, -1, -2, 32)
                .initializer(quantised)
                .initializer(
                        "scales", HostTensor.of(DataType.FLOAT, new long[] {6}, new double[] {.1, .2, .1, .05, .1, .2}))
                .named(
                        "/layer/proj/MatMul_Q4",
                        "com.microsoft:MatMulNBits",
                        "x layer.proj.weight_Q4 scales",
                        "y",
                        "K",
                        32,
                        "N",
                        6,
                        "bits",
                        4,
                        "block_size",
                        32)
                .output("y", DataType.FLOAT, -1, -2, 6);
        Path file = bits.write(folder);
        for (AdapterMethod method : List.of(Lora.rank(2), Sorsa.rank(2))) {
            ImportedModel model = OnnxImporter.load(file);
            assertThat(model.linearLayers().get(0).module()).isEqualTo("layer.proj");
            AdaptedModel adapted = trained(model, method);
            Path merged = folder.resolve(method.name() + "-merged.onnx");
            OnnxWriter.writeMerged(model, adapted.mergedWeights(), merged);
            assertThat(OnnxVerifier.verify(merged, model, InputSizes.SAMPLES, 1e-3, 1)
                            .passed())
                    .isTrue();
            assertThat(OnnxFiles.read(merged).getGraph().getNodeList())
                    .extracting(NodeProto::getOpType)
                    .containsExactly("MatMul");
            Path beside = folder.resolve(method.name() + "-adapted.onnx");
            OnnxWriter.writeAdapted(model, adapted.updates(), beside);
            assertThat(OnnxVerifier.verify(beside, model, InputSizes.SAMPLES, 1e-3, 1)
                            .passed())
                    .isTrue();
        }
    }
}
