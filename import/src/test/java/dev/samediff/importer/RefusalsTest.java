package dev.samediff.importer;

import static dev.samediff.importer.WeightsBehindNodesTest.reals;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.lowering.Operators;
import dev.samediff.importer.lowering.Refusals;
import dev.samediff.importer.tensor.HostTensor;
import dev.samediff.importer.tensorflow.GraphWriter;
import dev.samediff.importer.tensorflow.TensorFlowOperators;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import onnx.Onnx.TensorProto;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.tensorflow.framework.GraphDef;

/** What cannot be imported is refused with the node, what is wrong, and what to do, by loading as by inspecting. */
class RefusalsTest {
    /** What a user can do about it: every refusal says one of these, behind a colon or semicolon. */
    private static final Pattern REMEDY = Pattern.compile("(?s).*[;:,] (?:(?:or|and) )?(?:"
            + "export|import|give|use|write|cast|store|quantise|compute|find|choose|ask|split|pad|take|leave|apply|name|adapt|"
            + "freeze|look|end|join|copy|scatter|correct|pool|freeze)\\b.*");

    @TempDir
    Path folder;

    private static TinyModel model() {
        return new TinyModel(17).input("x", DataType.FLOAT, -1, 8);
    }

    private static TinyModel one(String operator, String inputs, Object... attributes) {
        return node(model(), operator, inputs, attributes);
    }

    private static TinyModel node(TinyModel model, String operator, String inputs, Object... attributes) {
        return model.named("the_node", operator, inputs, "y", attributes).output("y", DataType.FLOAT);
    }

    private static TinyModel whole(String operator, String inputs, Object... attributes) {
        return node(new TinyModel(17).input("x", DataType.LONG, -1, 8), operator, inputs, attributes);
    }

    private static TinyModel image() {
        return new TinyModel(17).input("x", DataType.FLOAT, 1, 4, -1, -2);
    }

    /** Uses of known operators that cannot be imported, with a part of the reason. */
    private static Map<String, Map.Entry<TinyModel, String>> uses() {
        Map<String, Map.Entry<TinyModel, String>> uses = new LinkedHashMap<>();
        uses.put("NonZero", Map.entry(one("NonZero", "x"), "not zero"));
        uses.put(
                "TopK of a computed number",
                Map.entry(
                        node(
                                model().input("k", DataType.LONG, 1).named("cut", "Relu", "x", "r"),
                                "TopK",
                                "r k",
                                "axis",
                                1),
                        "from the data"));
        uses.put(
                "an unsupported mode",
                Map.entry(
                        node(
                                model().initializer("pads", HostTensor.vector(0, 1, 0, 1)),
                                "Pad",
                                "x pads",
                                "mode",
                                "nonsense"),
                        "nonsense"));
        uses.put(
                "Hardmax over several axes",
                Map.entry(
                        node(new TinyModel(12).input("x", DataType.FLOAT, -1, 3, 8), "Hardmax", "x", "axis", 1),
                        "one axis"));
        uses.put(
                "ceil_mode over an open axis",
                Map.entry(
                        node(
                                image(),
                                "MaxPool",
                                "x",
                                "kernel_shape",
                                new long[] {2, 2},
                                "strides",
                                new long[] {2, 2},
                                "ceil_mode",
                                1),
                        "ceil_mode"));
        uses.put(
                "a sum of thousands of values",
                Map.entry(one("Sum", "x ".repeat(3000).strip()), "combines 3000 values"));
        for (long size : new long[] {70, 1_000_000, 1L << 31}) {
            uses.put(
                    "windows of " + size + " by " + size,
                    Map.entry(
                            node(image(), "MaxPool", "x", "kernel_shape", new long[] {size, size}, "pads", new long[] {
                                size, size, size, size
                            }),
                            size < 1L << 31 ? "elements in a window" : "can be imported"));
        }
        uses.put(
                "auto_pad with a stride over an open axis",
                Map.entry(
                        node(
                                image().initializer("w", reals(3, 4, 2, 2)),
                                "Conv",
                                "x w",
                                "auto_pad",
                                "SAME_UPPER",
                                "strides",
                                new long[] {2, 2}),
                        "auto_pad"));
        uses.put("a Gemm of whole numbers", Map.entry(whole("Gemm", "x x", "transB", 1), "whole numbers"));
        uses.put("an Erf of whole numbers", Map.entry(whole("Erf", "x"), "real numbers"));
        uses.put(
                "a diagonal",
                Map.entry(
                        node(new TinyModel(17).input("x", DataType.FLOAT, 8, 8), "Einsum", "x", "equation", "ii->i"),
                        "diagonals"));
        uses.put(
                "reshaped to an unknown number of axes",
                Map.entry(node(model().input("sizes", DataType.LONG, -3), "Reshape", "x sizes"), "number of axes"));
        uses.put(
                "statistics of the batch",
                Map.entry(
                        node(image().initializer("v", reals(4)), "BatchNormalization", "x v v v v", "training_mode", 1),
                        "training_mode"));
        uses.put(
                "an index outside",
                Map.entry(
                        node(model().initializer("i", HostTensor.vector(9)), "Gather", "x i", "axis", 1),
                        "allowed is"));
        uses.put(
                "sizes that do not fit",
                Map.entry(
                        node(
                                new TinyModel(17)
                                        .input("x", DataType.FLOAT, 2, 8)
                                        .initializer("s", HostTensor.vector(3, 5)),
                                "Reshape",
                                "x s"),
                        "another number of elements"));
        uses.put("an axis that is not there", Map.entry(one("Softmax", "x", "axis", 5), "axis 5"));
        uses.put("a missing input", Map.entry(one("Add", "x"), "input 1"));
        uses.put(
                "a fused product in a form of its own",
                Map.entry(one("com.microsoft:FusedMatMul", "x x", "transBatchA", 1), "transBatch"));
        uses.put(
                "a fused activation",
                Map.entry(one("com.microsoft:FusedGemm", "x x", "transB", 1, "activation", "Nonsense"), "Nonsense"));
        whatNoGraphMayDo(uses);
        return uses;
    }

    private static TinyModel table(Object... tensors) {
        TinyModel model = new TinyModel(17).input("x", DataType.FLOAT, 2, 3);
        for (int i = 0; i < tensors.length; i += 2) {
            model.initializer((String) tensors[i], (HostTensor) tensors[i + 1]);
        }
        return model;
    }

    /** Graphs that are not valid, of which the library would end the process, or compute something. */
    private static void whatNoGraphMayDo(Map<String, Map.Entry<TinyModel, String>> uses) {
        HostTensor steps = HostTensor.vector(1, 1);
        uses.put(
                "cuts of more than there is",
                Map.entry(node(table("p", HostTensor.vector(-3, 2, 3, 0)), "Pad", "x p"), "of 2 elements"));
        uses.put(
                "one axis sliced twice",
                Map.entry(
                        node(
                                table("s", HostTensor.vector(0, 1), "a", HostTensor.vector(1, -1), "t", steps),
                                "Slice",
                                "x s t a t"),
                        "twice"));
        uses.put(
                "rows that match no columns",
                Map.entry(node(table("w", reals(2, 2)), "MatMul", "x w"), "by columns of 2"));
        uses.put("a Gemm of such", Map.entry(node(table("w", reals(2, 2)), "Gemm", "x w"), "by columns of 2"));
        uses.put("a Gemm of three axes", Map.entry(node(table("w", reals(1, 3, 2)), "Gemm", "x w"), "takes matrices"));
        uses.put(
                "one axis ordered twice",
                Map.entry(node(table(), "Transpose", "x", "perm", new long[] {0, 0}), "same"));
        uses.put("an axis left out", Map.entry(node(table(), "Transpose", "x", "perm", new long[] {0}), "1 axes of 2"));
        uses.put(
                "an axis inserted twice",
                Map.entry(node(table("a", HostTensor.vector(0, -4)), "Unsqueeze", "x a"), "the same"));
        uses.put(
                "an axis removed that is not one",
                Map.entry(node(table("a", HostTensor.vector(0)), "Squeeze", "x a"), "has 2 elements"));
        uses.put(
                "one-hot rows of less than nothing",
                Map.entry(
                        node(
                                new TinyModel(17)
                                        .input("x", DataType.LONG, 2)
                                        .initializer("d", HostTensor.vector(-3))
                                        .initializer("v", HostTensor.of(DataType.FLOAT, new long[] {2}, new double[2])),
                                "OneHot",
                                "x d v"),
                        "rows of -3"));
        for (long[] sizes : new long[][] {{1L << 31, 1L << 31}, {-1, 2}, {1L << 62, 4}}) {
            TinyModel model = table("s", HostTensor.vector(sizes)).named("the_node", "ConstantOfShape", "s", "big");
            uses.put(
                    "sizes " + java.util.Arrays.toString(sizes),
                    Map.entry(node(model.node("ReduceSum", "big", "sum"), "Add", "x sum"), "can be imported"));
        }
        uses.put(
                "parts of less than nothing",
                Map.entry(node(table("s", HostTensor.vector(-1, 4)), "Split", "x s", "axis", 1), "parts of [-1, 4]"));
        uses.put(
                "windows wider than an axis",
                Map.entry(
                        node(
                                new TinyModel(17).input("x", DataType.FLOAT, 1, 4, 2),
                                "MaxPool",
                                "x",
                                "kernel_shape",
                                new long[] {3}),
                        "span 3"));
        uses.put(
                "more copies than there can be",
                Map.entry(node(table("r", HostTensor.vector(1L << 33, 1)), "Tile", "x r"), "can be imported"));
        HostTensor one = HostTensor.of(DataType.FLOAT, new long[0], new double[] {1});
        HostTensor none = HostTensor.of(DataType.FLOAT, new long[0], new double[] {Double.NaN});
        uses.put(
                "a count to what is no number",
                Map.entry(
                        node(table("a", one, "b", none).named("the_node", "Range", "a b a", "r"), "Add", "x r"),
                        "no number of elements"));
    }

    private static void isRefused(Path file, String node, String reason) {
        assertThatThrownBy(() -> ModelImporter.load(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(node)
                .hasMessageContaining(reason)
                .message()
                .matches(REMEDY);
    }

    @TestFactory
    Stream<DynamicTest> uses_of_known_operators_are_refused_with_what_to_do() {
        return uses().entrySet().stream()
                .map(use -> DynamicTest.dynamicTest(use.getKey(), () -> {
                    Path file = use.getValue().getKey().write(folder);
                    isRefused(file, "the_node", use.getValue().getValue());
                    ImportReport report = OnnxImporter.inspect(file);
                    assertThat(report.isSupported()).isFalse();
                    assertThat(report.unsupportedText())
                            .contains("the_node")
                            .contains(use.getValue().getValue())
                            .matches(REMEDY);
                }));
    }

    @TestFactory
    Stream<DynamicTest> operators_that_nobody_knows_and_those_with_a_reason_are_refused_with_what_to_do() {
        return Stream.concat(
                        Refusals.all().keySet().stream(),
                        Stream.of("Nonsense", "ai.onnx.ml:Scaler", "com.example:Attention", "STFT", "Det"))
                .map(operator -> DynamicTest.dynamicTest(operator, () -> {
                    assertThat(Operators.names()).doesNotContain(operator);
                    assertThat(Refusals.reason(operator)).matches(REMEDY);
                    if (operator.endsWith("uantizeLinear") || operator.contains("equence") || operator.equals("If")) {
                        return; // replaced before; refused where they cannot be, see QuantisedActivationsTest and
                        // InliningTest
                    }
                    Path file = one(operator, "x").write(folder);
                    isRefused(file, "the_node", operator);
                    assertThat(OnnxImporter.inspect(file).text())
                            .contains(operator)
                            .contains("the_node");
                }));
    }

    @TestFactory
    Stream<DynamicTest>
            operators_of_tensorflow_that_nobody_knows_and_those_with_a_reason_are_refused_with_what_to_do() {
        return Stream.concat(TensorFlowOperators.refusals().keySet().stream(), Stream.of("Nonsense", "FFT", "Lgamma"))
                .map(operator -> DynamicTest.dynamicTest(operator, () -> {
                    GraphWriter graph = new GraphWriter(GraphWriter.Weights.FROZEN);
                    graph.placeholder("x", org.tensorflow.framework.DataType.DT_FLOAT, -1, 8);
                    graph.op(operator, "the_node", "x");
                    graph.op("Identity", "y", "the_node");
                    isRefused(write(graph.graph()), "the_node", operator);
                }));
    }

    private Path write(GraphDef graph) throws IOException {
        return Files.write(Files.createTempFile(folder, "graph", ".pb"), graph.toByteArray());
    }

    @TestFactory
    Stream<DynamicTest> types_that_nothing_holds_are_refused_with_what_to_do() {
        return Stream.of("STRING", "COMPLEX64", "FLOAT8E4M3FN")
                .map(type -> DynamicTest.dynamicTest(type, () -> {
                    int number = type.equals("FLOAT8E4M3FN")
                            ? 17
                            : TensorProto.DataType.valueOf(type).getNumber();
                    TensorProto tensor = TensorProto.newBuilder()
                            .setName("the_tensor")
                            .setDataType(number)
                            .addDims(1)
                            .addStringData(org.nd4j.shade.protobuf.ByteString.copyFromUtf8("a"))
                            .build();
                    Path file = node(model().initializer(tensor), "Add", "x the_tensor")
                            .write(folder);
                    isRefused(file, "the_tensor", "element type");
                }));
    }
}
