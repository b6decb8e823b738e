package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.method.Sorsa;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Tiny models of more architectures (architectures.py) compute what ONNX Runtime computes, and keep their names. */
class ArchitectureTest {
    @TempDir
    Path folder;

    private static Path file(String name) throws URISyntaxException {
        return Path.of(Objects.requireNonNull(ArchitectureTest.class.getResource("/architectures/" + name + ".onnx"))
                .toURI());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "t5-op13",
                "t5-op14",
                "t5-op17",
                "vit-op11",
                "vit-op14",
                "vit-op17",
                "neox-op11",
                "neox-op14",
                "neox-op17",
                "mamba-op11",
                "mamba-op14",
                "mamba-op17",
                "roberta-shared-op11",
                "roberta-shared-op14",
                "roberta-shared-op17",
            })
    void outputs_are_those_of_onnx_runtime(String name) throws URISyntaxException {
        Verification verification = OnnxVerifier.verify(file(name), 1e-4, 7);
        assertThat(verification.passed()).as(verification.toString()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({
        "t5, 13, lm_head encoder.0.SelfAttention.q decoder.1.EncDecAttention.v decoder.0.wi",
        "vit, 11, projection classifier encoder.0.linear1 encoder.0.self_attn.out_proj",
        "neox, 11, query_key_value dense_4h_to_h embed_out",
        "mamba, 11, in_proj x_proj dt_proj out_proj lm_head",
        "roberta-shared, 11, query dense classifier",
    })
    void linear_layers_have_the_names_of_the_modules_at_every_operator_set(String name, int oldest, String modules)
            throws URISyntaxException {
        List<String> expected = List.of(modules.split(" "));
        List<String> first = modules(name + "-op" + oldest);
        for (int opset : new int[] {14, 17}) {
            List<String> found = modules(name + "-op" + opset);
            assertThat(found).containsAll(expected).doesNotHaveDuplicates().containsExactlyInAnyOrderElementsOf(first);
        }
    }

    /** Shared weights, convolutions, weights behind identities: merged and beside the weights alike. */
    @ParameterizedTest
    @ValueSource(strings = {"vit-op17", "vit-op11", "t5-op14", "roberta-shared-op17", "neox-op14", "mamba-op14"})
    void adapters_reach_onnx_runtime_merged_and_unmerged(String name) throws URISyntaxException {
        ImportedModel model = OnnxImporter.load(file(name));
        AdaptedModel adapted = AdaptedModel.inject(model.graph(), model.modulePaths(), AdapterConfig.of(Sorsa.rank(1)));
        for (String trainable : adapted.trainableNames()) {
            INDArray values = model.graph().getVariable(trainable).getArr();
            values.addi(Nd4j.randn(values.dataType(), values.shape()).muli(0.05));
        }
        OnnxWriter.writeAdapted(model, adapted.updates(), folder.resolve("adapted.onnx"));
        OnnxWriter.writeMerged(model, adapted.mergedWeights(), folder.resolve("merged.onnx"));
        for (String written : List.of("adapted.onnx", "merged.onnx")) {
            Verification verification =
                    OnnxVerifier.verify(folder.resolve(written), model, InputSizes.SAMPLES, 1e-4, 1);
            assertThat(verification.passed()).as(written + verification).isTrue();
        }
    }

    private static List<String> modules(String name) throws URISyntaxException {
        return OnnxImporter.inspect(file(name)).linearLayers().stream()
                .map(LinearLayer::module)
                .toList();
    }
}
