package dev.samediff.importer;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.SiteKind;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.importer.fixture.Fixture;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Embeddings of imported models: found by their paths, adapted, merged and served by ONNX Runtime. */
class EmbeddingAdapterOnnxTest {
    @TempDir
    Path folder;

    static Stream<Arguments> models() {
        return Stream.of(
                        Map.entry("gpt2-linear-op14", "transformer\\.(wte|wpe|h\\.0\\..*)"),
                        Map.entry("gpt2-gemm-tied-unfolded-op14", "transformer\\.(wte|wpe)"),
                        Map.entry("gpt2-gemm-tied-op11", "transformer\\.(wte|wpe)"),
                        Map.entry("llama-tied-op14", "model\\.embed_tokens"),
                        Map.entry("bert-mlm-op17", "bert\\.embeddings\\.(word|position|token_type)_embeddings"))
                .flatMap(model -> Stream.<AdapterMethod>of(Lora.rank(2).withAlpha(4), Sorsa.rank(2))
                        .map(method -> Arguments.of(model.getKey(), model.getValue(), method)));
    }

    @ParameterizedTest
    @CsvSource({
        "gpt2-linear-op14, transformer.wte transformer.wpe",
        "gpt2-gemm-tied-unfolded-op14, transformer.wte transformer.wpe",
        "llama-op17, model.embed_tokens",
    })
    void tables_are_named_by_their_modules(String name, String modules) {
        ImportedModel model = OnnxImporter.load(Fixture.named(name).onnx());
        assertThat(model.embeddings()).extracting(EmbeddingTable::module).contains(modules.split(" "));
        assertThat(model.embeddings())
                .allSatisfy(table -> assertThat(
                                model.graph().getVariable(table.weight()).getShape())
                        .containsExactly(table.rows(), table.columns()));
    }

    @ParameterizedTest
    @MethodSource("models")
    void a_trained_and_merged_embedding_is_served_by_onnx_runtime(String name, String targets, AdapterMethod method) {
        Fixture fixture = Fixture.named(name);
        Fixture.Sample sample = fixture.samples().get(0);
        ImportedModel imported = OnnxImporter.load(fixture.onnx());
        SameDiff graph = imported.graph();
        String loss = loss(graph, sample.logits());
        AdaptedModel model = AdaptedModel.inject(
                graph, imported.modulePaths(), AdapterConfig.of(method).withTargets(TargetSelector.regex(targets)));
        assertThat(model.sites()).extracting(site -> site.layer().kind()).contains(SiteKind.EMBEDDING);
        assertThat(logits(imported, sample).distance2(sample.logits())).isLessThan(1e-3);

        List<Double> losses = train(graph, loss, model, sample);
        assertThat(losses).anyMatch(value -> value < losses.get(0) - 1e-4);
        assertGradientIsTheSlope(graph, loss, model, sample);
        INDArray adapted = logits(imported, sample);
        assertThat(adapted.distance2(sample.logits())).isGreaterThan(0.01);

        Path target = folder.resolve("merged.onnx");
        OnnxWriter.writeMerged(imported, model.mergedWeights(), target);
        assertSame(adapted, served(target, sample));
        model.merge();
        assertSame(adapted, logits(imported, sample));
        model.disable();
        assertThat(logits(imported, sample).distance2(sample.logits())).isLessThan(1e-3);
        assertSame(
                adapted,
                Objects.requireNonNull(OnnxVerifier.run(OnnxImporter.load(target), sample.inputs())
                        .get("logits")));
    }

    /** A tied head is one weight or two of the same numbers in the file; in PyTorch it is the table. */
    @ParameterizedTest
    @CsvSource({
        "gpt2-linear-op14, false",
        "gpt2-gemm-tied-unfolded-op14, true",
        "gpt2-gemm-tied-op11, true",
        "llama-tied-op14, true",
        "bert-mlm-op17, true",
    })
    void trained_rows_are_served_by_onnx_runtime_and_seen_by_a_tied_head(String name, boolean tied) {
        Fixture fixture = Fixture.named(name);
        Fixture.Sample sample = fixture.samples().get(0);
        INDArray ids = Objects.requireNonNull(sample.inputs().get("input_ids"));
        int seen = ids.getInt(0, 1);
        int unseen = 0;
        while (ids.eq(unseen).castTo(DataType.INT).sumNumber().intValue() > 0) {
            unseen++;
        }
        ImportedModel imported = OnnxImporter.load(fixture.onnx());
        INDArray base = logits(imported, sample);
        AdaptedModel model = AdaptedModel.inject(
                imported.graph(),
                imported.modulePaths(),
                AdapterConfig.of(Lora.rank(2)).withTrainableTokens(seen, unseen));
        Map<String, INDArray> values = model.trainables();
        Nd4j.getRandom().setSeed(7);
        values.values()
                .forEach(value ->
                        value.addi(Nd4j.randn(value.dataType(), value.shape()).muli(0.1)));
        model.restore(values);
        INDArray adapted = logits(imported, sample);
        assertThat(adapted.distance2(base)).isGreaterThan(0.01);
        Path merged = folder.resolve("merged.onnx");
        Path beside = folder.resolve("beside.onnx");
        OnnxWriter.writeMerged(imported, model.mergedWeights(), merged);
        OnnxWriter.writeAdapted(imported, model.updates(), beside);
        assertSame(adapted, served(merged, sample));
        assertSame(adapted, served(beside, sample));

        ImportedModel again = OnnxImporter.load(fixture.onnx());
        AdaptedModel only = AdaptedModel.inject(
                again.graph(),
                again.modulePaths(),
                AdapterConfig.of(Lora.rank(2)).withTrainableTokens(unseen));
        Map<String, INDArray> row = only.trainables();
        row.forEach((variable, value) -> {
            if (variable.contains("token_adapter")) {
                value.addi(1);
            }
        });
        only.restore(row);
        INDArray change = logits(again, sample).sub(base); // of a token that is not in the text
        assertThat(change.amaxNumber().doubleValue() > 1e-3).isEqualTo(tied);
    }

    @Test
    void a_saved_adapter_fits_the_model_imported_again() throws IOException {
        Fixture fixture = Fixture.named("gpt2-linear-op14");
        Fixture.Sample sample = fixture.samples().get(0);
        ImportedModel imported = OnnxImporter.load(fixture.onnx());
        String loss = loss(imported.graph(), sample.logits());
        AdaptedModel model = AdaptedModel.inject(
                imported.graph(),
                imported.modulePaths(),
                AdapterConfig.of(Lora.rank(2)).withTargets(TargetSelector.suffixes("wte", "c_attn")));
        train(imported.graph(), loss, model, sample);
        AdapterFolder.save(model.state(), folder.resolve("adapter"));
        ImportedModel again = OnnxImporter.load(fixture.onnx());
        AdaptedModel.inject(again.graph(), again.modulePaths(), AdapterFolder.load(folder.resolve("adapter")));
        assertThatBits(logits(again, sample)).isEqualTo(logits(imported, sample));
    }

    /** Mean square of the logits' distance from noise. */
    private static String loss(SameDiff graph, INDArray logits) {
        Nd4j.getRandom().setSeed(9);
        INDArray wanted = logits.add(Nd4j.randn(DataType.FLOAT, logits.shape()));
        SDVariable error = graph.getVariable("logits").sub("error", graph.constant("wanted", wanted));
        error.mul("squares", error).mean("mse");
        graph.setLossVariables("mse");
        return "mse";
    }

    private static List<Double> train(SameDiff graph, String loss, AdaptedModel model, Fixture.Sample sample) {
        List<Double> losses = new ArrayList<>();
        try (Engine engine = new ReferenceEngine(graph, loss, model.trainableNames())) {
            for (int i = 0; i < 10; i++) {
                Engine.Gradients step = engine.gradients(new LinkedHashMap<>(sample.inputs()));
                losses.add(step.loss());
                step.byName()
                        .forEach((name, gradient) -> graph.getVariable(name)
                                .getArr()
                                .subi(gradient.mul(0.05
                                        / Math.max(1e-6, gradient.norm2Number().doubleValue()))));
            }
        }
        return losses;
    }

    /** Along the gradient g the loss changes by |g|^2 per unit. */
    private static void assertGradientIsTheSlope(
            SameDiff graph, String loss, AdaptedModel model, Fixture.Sample sample) {
        try (Engine engine = new ReferenceEngine(graph, loss, model.trainableNames())) {
            Map<String, INDArray> gradients =
                    engine.gradients(new LinkedHashMap<>(sample.inputs())).byName();
            assertThat(gradients.values()).noneMatch(g -> g.norm2Number().doubleValue() == 0);
            double slope = gradients.values().stream()
                    .mapToDouble(g -> Math.pow(g.norm2Number().doubleValue(), 2))
                    .sum();
            double step = 0.002 / slope;
            double[] at = new double[2];
            for (int side = 0; side < 2; side++) {
                double signed = side == 0 ? -step : step;
                gradients.forEach((name, g) -> graph.getVariable(name).getArr().addi(g.mul(signed)));
                at[side] =
                        engine.gradients(new LinkedHashMap<>(sample.inputs())).loss();
                gradients.forEach((name, g) -> graph.getVariable(name).getArr().subi(g.mul(signed)));
            }
            assertThat((at[1] - at[0]) / (2 * step * slope)).isCloseTo(1, within(5e-3));
        }
    }

    private static INDArray logits(ImportedModel imported, Fixture.Sample sample) {
        return Objects.requireNonNull(
                OnnxVerifier.run(imported, sample.inputs()).get("logits"));
    }

    private static INDArray served(Path onnx, Fixture.Sample sample) {
        try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(onnx)) {
            return Objects.requireNonNull(runtime.run(sample.inputs()).get("logits"));
        }
    }

    private static void assertSame(INDArray expected, INDArray actual) {
        Verification.Comparison comparison = Verification.Comparison.of("", "logits", expected, actual);
        assertThat(comparison.absolute()).as(comparison.toString()).isLessThan(1e-4);
    }
}
