package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.tensor.HostTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.FunctionProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.OperatorSetIdProto;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;

/** Local functions and If nodes with known conditions are replaced by their bodies, and compute what ONNX Runtime does. */
class InliningTest {
    private static final String DOMAIN = "local.functions";

    @TempDir
    Path folder;

    private static NodeProto node(String operator, String name, List<String> inputs, List<String> outputs) {
        int colon = operator.indexOf(':');
        return NodeProto.newBuilder()
                .setDomain(colon < 0 ? "" : operator.substring(0, colon))
                .setOpType(operator.substring(colon + 1))
                .setName(name)
                .addAllInput(inputs)
                .addAllOutput(outputs)
                .build();
    }

    private static FunctionProto.Builder function(String name, List<String> inputs, List<String> outputs) {
        return FunctionProto.newBuilder()
                .setName(name)
                .setDomain(DOMAIN)
                .addAllInput(inputs)
                .addAllOutput(outputs)
                .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(18))
                .addOpsetImport(
                        OperatorSetIdProto.newBuilder().setDomain(DOMAIN).setVersion(1));
    }

    private static ModelProto.Builder with(TinyModel model, FunctionProto.Builder... functions) {
        ModelProto.Builder proto = model.proto().toBuilder().setIrVersion(8);
        proto.addOpsetImport(OperatorSetIdProto.newBuilder().setDomain(DOMAIN).setVersion(1));
        for (FunctionProto.Builder function : functions) {
            proto.addFunctions(function);
        }
        return proto;
    }

    private Path write(ModelProto.Builder model) throws IOException {
        return Files.write(
                Files.createTempFile(folder, "model", ".onnx"), model.build().toByteArray());
    }

    private static void assertRuns(Path file) {
        Verification verification = OnnxVerifier.verify(file, 1e-6, 1);
        assertThat(verification.passed()).as(verification.toString()).isTrue();
    }

    /** A condition on a size that every input fulfils, or none. */
    @Test
    void branches_on_sizes_that_every_input_has_are_taken() throws IOException {
        for (String condition : java.util.List.of("Greater", "Equal")) {
            TinyModel model = new TinyModel(18)
                    .input("x", DataType.FLOAT, -1, 4)
                    .initializer("none", HostTensor.of(DataType.LONG, new long[0], new long[] {0}))
                    .initializer("first", HostTensor.of(DataType.LONG, new long[0], new long[] {0}))
                    .node("Shape", "x", "shape")
                    .node("Gather", "shape first", "size")
                    .node(condition, "size none", "some")
                    .node(
                            "If",
                            "some",
                            "y",
                            "then_branch",
                            new TinyModel(18).node("Neg", "x", "turned").output("turned"),
                            "else_branch",
                            new TinyModel(18).node("Abs", "x", "length").output("length"))
                    .output("y", DataType.FLOAT, -1, 4);
            assertRuns(model.write(folder));
        }
    }

    /** One and more than one are both sizes that occur. */
    @Test
    void branches_on_sizes_that_some_inputs_have_are_refused() throws IOException {
        TinyModel model = new TinyModel(18)
                .input("x", DataType.FLOAT, -1, 4)
                .initializer("one", HostTensor.of(DataType.LONG, new long[0], new long[] {1}))
                .initializer("first", HostTensor.of(DataType.LONG, new long[0], new long[] {0}))
                .node("Shape", "x", "shape")
                .node("Gather", "shape first", "size")
                .node("Equal", "size one", "single")
                .node(
                        "If",
                        "single",
                        "y",
                        "then_branch",
                        new TinyModel(18).node("Neg", "x", "turned").output("turned"),
                        "else_branch",
                        new TinyModel(18).node("Abs", "x", "length").output("length"))
                .output("y", DataType.FLOAT, -1, 4);
        Path file = model.write(folder);
        assertThatThrownBy(() -> OnnxImporter.load(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("sizes the file leaves open");
    }

    private static FunctionProto.Builder leaky() {
        NodeProto negative = node("LeakyRelu", "act", List.of("v"), List.of("r")).toBuilder()
                .addAttribute(AttributeProto.newBuilder()
                        .setName("alpha")
                        .setType(AttributeProto.AttributeType.FLOAT)
                        .setRefAttrName("slope"))
                .build();
        return function("leaky_double", List.of("v", "w"), List.of("r2", "copy"))
                .addAttribute("slope")
                .addNode(negative)
                .addNode(node("Identity", "handed on", List.of("v"), List.of("copy")))
                .addNode(node("Add", "twice", List.of("r", "w"), List.of("r2")));
    }

    /** Against the same graph without functions, because ONNX Runtime 1.22 aborts the process on this one. */
    @Test
    void functions_with_attributes_called_twice_and_from_functions() throws IOException {
        NodeProto inner = node(DOMAIN + ":leaky_double", "inner", List.of("a", "a"), List.of("t", "same")).toBuilder()
                .addAttribute(AttributeProto.newBuilder()
                        .setName("slope")
                        .setType(AttributeProto.AttributeType.FLOAT)
                        .setF(0.2f))
                .build();
        FunctionProto.Builder outer = function("outer", List.of("a"), List.of("b"))
                .addNode(inner)
                .addNode(node("Mul", "product", List.of("t", "same"), List.of("b")));
        TinyModel model = new TinyModel(18)
                .input("x", DataType.FLOAT, -1, 4)
                .named("first", DOMAIN + ":leaky_double", "x x", "p q", "slope", 0.3f)
                .named("second", DOMAIN + ":leaky_double", "p q", "r", "slope", 0.1f)
                .named("third", DOMAIN + ":outer", "r", "y")
                .output("y", DataType.FLOAT, -1, 4);
        ImportedModel imported = OnnxImporter.load(write(with(model, leaky(), outer)));
        Path plain = new TinyModel(18)
                .input("x", DataType.FLOAT, -1, 4)
                .node("LeakyRelu", "x", "x1", "alpha", 0.3f)
                .node("Add", "x1 x", "p")
                .node("LeakyRelu", "p", "p1", "alpha", 0.1f)
                .node("Add", "p1 x", "r")
                .node("LeakyRelu", "r", "r1", "alpha", 0.2f)
                .node("Add", "r1 r", "t")
                .node("Mul", "t r", "y")
                .output("y", DataType.FLOAT, -1, 4)
                .write(folder);
        Verification verification = OnnxVerifier.verify(plain, imported, InputSizes.SAMPLES, 1e-6, 1);
        assertThat(verification.passed()).as(verification.toString()).isTrue();
        assertThat(imported.report().operators()).containsEntry("LeakyRelu", 3).doesNotContainKey(DOMAIN + ":outer");
    }

    @Test
    void a_function_that_calls_itself_is_refused() throws IOException {
        FunctionProto.Builder endless = function("endless", List.of("a"), List.of("b"))
                .addNode(node(DOMAIN + ":endless", "again", List.of("a"), List.of("b")));
        TinyModel model = new TinyModel(18)
                .input("x", DataType.FLOAT, 4)
                .node(DOMAIN + ":endless", "x", "y")
                .output("y", DataType.FLOAT, 4);
        Path file = write(with(model, endless));
        assertThatThrownBy(() -> OnnxImporter.load(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("endless")
                .hasMessageContaining("calls itself");
    }

    /** Each function calls the one below twice: a small file that would grow to 2^40 nodes. */
    @Test
    void functions_that_multiply_are_refused() throws IOException {
        ModelProto.Builder model = with(new TinyModel(18)
                .input("x", DataType.FLOAT, 4)
                .node(DOMAIN + ":f29", "x", "y")
                .output("y", DataType.FLOAT, 4));
        for (int i = 0; i < 30; i++) {
            String below = i == 0 ? "Neg" : DOMAIN + ":f" + (i - 1);
            model.addFunctions(function("f" + i, List.of("a"), List.of("c"))
                    .addNode(node(below, "one", List.of("a"), List.of("b")))
                    .addNode(node(below, "two", List.of("b"), List.of("c"))));
        }
        Path file = write(model);
        assertThatThrownBy(() -> OnnxImporter.load(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("too many nodes");
    }

    private static TinyModel branch(String operator, String inputs, String output) {
        return new TinyModel(13).node(operator, inputs, output).output(output);
    }

    /** As torch exports x.squeeze(1): a condition on a size that is known. */
    private Path choosing(long size) {
        return new TinyModel(11)
                .input("x", DataType.FLOAT, -1, size, 3)
                .node("Shape", "x", "shape")
                .initializer("one", HostTensor.vector(1))
                .node("Gather", "shape one", "at", "axis", 0)
                .node("Equal", "at one", "single")
                .node("Neg", "x", "n")
                .node(
                        "If",
                        "single",
                        "y",
                        "then_branch",
                        branch("Exp", "n", "b"),
                        "else_branch",
                        new TinyModel(11)
                                .initializer("two", HostTensor.filled(DataType.FLOAT, new long[0], 2))
                                .node("Mul", "n two", "b")
                                .output("b"))
                .node("Neg", "y", "z")
                .output("z")
                .write(folder);
    }

    @Test
    void the_branch_of_a_known_condition_is_taken() {
        assertRuns(choosing(1));
        assertRuns(choosing(2));
        assertThat(OnnxImporter.load(choosing(1)).report().operators())
                .containsKey("Exp")
                .doesNotContainKey("If");
        assertThat(OnnxImporter.load(choosing(2)).report().operators())
                .containsKey("Mul")
                .doesNotContainKey("Exp");
    }

    @Test
    void an_if_inside_the_branch_that_is_taken() {
        TinyModel inner = new TinyModel(13)
                .node("If", "yes", "b", "then_branch", branch("Abs", "x", "c"), "else_branch", branch("Neg", "x", "c"))
                .output("b");
        Path file = new TinyModel(13)
                .input("x", DataType.FLOAT, -1, 3)
                .initializer("yes", HostTensor.of(DataType.BOOL, new long[0], new long[] {1}))
                .node("If", "yes", "y", "then_branch", inner, "else_branch", branch("Exp", "x", "b"))
                .output("y")
                .write(folder);
        assertRuns(file);
    }

    @Test
    void a_condition_that_depends_on_the_data_is_refused_with_the_reason() {
        Path file = new TinyModel(13)
                .input("x", DataType.FLOAT, -1, 3)
                .input("flag", DataType.BOOL)
                .named(
                        "choice",
                        "If",
                        "flag",
                        "y",
                        "then_branch",
                        branch("Exp", "x", "b"),
                        "else_branch",
                        branch("Neg", "x", "b"))
                .output("y")
                .write(folder);
        assertThatThrownBy(() -> OnnxImporter.load(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("If")
                .hasMessageContaining("choice");
    }
}
