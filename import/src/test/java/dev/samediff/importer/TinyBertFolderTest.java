package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.graph.Orientation;
import dev.samediff.adapters.io.Safetensors;
import dev.samediff.adapters.testing.Npz;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A trained BERT that transformers itself exported computes, from a folder of its weights, what ONNX Runtime computes with the export: the
 * definition is not ours. It lies outside of the project, and without it the test is skipped.
 */
class TinyBertFolderTest {
    private static final String CONFIG = """
            {"model_type": "bert", "architectures": ["BertModel"], "vocab_size": 1656, "hidden_size": 50, "intermediate_size": 200,
             "num_hidden_layers": 1, "num_attention_heads": 1, "max_position_embeddings": 100, "type_vocab_size": 2,
             "hidden_act": "gelu", "layer_norm_eps": 1e-12, "pad_token_id": 0}
            """;

    @TempDir
    Path folder;

    @Test
    void a_folder_of_its_weights_computes_what_its_export_does() throws IOException {
        Path file = Path.of(System.getProperty("shared.dir", "../../shared"), "models", "tinybert", "tinybert.onnx");
        assumeTrue(Files.exists(file), () -> "the collection of real models is not here: no " + file);
        Files.writeString(folder.resolve("config.json"), CONFIG);
        new Safetensors(tensors(OnnxImporter.load(file)), Safetensors.PYTORCH)
                .write(folder.resolve("model.safetensors"));
        ImportedModel model = HuggingFaceImporter.load(folder);
        Map<String, INDArray> inputs = inputs();
        Map<String, INDArray> own = OnnxVerifier.run(model, inputs);
        try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(file)) {
            Map<String, INDArray> theirs = runtime.run(inputs);
            requireNear(Npz.get(own, "last_hidden_state"), Npz.get(theirs, "output_0"));
            requireNear(Npz.get(own, "pooler_output"), Npz.get(theirs, "output_1"));
        }
    }

    private static void requireNear(INDArray own, INDArray theirs) {
        assertThat(own.shape()).isEqualTo(theirs.shape());
        assertThat(own.sub(theirs).amaxNumber().doubleValue()).isLessThan(1e-4);
        assertThat(theirs.amaxNumber().doubleValue()).isGreaterThan(0.1);
    }

    /** Three texts of two segments: whole, padded on the right, padded on the left. */
    private static Map<String, INDArray> inputs() {
        long[][] ids = new long[3][12];
        long[][] mask = new long[3][12];
        long[][] segments = new long[3][12];
        for (int row = 0; row < ids.length; row++) {
            for (int at = 0; at < ids[row].length; at++) {
                boolean seen = row == 0 || (row == 1 ? at < 8 : at >= 5);
                ids[row][at] = seen ? (37L * row + 101L * at + 5) % 1656 : 0;
                mask[row][at] = seen ? 1 : 0;
                segments[row][at] = at > 5 ? 1 : 0;
            }
        }
        Map<String, INDArray> inputs = new LinkedHashMap<>();
        inputs.put("input_ids", Nd4j.createFromArray(ids));
        inputs.put("attention_mask", Nd4j.createFromArray(mask));
        inputs.put("token_type_ids", Nd4j.createFromArray(segments));
        return inputs;
    }

    /** As transformers saves them: matrices [out,in]. */
    private static Map<String, INDArray> tensors(ImportedModel export) {
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        export.initializers().keySet().forEach(name -> {
            INDArray array = export.graph().getVariable(name).getArr();
            tensors.put(name, array.dup('c'));
        });
        for (LinearLayer layer : export.linearLayers()) {
            INDArray weight = tensors.remove(layer.weight());
            boolean turned = layer.orientation() == Orientation.IN_OUT;
            tensors.put(layer.module() + ".weight", (turned ? weight.transpose() : weight).dup('c'));
        }
        return tensors;
    }
}
