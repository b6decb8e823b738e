package dev.samediff.importer.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.testing.MostEffort;
import dev.samediff.importer.OnnxImporter;
import dev.samediff.importer.TinyModel;
import dev.samediff.importer.tensor.HostTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import onnx.Onnx.FunctionProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.SparseTensorProto;
import onnx.Onnx.TensorProto;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;

/** Small files that ask for endless work or memory: refused, or imported without doing it, within seconds. */
@MostEffort(seconds = 10)
class HostileFileTest {
    @TempDir
    Path folder;

    private static HostTensor numbers(long... shape) {
        return HostTensor.filled(DataType.FLOAT, shape, 0.5);
    }

    private Path write(ModelProto model) throws IOException {
        return Files.write(folder.resolve("hostile.onnx"), model.toByteArray());
    }

    private static NodeProto call(String function, String input, String output) {
        return NodeProto.newBuilder()
                .setDomain("local")
                .setOpType(function)
                .addInput(input)
                .addOutput(output)
                .build();
    }

    @Test
    void functions_that_call_each_other_twice_and_do_nothing() throws IOException {
        ModelProto.Builder model = new TinyModel(18)
                        .input("x", DataType.FLOAT, -1, 4)
                        .node("local:f0", "x", "unread")
                        .node("Tanh", "x", "y")
                        .output("y", DataType.FLOAT, -1, 4)
                        .proto()
                        .toBuilder();
        for (int i = 0; i < 30; i++) {
            model.addFunctions(FunctionProto.newBuilder()
                    .setDomain("local")
                    .setName("f" + i)
                    .addInput("a")
                    .addOutput("b")
                    .addNode(call("f" + (i + 1), "a", "c"))
                    .addNode(call("f" + (i + 1), "a", "d")));
        }
        model.addFunctions(
                FunctionProto.newBuilder().setDomain("local").setName("f30").addInput("a"));
        assertThatThrownBy(() -> OnnxImporter.load(write(model.build())))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("too many nodes or calls");
    }

    @Test
    void tables_behind_identities_that_form_a_circle() throws IOException {
        ModelProto model = new TinyModel(17)
                .input("ids", DataType.LONG, -1)
                .node("Identity", "b", "a")
                .node("Identity", "a", "b")
                .node("Gather", "a ids", "y")
                .output("y", DataType.FLOAT, -1, 4)
                .proto();
        assertThatThrownBy(() -> OnnxImporter.load(write(model)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("depends on its own output");
    }

    @Test
    void readers_of_a_table_that_branch_at_every_step() throws IOException {
        TinyModel model = new TinyModel(17)
                .input("ids", DataType.LONG, -1)
                .initializer("t0", numbers(4, 4))
                .initializer("one", numbers());
        for (int i = 0; i < 60; i++) {
            model.node("Transpose", "t" + i + " t" + i, "t" + (i + 1), "perm", new long[] {1, 0});
        }
        ModelProto proto = model.node("Gather", "t0 ids", "g")
                .node("MatMul", "g t60", "y")
                .output("y", DataType.FLOAT, -1, 4)
                .proto();
        assertThat(OnnxImporter.load(write(proto)).outputs()).hasSize(1);
    }

    @Test
    void thousands_of_large_constants() throws IOException {
        TinyModel model =
                new TinyModel(17).input("x", DataType.FLOAT, -1, 4).initializer("shape", HostTensor.vector(2048, 2048));
        for (int i = 0; i < 2000; i++) {
            model.node(
                    "ConstantOfShape",
                    "shape",
                    "c" + i,
                    "value",
                    HostTensor.of(DataType.FLOAT, new long[] {1}, new double[] {i}));
            model.node("ReduceMax", "c" + i, "m" + i, "keepdims", 0);
            model.node("Add", (i == 0 ? "x" : "s" + (i - 1)) + " m" + i, "s" + i);
        }
        ModelProto proto = model.output("s1999", DataType.FLOAT, -1, 4).proto();
        assertThatThrownBy(() -> OnnxImporter.load(write(proto)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("from constants alone");
    }

    @Test
    void sizes_multiplied_until_they_are_endless_sums() throws IOException {
        TinyModel model = new TinyModel(17)
                .input("x", DataType.FLOAT, -1, -2, -3)
                .node("Shape", "x", "s")
                .node("ReduceSum", "s", "p0", "keepdims", 1);
        for (int i = 0; i < 40; i++) {
            model.node("Mul", "p" + i + " p" + i, "p" + (i + 1));
        }
        ModelProto proto = model.node("Cast", "p40", "y", "to", 1)
                .output("y", DataType.FLOAT, 1)
                .proto();
        assertThat(OnnxImporter.load(write(proto)).outputs()).hasSize(1);
    }

    @Test
    void sparse_tensors_that_are_large_together() throws IOException {
        TinyModel model = new TinyModel(17).input("x", DataType.FLOAT, -1, 4).node("Tanh", "x", "y");
        ModelProto.Builder proto = model.output("y", DataType.FLOAT, -1, 4).proto().toBuilder();
        TensorProto places = TensorProto.newBuilder()
                .setDataType(TensorProto.DataType.INT64_VALUE)
                .addDims(1)
                .addInt64Data(3)
                .build();
        for (int i = 0; i < 100; i++) {
            TensorProto values = TensorProto.newBuilder()
                    .setName("w" + i)
                    .setDataType(TensorProto.DataType.FLOAT_VALUE)
                    .addDims(1)
                    .addFloatData(1)
                    .build();
            proto.getGraphBuilder()
                    .addSparseInitializer(SparseTensorProto.newBuilder()
                            .setValues(values)
                            .setIndices(places)
                            .addDims(8192)
                            .addDims(1024));
        }
        assertThatThrownBy(() -> OnnxImporter.load(write(proto.build())))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("sparse tensor");
    }

    @Test
    void tensors_of_more_axes_than_nd4j_holds() throws IOException {
        ModelProto proto = new TinyModel(17)
                .input("x", DataType.FLOAT, -1, 4)
                .initializer(
                        "axes",
                        HostTensor.vector(
                                java.util.stream.LongStream.range(0, 40).toArray()))
                .node("Unsqueeze", "x axes", "y")
                .output("y", DataType.FLOAT, -1, 4)
                .proto();
        assertThatThrownBy(() -> OnnxImporter.load(write(proto)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("Unsqueeze");
    }

    @Test
    void a_node_that_is_not_valid_is_named_with_its_cause() throws IOException {
        ModelProto proto = new TinyModel(17)
                .input("x", DataType.FLOAT, -1, 4)
                .initializer("shape", HostTensor.vector(-5, -7))
                .named("odd", "Slice", "x shape", "y")
                .output("y", DataType.FLOAT, -1, 4)
                .proto();
        assertThatThrownBy(() -> OnnxImporter.load(write(proto)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("Slice 'odd'")
                .hasMessageContaining("not valid ONNX");
    }

    @ParameterizedTest
    @CsvSource({"Squeeze,0", "Squeeze,7", "Flatten,-5", "Unsqueeze,9", "Concat,3", "Gather,4"})
    void weights_that_are_made_by_what_cannot_be_computed(String operator, int axis) throws IOException {
        TinyModel model = new TinyModel(11)
                .input("x", DataType.FLOAT, -1, 4)
                .initializer("w", numbers(0, 4, 3))
                .initializer("places", HostTensor.vector(5));
        boolean many = operator.endsWith("queeze");
        model.node(
                operator,
                operator.equals("Gather") ? "w places" : "w",
                "v",
                many ? "axes" : "axis",
                many ? new long[] {axis} : (Object) axis);
        ModelProto proto = model.node("MatMul", "x v", "y")
                .output("y", DataType.FLOAT, -1, 3)
                .proto();
        assertThatThrownBy(() -> OnnxImporter.load(write(proto)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(operator);
    }
}
