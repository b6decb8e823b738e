package dev.samediff.adapters;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.graph.Orientation;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.io.Safetensors;
import dev.samediff.adapters.method.AdaLora;
import dev.samediff.adapters.method.RankBudget;
import dev.samediff.adapters.testing.Npz;
import dev.samediff.adapters.testing.SharedFiles;
import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.StepReport;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.listener.TrainingListener;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.adapters.train.optimizer.Schedule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.adapter.SingletonMultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/** AdaLoRA against PEFT's numbers, step by step, and what its ranks do while it trains, stops, goes on and is saved. */
class AdaLoraTest {
    private static final int STEPS = 24;
    private static final AdaLora METHOD =
            AdaLora.rank(4).withBudget(RankBudget.DEFAULT.withTarget(2).withPhases(3, 6, 2));

    @TempDir
    Path dir;

    /** Linear layers with tanh between them. */
    private record Net(SameDiff graph, List<INDArray> weights, INDArray x, INDArray y, Orientation orientation) {
        static Net of(Map<String, INDArray> data, int layers, Orientation orientation) {
            SameDiff graph = SameDiff.create();
            List<INDArray> weights = new ArrayList<>();
            SDVariable h =
                    graph.placeHolder("x", DataType.FLOAT, -1, data.get("x").size(1));
            for (int k = 0; k < layers; k++) {
                INDArray w = data.get("W" + k); // [out,in]
                weights.add(w);
                boolean stored = orientation == Orientation.OUT_IN;
                SDVariable weight = graph.var(name(k) + ".weight", stored ? w.dup('c') : turned(w));
                SDVariable product = graph.mmul("product" + k, h, weight, false, stored, false);
                boolean last = k == layers - 1;
                h = product.add(last ? "out" : "sum" + k, graph.constant("b" + k, data.get("b" + k)));
                h = last ? h : graph.math.tanh("h" + k, h);
            }
            return new Net(graph, weights, data.get("x"), data.get("y"), orientation);
        }

        static Net random(int... sizes) {
            Map<String, INDArray> data = new LinkedHashMap<>();
            Nd4j.getRandom().setSeed(5);
            data.put("x", Nd4j.randn(DataType.FLOAT, 9, sizes[0]));
            data.put("y", Nd4j.randn(DataType.FLOAT, 9, sizes[sizes.length - 1]));
            for (int k = 0; k < sizes.length - 1; k++) {
                data.put(
                        "W" + k,
                        Nd4j.randn(DataType.FLOAT, sizes[k + 1], sizes[k]).mul(0.3));
                data.put("b" + k, Nd4j.zeros(DataType.FLOAT, sizes[k + 1]));
            }
            return of(data, sizes.length - 1, Orientation.IN_OUT);
        }

        static String name(int layer) {
            return "l" + layer;
        }

        SingletonMultiDataSetIterator batches() {
            return new SingletonMultiDataSetIterator(new MultiDataSet(x, y));
        }

        INDArray output() {
            return Objects.requireNonNull(graph.output(Map.of("x", x), "out").get("out"))
                    .dup();
        }
    }

    private static INDArray turned(INDArray array) {
        return array.transpose().dup('c');
    }

    private static double error(INDArray actual, INDArray expected) {
        assertThat(actual.shape()).isEqualTo(expected.shape());
        return actual.castTo(DataType.DOUBLE)
                        .sub(expected.castTo(DataType.DOUBLE))
                        .amaxNumber()
                        .doubleValue()
                / Math.max(expected.amaxNumber().doubleValue(), 1e-6);
    }

    private static String variable(AdaptedModel model, int layer, String tensor) {
        return Objects.requireNonNull(model.sites().get(layer).trainables().get(tensor));
    }

    private static INDArray value(AdaptedModel model, int layer, String tensor) {
        return model.graph().getArrForVarName(variable(model, layer, tensor));
    }

    /** All e behind each other, as they are after an update. */
    private static float[] entries(AdaptedModel model) {
        return Nd4j.concat(
                        0,
                        IntStream.range(0, model.sites().size())
                                .mapToObj(k -> value(model, k, AdaLora.E))
                                .toArray(INDArray[]::new))
                .toFloatVector();
    }

    @TestFactory
    Stream<DynamicTest> every_update_cut_and_rank_is_that_of_peft() throws IOException {
        Path root = SharedFiles.require("golden/methods");
        JsonNode cases =
                new ObjectMapper().readTree(root.resolve("index.json").toFile()).get("cases");
        return StreamSupport.stream(cases.spliterator(), false)
                .filter(index -> index.get("method").asText().equals("adalora"))
                .flatMap(index -> Stream.of(
                        DynamicTest.dynamicTest(
                                index.get("id").asText() + " compiled",
                                () -> golden(root, index, Orientation.IN_OUT, EngineOptions.defaults())),
                        DynamicTest.dynamicTest(
                                index.get("id").asText() + " reference, turned",
                                () -> golden(root, index, Orientation.OUT_IN, EngineOptions.reference()))));
    }

    private static AdaLora method(JsonNode index) {
        return AdaLora.rank(index.get("init_r").asInt())
                .withAlpha(index.get("alpha").asDouble())
                .withOrthogonality(index.get("orth_reg_weight").asDouble())
                .withBudget(RankBudget.DEFAULT
                        .withTarget(index.get("target_r").asInt())
                        .withPhases(
                                index.get("tinit").asInt(),
                                index.get("tfinal").asInt(),
                                index.get("deltaT").asInt())
                        .withAverages(
                                index.get("beta1").asDouble(),
                                index.get("beta2").asDouble()));
    }

    private static void golden(Path root, JsonNode index, Orientation orientation, EngineOptions engine)
            throws IOException {
        Map<String, INDArray> golden = Npz.read(root.resolve(index.get("id").asText() + ".npz"));
        int layers = index.get("sizes").size() - 1;
        Net net = Net.of(golden, layers, orientation);
        AdaptedModel model = AdaptedModel.inject(net.graph, AdapterConfig.of(method(index)));
        Map<String, INDArray> start = new LinkedHashMap<>();
        for (int k = 0; k < layers; k++) {
            start.put(variable(model, k, AdaLora.A), turned(golden.get("A0_" + k)));
            start.put(variable(model, k, AdaLora.B), turned(golden.get("B0_" + k)));
            start.put(variable(model, k, AdaLora.E), golden.get("E0_" + k).reshape(-1));
        }
        model.restore(start);
        assertThat(model.sites().get(0).scaling())
                .isEqualTo(index.get("scaling").asDouble());
        assertThat(error(net.output(), golden.get("out0"))).isLessThan(1e-5);
        int steps = index.get("total_step").asInt();
        TaskLoss loss = Losses.regression(net.graph, "out");
        List<float[]> trajectory = new ArrayList<>();
        List<StepReport> reports = new ArrayList<>();
        TrainingListener listener = new TrainingListener() {
            @Override
            public void onStep(StepReport report) {
                reports.add(report);
                trajectory.add(entries(model));
            }
        };
        TrainingPlan plan = TrainingPlan.builder()
                .steps(steps)
                .learningRate(0.02)
                .schedule(Schedule.CONSTANT)
                .weightDecay(0.01)
                .clipNorm(0)
                .engine(engine)
                .build();
        try (AdapterTrainer trainer = new AdapterTrainer(model, loss, plan, Binding.of(loss, "x"))) {
            trainer.fit(net.batches(), null, listener);
        }
        INDArray losses = golden.get("losses");
        INDArray masks = golden.get("masks");
        for (int t = 0; t < steps; t++) {
            StepReport report = reports.get(t);
            assertThat(report.loss()).isCloseTo(losses.getDouble(t, 1), within(2e-3));
            assertThat(report.loss() + report.penalty()).isCloseTo(losses.getDouble(t, 0), within(2e-3));
            float[] now = trajectory.get(t);
            for (int i = 0; i < now.length; i++) {
                assertThat(now[i] != 0).as("update %s, entry %s", t + 1, i).isEqualTo(masks.getInt(t, i) != 0);
            }
            assertThat(error(Nd4j.createFromArray(now), golden.get("E_traj").getRow(t)))
                    .isLessThan(2e-3);
        }
        Map<String, INDArray> merged = model.mergedWeights();
        for (int k = 0; k < layers; k++) {
            assertThat(error(value(model, k, AdaLora.A), turned(golden.get("AT_" + k))))
                    .isLessThan(2e-3);
            assertThat(error(value(model, k, AdaLora.B), turned(golden.get("BT_" + k))))
                    .isLessThan(2e-3);
            INDArray whole = orientation.asInOut(merged.get(Net.name(k) + ".weight"));
            assertThat(error(whole, turned(golden.get("merged_" + k)))).isLessThan(2e-3);
        }
        assertThat(error(net.output(), golden.get("outT"))).isLessThan(2e-3);
    }

    private static TrainingPlan.Builder plan(int steps) {
        return TrainingPlan.builder().steps(steps).learningRate(0.02);
    }

    private static AdaptedModel train(Net net, AdaLora method, TrainingPlan plan, TrainingListener... listeners) {
        AdaptedModel model = AdaptedModel.inject(net.graph, AdapterConfig.of(method));
        TaskLoss loss = Losses.regression(net.graph, "out");
        try (AdapterTrainer trainer = new AdapterTrainer(model, loss, plan, Binding.of(loss, "x"))) {
            trainer.fit(net.batches(), null, listeners);
        }
        return model;
    }

    private static long alive(AdaptedModel model) {
        long alive = 0;
        for (float entry : entries(model)) {
            alive += entry != 0 ? 1 : 0;
        }
        return alive;
    }

    /** Also without updates after the cuts, and cuts that the last update is not one of. */
    @Test
    void the_layers_keep_as_many_ranks_as_the_target_says() {
        for (RankBudget budget : List.of(METHOD.budget(), METHOD.budget().withPhases(0, 0, 5))) {
            Net net = Net.random(12, 10, 8, 6);
            assertThat(alive(train(net, METHOD.withBudget(budget), plan(STEPS).build())))
                    .isEqualTo(2 * 3);
        }
    }

    @Test
    void a_target_of_all_ranks_cuts_nothing() {
        AdaLora method = AdaLora.rank(3).withBudget(RankBudget.DEFAULT.withTarget(3));
        assertThat(method.afterStep()).isEmpty();
        assertThat(alive(train(Net.random(12, 10, 8, 6), method, plan(5).build())))
                .isEqualTo(9);
    }

    @Test
    void what_was_cut_stays_so_in_another_run_of_the_trainer() {
        Net net = Net.random(12, 10, 8, 6);
        AdaptedModel model = AdaptedModel.inject(net.graph, AdapterConfig.of(METHOD));
        TaskLoss loss = Losses.regression(net.graph, "out");
        try (AdapterTrainer trainer =
                new AdapterTrainer(model, loss, plan(STEPS).build(), Binding.of(loss, "x"))) {
            trainer.fit(net.batches(), null);
            trainer.fit(net.batches(), null);
        }
        assertThat(alive(model)).isEqualTo(2 * 3);
    }

    @Test
    void an_interrupted_run_goes_on_to_the_last_bit() {
        for (int stop : List.of(2, 9, 20)) { // before the cuts, between them, after the last
            Net whole = Net.random(12, 10, 8, 6);
            AdaptedModel expected = train(whole, METHOD, plan(STEPS).build());
            Path checkpoints = dir.resolve("stop" + stop);
            TrainingPlan plan = plan(STEPS).checkpoints(checkpoints, 100).build();
            train(Net.random(12, 10, 8, 6), METHOD, plan, stopAfter(stop));
            Net net = Net.random(12, 10, 8, 6);
            AdaptedModel model = AdaptedModel.inject(net.graph, AdapterConfig.of(METHOD));
            TaskLoss loss = Losses.regression(net.graph, "out");
            try (AdapterTrainer trainer = new AdapterTrainer(model, loss, plan, Binding.of(loss, "x"))) {
                trainer.resume(checkpoints).fit(net.batches(), null);
            }
            assertThatBits(model.trainables()).isEqualTo(expected.trainables());
        }
    }

    private static TrainingListener stopAfter(int step) {
        return new TrainingListener() {
            private int seen;

            @Override
            public void onStep(StepReport report) {
                seen = report.step();
            }

            @Override
            public boolean wantsStop() {
                return seen == step;
            }
        };
    }

    @Test
    void a_run_without_room_for_cuts_is_refused_before_it_starts() {
        assertThatThrownBy(() -> train(Net.random(8, 6), METHOD, plan(9).build()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("first 3 updates")
                .hasMessageContaining("last 6")
                .hasMessageContaining("there are 9");
        assertThatThrownBy(() -> AdaLora.rank(4).withBudget(RankBudget.DEFAULT.withTarget(5)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("rank 4")
                .hasMessageContaining("5 (target)");
        assertThatThrownBy(() -> new RankBudget(OptionalInt.empty(), 5, 5, 1, 0.85, 0.85, OptionalInt.of(10)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("there are 10");
    }

    @Test
    void the_saved_folder_holds_the_ranks_that_were_kept() throws IOException {
        Net net = Net.random(12, 10, 8, 6);
        AdaptedModel model = train(net, METHOD, plan(STEPS).build());
        value(model, 1, AdaLora.E).assign(0); // a layer that kept nothing
        AdapterFolder.save(model.state(), dir.resolve("a"));
        JsonNode config =
                new ObjectMapper().readTree(dir.resolve("a/adapter_config.json").toFile());
        assertThat(config.get("peft_type").asText()).isEqualTo("ADALORA");
        assertThat(config.get("init_r").asInt()).isEqualTo(4);
        assertThat(config.get("target_r").asInt()).isEqualTo(2);
        Map<String, INDArray> tensors =
                Safetensors.read(dir.resolve("a/adapter_model.safetensors")).tensors();
        for (int k = 0; k < 3; k++) {
            JsonNode kept = config.get("rank_pattern").get(Net.name(k) + ".lora_E");
            assertThat(kept).hasSize(4);
            float[] entries = value(model, k, AdaLora.E).toFloatVector();
            int count = 0;
            for (int i = 0; i < 4; i++) {
                assertThat(kept.get(i).booleanValue()).isEqualTo(entries[i] != 0);
                count += entries[i] != 0 ? 1 : 0;
            }
            String prefix = "base_model.model." + Net.name(k);
            long in = net.weights.get(k).size(1);
            assertThat(tensors.get(prefix + ".lora_A").shape()).containsExactly(count, in);
            assertThat(tensors.get(prefix + ".lora_B").shape())
                    .containsExactly(net.weights.get(k).size(0), count);
            assertThat(tensors.get(prefix + ".lora_E").shape()).containsExactly(count, 1);
        }
        INDArray expected = net.output();
        AdapterState loaded = AdapterFolder.load(dir.resolve("a"));
        assertThatBits(loaded.sites().get(1).tensors().get(AdaLora.A)).isEqualTo(value(model, 1, AdaLora.A));
        for (String form : List.of("with", "without")) {
            if (form.equals("without")) {
                deleteNative(dir.resolve("a"));
            }
            Net again = Net.random(12, 10, 8, 6);
            AdaptedModel.inject(again.graph, Map.of(), AdapterFolder.load(dir.resolve("a")));
            assertThat(error(again.output(), expected)).isLessThan(1e-6);
        }
        AdapterFolder.save(AdapterFolder.load(dir.resolve("a")), dir.resolve("b"));
        JsonNode second =
                new ObjectMapper().readTree(dir.resolve("b/adapter_config.json").toFile());
        assertThat(second.get("rank_pattern")).isEqualTo(config.get("rank_pattern"));
    }

    private static void deleteNative(Path folder) throws IOException {
        for (String file : List.of("native/adapter.json", "native/adapter.safetensors", "native")) {
            Files.delete(folder.resolve(file));
        }
    }

    @Test
    void layers_of_different_ranks_are_saved_as_a_plain_lora() throws IOException {
        Net net = Net.random(12, 10, 8, 6);
        AdaptedModel model = AdaptedModel.inject(
                net.graph,
                AdapterConfig.of(METHOD).withTargets(TargetSelector.allLinear().withRankPattern(Map.of("l0", 3))));
        AdapterFolder.save(model.state(), dir.resolve("a"));
        JsonNode config =
                new ObjectMapper().readTree(dir.resolve("a/adapter_config.json").toFile());
        assertThat(config.get("peft_type").asText()).isEqualTo("LORA");
        assertThat(AdapterFolder.load(dir.resolve("a")).config().method()).isEqualTo(METHOD);
    }
}
