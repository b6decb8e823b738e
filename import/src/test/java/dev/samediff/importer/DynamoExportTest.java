package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.importer.tensor.HostTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import onnx.Onnx.FunctionProto;
import onnx.Onnx.GraphProto;
import onnx.Onnx.ModelProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.OperatorSetIdProto;
import onnx.Onnx.StringStringEntryProto;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.shade.protobuf.UnknownFieldSet;

/**
 * What {@code torch.onnx.export(dynamo=True)} writes: parameters under their own names, weights behind a Transpose or folded
 * into Constant nodes ({@code val_0}), nodes called {@code node_linear_1}, the modules of a node in its metadata, lists of
 * tensors for split and cat, and functions of torch_lib. The models are made by hand after files of torch 2.5 to 2.7.
 */
class DynamoExportTest {
    private static final int METADATA_PROPS = 9;
    private static final String TORCH_LIB = "pkg.onnxscript.torch_lib";

    @TempDir
    Path folder;

    private static HostTensor reals(long... shape) {
        double[] values = new double[(int) HostTensor.length(shape)];
        for (int i = 0; i < values.length; i++) {
            values[i] = Math.sin(1.3 * i + shape[0]);
        }
        return HostTensor.of(DataType.FLOAT, shape, values);
    }

    /** Writes the model with the modules of its nodes in their metadata, as the exporter does. */
    private Path write(TinyModel model, FunctionProto... functions) throws IOException {
        ModelProto.Builder proto = model.proto().toBuilder().setIrVersion(10).setProducerName("pytorch");
        proto.addOpsetImport(
                OperatorSetIdProto.newBuilder().setDomain(TORCH_LIB).setVersion(1));
        GraphProto.Builder graph = proto.getGraphBuilder();
        for (int i = 0; i < graph.getNodeCount(); i++) {
            NodeProto node = graph.getNode(i);
            int at = node.getName().indexOf('@');
            if (at >= 0) {
                String module = node.getName().substring(at + 1);
                String scopes = "['', 'model', '" + module + "', 'linear_" + i + "']";
                StringStringEntryProto entry = StringStringEntryProto.newBuilder()
                        .setKey("pkg.torch.onnx.name_scopes")
                        .setValue(scopes)
                        .build();
                graph.setNode(
                        i,
                        node.toBuilder()
                                .setName(node.getName().substring(0, at))
                                .setUnknownFields(UnknownFieldSet.newBuilder()
                                        .addField(
                                                METADATA_PROPS,
                                                UnknownFieldSet.Field.newBuilder()
                                                        .addLengthDelimited(entry.toByteString())
                                                        .build())
                                        .build()));
            }
        }
        for (FunctionProto function : functions) {
            proto.addFunctions(function);
        }
        return Files.write(
                Files.createTempFile(folder, "dynamo", ".onnx"), proto.build().toByteArray());
    }

    private static TinyModel attention() {
        return new TinyModel(18)
                .input("x", DataType.FLOAT, -1, -2, 4)
                .initializer("model.q_proj.weight", reals(4, 4))
                .initializer("model.up.bias", reals(6))
                .node("Constant", "", "val_0", "value", reals(4, 6))
                .node("Constant", "", "val_1", "value", reals(6, 4))
                .named("node_Transpose_3", "Transpose", "model.q_proj.weight", "t", "perm", new long[] {1, 0})
                .named("node_linear@model.q_proj", "MatMul", "x t", "linear")
                .named("node_MatMul_5@model.up", "MatMul", "linear val_0", "val_2")
                .named("node_linear_1", "Add", "val_2 model.up.bias", "linear_1")
                .named("node_linear_2@model.down", "MatMul", "linear_1 val_1", "y")
                .output("y", DataType.FLOAT, -1, -2, 4);
    }

    @Test
    void layers_are_called_as_modules_are() throws IOException {
        Path file = write(attention());
        ImportedModel model = OnnxImporter.load(file);
        assertThat(model.linearLayers())
                .extracting(LinearLayer::module)
                .containsExactly("model.q_proj", "model.up", "model.down");
        assertThat(model.linearLayers()).extracting(LinearLayer::out).containsExactly(4, 6, 4);
        assertThat(OnnxVerifier.verify(file, 1e-5, 1).passed()).isTrue();
    }

    @Test
    void lists_of_tensors_become_slices_and_concatenations() throws IOException {
        TinyModel model = new TinyModel(18)
                .input("x", DataType.FLOAT, -1, -2, 6)
                .initializer("sizes", HostTensor.vector(2, 3, 1))
                .initializer("chunk", HostTensor.of(DataType.LONG, new long[0], new long[] {4}))
                .initializer("zero", HostTensor.of(DataType.LONG, new long[0], new long[] {0}))
                .initializer("one", HostTensor.of(DataType.LONG, new long[0], new long[] {1}))
                .named("node_split", "SplitToSequence", "x sizes", "split", "axis", 2)
                .named("node_getitem", "SequenceAt", "split zero", "getitem")
                .named("node_getitem_1", "SequenceAt", "split one", "getitem_1")
                .named("node_chunk", "SplitToSequence", "x chunk", "chunks", "axis", 2)
                .named("node_getitem_2", "SequenceAt", "chunks one", "getitem_2")
                .named("node_list", "SequenceConstruct", "getitem_1 getitem getitem_2", "list")
                .named("node_cat", "ConcatFromSequence", "list", "y", "axis", 2)
                .output("y", DataType.FLOAT, -1, -2, 7);
        assertThat(OnnxVerifier.verify(write(model), 1e-6, 1).passed()).isTrue();
    }

    @Test
    void parts_from_the_end_and_all_parts_of_a_list_become_tensors() throws IOException {
        TinyModel model = new TinyModel(18)
                .input("x", DataType.FLOAT, -1, -2, 6)
                .initializer("sizes", HostTensor.vector(2, 3, 1))
                .initializer("last", HostTensor.of(DataType.LONG, new long[0], new long[] {-1}))
                .initializer("first", HostTensor.of(DataType.LONG, new long[0], new long[] {-3}))
                .initializer("before", HostTensor.of(DataType.LONG, new long[0], new long[] {-2}))
                .node("SplitToSequence", "x sizes", "split", "axis", 2)
                .node("SequenceAt", "split last", "a")
                .node("SequenceAt", "split first", "b")
                .node("SplitToSequence", "x", "singles", "axis", 2)
                .node("SequenceAt", "singles last", "c")
                .node("SequenceAt", "singles before", "d")
                .node("ConcatFromSequence", "split", "all", "axis", 2)
                .node("Concat", "a b c d all", "y", "axis", 2)
                .output("y", DataType.FLOAT, -1, -2, 11);
        assertThat(OnnxVerifier.verify(write(model), 1e-6, 1).passed()).isTrue();
    }

    @Test
    void functions_of_torch_lib_are_put_in_their_place() throws IOException {
        FunctionProto gelu = FunctionProto.newBuilder()
                .setDomain(TORCH_LIB)
                .setName("aten_scaled")
                .addInput("self")
                .addAttribute("factor")
                .addOutput("result")
                .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(18))
                .addNode(NodeProto.newBuilder()
                        .setName("n0")
                        .setOpType("Constant")
                        .addOutput("scale")
                        .addAttribute(onnx.Onnx.AttributeProto.newBuilder()
                                .setName("value_float")
                                .setType(onnx.Onnx.AttributeProto.AttributeType.FLOAT)
                                .setRefAttrName("factor")))
                .addNode(NodeProto.newBuilder()
                        .setName("n1")
                        .setOpType("Mul")
                        .addInput("self")
                        .addInput("scale")
                        .addOutput("result"))
                .build();
        TinyModel model = new TinyModel(18)
                .input("x", DataType.FLOAT, -1, 4)
                .initializer("fc.weight", reals(3, 4))
                .named("node_aten_t", "Transpose", "fc.weight", "t", "perm", new long[] {1, 0})
                .named("node_mm@fc", "MatMul", "x t", "mm")
                .named("aten_scaled_1", TORCH_LIB + ":aten_scaled", "mm", "y", "factor", 0.7f)
                .output("y", DataType.FLOAT, -1, 3);
        Path file = write(model, gelu);
        assertThat(OnnxVerifier.verify(file, 1e-6, 1).passed()).isTrue();
        assertThat(OnnxImporter.load(file).modulePaths()).containsEntry("fc.weight", "fc");
    }
}
