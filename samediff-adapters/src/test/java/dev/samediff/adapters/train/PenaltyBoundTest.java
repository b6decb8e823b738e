package dev.samediff.adapters.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.Penalty;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.AdaLora;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.OrthonormalPenalty;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.train.loss.Losses;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** The bound on SORSA's gamma that is checked before training (Theorem 3), and that descent does what it says. */
class PenaltyBoundTest {
    private static List<String> warnings(AdapterMethod method, LearningRates rates, double peak) {
        TinyGpt gpt = new TinyGpt(16, 1, 2, 11, 0);
        AdaptedModel model = AdaptedModel.inject(
                gpt.graph, AdapterConfig.of(method).withTargets(TargetSelector.suffixes("c_attn", "c_fc")));
        TrainingPlan.Builder plan =
                TrainingPlan.builder().steps(3).learningRate(peak).loraPlus(rates.loraPlus());
        rates.groups().forEach(group -> plan.learningRateOf(group.pattern(), group.learningRate()));
        return PenaltyBound.warnings(Trainable.of(model, Losses.causalLm(gpt.graph, gpt.logits)), plan.build());
    }

    /** From distances of 1e-2 on: descent on the regulariser alone, with the update of equation 10 at the peak. */
    @ParameterizedTest
    @CsvSource({"0.05, true", "0.24, true", "0.27, false", "0.5, false"})
    void descent_on_the_regulariser_converges_below_the_bound_and_not_above(double gamma, boolean converges) {
        Penalty penalty = new OrthonormalPenalty(OrthonormalPenalty.Form.SUMSQ, gamma, "a", "b");
        assertThat(gamma < 2 / penalty.curvature().orElseThrow()).isEqualTo(converges);
        Random random = new Random(3);
        INDArray a = Nd4j.eye(7)
                .castTo(DataType.DOUBLE)
                .get(NDArrayIndex.all(), NDArrayIndex.interval(0, 3))
                .dup('c');
        INDArray b = a.transpose().dup('c');
        for (INDArray vectors : List.of(a, b)) {
            for (long i = 0; i < vectors.length(); i++) {
                vectors.putScalar(i, vectors.getDouble(i) + 1e-3 * random.nextGaussian());
            }
        }
        double rate = 3e-3;
        double first = penalty.evaluate(List.of(Map.of("a", a, "b", b))).value();
        for (int step = 0; step < 30; step++) {
            Map<String, INDArray> gradient = penalty.evaluate(List.of(Map.of("a", a, "b", b)))
                    .gradients()
                    .get(0);
            gradient.forEach(
                    (name, slope) -> (name.equals("a") ? a : b).subi(slope.mul(rate * penalty.coefficient(rate))));
        }
        double last = penalty.evaluate(List.of(Map.of("a", a, "b", b))).value();
        if (converges) {
            assertThat(last).isLessThan(first / 10);
        } else {
            assertThat(last).isGreaterThan(first * 10);
        }
    }

    @Test
    void a_gamma_at_the_bound_or_above_is_warned_of_by_name() {
        assertThat(warnings(Sorsa.rank(2).withGamma(0.3), LearningRates.SAME, 0.02))
                .singleElement()
                .asString()
                .contains("Theorem 3", "gamma 0.3", "sorsa_A", "use a gamma below 0.25");
        assertThat(warnings(Sorsa.rank(2).withGamma(0.25), LearningRates.SAME, 1e-4))
                .hasSize(1);
        assertThat(warnings(Sorsa.rank(2).withGamma(0.2499), LearningRates.SAME, 1e-4))
                .isEmpty();
        assertThat(warnings(Sorsa.rank(2), LearningRates.SAME, 0.02)).isEmpty();
    }

    @Test
    void rates_of_the_vectors_count_and_that_of_the_values_does_not() {
        LearningRates faster = LearningRates.SAME.with("*.sorsa_B.*", 0.04);
        assertThat(warnings(Sorsa.rank(2).withGamma(0.2), faster, 0.02))
                .singleElement()
                .asString()
                .contains("sorsa_B", "use a gamma below 0.125");
        assertThat(warnings(Sorsa.rank(2).withGamma(0.2), LearningRates.SAME.with("*.sorsa_S.*", 0.4), 0.02))
                .isEmpty();
        assertThat(warnings(Sorsa.rank(2).withGamma(0.2), LearningRates.SAME.withLoraPlus(16), 0.02))
                .hasSize(1);
    }

    @Test
    void regularisers_with_a_kink_and_methods_without_one_have_no_bound() {
        assertThat(warnings(
                        Sorsa.rank(2).withGamma(3).withRegularizer(OrthonormalPenalty.Form.REPO),
                        LearningRates.SAME,
                        0.02))
                .isEmpty();
        assertThat(warnings(AdaLora.rank(2), LearningRates.SAME, 0.02)).isEmpty();
        assertThat(warnings(Lora.rank(2), LearningRates.SAME, 0.02)).isEmpty();
    }
}
