package dev.samediff.importer;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.Orientation;
import dev.samediff.importer.tensor.HostTensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class OnnxImporterTest {
    @TempDir
    Path folder;

    private static HostTensor matrix(long rows, long columns) {
        double[] values = new double[(int) (rows * columns)];
        Arrays.setAll(values, i -> Math.sin(i + 1.0));
        return HostTensor.of(DataType.FLOAT, new long[] {rows, columns}, values);
    }

    private static HostTensor vector(long length) {
        return matrix(1, length).reshaped(length);
    }

    /** An embedding, two linear layers and a head tied to the embedding, as torch exports them. */
    private static TinyModel network() {
        return new TinyModel(14)
                .input("input_ids", DataType.LONG, -1, -2)
                .initializer("wte.weight", matrix(7, 4))
                .initializer("onnx::MatMul_278", matrix(4, 3))
                .initializer("h.0.fc.bias", vector(3))
                .initializer("h.0.proj.weight", matrix(4, 3))
                .initializer("h.0.proj.bias", vector(4))
                .named("/wte/Gather", "Gather", "wte.weight input_ids", "/wte/Gather_output_0")
                .named("/h.0/fc/MatMul", "MatMul", "/wte/Gather_output_0 onnx::MatMul_278", "/h.0/fc/MatMul_output_0")
                .named("/h.0/fc/Add", "Add", "h.0.fc.bias /h.0/fc/MatMul_output_0", "hidden")
                .node("Reshape", "hidden rows", "flat")
                .initializer("rows", HostTensor.vector(-1, 3))
                .named("/h.0/proj/Gemm", "Gemm", "flat h.0.proj.weight h.0.proj.bias", "projected", "transB", 1)
                .named("/lm_head/Transpose", "Transpose", "wte.weight", "onnx::MatMul_300", "perm", new long[] {1, 0})
                .named("/lm_head/MatMul", "MatMul", "projected onnx::MatMul_300", "logits")
                .output("logits", DataType.FLOAT, -3, 7);
    }

    @Test
    void linear_layers_are_found_with_their_module_paths() {
        ImportedModel model = OnnxImporter.load(network().write(folder));
        assertThat(model.linearLayers())
                .extracting(LinearLayer::module)
                .containsExactly("h.0.fc", "h.0.proj", "lm_head");
        assertThat(model.linearLayers())
                .extracting(LinearLayer::weight)
                .containsExactly("h.0.fc.weight", "h.0.proj.weight", "lm_head.weight");
        assertThat(model.linearLayers())
                .extracting(LinearLayer::orientation)
                .containsExactly(Orientation.IN_OUT, Orientation.OUT_IN, Orientation.OUT_IN);
        assertThat(model.linearLayers()).extracting(LinearLayer::in).containsExactly(4, 3, 4);
        assertThat(model.linearLayers()).extracting(LinearLayer::out).containsExactly(3, 4, 7);
        assertThat(model.linearLayers())
                .extracting(LinearLayer::initializer)
                .containsExactly("onnx::MatMul_278", "h.0.proj.weight", "wte.weight::untied");
        assertThat(model.modulePaths()).containsEntry("lm_head.weight", "lm_head");
    }

    @Test
    void values_named_like_ops_of_samediff_survive_copying() {
        ImportedModel model = OnnxImporter.load(new TinyModel(14)
                .input("x", DataType.FLOAT, 1, 3)
                .node("Relu", "x", "first") // SameDiff calls this op relu
                .node("Tanh", "first", "relu")
                .node("Sigmoid", "relu", "out")
                .output("out", DataType.FLOAT, 1, 3)
                .write(folder));
        Map<String, INDArray> feeds = Map.of("x", Nd4j.createFromArray(new float[][] {{-1, 0.5f, 2}}));
        assertThatBits(model.graph().dup().output(feeds, "out"))
                .isEqualTo(model.graph().output(feeds, "out"));
    }

    @Test
    void weights_are_variables_and_tables_are_constants_as_they_are_stored() {
        ImportedModel model = OnnxImporter.load(network().write(folder));
        for (String variable : List.of("h.0.fc.weight", "h.0.fc.bias", "h.0.proj.weight", "h.0.proj.bias")) {
            assertThat(model.graph().getVariable(variable).getVariableType())
                    .as(variable)
                    .isEqualTo(VariableType.VARIABLE);
        }
        assertThat(model.graph().getVariable("wte.weight").getVariableType()).isEqualTo(VariableType.CONSTANT);
        assertThat(model.graph().getVariable("h.0.proj.weight").getArr().shape())
                .containsExactly(4, 3);
        assertThat(model.report().notes()).anyMatch(note -> note.contains("'wte.weight' is frozen"));
        assertThat(model.graph().getVariable("lm_head.weight").getVariableType())
                .as("the head tied to the table has its own, trainable copy")
                .isEqualTo(VariableType.VARIABLE);
    }

    @Test
    void names_of_the_file_lead_to_the_graph() {
        ImportedModel model = OnnxImporter.load(network().write(folder));
        assertThat(model.aliases())
                .containsEntry("onnx::MatMul_278", "h.0.fc.weight")
                .containsEntry("hidden", "hidden")
                .containsEntry("logits", "logits");
        assertThat(model.initializers())
                .containsOnly(
                        Map.entry("h.0.fc.weight", "onnx::MatMul_278"),
                        Map.entry("h.0.fc.bias", "h.0.fc.bias"),
                        Map.entry("h.0.proj.weight", "h.0.proj.weight"),
                        Map.entry("h.0.proj.bias", "h.0.proj.bias"),
                        Map.entry("wte.weight", "wte.weight"),
                        Map.entry("lm_head.weight", "wte.weight::untied"));
        model.aliases()
                .values()
                .forEach(name ->
                        assertThat(model.graph().hasVariable(name)).as(name).isTrue());
    }

    @Test
    void inputs_and_outputs_are_described() {
        ImportedModel model = OnnxImporter.load(network().write(folder));
        assertThat(model.inputs())
                .containsExactly(new TensorSpec(
                        "input_ids",
                        "input_ids",
                        DataType.LONG,
                        List.of("d1", "d2"),
                        model.inputs().get(0).bound()));
        assertThat(model.inputs().get(0).bound()).isPresent();
        assertThat(model.inputs().get(0).shape()).containsExactly(-1, -1);
        assertThat(model.graph().getVariable("input_ids").placeholderShape()).containsExactly(-1, -1);
        assertThat(model.outputs()).extracting(TensorSpec::name).containsExactly("logits");
    }

    @Test
    void the_same_graph_runs_at_several_sizes() {
        Path file = network().write(folder);
        ImportedModel model = OnnxImporter.load(file);
        try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(file)) {
            for (long[] size : new long[][] {{1, 2}, {3, 5}}) {
                var ids = Nd4j.arange(size[0] * size[1]).castTo(DataType.LONG).reshape(size);
                ids.data().assign(0);
                var expected = runtime.run(Map.of("input_ids", ids)).get("logits");
                var actual = model.graph().outputSingle(Map.of("input_ids", ids), "logits");
                assertThat(actual.shape()).containsExactly(expected.shape());
                assertThat(actual.sub(expected).amaxNumber().doubleValue()).isLessThan(1e-6);
            }
        }
    }

    @Test
    void all_unsupported_operators_are_named_at_once() {
        Path file = new TinyModel(14)
                .input("x", DataType.FLOAT, 2, 3)
                .named("/a/Resize", "Resize", "x x", "y")
                .named("/b/Foo", "com.microsoft:BeamSearch", "y", "z")
                .named("/c/Foo", "com.microsoft:BeamSearch", "z", "out")
                .output("out")
                .write(folder);
        assertThatThrownBy(() -> OnnxImporter.load(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll(
                        "opset 14",
                        "Resize (1x: /a/Resize)",
                        "com.microsoft:BeamSearch (2x: /b/Foo, /c/Foo)",
                        "export");
        ImportReport report = OnnxImporter.inspect(file);
        assertThat(report.isSupported()).isFalse();
        assertThat(report.text()).contains("unsupported", "/a/Resize");
    }

    @Test
    void inspecting_tells_what_loading_would_do() {
        ImportReport report = OnnxImporter.inspect(network().write(folder));
        assertThat(report.isSupported()).isTrue();
        assertThat(report.operators()).containsEntry("MatMul", 2).containsEntry("Gemm", 1);
        assertThat(report.text()).contains("h.0.fc 4 -> 3 + bias", "input_ids LONG [d1, d2]", "opset 14");
    }

    @Test
    void an_index_outside_of_its_axis_is_refused() {
        Path file = new TinyModel(14)
                .input("x", DataType.FLOAT, -1, 3)
                .initializer("five", HostTensor.of(DataType.LONG, new long[0], new long[] {5}))
                .node("Gather", "x five", "y", "axis", 1)
                .output("y")
                .write(folder);
        assertThatThrownBy(() -> OnnxImporter.load(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll(file.toString(), "Gather 'y'", "index 5", "axis with 3");
    }

    @Test
    void infinite_masks_give_finite_softmax() {
        HostTensor mask =
                HostTensor.of(DataType.FLOAT, new long[] {2, 2}, new double[] {0, Double.NEGATIVE_INFINITY, 0, 0});
        Path file = new TinyModel(14)
                .input("x", DataType.FLOAT, -1, 2)
                .initializer("mask", mask)
                .node("Add", "x mask", "masked")
                .node("Softmax", "masked", "y")
                .output("y")
                .write(folder);
        var x = Nd4j.createFromArray(new float[][] {{1, 2}, {1, 2}});
        var y = OnnxImporter.load(file).graph().outputSingle(Map.of("x", x), "y");
        assertThat(y.getRow(0).toFloatVector()).containsExactly(1, 0);
    }

    @Test
    void equal_nodes_are_emitted_once() {
        Path file = new TinyModel(14)
                .input("x", DataType.FLOAT, -1, 2)
                .node("Exp", "x", "a")
                .node("Exp", "x", "b")
                .node("Add", "a b", "y")
                .output("y")
                .output("b")
                .write(folder);
        ImportedModel model = OnnxImporter.load(file);
        assertThat(model.graph().getOps().values().stream()
                        .filter(op -> op.getOp().opName().equals("exp")))
                .hasSize(1);
        assertThat(model.graph().hasVariable("b")).isTrue();
    }

    @Test
    void an_input_that_is_also_an_output_is_passed_through() {
        Path file = new TinyModel(14)
                .input("x", DataType.FLOAT, -1, 2)
                .node("Identity", "x", "copy")
                .node("Neg", "x", "y")
                .output("copy")
                .output("y")
                .write(folder);
        var x = Nd4j.createFromArray(new float[][] {{1, 2}});
        Map<String, INDArray> out = OnnxImporter.load(file).graph().output(Map.of("x", x), "copy", "y");
        assertThatBits(out.get("copy")).isEqualTo(x);
        assertThatBits(out.get("y")).isEqualTo(x.neg());
    }

    @Test
    void names_that_same_diff_would_make_up_itself_are_kept() {
        Path file = new TinyModel(14)
                .input("add", DataType.FLOAT, -1, 2)
                .initializer("exp", vector(2))
                .node("Add", "add exp", "multiply")
                .node("Exp", "multiply", "neg")
                .node("Neg", "neg", "exp:0")
                .output("exp:0")
                .write(folder);
        ImportedModel model = OnnxImporter.load(file);
        assertThat(model.outputs().get(0).variable()).isEqualTo("exp_0");
        var x = Nd4j.createFromArray(new float[][] {{1, 2}});
        try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(file)) {
            var expected = runtime.run(Map.of("add", x)).get("exp:0");
            assertThat(model.graph()
                            .outputSingle(Map.of("add", x), "exp_0")
                            .sub(expected)
                            .amaxNumber()
                            .doubleValue())
                    .isLessThan(1e-5);
        }
        assertThat(model.aliases()).containsEntry("exp:0", "exp_0").containsEntry("add", "add");
    }
}
