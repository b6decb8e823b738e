package dev.samediff.adapters.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.AfterStep;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.AdaLora;
import dev.samediff.adapters.method.AdapterMethods;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.OrthonormalPenalty;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.testing.ToyGraph;
import dev.samediff.adapters.train.listener.TrainingListener;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The vectors of SORSA: how far they are from orthonormal is reported, and they are made so again at given updates. */
class OrthonormalVectorsTest {
    private final TinyGpt gpt = new TinyGpt(16, 1, 2, 11, 0);
    private final List<StepReport> reports = new ArrayList<>();

    private AdaptedModel train(AdapterMethod method, int steps) {
        AdaptedModel model = AdaptedModel.inject(
                gpt.graph, AdapterConfig.of(method).withTargets(TargetSelector.suffixes("c_attn", "c_fc")));
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        TrainingPlan plan =
                TrainingPlan.builder().steps(steps).learningRate(0.02).build();
        TrainingListener listener = new TrainingListener() {
            @Override
            public void onStep(StepReport report) {
                reports.add(report);
            }
        };
        try (AdapterTrainer trainer = new AdapterTrainer(model, loss, plan, Binding.of(loss, "input_ids", "causal"))) {
            trainer.fit(Batches.of(gpt, 2, 4, 6), null, listener);
        }
        return model;
    }

    /** ||A^T A - I||_F of every matrix. */
    private static List<Double> distances(AdaptedModel model) {
        List<Double> distances = new ArrayList<>();
        model.sites().forEach(site -> {
            INDArray a = site.tensors(model.graph()).get("sorsa_A").castTo(DataType.DOUBLE);
            INDArray b = site.tensors(model.graph()).get("sorsa_B").castTo(DataType.DOUBLE);
            distances.add(a.transpose()
                    .mmul(a)
                    .sub(Nd4j.eye(a.size(1)).castTo(DataType.DOUBLE))
                    .norm2Number()
                    .doubleValue());
            distances.add(b.mmul(b.transpose())
                    .sub(Nd4j.eye(b.size(0)).castTo(DataType.DOUBLE))
                    .norm2Number()
                    .doubleValue());
        });
        return distances;
    }

    @ParameterizedTest
    @EnumSource(OrthonormalPenalty.Form.class)
    void every_update_reports_the_average_distance(OrthonormalPenalty.Form form) {
        AdaptedModel model = train(Sorsa.rank(3).withGamma(1e-3).withRegularizer(form), 6);
        OptionalDouble next = model.config()
                .method()
                .penalty()
                .orElseThrow()
                .deviation(
                        model.config()
                                .method()
                                .penalty()
                                .orElseThrow()
                                .evaluate(model.state().sites().stream()
                                        .map(site -> site.tensors())
                                        .toList())
                                .value(),
                        model.state().sites().stream()
                                .map(site -> site.tensors())
                                .toList());
        double mean = distances(model).stream().mapToDouble(d -> d).average().orElseThrow();
        double root = Math.sqrt(
                distances(model).stream().mapToDouble(d -> d * d).average().orElseThrow());
        assertThat(next.orElseThrow())
                .isCloseTo(form == OrthonormalPenalty.Form.SUMSQ ? root : mean, within(1e-6 + 1e-4 * root));
        assertThat(reports.get(0).orthonormality().orElseThrow()).isLessThan(1e-5);
        assertThat(reports.get(5).orthonormality().orElseThrow()).isBetween(1e-4, 3.0);
    }

    @Test
    void methods_with_a_penalty_report_it_and_others_do_not() {
        train(AdaLora.rank(3), 4);
        assertThat(reports.get(3).orthonormality()).isPresent();
        reports.clear();
        OrthonormalVectorsTest other = new OrthonormalVectorsTest();
        other.train(Lora.rank(3), 2);
        assertThat(other.reports.get(1).orthonormality()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void vectors_are_orthonormal_again_after_a_retraction(int interval) {
        AdaptedModel free = train(Sorsa.rank(3).withGamma(0), 6);
        assertThat(distances(free)).allMatch(distance -> distance > 1e-3);
        OrthonormalVectorsTest other = new OrthonormalVectorsTest();
        AdaptedModel held = other.train(Sorsa.rank(3).withGamma(0).withRetraction(interval), 6);
        assertThat(distances(held)).allMatch(distance -> distance < 1e-5);
        assertThat(other.reports.get(5).loss()).isLessThan(other.reports.get(0).loss());
        OrthonormalVectorsTest third = new OrthonormalVectorsTest();
        AdaptedModel between = third.train(Sorsa.rank(3).withGamma(0).withRetraction(4), 6);
        assertThat(distances(between)).allMatch(distance -> distance > 1e-4);
    }

    /** A = Q R: Q^T A must be upper triangular with a positive diagonal; B's rows likewise; of each expert apart. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void a_retraction_is_the_q_of_a_qr_decomposition_with_a_positive_diagonal(boolean experts) {
        Random random = new Random(4);
        INDArray a = ToyGraph.random(random, DataType.FLOAT, experts ? new long[] {2, 7, 3} : new long[] {7, 3});
        INDArray b = ToyGraph.random(random, DataType.FLOAT, experts ? new long[] {2, 3, 6} : new long[] {3, 6});
        INDArray s = Nd4j.ones(DataType.FLOAT, experts ? new long[] {2, 3} : new long[] {3});
        INDArray firstA = a.dup();
        INDArray firstB = b.dup();
        AfterStep step = Sorsa.rank(3).withRetraction(2).afterStep().orElseThrow();
        AfterStep.Layer layer = new AfterStep.Layer(Map.of("sorsa_A", a, "sorsa_S", s, "sorsa_B", b), Map.of());
        step.updated(1, List.of(layer));
        assertThat(a.sub(firstA).amaxNumber().doubleValue()).isZero();
        step.updated(2, List.of(layer));
        for (int expert = 0; expert < (experts ? 2 : 1); expert++) {
            requireFactor(experts ? a.slice(expert) : a, experts ? firstA.slice(expert) : firstA);
            requireFactor(
                    (experts ? b.slice(expert) : b).transpose(), (experts ? firstB.slice(expert) : firstB).transpose());
        }
    }

    private static void requireFactor(INDArray q, INDArray matrix) {
        INDArray r = q.transpose().mmul(matrix);
        assertThat(q.mmul(r).sub(matrix).amaxNumber().doubleValue()).isLessThan(1e-5);
        for (int i = 0; i < 3; i++) {
            assertThat(r.getDouble(i, i)).isPositive();
            for (int j = 0; j < i; j++) {
                assertThat(r.getDouble(i, j)).isCloseTo(0, within(1e-5));
            }
        }
    }

    @Test
    void the_setting_is_kept_by_name_and_is_not_said_where_it_is_off() {
        Sorsa on = Sorsa.rank(4).withRetraction(7);
        assertThat(AdapterMethods.named("sorsa", 4, OptionalDouble.empty(), on.settings()))
                .isEqualTo(on);
        assertThat(on.toString()).contains("retraction=7");
        assertThat(Sorsa.rank(4).settings()).doesNotContainKey("retraction");
        assertThat(Sorsa.rank(4))
                .hasToString("Sorsa[rank=4, alpha=OptionalDouble.empty, gamma=4.0E-4, regularizer=SUMSQ,"
                        + " iterations=OptionalInt.empty]");
        assertThatThrownBy(() -> Sorsa.rank(4).withRetraction(-1))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("retraction");
    }
}
