package dev.samediff.adapters.serving;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.AdapterSum;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.WholeTensors;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.adapters.engine.Precision;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.graph.SharingCopy;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.OLora;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.testing.EmbeddingGraph;
import dev.samediff.adapters.testing.ExpertGraph;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class ModelPoolTest {
    private static final int THREADS = 8;
    private static final int REQUESTS = 10_000;
    private static final String LOGITS = "logits";

    private final TinyGpt gpt = new TinyGpt(32, 2, 2, 29, 0);
    private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);

    @AfterEach
    void stop() {
        threads.shutdownNow();
    }

    private ModelPool open(PoolOptions options) {
        return ModelPool.open(gpt.graph, Map.of(), options);
    }

    /** An adapter that looks trained: every number of it is moved. */
    private AdapterState trained(AdapterConfig config, long seed) {
        AdaptedModel model = AdaptedModel.inject(SharingCopy.of(gpt.graph), config);
        Random random = new Random(seed);
        Map<String, INDArray> moved = new HashMap<>();
        model.trainables().forEach((name, array) -> {
            for (long i = 0; i < array.length(); i++) {
                array.putScalar(i, array.getFloat(i) + 0.1 * random.nextGaussian());
            }
            moved.put(name, array);
        });
        model.restore(moved);
        return model.state();
    }

    private AdapterState lora(long seed) {
        return trained(AdapterConfig.of(Lora.rank(4)), seed);
    }

    private INDArray expected(AdapterState state, Map<String, INDArray> inputs) {
        AdaptedModel model = AdaptedModel.inject(SharingCopy.of(gpt.graph), Map.of(), state);
        try (Engine engine = Engines.forOutputs(model.graph(), EngineOptions.reference())) {
            return engine.outputs(inputs, List.of(LOGITS)).get(LOGITS);
        }
    }

    private static INDArray answer(ModelPool pool, String adapter, Map<String, INDArray> inputs) {
        return pool.outputs(adapter, inputs, List.of(LOGITS)).get(LOGITS);
    }

    private static INDArray answer(ModelPool pool, Map<String, INDArray> inputs) {
        return pool.outputs(inputs, List.of(LOGITS)).get(LOGITS);
    }

    private static void assertClose(INDArray actual, INDArray expected, double tolerance) {
        double largest = expected.amaxNumber().doubleValue();
        assertThat(actual.shape()).containsExactly(expected.shape());
        assertThat(actual.sub(expected).amaxNumber().doubleValue()).isLessThan(tolerance * largest);
    }

    static List<AdapterConfig> configs() {
        List<AdapterConfig> configs = new ArrayList<>();
        for (AdapterMethod method : List.of(
                Lora.rank(4).withAlpha(8),
                Lora.rank(3).withRankStabilizedScaling(),
                OLora.rank(4),
                Pissa.rank(4),
                Sorsa.rank(4))) {
            configs.add(AdapterConfig.of(method));
        }
        configs.add(AdapterConfig.of(Lora.rank(2)).withModulesToSave("h.1.mlp.c_fc", "ln_f"));
        configs.add(AdapterConfig.of(Pissa.rank(2)).withBias(WholeTensors.Bias.ALL));
        configs.add(AdapterConfig.of(Sorsa.rank(2))
                .withTargets(TargetSelector.suffixes("c_attn", "c_proj"))
                .withBias(WholeTensors.Bias.LORA_ONLY));
        return configs;
    }

    @ParameterizedTest
    @MethodSource("configs")
    void an_adapter_of_any_method_is_answered_as_by_a_graph_that_has_it_alone(AdapterConfig config) {
        AdapterState state = trained(config, 1);
        Map<String, INDArray> inputs = gpt.inputs(3, 7, 2);
        try (ModelPool pool = open(PoolOptions.defaults())) {
            INDArray before = answer(pool, inputs);
            pool.put("one", state);
            assertClose(answer(pool, "one", inputs), expected(state, inputs), 1e-5);
            assertThatBits(answer(pool, inputs)).isEqualTo(before);
            assertThat(answer(pool, "one", inputs).sub(before).amaxNumber().doubleValue())
                    .isGreaterThan(0.05);
        }
    }

    @Test
    void nobody_ever_gets_another_adapters_answer_while_adapters_are_replaced() throws Exception {
        List<AdapterState> states = List.of(
                lora(1),
                lora(2),
                trained(AdapterConfig.of(Pissa.rank(2)), 3),
                trained(AdapterConfig.of(Lora.rank(3)), 4));
        Map<String, INDArray> inputs = gpt.inputs(2, 5, 6);
        try (ModelPool pool = open(PoolOptions.defaults().withWorkers(3))) {
            List<INDArray> right = new ArrayList<>();
            for (AdapterState state : states) {
                pool.put("x", state);
                right.add(answer(pool, "x", inputs));
                assertClose(right.get(right.size() - 1), expected(state, inputs), 1e-5);
            }
            INDArray base = answer(pool, inputs);
            pool.put("still", states.get(1));

            AtomicBoolean over = new AtomicBoolean();
            AtomicInteger left = new AtomicInteger(REQUESTS);
            Future<Integer> swaps = threads.submit(swapping(pool, states, over, left));
            List<Future<int[]>> clients = new ArrayList<>();
            for (int client = 1; client < THREADS; client++) {
                clients.add(threads.submit(asking(pool, inputs, right, base, left)));
            }
            int[] answers = new int[right.size()];
            for (Future<int[]> client : clients) {
                int[] counted = client.get();
                for (int i = 0; i < answers.length; i++) {
                    answers[i] += counted[i];
                }
            }
            over.set(true);
            assertThat(swaps.get()).as("swaps").isGreaterThan(10);
            assertThat(answers).as("answers by each adapter").doesNotContain(0);
        }
    }

    /** Replaces the adapter after every hundred requests. */
    private static Callable<Integer> swapping(
            ModelPool pool, List<AdapterState> states, AtomicBoolean over, AtomicInteger left) {
        return () -> {
            int count = 0;
            int next = REQUESTS;
            while (!over.get()) {
                if (left.get() <= next) {
                    pool.put("x", states.get(count++ % states.size()));
                    next = left.get() - 100;
                }
                Thread.sleep(1);
            }
            return count;
        };
    }

    /** Counts answers by the adapter that gave them; fails at one that nobody gave. */
    private static Callable<int[]> asking(
            ModelPool pool, Map<String, INDArray> inputs, List<INDArray> right, INDArray base, AtomicInteger left) {
        return () -> {
            int[] counts = new int[right.size()];
            for (int request = left.getAndDecrement(); request > 0; request = left.getAndDecrement()) {
                switch (request % 4) {
                    case 0 -> assertThatBits(answer(pool, inputs)).isEqualTo(base);
                    case 1 -> assertThatBits(answer(pool, "still", inputs)).isEqualTo(right.get(1));
                    default -> {
                        INDArray given = answer(pool, "x", inputs);
                        int by = 0;
                        while (!Arrays.equals(numbers(given), numbers(right.get(by)))) {
                            by++; // beyond the last: an answer that is no adapter's
                        }
                        counts[by]++;
                    }
                }
            }
            return counts;
        };
    }

    private static float[] numbers(INDArray array) {
        return array.dup('c').reshape(array.length()).toFloatVector();
    }

    @Test
    void a_request_that_begins_after_an_adapter_was_replaced_is_answered_by_the_new_one() {
        Map<String, INDArray> inputs = gpt.inputs(1, 4, 3);
        AdapterState one = lora(1);
        AdapterState two = lora(2);
        try (ModelPool pool = open(PoolOptions.defaults().withWorkers(2))) {
            for (AdapterState state : List.of(one, two, one, two)) {
                pool.put("x", state);
                assertClose(answer(pool, "x", inputs), expected(state, inputs), 1e-5);
            }
        }
    }

    /** Constants of adapters have the same names in graphs of different forms, and not the same numbers. */
    @Test
    void adapters_that_train_other_rows_of_a_table_do_not_take_each_others_places() {
        SameDiff words = EmbeddingGraph.create(DataType.FLOAT);
        String output = "logits";
        Map<String, INDArray> inputs = EmbeddingGraph.feeds(DataType.FLOAT);
        AdapterConfig lora = AdapterConfig.of(Lora.rank(2)).withTargets(TargetSelector.suffixes("mlp"));
        try (ModelPool pool = ModelPool.open(words, Map.of(), PoolOptions.defaults())) {
            for (int[] rows : new int[][] {{3, 0, 11}, {1, 2, 5}, {3, 0, 11}, {0, 3, 11}}) {
                AdaptedModel model = AdaptedModel.inject(SharingCopy.of(words), lora.withTrainableTokens(rows));
                Map<String, INDArray> values = model.trainables();
                values.values().forEach(array -> array.addi(0.3 * rows[0] + 0.2));
                model.restore(values);
                pool.put("rows " + rows[0], model.state());
                try (Engine engine = Engines.forOutputs(model.graph(), EngineOptions.reference())) {
                    INDArray expected = engine.outputs(inputs, List.of(output)).get(output);
                    INDArray found = pool.outputs("rows " + rows[0], inputs, List.of(output))
                            .get(output);
                    assertClose(found, expected, 1e-5);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void experts_in_one_tensor_are_served_and_added_up(boolean residual) {
        SameDiff graph = ExpertGraph.stacked(DataType.FLOAT);
        Map<String, INDArray> inputs = Map.of("x", Nd4j.rand(DataType.FLOAT, 5, ExpertGraph.IN));
        AdaptedModel model =
                AdaptedModel.inject(SharingCopy.of(graph), AdapterConfig.of(residual ? Pissa.rank(2) : Lora.rank(2)));
        Map<String, INDArray> values = model.trainables();
        values.values()
                .forEach(array ->
                        array.addi(Nd4j.randn(DataType.FLOAT, array.shape()).muli(0.3)));
        model.restore(values);
        AdapterState half = AdapterSum.of("half", List.of(new AdapterSum.Weighted(model.state(), 0.5)));
        AdapterState sum = AdapterSum.of(
                "sum", List.of(new AdapterSum.Weighted(half, 1), new AdapterSum.Weighted(half.withName("b"), 1)));
        try (ModelPool pool = ModelPool.open(graph, Map.of(), PoolOptions.defaults());
                Engine engine = Engines.forOutputs(model.graph(), EngineOptions.reference())) {
            INDArray expected = engine.outputs(inputs, List.of("y")).get("y");
            for (AdapterState state : List.of(model.state(), sum)) {
                pool.put("x", state);
                assertClose(pool.outputs("x", inputs, List.of("y")).get("y"), expected, 1e-5);
            }
        }
    }

    @Test
    void the_callers_graph_is_neither_changed_nor_copied() {
        Map<String, INDArray> before = arrays(gpt.graph);
        List<String> variables =
                gpt.graph.variables().stream().map(SDVariable::toString).toList();
        try (ModelPool pool = open(PoolOptions.defaults())) {
            pool.put("one", trained(AdapterConfig.of(Pissa.rank(2)).withBias(WholeTensors.Bias.ALL), 1));
            answer(pool, "one", gpt.inputs(2, 5, 6));
            for (String weight : gpt.weights) {
                assertThat(pool.graph().getVariable(weight).getArr().data())
                        .isSameAs(gpt.graph.getVariable(weight).getArr().data());
            }
        }
        assertThatBits(arrays(gpt.graph)).isEqualTo(before);
        assertThat(gpt.graph.variables().stream().map(SDVariable::toString)).containsExactlyElementsOf(variables);
    }

    private static Map<String, INDArray> arrays(SameDiff graph) {
        Map<String, INDArray> copies = new HashMap<>();
        graph.variables().stream()
                .filter(variable -> variable.getArr() != null)
                .forEach(variable ->
                        copies.put(variable.name(), variable.getArr().dup('c')));
        return copies;
    }

    @ParameterizedTest
    @EnumSource(names = {"FLOAT32", "BFLOAT16"})
    void adapters_and_workers_share_one_copy_of_the_weights(Precision precision) throws Exception {
        TinyGpt wide = new TinyGpt(256, 1, 4, 64, 0);
        Map<String, INDArray> inputs = wide.inputs(4, 32, 2); // enough rows for packed copies
        PoolOptions options = PoolOptions.defaults()
                .withWorkers(4)
                .withEngine(EngineOptions.defaults().withThreads(1).withPrecision(precision));
        AdaptedModel adapted = AdaptedModel.inject(SharingCopy.of(wide.graph), AdapterConfig.of(Lora.rank(4)));
        try (ModelPool pool = ModelPool.open(wide.graph, Map.of(), options)) {
            answer(pool, inputs);
            long copies = pool.memory().copyBytes();
            assertThat(copies).isPositive();
            for (int i = 0; i < 5; i++) {
                pool.put("adapter " + i, adapted.state());
            }
            List<Future<INDArray>> answers = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                String name = "adapter " + i % 5;
                answers.add(threads.submit(() -> answer(pool, name, inputs)));
            }
            INDArray first = answers.get(0).get();
            for (Future<INDArray> each : answers) {
                assertThatBits(each.get()).isEqualTo(first);
            }
            ModelPool.Memory memory = pool.memory();
            assertThat(memory.workers()).isGreaterThan(2);
            assertThat(memory.copyBytes()).isEqualTo(copies);
            assertThat(memory.adapterBytes()).isEqualTo(5 * 4 * adapted.trainableParameters());
        }
    }

    @Test
    void what_is_not_there_is_refused_by_name_and_takes_nobody_s_turn() {
        Map<String, INDArray> inputs = gpt.inputs(1, 4, 3);
        try (ModelPool pool = open(PoolOptions.defaults().withWorkers(1))) {
            pool.put("support", lora(1));
            for (int i = 0; i < 3; i++) {
                assertThatThrownBy(() -> answer(pool, "sales", inputs))
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessage("there is no adapter `sales` in the pool; it has support");
                assertThatThrownBy(() -> pool.outputs("support", inputs, List.of("scores")))
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessageContaining("no variable `scores`")
                        .hasMessageContaining(LOGITS);
                assertThatThrownBy(() -> answer(pool, "support", Map.of("input_ids", Nd4j.ones(1, 4))))
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessageContaining("causal");
            }
            assertThat(pool.remove("support")).isTrue();
            assertThat(pool.remove("support")).isFalse();
            assertThat(pool.adapters()).isEmpty();
            assertThatThrownBy(() -> answer(pool, "support", inputs)).hasMessageContaining("it has none");
        }
    }

    @Test
    void an_adapter_of_another_model_is_refused_and_the_former_one_stays() {
        TinyGpt other = new TinyGpt(32, 1, 2, 29, 0);
        Map<String, INDArray> inputs = gpt.inputs(1, 4, 3);
        AdapterState fitting = lora(1);
        gpt.graph.getVariable(gpt.weights.get(0)).getArr().muli(2);
        AdapterState changed = lora(1);
        gpt.graph.getVariable(gpt.weights.get(0)).getArr().divi(2);
        try (ModelPool pool = ModelPool.open(other.graph, Map.of(), PoolOptions.defaults())) {
            assertThatThrownBy(() -> pool.put("x", fitting))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("h.1.");
        }
        try (ModelPool pool = open(PoolOptions.defaults())) {
            pool.put("x", fitting);
            INDArray before = answer(pool, "x", inputs);
            assertThatThrownBy(() -> pool.put("x", changed))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("another base model");
            assertThatBits(answer(pool, "x", inputs)).isEqualTo(before);
        }
    }

    @Test
    void a_graph_with_adapters_is_served_as_it_is_and_takes_no_others() {
        AdapterState other = lora(1);
        AdaptedModel model = AdaptedModel.inject(gpt.graph, Map.of(), lora(5));
        Map<String, INDArray> inputs = gpt.inputs(2, 5, 6);
        try (ModelPool pool = open(PoolOptions.defaults());
                Engine engine = Engines.forOutputs(model.graph(), EngineOptions.reference())) {
            INDArray expected = engine.outputs(inputs, List.of(LOGITS)).get(LOGITS);
            model.disable();
            assertClose(answer(pool, inputs), expected, 1e-5);
            assertThatThrownBy(() -> pool.put("x", other))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("open it with the base model");
        }
    }

    @Test
    void a_pool_that_is_closed_under_load_answers_or_says_so() throws Exception {
        Map<String, INDArray> inputs = gpt.inputs(2, 5, 6);
        ModelPool pool = open(PoolOptions.defaults().withWorkers(3));
        pool.put("x", lora(1));
        INDArray right = answer(pool, "x", inputs);
        List<Future<Boolean>> clients = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            clients.add(threads.submit(() -> {
                for (int request = 0; request < 100_000; request++) {
                    try {
                        assertThatBits(answer(pool, "x", inputs)).isEqualTo(right);
                    } catch (IllegalStateException closed) {
                        assertThat(closed).hasMessageContaining("the pool is closed");
                        return true;
                    }
                }
                return false;
            }));
        }
        Thread.sleep(200);
        pool.close();
        for (Future<Boolean> client : clients) {
            assertThat(client.get()).isTrue();
        }
        assertThat(pool.memory()).isEqualTo(new ModelPool.Memory(0, 0, 0));
        assertThatThrownBy(() -> pool.put("x", lora(1))).isInstanceOf(IllegalStateException.class);
    }
}
