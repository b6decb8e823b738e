package dev.samediff.adapters;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.memory.FileBackedArrays;
import dev.samediff.adapters.method.AdapterMethods;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.OLora;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.testing.ToyGraph;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class AdaptedModelTest {
    private final SameDiff graph = ToyGraph.create(DataType.FLOAT, 8, 11);

    @Test
    void names_keep_their_meaning() {
        SDVariable handle = graph.getVariable("up");
        INDArray x = ToyGraph.random(new Random(1), DataType.FLOAT, 3, 8);
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(2)));
        assertThat(handle.name()).isEqualTo("up");
        assertThat(graph.getVariable("up")).isSameAs(handle);
        INDArray b = graph.getVariable(ToyGraph.UP + ".lora_B.default.weight").getArr();
        b.addi(1);
        Map<String, INDArray> values = graph.output(Map.of("x", x), "up", "up/base");
        INDArray change = model.config()
                .method()
                .delta(model.state().sites().get(0).tensors(), 1)
                .castTo(DataType.FLOAT);
        assertThat(values.get("up")
                        .sub(values.get("up/base"))
                        .sub(x.mmul(change))
                        .amaxNumber()
                        .doubleValue())
                .isLessThan(1e-6);
    }

    @Test
    void weights_in_a_file_are_the_same_weights(@TempDir Path directory) {
        INDArray x = ToyGraph.random(new Random(1), DataType.FLOAT, 3, 8);
        INDArray base = graph.outputSingle(Map.of("x", x), "up").dup();
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(Sorsa.rank(2)));
        model.trainableNames().forEach(name -> graph.getVariable(name).getArr().addi(0.1));
        INDArray adapted = graph.outputSingle(Map.of("x", x), "up").dup();
        Map<String, INDArray> merged = model.mergedWeights();
        model.keepWeightsInFile(directory, true);
        assertThat(FileBackedArrays.isOne(
                        graph.getVariable(ToyGraph.UP + ".weight").getArr()))
                .isTrue();
        assertThatBits(graph.outputSingle(Map.of("x", x), "up")).isEqualTo(adapted);
        merged.forEach((name, weight) ->
                assertThatBits(model.mergedWeights().get(name)).as(name).isEqualTo(weight));
        model.disable();
        assertThatBits(graph.outputSingle(Map.of("x", x), "up")).isEqualTo(base);
        model.enable();
        assertThatBits(graph.outputSingle(Map.of("x", x), "up")).isEqualTo(adapted);
    }

    @Test
    void a_loss_built_later_gets_the_penalty() {
        graph.setLossVariables(new String[0]);
        AdaptedModel model =
                AdaptedModel.inject(graph, AdapterConfig.of(Sorsa.rank(2).withGamma(0.03)));
        assertThat(graph.getLossVariables()).isEmpty();
        model.useLoss("loss");
        assertThat(graph.getLossVariables()).containsExactly("loss", "default/penalty");
        assertThat(model.lossVariables("loss")).containsExactly("loss", "default/penalty");
        model.peakLearningRate(0.01);
        model.trainableNames().forEach(name -> graph.getVariable(name).getArr().addi(0.1));
        double penalty =
                graph.output(Map.of(), "default/penalty").get("default/penalty").getDouble(0);
        PenalizedSites penalized = model.penalties().get("default");
        double expected = penalized
                .penalty()
                .evaluate(model.state().sites().stream()
                        .map(AdapterState.Site::tensors)
                        .toList())
                .value();
        assertThat(penalty).isCloseTo(3 * expected, within(1e-4 * expected));
        assertThat(penalized.sites())
                .hasSize(2)
                .allSatisfy(site -> assertThat(site).containsOnlyKeys("sorsa_A", "sorsa_S", "sorsa_B"));
    }

    @Test
    void counts_and_summary() {
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(2)));
        assertThat(model.trainableParameters()).isEqualTo(2 * 2 * (8 + 11));
        assertThat(model.totalParameters()).isEqualTo(2 * 8 * 11 + 8 + 11 + 2 * 2 * (8 + 11));
        assertThat(model.summary()).contains(ToyGraph.UP).contains("76 of 271 parameters are trained");
    }

    @Test
    void rank_and_alpha_patterns_reach_the_layers() {
        AdaptedModel model = AdaptedModel.inject(
                graph,
                AdapterConfig.of(Lora.rank(4).withAlpha(8))
                        .withTargets(TargetSelector.allLinear()
                                .withRankPattern(Map.of("up_proj", 2))
                                .withAlphaPattern(Map.of("down_proj", 2.0))));
        assertThat(model.sites())
                .extracting(AdaptedSite::rank, AdaptedSite::scaling)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple(2, 4.0), org.assertj.core.groups.Tuple.tuple(4, 0.5));
    }

    @Test
    void a_start_depends_on_the_seed_and_the_layer_only() {
        INDArray a = start(AdapterConfig.of(Lora.rank(2)));
        assertThatBits(start(AdapterConfig.of(Lora.rank(2)).withTargets(TargetSelector.suffixes("down_proj"))))
                .isEqualTo(a);
        assertThatBits(start(AdapterConfig.of(Lora.rank(2)).withSeed(1))).isNotEqualTo(a);
        assertThat(a.amaxNumber().doubleValue()).isLessThanOrEqualTo(1 / Math.sqrt(11));
    }

    private static INDArray start(AdapterConfig config) {
        SameDiff fresh = ToyGraph.create(DataType.FLOAT, 8, 11);
        AdaptedModel.inject(fresh, config);
        return fresh.getVariable(ToyGraph.DOWN + ".lora_A.default.weight").getArr();
    }

    @Test
    void the_callers_array_is_never_written_to() {
        SameDiff shared = SameDiff.create();
        INDArray array = ToyGraph.random(new Random(2), DataType.FLOAT, 6, 6);
        INDArray copy = array.dup();
        SDVariable x = shared.placeHolder("x", DataType.FLOAT, -1, 6);
        SDVariable first = shared.mmul("a", x, shared.var("one.weight", array));
        shared.mmul("b", first, shared.var("two.weight", array)); // two variables with one array
        AdaptedModel model = AdaptedModel.inject(shared, AdapterConfig.of(Pissa.rank(2)));
        assertThatBits(array).isEqualTo(copy);
        model.merge();
        model.unload();
        assertThatBits(array).isEqualTo(copy);
        assertThatBits(shared.getVariable("two.weight").getArr()).isEqualTo(copy);

        AdaptedModel lora =
                AdaptedModel.inject(shared, AdapterConfig.of(Lora.rank(2)).withTargets(TargetSelector.suffixes("one")));
        lora.trainableNames().forEach(name -> shared.getVariable(name).getArr().addi(1));
        lora.merge();
        assertThatBits(shared.getVariable("two.weight").getArr()).isEqualTo(copy);
    }

    @Test
    void a_weight_used_twice_is_adapted_in_both_places() {
        SameDiff tied = SameDiff.create();
        SDVariable x = tied.placeHolder("x", DataType.FLOAT, -1, 6);
        SDVariable w = tied.var("w.weight", ToyGraph.random(new Random(2), DataType.FLOAT, 6, 6));
        tied.math.tanh("out", tied.mmul("b", tied.math.tanh(tied.mmul("a", x, w)), w));
        INDArray value = ToyGraph.random(new Random(3), DataType.FLOAT, 4, 6);
        INDArray base = tied.output(Map.of("x", value), "out").get("out").dup();
        AdaptedModel model = AdaptedModel.inject(tied, AdapterConfig.of(OLora.rank(3)));
        assertThat(model.sites()).hasSize(1);
        assertThat(tied.output(Map.of("x", value), "out")
                        .get("out")
                        .sub(base)
                        .amaxNumber()
                        .doubleValue())
                .isLessThan(1e-5);
        model.trainableNames().forEach(name -> tied.getVariable(name).getArr().addi(0.1));
        INDArray adapted = tied.output(Map.of("x", value), "out").get("out").dup();
        model.merge();
        assertThat(tied.output(Map.of("x", value), "out")
                        .get("out")
                        .sub(adapted)
                        .amaxNumber()
                        .doubleValue())
                .isLessThan(1e-5);
        model.unload();
        assertThatBits(tied.output(Map.of("x", value), "out").get("out")).isEqualTo(base);
    }

    @Test
    void another_base_is_refused_with_the_first_weight_that_differs() {
        AdapterState state =
                AdaptedModel.inject(graph, AdapterConfig.of(Pissa.rank(2))).state();
        SameDiff other = ToyGraph.create(DataType.FLOAT, 8, 11);
        other.getVariable(ToyGraph.DOWN + ".weight").getArr().putScalar(0, 7);
        assertRefused(
                () -> AdaptedModel.inject(other, Map.of(), state),
                "`model.layers.0.down_proj.weight`",
                "another base model",
                "Load the base model");
        assertRefused(
                () -> AdaptedModel.inject(ToyGraph.create(DataType.FLOAT, 8, 12), Map.of(), state),
                "`model.layers.0.up_proj` to be [8,11]",
                "[8,12]");
        SameDiff without = SameDiff.create();
        without.mmul(without.placeHolder("x", DataType.FLOAT, -1, 4), without.var("q.weight", Nd4j.ones(4, 4)));
        assertRefused(() -> AdaptedModel.inject(without, Map.of(), state), "does not have", "it has q");
    }

    @Test
    void what_does_not_fit_is_refused_and_the_graph_left_alone() {
        List<String> names = graph.variables().stream().map(SDVariable::name).toList();
        assertRefused(
                () -> AdaptedModel.inject(graph, AdapterConfig.of(Pissa.rank(9))),
                "rank 9",
                "`model.layers.0.up_proj` [8,11]",
                "between 1 and 8");
        graph.getVariable(ToyGraph.DOWN + ".weight").getArr().putScalar(3, Float.NaN);
        for (AdapterMethod method : List.of(Lora.rank(2), Pissa.rank(2), Sorsa.rank(2), OLora.rank(2))) {
            assertRefused(
                    () -> AdaptedModel.inject(graph, AdapterConfig.of(method)),
                    "`model.layers.0.down_proj.weight` contains NaN");
        }
        assertThat(graph.variables().stream().map(SDVariable::name)).isEqualTo(names);
    }

    @Test
    void wrong_use_is_refused() {
        AdaptedModel model = AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(2)));
        assertRefused(() -> AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(2))), "already has adapters");
        assertRefused(() -> model.add(AdapterConfig.of(Lora.rank(2))), "an adapter `default` already");
        assertRefused(() -> model.activate("other"), "no adapter `other`", "[default]");
        assertRefused(() -> model.state("other"), "no adapter `other`");
        assertRefused(() -> model.useLoss("nope"), "`nope`");
        assertRefused(() -> model.peakLearningRate(0), "peak learning rate 0.0");
        assertRefused(() -> model.restore(Map.of()), "missing are model.layers.0.up_proj.lora_A.default.weight");
        assertRefused(() -> AdapterConfig.of(Lora.rank(2)).withName("a/b"), "`a/b`");
        assertRefused(() -> AdapterMethods.named("nora", 2), "`nora`", "[lora, olora, pissa, sorsa, dora");
        assertRefused(() -> Lora.rank(0), "rank 0");
        assertRefused(() -> Lora.rank(2).withAlpha(-1), "alpha -1.0");
        assertRefused(() -> Sorsa.rank(2).withGamma(-1), "gamma -1.0");
        assertRefused(() -> Pissa.rank(2).withFastStart(0), "niter 0");
        assertRefused(
                () -> AdapterMethods.named("lora", 2, OptionalDouble.empty(), Map.of("gamma", "1")),
                "no setting `gamma`");
        assertRefused(
                () -> AdapterMethods.named("sorsa", 2, OptionalDouble.empty(), Map.of("regularizer", "l1")),
                "`l1`",
                "sumsq, fro, repo");
    }

    private static void assertRefused(ThrowingCallable call, String... parts) {
        assertThatThrownBy(call).isInstanceOf(InvalidInputException.class).hasMessageContainingAll(parts);
    }
}
