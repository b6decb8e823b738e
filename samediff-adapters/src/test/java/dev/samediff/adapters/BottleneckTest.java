package dev.samediff.adapters;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.ExecutionReport;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.method.AdapterMethods;
import dev.samediff.adapters.method.Bottleneck;
import dev.samediff.adapters.method.Bottleneck.Activation;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.testing.EmbeddingGraph;
import dev.samediff.adapters.testing.EveryEngine;
import dev.samediff.adapters.testing.ToyGraph;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.ops.transforms.Transforms;

/** Houlsby's and parallel adapters: what they compute, and what cannot be done with them. */
class BottleneckTest {
    private static final int HIDDEN = 11;

    @TempDir
    Path folder;

    static Stream<Bottleneck> methods() {
        return Stream.of(
                Bottleneck.houlsby(3),
                Bottleneck.houlsby(3).withActivation(Activation.TANH).withAlpha(6),
                Bottleneck.houlsby(1).withActivation(Activation.SILU),
                Bottleneck.parallel(3),
                Bottleneck.parallel(3).withActivation(Activation.SILU).withAlpha(6),
                Bottleneck.parallel(1).withActivation(Activation.TANH));
    }

    private static Map<String, INDArray> feeds(DataType type) {
        return Map.of("x", ToyGraph.random(new Random(5), type, 5, 8), "y", ToyGraph.random(new Random(6), type, 5, 8));
    }

    private static INDArray output(SameDiff graph, DataType type) {
        return Objects.requireNonNull(graph.output(feeds(type), "out").get("out"))
                .dup('c');
    }

    private static AdaptedModel perturbed(SameDiff graph, AdapterConfig config) {
        AdaptedModel model = AdaptedModel.inject(graph, config);
        Random random = new Random(3);
        Map<String, INDArray> values = model.trainables();
        values.replaceAll((name, value) -> value.add(
                ToyGraph.random(random, value.dataType(), value.shape()).mul(0.5)));
        model.restore(values);
        return model;
    }

    private static INDArray activated(Activation activation, INDArray x) {
        return switch (activation) {
            case RELU -> Transforms.relu(x, true);
            case TANH -> Transforms.tanh(x, true);
            case SILU -> x.mul(Transforms.sigmoid(x, true));
        };
    }

    /** s (f(seen A + a) B + c), written out. */
    private static INDArray branch(AdaptedModel model, String module, INDArray seen, Bottleneck method) {
        AdapterState.Site site = model.state().sites().stream()
                .filter(each -> each.module().equals(module))
                .findFirst()
                .orElseThrow();
        boolean serial = method.placement() == Bottleneck.Placement.SERIAL;
        INDArray a = tensor(site, serial ? "serial_A" : "parallel_A");
        INDArray inner = activated(method.activation(), seen.mmul(a).addRowVector(tensor(site, "bottleneck_bias")));
        return inner.mmul(tensor(site, "bottleneck_B"))
                .addRowVector(tensor(site, "bottleneck_out_bias"))
                .mul(site.scaling());
    }

    private static INDArray tensor(AdapterState.Site site, String name) {
        return Objects.requireNonNull(site.tensors().get(name)).castTo(DataType.DOUBLE);
    }

    private static INDArray value(SameDiff graph, String name) {
        return graph.getVariable(name).getArr();
    }

    @ParameterizedTest
    @MethodSource("methods")
    void outputs_are_those_of_the_formula(Bottleneck method) {
        SameDiff graph = ToyGraph.create(DataType.DOUBLE, 8, HIDDEN);
        INDArray base = output(graph, DataType.DOUBLE);
        AdaptedModel untrained =
                AdaptedModel.inject(ToyGraph.create(DataType.DOUBLE, 8, HIDDEN), AdapterConfig.of(method));
        assertThatBits(output(untrained.graph(), DataType.DOUBLE)).isEqualTo(base);
        AdaptedModel model = perturbed(graph, AdapterConfig.of(method));
        boolean serial = method.placement() == Bottleneck.Placement.SERIAL;

        INDArray x = feeds(DataType.DOUBLE).get("x");
        INDArray up = x.mmul(value(graph, ToyGraph.UP + ".weight")).addRowVector(value(graph, ToyGraph.UP + ".bias"));
        INDArray h = Transforms.tanh(up.add(branch(model, ToyGraph.UP, serial ? up : x, method)), true);
        INDArray down = h.mmul(value(graph, ToyGraph.DOWN + ".weight").transpose())
                .addRowVector(value(graph, ToyGraph.DOWN + ".bias"));
        INDArray expected = down.add(branch(model, ToyGraph.DOWN, serial ? down : h, method));
        assertThat(output(graph, DataType.DOUBLE).sub(expected).amaxNumber().doubleValue())
                .isLessThan(1e-12);

        INDArray adapted = output(graph, DataType.DOUBLE);
        model.disable();
        assertThatBits(output(graph, DataType.DOUBLE)).isEqualTo(base);
        model.enable();
        assertThatBits(output(graph, DataType.DOUBLE)).isEqualTo(adapted);
        model.unload();
        assertThatBits(output(graph, DataType.DOUBLE)).isEqualTo(base);
    }

    @ParameterizedTest
    @MethodSource("methods")
    void gradients_match_finite_differences(Bottleneck method) {
        SameDiff graph = ToyGraph.create(DataType.DOUBLE, 8, HIDDEN);
        AdaptedModel model = perturbed(graph, AdapterConfig.of(method));
        Map<String, INDArray> gradients = graph.calculateGradients(feeds(DataType.DOUBLE), model.trainableNames());
        for (String name : model.trainableNames()) {
            INDArray array = graph.getVariable(name).getArr();
            for (long i : new long[] {0, array.length() - 1}) {
                double value = array.getDouble(i);
                array.putScalar(i, value + 1e-6);
                double above = loss(graph);
                array.putScalar(i, value - 1e-6);
                double below = loss(graph);
                array.putScalar(i, value);
                assertThat(gradients.get(name).getDouble(i)).as(name).isCloseTo((above - below) / 2e-6, within(1e-6));
            }
        }
    }

    private static double loss(SameDiff graph) {
        return graph.output(feeds(DataType.DOUBLE), "loss").get("loss").getDouble(0);
    }

    @ParameterizedTest
    @MethodSource("methods")
    void the_engines_agree_and_the_step_is_compiled_whole(Bottleneck method) {
        SameDiff graph = ToyGraph.create(DataType.FLOAT, 8, HIDDEN);
        AdaptedModel model = perturbed(graph, AdapterConfig.of(method));
        try (Engine compiled = EveryEngine.COMPILED.open(graph, "loss", model.trainableNames());
                Engine reference = EveryEngine.REFERENCE.open(graph, "loss", model.trainableNames())) {
            compiled.gradients(feeds(DataType.FLOAT));
            Map<String, INDArray> gradients =
                    compiled.gradients(feeds(DataType.FLOAT)).byName();
            reference
                    .gradients(feeds(DataType.FLOAT))
                    .byName()
                    .forEach((name, expected) -> assertThat(gradients
                                    .get(name)
                                    .sub(expected)
                                    .amaxNumber()
                                    .doubleValue())
                            .as(name)
                            .isLessThan(1e-5));
            ExecutionReport report = compiled.report().orElseThrow();
            assertThat(report.notCompiled()).isEmpty();
            assertThat(report.operations()).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("methods")
    void a_folder_has_the_native_form_alone_and_is_read_again(Bottleneck method) throws IOException {
        SameDiff graph = ToyGraph.create(DataType.FLOAT, 8, HIDDEN);
        AdaptedModel model = perturbed(graph, AdapterConfig.of(method));
        AdapterFolder.save(model.state(), folder.resolve("adapter"));
        assertThat(Files.exists(folder.resolve("adapter/adapter_config.json"))).isFalse();
        AdapterState read = AdapterFolder.load(folder.resolve("adapter"));
        assertThat(read.config().method()).isEqualTo(method);
        SameDiff other = ToyGraph.create(DataType.FLOAT, 8, HIDDEN);
        AdaptedModel.inject(other, Map.of(), read);
        assertThatBits(output(other, DataType.FLOAT)).isEqualTo(output(graph, DataType.FLOAT));
        AdapterFolder.save(read, folder.resolve("adapter")); // and is replaced by another
        assertThat(AdapterMethods.named(method.name(), method.rank(), method.alpha(), method.settings()))
                .isEqualTo(method);
    }

    @ParameterizedTest
    @MethodSource("methods")
    void merging_is_refused_with_the_reason_and_changes_nothing(Bottleneck method) {
        SameDiff graph = ToyGraph.create(DataType.FLOAT, 8, HIDDEN);
        AdaptedModel model = perturbed(graph, AdapterConfig.of(method));
        INDArray before = output(graph, DataType.FLOAT);
        List<Runnable> mergings = List.of(model::merge, model::mergedWeights, model::mergedGraph, model::updates);
        for (Runnable merging : mergings) {
            assertThatThrownBy(merging::run)
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining(method.name())
                    .hasMessageContaining("activation")
                    .hasMessageContaining("cannot be merged");
        }
        assertThat(model.merged()).isFalse();
        assertThatBits(output(graph, DataType.FLOAT)).isEqualTo(before);
        assertThatThrownBy(() -> ToLora.exact(model.state()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(method.name())
                .hasMessageNotContaining("merge");
        model.add(AdapterConfig.of(Lora.rank(2)).withName("low"));
        model.activate("low");
        model.merge();
        assertThatThrownBy(() -> model.activate("default"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("cannot be merged");
        assertThat(model.activeAdapterNames()).containsExactly("low");
    }

    @Test
    void what_is_behind_a_layer_is_there_alone_and_what_is_beside_it_is_not() {
        SameDiff graph = ToyGraph.create(DataType.FLOAT, 8, HIDDEN);
        AdaptedModel model =
                AdaptedModel.inject(graph, AdapterConfig.of(Lora.rank(2)).withName("low"));
        model.add(AdapterConfig.of(Bottleneck.houlsby(2)).withName("behind"));
        model.add(AdapterConfig.of(Bottleneck.parallel(2)).withName("beside"));
        assertThatThrownBy(() -> model.activate("low", "behind"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("behind")
                .hasMessageContaining("output");
        model.activate("low", "beside");
        assertThat(model.activeAdapterNames()).containsExactly("low", "beside");
    }

    @Test
    void dropout_and_embeddings_are_refused() {
        assertThatThrownBy(() -> AdaptedModel.inject(
                        ToyGraph.create(DataType.FLOAT, 8, HIDDEN),
                        AdapterConfig.of(Bottleneck.houlsby(2)).withDropout(0.1)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("houlsby")
                .hasMessageContaining("dropout");
        assertThatThrownBy(() -> AdaptedModel.inject(
                        EmbeddingGraph.create(DataType.FLOAT),
                        AdapterConfig.of(Bottleneck.parallel(2)).withTargets(TargetSelector.suffixes("wte"))))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("wte");
    }
}
