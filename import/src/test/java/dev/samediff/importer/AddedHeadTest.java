package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.WholeTensors;
import dev.samediff.adapters.WholeTensors.Bias;
import dev.samediff.adapters.graph.ModuleMatch;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.task.Pooling;
import dev.samediff.adapters.task.TaskHead;
import dev.samediff.importer.fixture.Fixture;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Heads that are added to imported graphs, and tensors that are trained whole, in ONNX files. */
class AddedHeadTest {
    private static final String BERT = "bert-mlm-op17";

    @TempDir
    Path folder;

    private static void move(AdaptedModel model) {
        Map<String, INDArray> values = model.trainables();
        Nd4j.getRandom().setSeed(4);
        values.values()
                .forEach(value ->
                        value.addi(Nd4j.randn(value.dataType(), value.shape()).muli(0.05)));
        model.restore(values);
    }

    /** The inputs of a sample; the last two tokens of its second text are padding, or the first two. */
    private static Map<String, INDArray> inputs(Fixture fixture, boolean left) {
        Map<String, INDArray> inputs = new HashMap<>(fixture.samples().get(0).inputs());
        INDArray mask = inputs.get("attention_mask").dup();
        long tokens = mask.size(1);
        mask.assign(1);
        for (int i = 0; i < 2; i++) {
            mask.putScalar(mask.size(0) - 1, left ? i : tokens - 1 - i, 0);
        }
        inputs.put("attention_mask", mask);
        return inputs;
    }

    @ParameterizedTest
    @CsvSource({
        "FIRST,bert-mlm-op17", "MEAN,bert-mlm-op17", "LAST,bert-mlm-op17", "EACH,bert-mlm-op17",
        "FIRST,bert-mlm-op11", "MEAN,bert-mlm-op11", "LAST,bert-mlm-op11", "EACH,bert-mlm-op11"
    })
    void onnx_runtime_computes_the_head_merged_and_beside_the_weights(Pooling pooling, String name) {
        Fixture fixture = Fixture.named(name);
        ImportedModel model = OnnxImporter.load(fixture.onnx());
        String logits = model.addHead(TaskHead.classification(5).withPooling(pooling));
        AdaptedModel adapted = AdaptedModel.inject(
                model.graph(),
                model.modulePaths(),
                AdapterConfig.of(Sorsa.rank(2)).withModulesToSave("classifier").withBias(Bias.ALL));
        move(adapted);
        Path merged = folder.resolve("merged.onnx");
        Path beside = folder.resolve("beside.onnx");
        OnnxWriter.writeMerged(model, adapted.mergedWeights(), merged);
        OnnxWriter.writeAdapted(model, adapted.updates(), beside);
        for (boolean left : new boolean[] {false, true}) {
            Map<String, INDArray> inputs = inputs(fixture, left);
            INDArray expected = model.graph().output(inputs, logits).get(logits);
            for (Path file : new Path[] {merged, beside}) {
                try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(file)) {
                    INDArray found = runtime.run(inputs).get(logits);
                    assertThat(found.shape()).isEqualTo(expected.shape());
                    assertThat(found.sub(expected).amaxNumber().doubleValue())
                            .as("%s, padded on the left %s", file.getFileName(), left)
                            .isLessThan(1e-4);
                }
            }
        }
    }

    /** What is trained whole is in the file under the names it had. */
    @ParameterizedTest
    @ValueSource(strings = {BERT, "gpt2-conv1d-op13", "llama-op17"})
    void norms_and_biases_that_are_trained_whole_are_written(String name) {
        ImportedModel model = OnnxImporter.load(Fixture.named(name).onnx());
        AdaptedModel adapted = AdaptedModel.inject(
                model.graph(),
                model.modulePaths(),
                AdapterConfig.of(Sorsa.rank(2))
                        .withWhole(WholeTensors.NONE.withModules(ModuleMatch.regex("(?i).*(norm|ln_[0-9f]).*"))));
        assertThat(adapted.state().whole()).isNotEmpty();
        move(adapted);
        Path merged = folder.resolve("merged.onnx");
        OnnxWriter.writeMerged(model, adapted.mergedWeights(), merged);
        Verification verification = OnnxVerifier.verify(merged, model, InputSizes.SAMPLES, 1e-4, 1);
        assertThat(verification.passed()).as(verification.toString()).isTrue();
    }

    @Test
    void a_head_that_fits_no_output_is_refused_by_name() {
        ImportedModel model = OnnxImporter.load(Fixture.named(BERT).onnx());
        assertThatThrownBy(() -> model.addHead(TaskHead.classification(3).withPooling(Pooling.GIVEN)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("2 axes");
        assertThatThrownBy(() -> model.addHead(TaskHead.classification(3), "pooled"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("no output 'pooled'");
        model.addHead(TaskHead.classification(3));
        assertThatThrownBy(() -> AdaptedModel.inject(
                        model.graph(),
                        model.modulePaths(),
                        AdapterConfig.of(Sorsa.rank(2)).withTargets(TargetSelector.allLinear())))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("`classifier` is new");
    }
}
