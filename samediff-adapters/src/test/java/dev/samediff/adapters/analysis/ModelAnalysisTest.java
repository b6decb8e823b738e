package dev.samediff.adapters.analysis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.BaseHash;
import dev.samediff.adapters.BaseModel;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.linalg.LapackDecompositions;
import dev.samediff.adapters.method.AdapterMethods;
import dev.samediff.adapters.method.Bottleneck;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Against numpy's float64: src/test/python/weight_analysis.py. */
class ModelAnalysisTest {
    private static final double TOLERANCE = 1e-8;

    private record Model(SameDiff graph, Map<String, String> modulePaths) implements BaseModel {}

    @TestFactory
    Stream<DynamicTest> every_method_has_numpys_numbers() throws IOException {
        return cases().map(each -> DynamicTest.dynamicTest(
                each.path("method").asText() + " "
                        + each.path("tensors").fieldNames().next(),
                () -> {
                    List<ModelAnalysis.Matrix> found = new ArrayList<>();
                    analysis(each)
                            .run(
                                    List.of(state(each)),
                                    OptionalInt.of(each.path("rank").asInt()),
                                    (adapter, matrix) -> found.add(matrix));
                    assertThat(found).singleElement().satisfies(matrix -> check(matrix, each.path("expected")));
                }));
    }

    private static void check(ModelAnalysis.Matrix found, JsonNode expected) {
        assertThat(found.matrix()).isEqualTo("layer");
        check(found.before(), expected.path("before"));
        check(found.change().after(), expected.path("after"));
        check(found.change().all(), expected.path("all"));
        check(found.change().leading(), expected.path("leading"));
        close(found.change().angles().left(), expected.path("angles").path("left"));
        close(found.change().angles().right(), expected.path("angles").path("right"));
        JsonNode factors = expected.path("factors");
        assertThat(found.factors().isPresent()).isEqualTo(!factors.isNull());
        found.factors().ifPresent(trained -> {
            close(trained.orthonormalityOfU(), factors.path("orthonormality_u"));
            close(trained.orthonormalityOfV(), factors.path("orthonormality_v"));
            close(trained.conditionOfU(), factors.path("condition_u"));
            close(trained.conditionOfV(), factors.path("condition_v"));
            close(trained.conditionOfPart(), factors.path("condition_part"));
        });
    }

    private static void check(AdapterAnalysis.Spectrum found, JsonNode expected) {
        close(found.largest(), expected.path("largest"));
        close(found.smallest(), expected.path("smallest"));
        close(found.condition(), expected.path("condition"));
        close(found.effectiveRank(), expected.path("effective_rank"));
        close(found.stableRank(), expected.path("stable_rank"));
    }

    private static void check(AdapterAnalysis.Deviation found, JsonNode expected) {
        close(found.singularValues(), expected.path("singular_values"));
        close(found.singularVectors(), expected.path("singular_vectors"));
        close(found.subspace(), expected.path("subspace"));
        close(found.relativeChange(), expected.path("relative_change"));
    }

    private static void close(double found, JsonNode expected) {
        assertThat(expected.isNumber()).isTrue();
        assertThat(found).isCloseTo(expected.asDouble(), within(TOLERANCE * Math.max(1, expected.asDouble())));
    }

    @Test
    void one_decomposition_serves_several_steps_and_the_leading_ones_are_the_layers_own_by_default()
            throws IOException {
        JsonNode lora = cases().findFirst().orElseThrow();
        List<String> found = new ArrayList<>();
        ModelAnalysis analysis = analysis(lora);
        List<AdapterState> steps = List.of(state(lora), state(lora));
        assertThat(analysis.count(steps)).isEqualTo(2);
        analysis.run(steps, OptionalInt.empty(), (adapter, matrix) -> found.add(adapter + " " + matrix.rank()));
        assertThat(found).containsExactly("0 3", "1 3");
    }

    @Test
    void the_change_of_a_lora_before_training_has_no_condition_number() {
        Map<String, INDArray> start = Map.of("lora_A", Nd4j.rand(5, 2), "lora_B", Nd4j.zeros(2, 4));
        AdapterAnalysis.Factors factors = new AdapterAnalysis(new LapackDecompositions())
                .factors(AdapterMethods.named("lora", 2), start)
                .orElseThrow();
        assertThat(factors.conditionOfPart()).isNaN();
        assertThat(factors.conditionOfV()).isNaN();
        assertThat(factors.orthonormalityOfV()).isCloseTo(Math.sqrt(2), within(TOLERANCE));
    }

    @Test
    void an_adapter_of_another_base_and_one_without_a_weight_are_refused() throws IOException {
        JsonNode lora = cases().findFirst().orElseThrow();
        AdapterState state = state(lora);
        ModelAnalysis analysis = analysis(lora);
        AdapterState other = new AdapterState(
                state.config(), List.of(state.sites().get(0).withWeightHash("0".repeat(64))), state.baseHash());
        assertThatThrownBy(() -> analysis.count(List.of(state, other)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("made from another base model")
                .hasMessageContaining("layer.weight");
        AdapterState bottleneck =
                new AdapterState(AdapterConfig.of(Bottleneck.houlsby(2)), state.sites(), state.baseHash());
        assertThatThrownBy(() -> analysis.count(List.of(bottleneck)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("no weight does the same: there is nothing to analyse");
    }

    private static ModelAnalysis analysis(JsonNode each) {
        SameDiff graph = SameDiff.create();
        INDArray weight = matrix(each.path("weight"));
        graph.placeHolder("x", DataType.FLOAT, -1, weight.rows()).mmul("y", graph.var("layer.weight", weight));
        return new ModelAnalysis(new Model(graph, Map.of()), new LapackDecompositions());
    }

    private static AdapterState state(JsonNode each) {
        INDArray weight = matrix(each.path("weight"));
        int rank = each.path("rank").asInt();
        double scaling = each.path("scaling").asDouble();
        String hash = BaseHash.ofWeight(weight);
        AdapterState.Site site = new AdapterState.Site(
                "layer",
                "layer.weight",
                weight.rows(),
                weight.columns(),
                rank,
                rank * scaling,
                scaling,
                tensors(each.path("tensors")),
                tensors(each.path("start")),
                each.path("starts_at_zero").asBoolean(),
                hash);
        return new AdapterState(
                AdapterConfig.of(AdapterMethods.named(each.path("method").asText(), rank)),
                List.of(site),
                BaseHash.of(Map.of("layer", hash)));
    }

    private static Map<String, INDArray> tensors(JsonNode given) {
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        given.fields().forEachRemaining(tensor -> tensors.put(tensor.getKey(), matrix(tensor.getValue())));
        return tensors;
    }

    private static INDArray matrix(JsonNode rows) {
        double[] numbers = StreamSupport.stream(rows.spliterator(), false)
                .flatMap(row -> row.isArray() ? StreamSupport.stream(row.spliterator(), false) : Stream.of(row))
                .mapToDouble(JsonNode::asDouble)
                .toArray();
        INDArray array = Nd4j.createFromArray(numbers).castTo(DataType.FLOAT);
        return rows.path(0).isArray()
                ? array.reshape('c', rows.size(), rows.path(0).size())
                : array;
    }

    private static Stream<JsonNode> cases() throws IOException {
        try (InputStream file =
                Objects.requireNonNull(ModelAnalysisTest.class.getResourceAsStream("/analysis/cases.json"))) {
            return StreamSupport.stream(new ObjectMapper().readTree(file).spliterator(), false);
        }
    }
}
