package dev.samediff.adapters.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.compiled.CompiledEngine;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import dev.samediff.adapters.graph.GraphVersion;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.memory.FileBackedArrays;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.OLora;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.testing.ToyGraph;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Adapters come, go and are switched while engines are open on their graph. */
class ChangedModelTest {
    private final SameDiff graph = ToyGraph.create(DataType.FLOAT, 16, 24);
    private final Map<String, INDArray> batch = Map.of("x", random(3, 5, 16), "y", random(4, 5, 16));

    private static INDArray random(long seed, long... shape) {
        return ToyGraph.random(new Random(seed), DataType.FLOAT, shape);
    }

    private static AdapterConfig adapter(String name, AdapterMethod method) {
        return AdapterConfig.of(method).withName(name);
    }

    private OpenEngines open(AdaptedModel model) {
        return new OpenEngines(graph, "out", "loss", model.trainableNames(), batch);
    }

    /** Moves an adapter away from where it starts, so that its being on or off makes a difference. */
    private static void train(AdaptedModel model, long seed) {
        Map<String, INDArray> values = new LinkedHashMap<>();
        model.trainables().forEach((name, value) -> values.put(name, value.add(random(seed, value.shape()))));
        model.restore(values);
    }

    @Test
    void switching_merging_and_activating_are_followed() {
        AdaptedModel model = AdaptedModel.inject(graph, adapter("one", Pissa.rank(2)));
        model.add(adapter("two", Pissa.rank(4)));
        model.activate("one", "two");
        train(model, 7);
        model.activate("one");
        try (OpenEngines engines = open(model)) {
            Map<String, Runnable> changes = new LinkedHashMap<>();
            changes.put("1 disable", model::disable);
            changes.put("2 enable", model::enable);
            changes.put("3 merge", model::merge);
            changes.put("4 unmerge", model::unmerge);
            changes.put("5 activate two", () -> model.activate("two"));
            changes.put("6 activate both", () -> model.activate("one", "two"));
            changes.put("7 merge", model::merge);
            changes.put("8 activate one", () -> model.activate("one"));
            changes.put("9 disable", model::disable);
            changes.put("10 enable", model::enable);
            changes.put("11 unmerge", model::unmerge);
            changes.forEach((name, change) -> {
                change.run();
                engines.check(name);
            });
        }
    }

    @Test
    void an_adapter_added_under_an_open_engine_acts_as_soon_as_it_is_activated() {
        AdaptedModel model = AdaptedModel.inject(graph, adapter("one", Pissa.rank(2)));
        try (OpenEngines engines = open(model)) {
            model.add(adapter("two", Pissa.rank(4)));
            engines.check("add");
            model.activate("two");
            train(model, 8);
            engines.check("activate two");
            model.activate("one", "two");
            engines.check("activate both");
        }
    }

    @Test
    void adapters_of_other_methods_on_the_same_layers_are_followed() {
        AdaptedModel model = AdaptedModel.inject(graph, adapter("lora", Lora.rank(2)));
        try (OpenEngines engines = open(model)) {
            int seed = 0;
            for (AdapterMethod method : List.of(Pissa.rank(2), OLora.rank(3), Sorsa.rank(2))) {
                String name = method.getClass().getSimpleName();
                model.add(adapter(name, method));
                model.activate("lora", name);
                train(model, ++seed);
                engines.check("lora and " + name);
                model.activate(name);
                engines.check(name + " alone");
            }
        }
    }

    @Test
    void unloading_leaves_open_engines_with_the_plain_graph() {
        AdaptedModel model = AdaptedModel.inject(graph, adapter("one", Pissa.rank(2)));
        train(model, 9);
        String gone = model.trainableNames().get(0);
        try (OpenEngines engines = open(model);
                CompiledEngine compiled = new CompiledEngine(graph, "", List.of(), EngineOptions.defaults());
                ReferenceEngine reference = new ReferenceEngine(graph, "", List.of())) {
            for (Engine engine : List.of(compiled, reference)) {
                engine.outputs(batch, List.of("down", "down/base"));
            }
            model.unload();
            engines.check("unload");
            for (Engine engine : List.of(compiled, reference)) {
                assertThat(engine.outputs(batch, List.of("down"))).containsOnlyKeys("down");
                for (String name : List.of("down/base", gone)) {
                    assertThatThrownBy(() -> engine.outputs(batch, List.of(name)))
                            .isInstanceOf(InvalidInputException.class)
                            .hasMessageContaining("`" + name + "`");
                }
            }
            AdaptedModel again = AdaptedModel.inject(graph, adapter("one", Lora.rank(3)));
            train(again, 10);
            engines.check("another injection, with variables of the same names and other shapes");
        }
    }

    @Test
    void an_engine_whose_loss_is_taken_out_says_so() {
        AdaptedModel model = AdaptedModel.inject(graph, adapter("one", Sorsa.rank(2)));
        String penalty = model.lossVariables("loss").get(1);
        List<String> trainables = model.trainableNames();
        model.peakLearningRate(0.01);
        train(model, 6);
        try (CompiledEngine compiled = new CompiledEngine(graph, penalty, trainables, EngineOptions.defaults());
                ReferenceEngine reference = new ReferenceEngine(graph, penalty, trainables)) {
            for (Engine engine : List.of(compiled, reference)) {
                double half = engine.gradients(batch).loss();
                model.peakLearningRate(0.005);
                assertThat(engine.gradients(batch).loss()).isCloseTo(2 * half, within(1e-5 * half));
                model.peakLearningRate(0.01);
            }
            model.unload();
            for (Engine engine : List.of(compiled, reference)) {
                assertThatThrownBy(() -> engine.gradients(batch))
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessageContainingAll("no longer in the graph", "Open a new engine");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void weights_that_move_to_a_file_are_followed(boolean graphToo, @TempDir Path directory) {
        AdaptedModel model = AdaptedModel.inject(graph, adapter("one", Pissa.rank(2)));
        train(model, 11);
        try (OpenEngines engines = open(model)) {
            model.keepWeightsInFile(directory, graphToo);
            engines.check("the move");
            model.disable();
            engines.check("disable");
            model.enable();
            engines.check("enable");
            model.merge();
            engines.check("merge");
        }
    }

    @Test
    void restored_values_are_followed() {
        AdaptedModel model = AdaptedModel.inject(
                graph, adapter("one", Lora.rank(2)).withTargets(TargetSelector.suffixes("up_proj")));
        Map<String, INDArray> before = model.trainables();
        try (OpenEngines engines = open(model)) {
            train(model, 12);
            engines.check("training");
            model.merge();
            engines.check("merge");
            model.restore(before);
            engines.check("restore while merged");
            model.unmerge();
            engines.check("unmerge");
        }
    }

    /** Of each group; {@code -Drandom.sequences=10} tests fifty in all. */
    private static final int SEQUENCES = Integer.getInteger("random.sequences", 3);

    @ParameterizedTest
    @ValueSource(ints = {0, 10, 20, 30, 40})
    void random_sequences_of_changes_are_followed(int first, @TempDir Path directory) {
        for (int seed = first; seed < first + SEQUENCES; seed++) {
            new Sequence(seed, directory).run();
        }
    }

    /** Twelve operations on one model, under engines that are open from the first to the last. */
    private final class Sequence {
        private final SameDiff graph = ToyGraph.create(DataType.FLOAT, 16, 24);
        private final Random random;
        private final Path directory;
        private final List<String> done = new ArrayList<>();
        private final List<String> kinds = List.of("packed", "bfloat16", "plain", "reference");
        private AdaptedModel model;

        Sequence(int seed, Path directory) {
            this.random = new Random(seed);
            this.directory = directory;
            done.add("seed " + seed);
            model = AdaptedModel.inject(graph, adapter("a0", method()));
        }

        void run() {
            try (OpenEngines engines = new OpenEngines(graph, "out", "loss", model.trainableNames(), batch)) {
                for (int i = 0; i < 12; i++) {
                    change();
                    engines.check(done.toString(), List.of(kinds.get(i % kinds.size())));
                }
            }
        }

        private AdapterMethod method() {
            int rank = 1 + random.nextInt(4);
            return switch (random.nextInt(4)) {
                case 0 -> Lora.rank(rank);
                case 1 -> Pissa.rank(rank);
                case 2 -> OLora.rank(rank);
                default -> Sorsa.rank(rank);
            };
        }

        private String[] some() {
            return model.adapters().stream()
                    .filter(name -> random.nextInt(3) > 0)
                    .toArray(String[]::new);
        }

        private INDArray any() {
            List<String> names = List.of(
                    ToyGraph.UP + ".weight", ToyGraph.UP + ".bias", ToyGraph.DOWN + ".weight", ToyGraph.DOWN + ".bias");
            String name = names.get(random.nextInt(4));
            done.add("of " + name);
            return graph.getArrForVarName(name);
        }

        /** Of an array in a file only a few places are looked at: who writes to it must count that. */
        private void countIfInFile(INDArray array) {
            if (FileBackedArrays.isOne(array)) {
                GraphVersion.of(graph).valuesChanged(List.of(ToyGraph.UP + ".weight", ToyGraph.DOWN + ".weight"));
            }
        }

        private void change() {
            int choice = random.nextInt(13);
            String[] names = some();
            switch (choice) {
                case 0 -> note("enable", model::enable);
                case 1 -> note("disable", model::disable);
                case 2 -> note("merge", model::merge);
                case 3 -> note("unmerge", model::unmerge);
                case 4, 5 -> note("activate " + List.of(names), () -> model.activate(names));
                case 6, 7 -> {
                    AdapterMethod method = method();
                    note(
                            "add " + method,
                            () -> model.add(adapter("a" + model.adapters().size(), method)));
                }
                case 8 -> note("restore", () -> train(model, random.nextInt()));
                case 9 -> note("to file", () -> model.keepWeightsInFile(directory, random.nextBoolean()));
                case 10 ->
                    note("a row", () -> {
                        INDArray array = any();
                        INDArray rows = array.rank() == 1 ? array : array.getRow(random.nextInt((int) array.size(0)));
                        rows.addi(0.5);
                        countIfInFile(array);
                    });
                case 11 ->
                    note("a column", () -> {
                        INDArray array = any();
                        INDArray column =
                                array.rank() == 1 ? array : array.getColumn(random.nextInt((int) array.size(1)));
                        column.addi(0.5);
                        countIfInFile(array);
                    });
                default ->
                    note("unload and inject", () -> {
                        model.unload();
                        model = AdaptedModel.inject(graph, adapter("a0", method()));
                    });
            }
        }

        private void note(String name, Runnable change) {
            done.add(name);
            change.run();
        }
    }

    @Test
    void a_graph_that_equals_another_is_not_taken_for_it() {
        SameDiff twin = ToyGraph.create(DataType.FLOAT, 16, 24);
        try (CompiledEngine one = new CompiledEngine(graph, "", List.of(), EngineOptions.defaults());
                CompiledEngine two = new CompiledEngine(twin, "", List.of(), EngineOptions.defaults())) {
            one.outputs(batch, List.of("out"));
            two.outputs(batch, List.of("out"));
            AdaptedModel.inject(graph, adapter("one", Lora.rank(2)));
            twin.getArrForVarName(ToyGraph.UP + ".weight").muli(2);
            float[] found = OpenEngines.bits(two.outputs(batch, List.of("out")).get("out"));
            float[] expected = OpenEngines.bits(twin.outputSingle(new HashMap<>(batch), "out"));
            assertThat(OpenEngines.difference(found, expected)).isLessThan(1e-5);
        }
    }
}
