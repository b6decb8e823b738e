package dev.samediff.importer;

import static dev.samediff.importer.WeightsBehindNodesTest.reals;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.tensor.HostTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TypeProto;
import onnx.Onnx.ValueInfoProto;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;

/** Loops whose number of turns is known are their turns; others are refused with what to do. */
class LoopsTest {
    @TempDir
    Path folder;

    private static HostTensor scalar(long value) {
        return HostTensor.of(DataType.LONG, new long[0], new long[] {value});
    }

    private static HostTensor truth(boolean value) {
        return HostTensor.of(DataType.BOOL, new long[0], new long[] {value ? 1 : 0});
    }

    private static TinyModel model() {
        return new TinyModel(17)
                .input("x", DataType.FLOAT, -1, 4, 6)
                .initializer("w", reals(6, 6))
                .initializer("three", scalar(3))
                .initializer("yes", truth(true));
    }

    /** Each turn multiplies by w, adds its number, and hands out what it has. */
    private static TinyModel body(boolean handsOut) {
        return body(handsOut, "before");
    }

    private static TinyModel body(boolean handsOut, String condition) {
        TinyModel body = new TinyModel(17)
                .input("turn", DataType.LONG)
                .input("before", DataType.BOOL)
                .input("a", DataType.FLOAT, -1, 4, 6)
                .initializer("small", HostTensor.of(DataType.FLOAT, new long[0], new double[] {0.1}))
                .node("Identity", condition, "same")
                .node("Cast", "same", "after", "to", 9)
                .node("MatMul", "a w", "p")
                .node("Cast", "turn", "t", "to", 1)
                .node("Mul", "t small", "s")
                .node("Add", "p s", "q")
                .node("Tanh", "q", "b")
                .output("after", DataType.BOOL)
                .output("b", DataType.FLOAT, -1, 4, 6);
        return handsOut ? body.node("ReduceSum", "b", "row", "keepdims", 0).output("row", DataType.FLOAT) : body;
    }

    private static TinyModel loop(TinyModel model, String count, String condition) {
        return model.named("the_loop", "Loop", count + " " + condition + " x", "y", "body", body(false))
                .output("y", DataType.FLOAT, -1, 4, 6);
    }

    static Map<String, TinyModel> known() {
        Map<String, TinyModel> kinds = new LinkedHashMap<>();
        kinds.put("a constant", loop(model(), "three", "yes"));
        kinds.put("without a condition", loop(model(), "three", "-"));
        kinds.put(
                "a condition of the graph around it",
                model().named("the_loop", "Loop", "three yes x", "y", "body", body(false, "yes"))
                        .output("y", DataType.FLOAT, -1, 4, 6));
        kinds.put(
                "a size",
                loop(
                        model().initializer("one", scalar(1))
                                .node("Shape", "x", "sizes")
                                .node("Gather", "sizes one", "four"),
                        "four",
                        "yes"));
        kinds.put(
                "what the turns hand out",
                model().named("the_loop", "Loop", "three yes x", "b rows", "body", body(true))
                        .initializer("axes", HostTensor.vector(0))
                        .node("ReduceSum", "rows axes", "sum", "keepdims", 0)
                        .node("Add", "b sum", "y")
                        .output("y", DataType.FLOAT, -1, 4, 6));
        return kinds;
    }

    @TestFactory
    Stream<DynamicTest> loops_of_a_known_number_of_turns_compute_what_onnx_runtime_computes() {
        return known().entrySet().stream()
                .map(kind -> DynamicTest.dynamicTest(kind.getKey(), () -> {
                    Path file = kind.getValue().write(folder);
                    assertThat(OnnxImporter.inspect(file).isSupported()).isTrue();
                    assertThat(OnnxImporter.load(file).linearLayers()).hasSize(1);
                    Verification verification = OnnxVerifier.verify(file, VerificationPlan.quick(1e-5, 1));
                    assertThat(verification.passed())
                            .as(verification.toString())
                            .isTrue();
                }));
    }

    /** As torch writes repeat_interleave: the parts of a split are repeated and put into a list, one each turn. */
    @Test
    void a_list_that_a_loop_fills_is_joined() throws IOException {
        GraphProto body = GraphProto.newBuilder()
                .setName("body")
                .addInput(TinyModel.value("turn", DataType.LONG))
                .addInput(TinyModel.value("before", DataType.BOOL))
                .addInput(list("list"))
                .addNode(node("SequenceAt", "part", "parts", "turn"))
                .addNode(node("Concat", "twice", "part", "part").toBuilder()
                        .addAttribute(AttributeProto.newBuilder()
                                .setName("axis")
                                .setType(AttributeProto.AttributeType.INT)
                                .setI(1)))
                .addNode(node("SequenceInsert", "longer", "list", "twice"))
                .addNode(node("Identity", "after", "before"))
                .addOutput(TinyModel.value("after", DataType.BOOL))
                .addOutput(list("longer"))
                .build();
        TinyModel model = model().initializer("ones", HostTensor.vector(1, 1, 1, 1))
                .initializer("four", scalar(4))
                .node("SplitToSequence", "x ones", "parts", "axis", 1)
                .node("SequenceEmpty", "", "nothing");
        ModelProto.Builder proto = model.output("y", DataType.FLOAT, -1, 8, 6).proto().toBuilder();
        proto.getGraphBuilder()
                .addNode(node("Loop", "filled", "four", "yes", "nothing").toBuilder()
                        .addAttribute(AttributeProto.newBuilder()
                                .setName("body")
                                .setType(AttributeProto.AttributeType.GRAPH)
                                .setG(body)))
                .addNode(node("ConcatFromSequence", "y", "filled").toBuilder()
                        .addAttribute(AttributeProto.newBuilder()
                                .setName("axis")
                                .setType(AttributeProto.AttributeType.INT)
                                .setI(1)));
        Path file = Files.write(folder.resolve("list.onnx"), proto.build().toByteArray());
        Verification verification = OnnxVerifier.verify(file, VerificationPlan.quick(1e-6, 1));
        assertThat(verification.passed()).as(verification.toString()).isTrue();
    }

    private static ValueInfoProto list(String name) {
        TypeProto element = TinyModel.value(name, DataType.FLOAT, -1, -2, 6).getType();
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder()
                        .setSequenceType(TypeProto.Sequence.newBuilder().setElemType(element)))
                .build();
    }

    private static NodeProto node(String operator, String output, String... inputs) {
        NodeProto.Builder node = NodeProto.newBuilder().setOpType(operator).addOutput(output);
        for (String input : inputs) {
            node.addInput(input);
        }
        return node.build();
    }

    static Map<String, TinyModel> unknown() {
        Map<String, TinyModel> kinds = new LinkedHashMap<>();
        kinds.put("an input", loop(model().input("count", DataType.LONG), "count", "yes"));
        kinds.put(
                "an open size",
                loop(
                        model().initializer("zero", scalar(0))
                                .node("Shape", "x", "sizes")
                                .node("Gather", "sizes zero", "rows"),
                        "rows",
                        "yes"));
        kinds.put("no number at all", loop(model(), "-", "yes"));
        kinds.put("too many turns", loop(model().initializer("many", scalar(1_000_000)), "many", "yes"));
        kinds.put("a condition from outside", loop(model().input("go", DataType.BOOL), "three", "go"));
        TinyModel stops = new TinyModel(17)
                .input("turn", DataType.LONG)
                .input("before", DataType.BOOL)
                .input("a", DataType.FLOAT, -1, 4, 6)
                .initializer("limit", HostTensor.of(DataType.FLOAT, new long[0], new double[] {3}))
                .node("Add", "a a", "b")
                .node("ReduceMax", "b", "largest", "keepdims", 0)
                .node("Less", "largest limit", "after")
                .output("after", DataType.BOOL)
                .output("b", DataType.FLOAT, -1, 4, 6);
        kinds.put(
                "a condition from the data",
                model().named("the_loop", "Loop", "three yes x", "y", "body", stops)
                        .output("y", DataType.FLOAT, -1, 4, 6));
        return kinds;
    }

    @TestFactory
    Stream<DynamicTest> other_loops_are_refused_with_what_to_do() {
        return unknown().entrySet().stream()
                .map(kind -> DynamicTest.dynamicTest(kind.getKey(), () -> {
                    Path file = kind.getValue().write(folder);
                    assertThatThrownBy(() -> OnnxImporter.load(file))
                            .isInstanceOf(InvalidInputException.class)
                            .hasMessageContaining("the_loop")
                            .hasMessageContaining("number of turns")
                            .hasMessageContaining("export the model for a fixed number of steps");
                    assertThat(OnnxImporter.inspect(file).isSupported()).isFalse();
                }));
    }
}
