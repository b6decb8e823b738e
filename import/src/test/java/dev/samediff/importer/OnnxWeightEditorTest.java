package dev.samediff.importer;

import static dev.samediff.importer.fixture.OnnxFiles.floats;
import static dev.samediff.importer.fixture.OnnxFiles.longs;
import static dev.samediff.importer.fixture.OnnxFiles.node;
import static dev.samediff.importer.fixture.OnnxFiles.tensor;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.fixture.Fixture;
import dev.samediff.importer.fixture.OnnxFiles;
import dev.samediff.importer.onnx.ExternalData;
import dev.samediff.importer.onnx.ModelOutput;
import dev.samediff.importer.onnx.OnnxWeightEditor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import onnx.Onnx;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class OnnxWeightEditorTest {
    @TempDir
    Path folder;

    private final INDArray table = Nd4j.rand(DataType.FLOAT, 4, 3);
    private final INDArray other = Nd4j.rand(DataType.FLOAT, 4, 3);
    private final Map<String, INDArray> ids = Map.of("ids", Nd4j.createFromArray(new long[] {2, 0}));

    /** Embedding and head read one tensor: ids -> Gather -> MatMul with the transposed table. */
    private Onnx.GraphProto.Builder tied() {
        return Onnx.GraphProto.newBuilder()
                .addInput(longs("ids", "n"))
                .addInitializer(tensor("table", table))
                .addNode(node("Gather", "x", "table", "ids"))
                .addNode(node("Transpose", "turned", "table"))
                .addNode(node("MatMul", "y", "x", "turned"))
                .addOutput(floats("y", "n", 4));
    }

    /** The model as it is written, with its numbers. */
    private Onnx.ModelProto written(OnnxWeightEditor editor) throws IOException {
        Path file = folder.resolve("m.onnx");
        new ModelOutput(editor.build(), new ExternalData(file), editor.values()).write(file);
        return OnnxFiles.read(file);
    }

    private INDArray run(OnnxWeightEditor editor) throws IOException {
        written(editor);
        try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(folder.resolve("m.onnx"))) {
            return Objects.requireNonNull(runtime.run(ids).get("y"));
        }
    }

    private INDArray rows(INDArray table) {
        return Nd4j.vstack(table.getRow(2, true), table.getRow(0, true));
    }

    @Test
    void a_tensor_the_embedding_reads_too_stays_and_the_product_gets_its_own() throws IOException {
        OnnxWeightEditor editor = new OnnxWeightEditor(OnnxFiles.model(tied()));
        editor.replaceInProducts("table", "lm_head.weight", other);
        Onnx.ModelProto written = editor.build();

        assertThat(run(editor).distance2(rows(table).mmul(other.transpose()))).isLessThan(1e-6);
        assertThat(written.getGraph().getInitializerList())
                .extracting(Onnx.TensorProto::getName)
                .containsExactly("table", "lm_head.weight");
    }

    @Test
    void identities_in_front_of_both_uses_are_looked_through() throws IOException {
        Onnx.GraphProto.Builder graph = tied();
        graph.setNode(0, node("Gather", "x", "same", "ids"));
        graph.setNode(1, node("Transpose", "turned", "same"));
        graph.addNode(0, node("Identity", "same", "table"));
        OnnxWeightEditor editor = new OnnxWeightEditor(OnnxFiles.model(graph));
        editor.replaceInProducts("table", "table", other);

        assertThat(run(editor).distance2(rows(table).mmul(other.transpose()))).isLessThan(1e-6);
        assertThat(editor.build().getGraph().getInitializer(1).getName()).isEqualTo("table.merged");
    }

    @Test
    void a_tensor_that_is_an_output_of_the_model_stays() {
        Onnx.GraphProto.Builder graph = tied().addOutput(floats("table", 4, 3));
        OnnxWeightEditor editor = new OnnxWeightEditor(OnnxFiles.model(graph));
        editor.replaceInProducts("table", "head", other);

        assertThat(editor.tensor("table"))
                .isEqualTo(OnnxFiles.model(graph).getGraph().getInitializer(0));
    }

    @Test
    void a_constant_node_is_replaced_where_it_stands() throws IOException {
        Onnx.GraphProto.Builder graph = tied().clearInitializer();
        graph.setNode(0, node("Gather", "x", "embedding", "ids"));
        graph.addInitializer(tensor("embedding", table));
        graph.addNode(
                0,
                node("Constant", "table").toBuilder()
                        .addAttribute(Onnx.AttributeProto.newBuilder()
                                .setName("value")
                                .setType(Onnx.AttributeProto.AttributeType.TENSOR)
                                .setT(tensor("", table))));
        OnnxWeightEditor editor = new OnnxWeightEditor(OnnxFiles.model(graph));
        editor.replaceInProducts("table", "head", other);

        assertThat(run(editor).distance2(rows(table).mmul(other.transpose()))).isLessThan(1e-6);
        assertThat(editor.build().getGraph().getInitializerCount()).isEqualTo(1);
    }

    @Test
    void writing_the_same_numbers_gives_the_same_model() throws IOException {
        Onnx.ModelProto source = OnnxFiles.read(Fixture.named("llama-op17").onnx());
        OnnxWeightEditor editor = new OnnxWeightEditor(source);
        for (Onnx.TensorProto initializer : source.getGraph().getInitializerList()) {
            if (initializer.getDimsCount() == 2 && initializer.getDataType() == 1) {
                INDArray values = Nd4j.create(
                        floatsOf(initializer), new long[] {initializer.getDims(0), initializer.getDims(1)}, 'c');
                editor.replaceElsewhere(initializer.getName(), values);
            }
        }
        assertThat(written(editor)).isEqualTo(source);
    }

    private static float[] floatsOf(Onnx.TensorProto tensor) {
        java.nio.FloatBuffer buffer = tensor.getRawData()
                .asReadOnlyByteBuffer()
                .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer();
        float[] values = new float[buffer.remaining()];
        buffer.get(values);
        return values;
    }

    @Test
    void weights_that_are_no_floats_are_refused() {
        Onnx.GraphProto.Builder graph =
                tied().clearInitializer().addInitializer(tensor("table", table.castTo(DataType.LONG)));
        OnnxWeightEditor editor = new OnnxWeightEditor(OnnxFiles.model(graph));
        assertThatThrownBy(() -> editor.replaceInProducts("table", "head", other))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("table")
                .hasMessageContaining("INT64")
                .hasMessageContaining("BFLOAT16");
    }

    @Test
    void untying_gives_the_product_a_copy_and_leaves_the_embedding_the_original() throws IOException {
        OnnxWeightEditor editor = new OnnxWeightEditor(OnnxFiles.model(tied()));
        editor.untie();
        Onnx.GraphProto untied = editor.build().getGraph();

        assertThat(untied.getNodeList().stream().map(node -> node.getInput(0)))
                .containsExactly("table", "table::untied", "x");
        assertThat(OnnxWeightEditor.original("table::untied")).isEqualTo("table");
        assertThat(run(editor).distance2(rows(table).mmul(table.transpose()))).isLessThan(1e-6);
    }

    @Test
    void another_embedding_leaves_the_product_its_numbers() throws IOException {
        OnnxWeightEditor editor = new OnnxWeightEditor(OnnxFiles.model(tied()));
        editor.replaceElsewhere("table", other);

        assertThat(run(editor).distance2(rows(other).mmul(table.transpose()))).isLessThan(1e-6);
    }

    @Test
    void untying_what_is_not_tied_changes_nothing() {
        for (Fixture fixture : Fixture.all()) {
            if (fixture.folded() || !fixture.tied()) {
                Onnx.ModelProto source = OnnxFiles.read(fixture.onnx());
                OnnxWeightEditor editor = new OnnxWeightEditor(source);
                editor.untie();
                assertThat(editor.build()).isEqualTo(source);
            }
        }
    }

    @Test
    void metadata_is_set_once_per_key() {
        OnnxWeightEditor editor = new OnnxWeightEditor(OnnxFiles.model(tied()));
        editor.metadata("method", "lora");
        editor.metadata("method", "pissa");
        assertThat(editor.build().getMetadataPropsList())
                .extracting(Onnx.StringStringEntryProto::getKey, Onnx.StringStringEntryProto::getValue)
                .containsExactly(org.assertj.core.groups.Tuple.tuple("method", "pissa"));
    }
}
