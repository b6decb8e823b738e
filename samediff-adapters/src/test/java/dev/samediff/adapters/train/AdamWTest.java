package dev.samediff.adapters.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Expected numbers: src/test/python/adamw_trajectories.py. */
class AdamWTest {
    @Test
    void trajectories_with_clipping_are_those_of_torch() throws IOException {
        JsonNode cases;
        try (InputStream file = AdamWTest.class.getResourceAsStream("/train/adamw.json")) {
            cases = new ObjectMapper().readTree(file);
        }
        assertThat(cases).hasSize(3);
        for (JsonNode golden : cases) {
            AdamW optimizer = new AdamW(
                    golden.get("beta1").asDouble(),
                    golden.get("beta2").asDouble(),
                    golden.get("eps").asDouble(),
                    golden.get("weightDecay").asDouble());
            List<INDArray> parameters = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                long[] shape =
                        new ObjectMapper().convertValue(golden.get("shapes").get(i), long[].class);
                parameters.add(
                        Nd4j.createFromArray(floats(golden.get("start").get(i))).reshape('c', shape));
            }
            int step = 0;
            for (JsonNode values : golden.get("gradients")) {
                List<float[]> gradients = new ArrayList<>();
                values.forEach(tensor -> gradients.add(floats(tensor)));
                double norm = GradientSum.clip(gradients, 1);
                double expected = golden.get("norms").get(step++).asDouble();
                assertThat(norm).isCloseTo(expected, within(1e-6 * expected));
                optimizer.update(parameters, gradients, golden.get("lr").asDouble());
            }
            for (int i = 0; i < 2; i++) {
                assertThat(HostFloats.read(parameters.get(i)))
                        .containsExactly(floats(golden.get("end").get(i)), within(2e-6f));
            }
        }
    }

    @Test
    void a_parameter_that_is_a_view_is_updated_in_place() {
        INDArray whole = Nd4j.zeros(3, 4);
        INDArray column = whole.getColumn(1);
        new AdamW(0.9, 0.999, 1e-8, 0).update(List.of(column), List.of(new float[] {1, -1, 0}), 0.1);
        assertThat(whole.getColumn(1).toFloatVector()).containsExactly(new float[] {-0.1f, 0.1f, 0}, within(1e-6f));
        assertThat(whole.getColumn(0).toFloatVector()).containsOnly(0);
        assertThat(whole.getColumn(2).toFloatVector()).containsOnly(0);
    }

    private static float[] floats(JsonNode values) {
        float[] result = new float[values.size()];
        for (int i = 0; i < result.length; i++) {
            result[i] = (float) values.get(i).asDouble();
        }
        return result;
    }
}
