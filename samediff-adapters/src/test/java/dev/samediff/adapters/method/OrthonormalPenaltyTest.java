package dev.samediff.adapters.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.Penalty;
import dev.samediff.adapters.method.OrthonormalPenalty.Form;
import dev.samediff.adapters.testing.ToyGraph;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class OrthonormalPenaltyTest {
    private static final int[][] SHAPES = {{6, 3, 9}, {7, 3, 4}, {5, 2, 5}, {5, 1, 4}};

    @ParameterizedTest
    @EnumSource(Form.class)
    void graph_equals_closed_form_and_finite_differences(Form form) {
        Penalty penalty = new OrthonormalPenalty(form, 1, "a", "b");
        List<Map<String, INDArray>> sites = randomSites();
        Penalty.Value closed = penalty.evaluate(sites);
        InGraph graph = new InGraph(penalty, sites);
        assertThat(graph.value()).isCloseTo(closed.value(), within(1e-9));
        for (int i = 0; i < sites.size(); i++) {
            for (String name : List.of("a", "b")) {
                INDArray expected = closed.gradients().get(i).get(name);
                assertThat(difference(graph.gradient(i, name), expected)).isLessThan(1e-9);
                INDArray array = sites.get(i).get(name);
                for (long k = 0; k < array.length(); k++) {
                    double value = array.getDouble(k);
                    array.putScalar(k, value + 1e-5);
                    double above = penalty.evaluate(sites).value();
                    array.putScalar(k, value - 1e-5);
                    double below = penalty.evaluate(sites).value();
                    array.putScalar(k, value);
                    assertThat(expected.getDouble(k)).isCloseTo((above - below) / 2e-5, within(1e-7));
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void the_gradient_is_zero_and_finite_at_exact_orthonormality(Form form) {
        Penalty penalty = new OrthonormalPenalty(form, 1, "a", "b");
        for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE)) {
            INDArray identity = Nd4j.eye(4).castTo(type);
            List<Map<String, INDArray>> sites = List.of(Map.of("a", identity, "b", identity));
            assertThat(penalty.evaluate(sites).value()).isZero();
            assertThat(penalty.evaluate(sites)
                            .gradients()
                            .get(0)
                            .get("a")
                            .amaxNumber()
                            .doubleValue())
                    .isZero();
            InGraph graph = new InGraph(penalty, sites);
            assertThat(graph.value()).isCloseTo(0, within(1e-9));
            assertThat(graph.gradient(0, "a").amaxNumber().doubleValue()).isZero();
            assertThat(graph.gradient(0, "b").amaxNumber().doubleValue()).isZero();
        }
    }

    @org.junit.jupiter.api.Test
    void repo_is_the_mean_of_what_fro_sums() {
        List<Map<String, INDArray>> sites = randomSites();
        assertThat(new OrthonormalPenalty(Form.REPO, 1, "a", "b")
                        .evaluate(sites)
                        .value())
                .isCloseTo(
                        new OrthonormalPenalty(Form.FRO, 1, "a", "b")
                                        .evaluate(sites)
                                        .value()
                                / 8,
                        within(1e-12));
    }

    private static List<Map<String, INDArray>> randomSites() {
        Random random = new Random(8);
        List<Map<String, INDArray>> sites = new ArrayList<>();
        for (int[] shape : SHAPES) {
            sites.add(Map.of(
                    "a", ToyGraph.random(random, DataType.DOUBLE, shape[0], shape[1]),
                    "b", ToyGraph.random(random, DataType.DOUBLE, shape[1], shape[2])));
        }
        return sites;
    }

    private static double difference(INDArray a, INDArray b) {
        return a.sub(b).amaxNumber().doubleValue();
    }

    /** The penalty as a graph's only loss. */
    private static final class InGraph {
        private final SameDiff graph = SameDiff.create();
        private final Map<String, INDArray> gradients;

        InGraph(Penalty penalty, List<Map<String, INDArray>> sites) {
            List<Map<String, SDVariable>> variables = new ArrayList<>();
            List<String> names = new ArrayList<>();
            for (int i = 0; i < sites.size(); i++) {
                Map<String, SDVariable> site = new LinkedHashMap<>();
                for (String name : List.of("a", "b")) {
                    names.add(name + i);
                    site.put(name, graph.var(name + i, sites.get(i).get(name).dup()));
                }
                variables.add(site);
            }
            SDVariable value = penalty.inGraph(variables, "penalty");
            graph.setLossVariables(value);
            gradients = graph.calculateGradients(Map.of(), names);
        }

        double value() {
            return graph.output(Map.of(), "penalty").get("penalty").getDouble(0);
        }

        INDArray gradient(int site, String name) {
            return java.util.Objects.requireNonNull(gradients.get(name + site));
        }
    }
}
