package dev.samediff.adapters.train.optimizer;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.backend.StepMemory;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Both ways to compute AdamW; ND4J's operations run on the CPU too. */
class AdamWTest {
    private static final Optimizer.Settings SETTINGS = new Optimizer.Settings(0.9, 0.999, 1e-8, 0.01);

    private static HostAdamW host(Optimizer.Settings settings, List<INDArray> parameters, int threads) {
        assumeTrue(Nd4j.getEnvironment().isCPU(), "ND4J's arrays are not in the host's memory on a device");
        return new HostAdamW(settings, parameters, threads);
    }

    /** Where it computes. */
    private enum Place {
        HOST,
        DEVICE;

        Optimizer optimizer(Optimizer.Settings settings, List<INDArray> parameters) {
            return this == HOST ? host(settings, parameters, 2) : new DeviceAdamW(settings, parameters);
        }
    }

    /** Expected numbers: src/test/python/adamw_trajectories.py. */
    @ParameterizedTest
    @EnumSource
    void trajectories_with_clipping_are_those_of_torch(Place place) throws IOException {
        JsonNode cases;
        try (InputStream file = AdamWTest.class.getResourceAsStream("/train/adamw.json")) {
            cases = new ObjectMapper().readTree(file);
        }
        assertThat(cases).hasSize(3);
        for (JsonNode golden : cases) {
            List<INDArray> parameters = arrays(golden, golden.get("start"));
            Optimizer.Settings settings = new Optimizer.Settings(
                    golden.get("beta1").asDouble(),
                    golden.get("beta2").asDouble(),
                    golden.get("eps").asDouble(),
                    golden.get("weightDecay").asDouble());
            try (Optimizer optimizer = place.optimizer(settings, parameters)) {
                int step = 0;
                for (JsonNode values : golden.get("gradients")) {
                    optimizer.take(arrays(golden, values));
                    double norm = optimizer.norm(Slope.of(1));
                    double expected = golden.get("norms").get(step++).asDouble();
                    assertThat(norm).isCloseTo(expected, within(1e-6 * expected));
                    Slope clipped = Slope.of(GradientSum.clipping(norm, 1));
                    optimizer.update(parameters, clipped, golden.get("lr").asDouble());
                }
            }
            for (int i = 0; i < 2; i++) {
                assertThat(floats(parameters.get(i)))
                        .containsExactly(floats(golden.get("end").get(i)), within(2e-6f));
            }
        }
    }

    private static List<INDArray> arrays(JsonNode golden, JsonNode values) {
        List<INDArray> arrays = new ArrayList<>();
        for (int i = 0; i < values.size(); i++) {
            long[] shape = new ObjectMapper().convertValue(golden.get("shapes").get(i), long[].class);
            arrays.add(Nd4j.createFromArray(floats(values.get(i))).reshape('c', shape));
        }
        return arrays;
    }

    @ParameterizedTest
    @EnumSource
    void a_parameter_that_is_a_view_is_updated_in_place(Place place) {
        INDArray whole = Nd4j.zeros(3, 4);
        INDArray column = whole.getColumn(1);
        INDArray rows = whole.get(NDArrayIndex.interval(1, 3), NDArrayIndex.interval(2, 4));
        Optimizer.Settings plain = new Optimizer.Settings(0.9, 0.999, 1e-8, 0);
        try (Optimizer optimizer = place.optimizer(plain, List.of(column, rows))) {
            optimizer.take(List.of(Nd4j.createFromArray(1f, -1f, 0f), Nd4j.ones(2, 2)));
            optimizer.update(List.of(column, rows), Slope.of(1), 0.1);
        }
        assertThat(floats(whole))
                .containsExactly(
                        new float[] {0, -0.1f, 0, 0, 0, 0.1f, -0.1f, -0.1f, 0, 0, -0.1f, -0.1f}, within(1e-6f));
    }

    @ParameterizedTest
    @EnumSource
    void gradients_that_are_views_are_read_where_they_lie(Place place) {
        INDArray whole = Nd4j.createFromArray(9f, 9, 9, 3, 9, 4).reshape(2, 3);
        INDArray parameters = Nd4j.zeros(2);
        try (Optimizer optimizer = place.optimizer(SETTINGS, List.of(parameters))) {
            optimizer.take(List.of(whole.get(NDArrayIndex.point(1), NDArrayIndex.indices(0, 2))));
            assertThat(optimizer.norm(Slope.of(1))).isEqualTo(5);
            optimizer.take(List.of(whole.get(NDArrayIndex.point(1), NDArrayIndex.interval(0, 2))));
            assertThat(optimizer.norm(Slope.of(1))).isCloseTo(Math.sqrt(90), within(1e-6));
        }
    }

    /** Some updates of tensors larger than a piece of work, with two batches, an addend, and clipping. */
    private static List<INDArray> updates(Optimizer optimizer, List<INDArray> parameters, int steps) {
        Random random = new Random(3);
        for (int step = 0; step < steps; step++) {
            optimizer.take(random(random, parameters));
            optimizer.add(random(random, parameters), 0.75);
            Map<Integer, INDArray> addends =
                    Map.of(1, random(random, parameters).get(1));
            Slope slope = new Slope(0.5, addends, 0.25);
            double norm = optimizer.norm(slope);
            optimizer.update(parameters, slope.times(GradientSum.clipping(norm, 1)), 1e-3);
        }
        List<INDArray> results = new ArrayList<>(parameters);
        optimizer.firstMoments().forEach(moment -> results.add(moment.dup('c')));
        optimizer.secondMoments().forEach(moment -> results.add(moment.dup('c')));
        return results;
    }

    private static List<INDArray> parameters() {
        Random random = new Random(2);
        return random(
                random,
                List.of(Nd4j.create(DataType.FLOAT, 300, 131), Nd4j.create(DataType.FLOAT, 7, 2500), Nd4j.zeros(3)));
    }

    private static List<INDArray> random(Random random, List<INDArray> like) {
        List<INDArray> arrays = new ArrayList<>();
        for (INDArray array : like) {
            float[] values = new float[(int) array.length()];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian();
            }
            arrays.add(Nd4j.createFromArray(values).reshape('c', array.shape()));
        }
        return arrays;
    }

    @Test
    void a_device_computes_what_the_host_computes() {
        List<INDArray> host = parameters();
        List<INDArray> device = parameters();
        try (Optimizer one = host(SETTINGS, host, 1);
                Optimizer other = new DeviceAdamW(SETTINGS, device)) {
            List<INDArray> expected = updates(one, host, 20);
            List<INDArray> actual = updates(other, device, 20);
            assertThat(actual).hasSize(9);
            for (int i = 0; i < actual.size(); i++) {
                assertThat(floats(actual.get(i)))
                        .as("array " + i)
                        .containsExactly(floats(expected.get(i)), within(1e-6f));
            }
        }
    }

    @Test
    void what_a_device_holds_is_what_the_estimate_of_its_memory_counts() {
        try (DeviceAdamW optimizer = new DeviceAdamW(SETTINGS, parameters())) {
            assertThat(optimizer.bytes()).isEqualTo(StepMemory.OPTIMIZER_BYTES * (300L * 131 + 7 * 2500 + 3));
        }
    }

    @Test
    void any_number_of_threads_gives_the_same_bits() {
        List<INDArray> alone = parameters();
        try (Optimizer one = host(SETTINGS, alone, 1)) {
            List<INDArray> expected = updates(one, alone, 3);
            for (int threads : new int[] {2, 3, 8}) {
                List<INDArray> together = parameters();
                try (Optimizer several = host(SETTINGS, together, threads)) {
                    List<INDArray> actual = updates(several, together, 3);
                    for (int i = 0; i < actual.size(); i++) {
                        assertThat(floats(actual.get(i))).containsExactly(floats(expected.get(i)));
                    }
                }
            }
        }
    }

    @Test
    void an_update_by_one_batch_has_the_bits_of_the_formula_in_float32() {
        List<INDArray> parameters = parameters();
        Random random = new Random(4);
        float[] p = floats(parameters.get(0));
        float[] m = new float[p.length];
        float[] v = new float[p.length];
        try (Optimizer optimizer = host(SETTINGS, parameters, 2)) {
            for (int step = 1; step <= 3; step++) {
                List<INDArray> gradients = random(random, parameters);
                float[] g = floats(gradients.get(0));
                optimizer.take(gradients);
                optimizer.update(parameters, Slope.of(1), 1e-2);
                float rate = (float) -(1e-2 / (1 - Math.pow(0.9, step)));
                float root = (float) Math.sqrt(1 - Math.pow(0.999, step));
                for (int i = 0; i < p.length; i++) {
                    m[i] = m[i] * 0.9f + (float) (1 - 0.9) * g[i];
                    v[i] = v[i] * 0.999f + (float) (1 - 0.999) * g[i] * g[i];
                    p[i] = p[i] * (float) (1 - 1e-2 * 0.01) + rate * m[i] / ((float) Math.sqrt(v[i]) / root + 1e-8f);
                }
            }
        }
        assertThat(floats(parameters.get(0))).containsExactly(p);
    }

    @ParameterizedTest
    @EnumSource
    void a_restored_state_goes_on_as_the_saved_one_does(Place place) {
        List<INDArray> straight = parameters();
        List<INDArray> resumed = parameters();
        try (Optimizer one = place.optimizer(SETTINGS, straight);
                Optimizer other = place.optimizer(SETTINGS, resumed)) {
            assertThat(one.firstMoments()).isEmpty();
            updates(one, straight, 2);
            for (int i = 0; i < straight.size(); i++) {
                resumed.get(i).assign(straight.get(i));
            }
            List<Optimizer.Kept> kept = one.kept();
            other.restore(
                    one.steps(),
                    (kind, parameter) -> kept.stream()
                            .filter(each -> each.kind().equals(kind) && each.parameter() == parameter)
                            .findFirst()
                            .map(Optimizer.Kept::array)
                            .orElse(null));
            assertThatBits(updates(other, resumed, 2)).isEqualTo(updates(one, straight, 2));
        }
    }

    @ParameterizedTest
    @EnumSource
    void anything_but_float_is_refused(Place place) {
        List<INDArray> half = List.of(Nd4j.zeros(DataType.HALF, 2));
        assertThatThrownBy(() -> place.optimizer(SETTINGS, half))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("HALF");
        try (Optimizer optimizer = place.optimizer(SETTINGS, List.of(Nd4j.zeros(2)))) {
            assertThatThrownBy(() -> optimizer.take(half))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("a gradient is HALF");
        }
    }

    private static float[] floats(INDArray array) {
        return Arrays.copyOf(array.dup('c').data().asFloat(), (int) array.length());
    }

    private static float[] floats(JsonNode values) {
        float[] result = new float[values.size()];
        for (int i = 0; i < result.length; i++) {
            result[i] = (float) values.get(i).asDouble();
        }
        return result;
    }
}
