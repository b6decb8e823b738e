package dev.samediff.adapters.train.optimizer;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static dev.samediff.adapters.testing.JsonArrays.array;
import static dev.samediff.adapters.testing.JsonArrays.ints;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.testing.JsonArrays;
import dev.samediff.adapters.train.GaLore;
import dev.samediff.adapters.train.Lisa;
import dev.samediff.adapters.train.Subspace;
import dev.samediff.adapters.train.TrainingPlan;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** GaLore and LISA take the steps of the papers' algorithms: src/test/python/subspace_training.py. */
class SubspaceAdamWTest {
    private static final JsonNode GOLDEN = JsonArrays.tree("/train/subspace.json");
    private static final double TOLERANCE = 1e-4;
    private static final List<String> NAMES = IntStream.range(
                    0, GOLDEN.get("names").size())
            .mapToObj(i -> GOLDEN.get("names").get(i).asText())
            .toList();
    private static final int STEPS = GOLDEN.get("gradients").size();

    static Stream<Arguments> cases() {
        return IntStream.range(0, GOLDEN.get("cases").size())
                .mapToObj(i -> GOLDEN.get("cases").get(i))
                .map(json -> Arguments.of(
                        json.get("kind").asText() + " " + json.path("rank").asText() + " " + json.get("decay"), json));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void steps_are_those_of_the_papers(String name, JsonNode json) {
        List<INDArray> parameters = tensors(GOLDEN.get("start"));
        try (Optimizer optimizer = optimizer(json, parameters)) {
            run(optimizer, parameters, json, 0, STEPS);
        }
        List<INDArray> expected = tensors(json.get("end"));
        for (int i = 0; i < expected.size(); i++) {
            assertThat(parameters.get(i).distance2(expected.get(i)))
                    .as(NAMES.get(i))
                    .isLessThan(TOLERANCE * expected.get(i).norm2Number().doubleValue());
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void a_restored_state_goes_on_to_the_last_bit(String name, JsonNode json) {
        List<INDArray> straight = tensors(GOLDEN.get("start"));
        List<INDArray> resumed = tensors(GOLDEN.get("start"));
        try (Optimizer one = optimizer(json, straight);
                Optimizer other = optimizer(json, resumed)) {
            run(one, straight, json, 0, 13);
            List<Optimizer.Kept> kept = copies(one.kept());
            for (int i = 0; i < straight.size(); i++) {
                resumed.get(i).assign(straight.get(i));
            }
            run(one, straight, json, 13, STEPS);
            other.restore(13, (kind, parameter) -> find(kept, kind, parameter));
            run(other, resumed, json, 13, STEPS);
        }
        for (int i = 0; i < straight.size(); i++) {
            assertThatBits(resumed.get(i)).isEqualTo(straight.get(i));
        }
    }

    @Test
    void galores_moments_are_of_the_projection() {
        List<INDArray> parameters = List.of(Nd4j.zeros(64, 48), Nd4j.zeros(32, 96), Nd4j.zeros(50));
        try (Optimizer optimizer = optimizer(GaLore.rank(4), 1, parameters)) {
            step(optimizer, parameters, 1);
            assertThat(optimizer.firstMoments().stream().map(INDArray::shape))
                    .containsExactly(new long[] {64, 4}, new long[] {4, 96}, new long[] {50});
            assertThat(numbers(optimizer)).isEqualTo(2 * (64 * 4 + 4 * 96 + 50) + 48 * 4 + 32 * 4);
        }
    }

    @Test
    void lisas_moments_are_of_the_layers_of_the_moment() {
        List<String> names = new ArrayList<>(List.of("embed.weight"));
        List<INDArray> parameters = new ArrayList<>(List.of(Nd4j.zeros(10, 4)));
        for (int layer = 0; layer < 12; layer++) {
            names.add("h." + layer + ".weight");
            parameters.add(Nd4j.zeros(8, 8));
        }
        TrainingPlan plan = plan(Lisa.layers(2).withInterval(3), 5);
        Set<String> moved = new TreeSet<>();
        try (Optimizer optimizer = Optimizer.of(plan, names, names, parameters)) {
            for (int k = 1; k <= 30; k++) {
                List<INDArray> before = parameters.stream().map(INDArray::dup).toList();
                step(optimizer, parameters, k);
                List<String> changed = IntStream.range(0, names.size())
                        .filter(i -> parameters.get(i).distance2(before.get(i)) > 0)
                        .mapToObj(names::get)
                        .toList();
                assertThat(changed).hasSize(3).contains("embed.weight");
                moved.addAll(changed);
                assertThat(numbers(optimizer)).isLessThanOrEqualTo(2 * (40 + 2 * 64));
            }
        }
        assertThat(moved).hasSizeGreaterThan(7);
    }

    @Test
    void the_norm_is_of_what_moves() {
        List<INDArray> parameters = List.of(Nd4j.zeros(3), Nd4j.zeros(3));
        List<String> names = List.of("h.0.bias", "h.1.bias");
        try (Optimizer optimizer = Optimizer.of(plan(Lisa.layers(1), 1), names, names, parameters)) {
            optimizer.take(List.of(Nd4j.ones(3).muli(2), Nd4j.ones(3).muli(2)));
            assertThat(optimizer.norm(Slope.of(1))).isCloseTo(2 * Math.sqrt(3), within(1e-6));
        }
    }

    @Test
    void gradients_of_zeros_leave_everything_finite_and_in_place() {
        List<INDArray> parameters = List.of(Nd4j.ones(6, 5), Nd4j.ones(5));
        try (Optimizer optimizer = optimizer(GaLore.rank(2).withInterval(1), 1, parameters)) {
            for (int k = 0; k < 3; k++) {
                optimizer.take(List.of(Nd4j.zeros(6, 5), Nd4j.zeros(5)));
                assertThat(optimizer.update(parameters, Slope.of(1), 0.1)).isTrue();
            }
        }
        assertThatBits(parameters.get(0)).isEqualTo(Nd4j.ones(6, 5));
        assertThatBits(parameters.get(1)).isEqualTo(Nd4j.ones(5));
    }

    @Test
    void an_update_that_is_not_finite_says_so() {
        List<INDArray> parameters = List.of(Nd4j.ones(6, 5));
        try (Optimizer optimizer = optimizer(GaLore.rank(2), 1, parameters)) {
            step(optimizer, parameters, 1);
            optimizer.take(List.of(Nd4j.valueArrayOf(new long[] {6, 5}, Float.NaN))); // muli(NaN) would be 1e-5 in ND4J
            assertThat(optimizer.update(parameters, Slope.of(1), 0.1)).isFalse();
        }
    }

    @Test
    void one_layer_is_trained_always() {
        Lisa lisa = Lisa.layers(1).withInterval(2);
        Set<String> one = lisa.layersOf(List.of("h.0.weight", "head.weight"));
        assertThat(one).containsExactly("h.0");
        assertThat(LongStream.rangeClosed(1, 9).mapToObj(k -> lisa.drawn(one, k, 3)))
                .allMatch(one::equals);
    }

    @Test
    void layers_are_what_names_say_up_to_a_number() {
        assertThat(Lisa.layerOf("transformer.h.3.mlp.c_fc.weight")).contains("transformer.h.3");
        assertThat(Lisa.layerOf("model.layers.10.experts.2.w1.weight")).contains("model.layers.10");
        assertThat(Lisa.layerOf("lm_head.weight")).isEmpty();
        assertThat(Lisa.layerOf("h.3")).isEmpty();
        assertThat(Lisa.layerOf("")).isEmpty();
    }

    @Test
    void draws_depend_on_seed_and_update_alone_and_are_even() {
        Lisa lisa = Lisa.layers(2).withInterval(4);
        Set<String> all = new TreeSet<>(List.of("a.0", "a.1", "a.2", "a.3", "a.4"));
        int[] times = new int[5];
        for (long update = 1; update <= 8000; update++) {
            Set<String> drawn = lisa.drawn(all, update, 9);
            assertThat(drawn).hasSize(2).isEqualTo(lisa.drawn(all, update - (update - 1) % 4, 9));
            drawn.forEach(name -> times[name.charAt(2) - '0']++);
        }
        assertThat(Arrays.stream(times)).allMatch(each -> each > 2880 && each < 3520); // 3200 expected
        assertThat(LongStream.range(0, 20)
                        .mapToObj(seed -> lisa.drawn(all, 1, seed))
                        .distinct())
                .hasSizeGreaterThan(3);
    }

    @Test
    void what_cannot_be_trained_so_is_refused() {
        List<INDArray> vectors = List.of(Nd4j.ones(5), Nd4j.ones(2, 9));
        assertThatThrownBy(() -> optimizer(GaLore.rank(2), 1, vectors))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("would project nothing");
        assertThatThrownBy(() ->
                        Optimizer.of(plan(Lisa.layers(2), 1), List.of("a", "b.1.w"), List.of("a", "b.1.w"), vectors))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("2 layers at a time, and the trained tensors have 1 [b.1]");
        assertThatThrownBy(() -> GaLore.rank(0)).isInstanceOf(InvalidInputException.class);
        assertThatThrownBy(() -> GaLore.rank(1).withScale(Double.NaN)).isInstanceOf(InvalidInputException.class);
        assertThatThrownBy(() -> Lisa.layers(1).withInterval(0)).isInstanceOf(InvalidInputException.class);
    }

    @Test
    void a_checkpoint_of_another_training_is_refused() {
        List<INDArray> parameters = List.of(Nd4j.ones(6, 5), Nd4j.ones(5));
        try (Optimizer two = optimizer(GaLore.rank(2), 1, parameters);
                Optimizer three = optimizer(GaLore.rank(3), 1, parameters)) {
            step(two, parameters, 1);
            List<Optimizer.Kept> kept = copies(two.kept());
            assertThatThrownBy(() -> three.restore(1, (kind, i) -> find(kept, kind, i)))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("[6, 2]")
                    .hasMessageContaining("[6, 3]");
            assertThatThrownBy(() -> three.restore(1, (kind, i) -> null))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("no projection");
        }
    }

    private static Optimizer optimizer(JsonNode json, List<INDArray> parameters) {
        TrainingPlan.Builder plan =
                TrainingPlan.builder().steps(1).weightDecay(json.get("decay").asDouble());
        if (json.get("kind").asText().equals("galore")) {
            plan.subspace(new GaLore(
                    json.get("rank").asInt(),
                    json.get("interval").asInt(),
                    json.get("scale").asDouble()));
        } else {
            Lisa rule = Lisa.layers(1).withInterval(json.get("interval").asInt());
            plan.subspace(rule).seed(seedOf(rule, json.get("draws")));
        }
        return Optimizer.of(plan.build(), NAMES, NAMES, parameters);
    }

    /** Returns a seed that draws the layers of the golden file. */
    private static long seedOf(Lisa rule, JsonNode draws) {
        Set<String> all = rule.layersOf(NAMES);
        return LongStream.range(0, 100_000)
                .filter(seed -> IntStream.range(0, draws.size())
                        .allMatch(k -> rule.drawn(all, 1 + (long) k * rule.interval(), seed)
                                .contains(draws.get(k).get(0).asText())))
                .findFirst()
                .orElseThrow();
    }

    private static Optimizer optimizer(Subspace rule, long seed, List<INDArray> parameters) {
        List<String> names =
                IntStream.range(0, parameters.size()).mapToObj(i -> "p" + i).toList();
        return Optimizer.of(plan(rule, seed), names, names, parameters);
    }

    private static TrainingPlan plan(Subspace rule, long seed) {
        return TrainingPlan.builder().steps(1).subspace(rule).seed(seed).build();
    }

    private static void run(Optimizer optimizer, List<INDArray> parameters, JsonNode json, int from, int to) {
        for (int k = from; k < to; k++) {
            optimizer.take(tensors(GOLDEN.get("gradients").get(k)));
            optimizer.update(parameters, Slope.of(1), json.get("lr").asDouble());
        }
    }

    private static void step(Optimizer optimizer, List<INDArray> parameters, long seed) {
        Random random = new Random(seed);
        optimizer.take(parameters.stream()
                .map(p -> {
                    float[] values = new float[(int) p.length()];
                    for (int i = 0; i < values.length; i++) {
                        values[i] = (float) random.nextGaussian();
                    }
                    return Nd4j.createFromArray(values).reshape(p.shape()).dup('c');
                })
                .toList());
        optimizer.update(parameters, Slope.of(1), 0.1);
    }

    private static long numbers(Optimizer optimizer) {
        return optimizer.kept().stream()
                .mapToLong(kept -> kept.array().length())
                .sum();
    }

    private static List<Optimizer.Kept> copies(List<Optimizer.Kept> kept) {
        return kept.stream()
                .map(each -> new Optimizer.Kept(
                        each.kind(), each.parameter(), each.array().dup()))
                .toList();
    }

    private static INDArray find(List<Optimizer.Kept> kept, String kind, int parameter) {
        return kept.stream()
                .filter(each -> each.kind().equals(kind) && each.parameter() == parameter)
                .findFirst()
                .map(Optimizer.Kept::array)
                .orElse(null);
    }

    /** Flat lists in the shapes of the tensors. */
    private static List<INDArray> tensors(JsonNode json) {
        return IntStream.range(0, json.size())
                .mapToObj(i -> {
                    int[] shape = ints(GOLDEN.get("shapes").get(i));
                    return array(json.get(i))
                            .reshape(Arrays.stream(shape).asLongStream().toArray())
                            .dup('c');
                })
                .toList();
    }
}
