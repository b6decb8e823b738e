package dev.samediff.samples.bench.network;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.io.Safetensors;
import dev.samediff.importer.ImportedModel;
import dev.samediff.importer.OnnxImporter;
import dev.samediff.importer.OnnxVerifier;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;

class WorkloadTest {
    private static final Network TINY = new Network(16, 2, 2, 2, 6, 20);

    @TempDir
    Path folder;

    @Test
    void the_graph_has_gpt2s_modules_and_the_numbers_of_the_safetensors_file() throws Exception {
        Workload workload = Workload.write(TINY, folder);
        ImportedModel imported = OnnxImporter.load(workload.model());
        assertThat(imported.modulePaths().values())
                .contains(
                        "transformer.h.1.attn.c_attn",
                        "transformer.h.1.attn.c_proj",
                        "transformer.h.1.mlp.c_fc",
                        "transformer.h.1.mlp.c_proj",
                        "lm_head")
                .hasSize(9);
        Map<String, INDArray> stored =
                Safetensors.read(folder.resolve("weights.safetensors")).tensors();
        INDArray weight = imported.graph().getArrForVarName("transformer.h.1.mlp.c_fc.weight");
        assertThatBits(weight).isEqualTo(stored.get("transformer.h.1.mlp.c_fc.weight"));
        assertThat(weight.stdNumber().doubleValue()).isBetween(0.2, 0.3); // 1 / sqrt(16)
    }

    @Test
    void onnx_runtime_computes_the_same() throws Exception {
        Workload workload = Workload.write(TINY, folder);
        assertThat(OnnxVerifier.verify(workload.model(), 1e-4, 1).passed()).isTrue();
    }

    @Test
    void every_label_is_the_token_that_follows() throws Exception {
        Workload.Batch batch = Workload.write(TINY, folder).batch();
        assertThat(batch.ids().shape()).containsExactly(2, 6);
        for (int t = 0; t < 5; t++) {
            assertThat(batch.labels().getInt(1, t)).isEqualTo(batch.ids().getInt(1, t + 1));
        }
    }
}
