package dev.samediff.tuning.tpe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/**
 * The densities are Optuna's. The table is made in float64 by {@code src/test/python/densities.py} from the published
 * definitions; {@code densities.py --optuna} compares the script with an installed Optuna.
 */
class TpeDensityTest {
    private static final double TOLERANCE = 1e-10;

    @Test
    void every_density_of_the_table_is_the_published_one() throws IOException {
        int compared = 0;
        for (JsonNode row : table()) {
            double[] points = numbers(row.path("points"));
            Density density = Density.of(
                    dimension(row.path("kind").asText(), row.path("count").asInt()), points);
            double[] expected = numbers(row.path("log"));
            double[] at = numbers(row.path("at"));
            for (int i = 0; i < at.length; i++) {
                assertThat(density.logAt(at[i]))
                        .as("%s of %s, %d points, at %s", row.path("kind"), row.path("count"), points.length, at[i])
                        .isCloseTo(expected[i], within(TOLERANCE));
                compared++;
            }
        }
        assertThat(compared).isEqualTo(990);
    }

    @Test
    void observations_beyond_the_latest_25_weigh_less_the_older_they_are() {
        assertThat(Kernels.weights(0)).containsExactly(1);
        assertThat(Kernels.weights(25)).containsOnly(1.0 / 26);
        double[] one = Kernels.weights(26);
        assertThat(one[0] / one[1]).isCloseTo(1.0 / 26, within(1e-15));
        double[] some = Kernels.weights(30);
        assertThat(some[0] / some[30]).isCloseTo(1.0 / 30, within(1e-15));
        assertThat(some[2] / some[30]).isCloseTo((1.0 / 30 + 1) / 2, within(1e-15));
        assertThat(some[4]).isEqualTo(some[30]);
    }

    @Test
    void a_tenth_is_good_one_at_least_and_25_at_most() {
        int[][] expected = {
            {0, 0}, {1, 1}, {10, 1}, {11, 2}, {20, 2}, {21, 3}, {249, 25}, {250, 25}, {251, 25}, {9999, 25}
        };
        for (int[] pair : expected) {
            assertThat(ParzenEstimator.goodOf(pair[0])).as("of %d", pair[0]).isEqualTo(pair[1]);
        }
    }

    private static Dimension dimension(String kind, int count) {
        return switch (kind) {
            case "continuous" -> new Dimension.Continuous();
            case "whole" -> new Dimension.Whole(count);
            case "choice" -> new Dimension.Choice(count);
            default -> throw new IllegalStateException("the table has a kind " + kind);
        };
    }

    private static JsonNode table() throws IOException {
        try (InputStream in = Objects.requireNonNull(
                TpeDensityTest.class.getResourceAsStream("/tpe-densities.json"),
                "src/test/python/densities.py makes it")) {
            return new ObjectMapper().readTree(in);
        }
    }

    private static double[] numbers(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .mapToDouble(JsonNode::doubleValue)
                .toArray();
    }
}
