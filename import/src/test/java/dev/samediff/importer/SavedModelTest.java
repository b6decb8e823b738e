package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.tensorflow.GraphWriter;
import dev.samediff.importer.tensorflow.GraphWriter.Weights;
import dev.samediff.importer.tensorflow.SavedModels;
import dev.samediff.importer.tensorflow.TensorFlowModels;
import dev.samediff.importer.tensorflow.TensorFlowRuntime;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.tensorflow.framework.DataType;
import org.tensorflow.framework.GraphDef;
import org.tensorflow.framework.TensorInfo;

/** SavedModel folders, with checkpoints that TensorFlow wrote, and graphs and folders that cannot be imported. */
class SavedModelTest {
    private static final TensorFlowModels MODEL = TensorFlowModels.GPT2;
    private static final Map<String, TensorInfo> IDS =
            Map.of("input_ids", SavedModels.info("input_ids:0", DataType.DT_INT32, -1, -1));
    private static final Map<String, TensorInfo> SCORES =
            Map.of("scores", SavedModels.info("logits:0", DataType.DT_FLOAT, -1, -1, -1));

    @TempDir
    Path folder;

    @BeforeAll
    static void tensorflow() {
        TensorFlowRuntime.require();
    }

    private Path saved(Weights weights) {
        GraphWriter writer = MODEL.writer(weights, Map.of());
        return SavedModels.write(folder.resolve("saved"), writer.graph(), writer.values(), Map.of(), IDS, SCORES);
    }

    /** The model as the body of a function, its variables captured, their keys those of tracked objects. */
    private Path function() {
        GraphWriter body = MODEL.writer(Weights.RESOURCE, Map.of());
        Map<String, INDArray> values = new LinkedHashMap<>();
        Map<String, String> objects = new LinkedHashMap<>();
        body.values().forEach((name, value) -> {
            String key = "layers/" + values.size() + "/.ATTRIBUTES/VARIABLE_VALUE";
            values.put(key, value);
            objects.put(name, key);
        });
        GraphDef graph = SavedModels.asFunction(
                body, Map.of("input_ids", DataType.DT_INT32), Map.of("scores", "logits"), body.values());
        return SavedModels.write(
                folder.resolve("function"),
                graph,
                values,
                objects,
                Map.of("input_ids", SavedModels.info("serving_default_input_ids:0", DataType.DT_INT32, -1, -1)),
                Map.of("scores", SavedModels.info("StatefulPartitionedCall:0", DataType.DT_FLOAT, -1, -1, -1)));
    }

    private static void assertComputesTheSame(ImportedModel model) {
        assertThat(model.inputs()).extracting(TensorSpec::name).containsExactly("input_ids");
        assertThat(model.outputs()).extracting(TensorSpec::name).containsExactly("scores");
        for (Map<String, INDArray> inputs : MODEL.inputs()) {
            INDArray expected = MODEL.run(inputs, Map.of()).get("logits");
            INDArray actual = model.graph().output(inputs, "scores").get("scores");
            TensorFlowImporterTest.assertClose("scores", actual, expected, 1e-4);
        }
    }

    @Test
    void variables_of_tensorflow_1_come_from_the_checkpoint() {
        assertComputesTheSame(TensorFlowImporter.load(saved(Weights.REFERENCE)));
    }

    @Test
    void resource_variables_come_from_the_checkpoint() {
        ImportedModel model = TensorFlowImporter.load(saved(Weights.RESOURCE));
        assertComputesTheSame(model);
        assertThat(model.modulePaths()).containsEntry("gpt2.h_1.mlp.c_fc.weight", "gpt2.h_1.mlp.c_fc");
        assertThat(model.source()).isEqualTo(folder.resolve("saved"));
    }

    @Test
    void functions_are_inlined_and_captured_variables_found_by_their_objects() {
        Path path = function();
        ImportedModel model = TensorFlowImporter.load(path);
        assertComputesTheSame(model);
        assertThat(model.modulePaths()).containsEntry("gpt2.h_0.attn.c_attn.weight", "gpt2.h_0.attn.c_attn");
        assertThat(model.aliases()).containsEntry("serving_default_input_ids", "input_ids");
    }

    @Test
    void variables_are_found_by_the_graphs_own_restore_nodes() {
        GraphWriter writer = MODEL.writer(Weights.RESOURCE, Map.of());
        Map<String, INDArray> values = new LinkedHashMap<>();
        Map<String, String> keys = new LinkedHashMap<>();
        writer.values().forEach((name, value) -> {
            keys.put(name, "entry_" + values.size());
            values.put("entry_" + values.size(), value);
        });
        SavedModels.addRestore(writer, keys);
        Path path = SavedModels.write(folder.resolve("restored"), writer.graph(), values, Map.of(), IDS, SCORES);
        assertComputesTheSame(TensorFlowImporter.load(path));
    }

    @Test
    void a_graph_in_text_form_is_read() throws IOException {
        Path file = Files.writeString(
                folder.resolve("graph.pbtxt"),
                MODEL.writer(Weights.FROZEN, Map.of()).graph().toString());
        ImportedModel model = TensorFlowImporter.load(file);
        Map<String, INDArray> inputs = MODEL.inputs().get(0);
        INDArray expected = MODEL.run(inputs, Map.of()).get("logits");
        TensorFlowImporterTest.assertClose(
                "text", model.graph().output(inputs, "logits").get("logits"), expected, 1e-4);
    }

    @Test
    void merged_weights_are_written_into_the_translation() {
        ImportedModel model = TensorFlowImporter.load(saved(Weights.RESOURCE));
        String weight = "gpt2.h_0.mlp.c_fc.weight";
        INDArray changed = model.graph().getVariable(weight).getArr().mul(1.5);
        Path onnx = folder.resolve("merged.onnx");
        OnnxWriter.writeMerged(model, Map.of(weight, changed), onnx);
        Map<String, INDArray> inputs = MODEL.inputs().get(0);
        INDArray expected =
                MODEL.run(inputs, Map.of("gpt2/h_0/mlp/c_fc/kernel", changed)).get("logits");
        try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(onnx)) {
            TensorFlowImporterTest.assertClose("merged", runtime.run(inputs).get("scores"), expected, 1e-4);
        }
    }

    @Test
    void a_graph_without_values_is_refused_with_the_command_that_freezes_it() throws IOException {
        Path file = folder.resolve("graph.pb");
        Files.write(file, MODEL.writer(Weights.REFERENCE, Map.of()).graph().toByteArray());
        assertThatThrownBy(() -> TensorFlowImporter.load(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("variables without values (")
                .hasMessageContaining("gpt2/wte/weight_table")
                .hasMessageContaining("python -m tensorflow.python.tools.freeze_graph --input_graph=" + file)
                .hasMessageContaining("--output_node_names=logits");
    }

    @Test
    void unknown_operators_are_named_all_at_once_and_reported_by_inspect() throws IOException {
        GraphWriter writer = new GraphWriter(Weights.FROZEN);
        String x = writer.placeholder("x", DataType.DT_FLOAT, -1, 3);
        String places = writer.node("Where", "find/Where", List.of(x), "T", DataType.DT_FLOAT);
        writer.node("Cast", "floats", List.of(places), "SrcT", DataType.DT_INT64, "DstT", DataType.DT_FLOAT);
        writer.op("Digamma", "one/Digamma", x);
        writer.op("Digamma", "two/Digamma", x);
        Path file = Files.write(folder.resolve("odd.pb"), writer.graph().toByteArray());
        assertThatThrownBy(() -> TensorFlowImporter.load(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("Digamma (2x: one/Digamma (no translation of this operator exists; write it of")
                .hasMessageContaining("Where (1x: find/Where (the size of its result depends on the data; write");
        assertThat(TensorFlowImporter.inspect(file).unsupported())
                .containsOnlyKeys("tensorflow:Where", "tensorflow:Digamma");
    }

    @Test
    void a_damaged_checkpoint_is_refused_with_the_variable_it_hits() throws IOException {
        Path path = saved(Weights.RESOURCE);
        Path data = path.resolve("variables/variables.data-00000-of-00001");
        byte[] bytes = Files.readAllBytes(data);
        byte[] flipped = bytes.clone();
        flipped[bytes.length / 2] ^= 1;
        Files.write(data, flipped);
        assertThatThrownBy(() -> TensorFlowImporter.load(path))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("does not have the checksum");
        Files.write(data, java.util.Arrays.copyOf(bytes, bytes.length / 2));
        assertThatThrownBy(() -> TensorFlowImporter.load(path))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("needs bytes");
        Path index = path.resolve("variables/variables.index");
        byte[] table = Files.readAllBytes(index);
        table[20] ^= 1;
        Files.write(index, table);
        assertThatThrownBy(() -> TensorFlowImporter.load(path))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("is not a complete checkpoint index");
    }

    @Test
    void folders_and_files_of_another_kind_are_refused() throws IOException {
        assertThatThrownBy(() -> TensorFlowImporter.load(folder))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("has no saved_model.pb");
        Path text = Files.writeString(folder.resolve("text.pb"), "no graph at all");
        assertThatThrownBy(() -> TensorFlowImporter.load(text)).isInstanceOf(InvalidInputException.class);
        Path saved = saved(Weights.RESOURCE);
        assertThatThrownBy(() -> TensorFlowImporter.load(
                        saved, TensorFlowOptions.defaults().withSignature("train")))
                .hasMessageContaining("no signature 'train'; it has serving_default");
        assertThatThrownBy(() -> TensorFlowImporter.load(
                        saved, TensorFlowOptions.defaults().withOutputs("logit")))
                .hasMessageContaining("no output, node or tensor 'logit'; outputs are scores");
    }
}
