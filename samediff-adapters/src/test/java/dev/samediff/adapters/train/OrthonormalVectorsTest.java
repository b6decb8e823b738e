package dev.samediff.adapters.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.AdapterState;
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
        AfterStep.Layer layer = new AfterStep.Layer(Map.of("sorsa_A", a, "sorsa_S", s, "sorsa_B", b), Map.of(), 1);
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

    private static double[] values(AdaptedModel model, int site) {
        return model.sites()
                .get(site)
                .tensors(model.graph())
                .get("sorsa_S")
                .castTo(DataType.DOUBLE)
                .toDoubleVector();
    }

    /** With a share between the values of a layer, those below it are cut at the first interval, stay so, and shrink what is saved. */
    @Test
    void ranks_with_small_singular_values_are_given_up_for_good() {
        Sorsa method = Sorsa.rank(4).withRetraction(2);
        double[] start = values(
                AdaptedModel.inject(
                        new TinyGpt(16, 1, 2, 11, 0).graph,
                        AdapterConfig.of(method).withTargets(TargetSelector.suffixes("c_attn", "c_fc"))),
                0);
        double share = (start[1] + start[2]) / 2 / start[0];
        AdaptedModel model = train(method.withCut(share, 3), 8);
        for (int site = 0; site < model.sites().size(); site++) {
            double[] now = values(model, site);
            int kept = 0;
            for (double value : now) {
                kept += value == 0 ? 0 : 1;
            }
            assertThat(now[0]).isNotZero();
            AdapterState.PlainLora plain = model.state().toPlainLora().get(site);
            assertThat(plain.rank()).isEqualTo(4 + kept);
            assertThat(plain.alpha() / plain.rank()).isCloseTo(1, within(1e-12));
            INDArray change = model.mergedWeights()
                    .get(model.sites().get(site).layer().weight())
                    .sub(new TinyGpt(16, 1, 2, 11, 0)
                            .graph
                            .getVariable(model.sites().get(site).layer().weight())
                            .getArr());
            assertThat(plain.a().mmul(plain.b()).sub(change).amaxNumber().doubleValue())
                    .isLessThan(1e-5);
        }
        assertThat(values(model, 0)[2]).isZero();
        assertThat(values(model, 0)[3]).isZero();
        distances(model).forEach(distance -> assertThat(distance).isLessThan(1e-5)); // update 8 was retracted
        AdaptedModel early = AdaptedModel.inject(
                new TinyGpt(16, 1, 2, 11, 0).graph,
                AdapterConfig.of(method).withTargets(TargetSelector.suffixes("c_attn", "c_fc")));
        assertThat(values(early, 0)[3]).isNotZero();
    }

    @Test
    void what_was_cut_stays_cut_after_a_resume() {
        AfterStep steps = Sorsa.rank(3).withCut(0.5, 2).afterStep().orElseThrow();
        INDArray s = Nd4j.createFromArray(-4f, 3f, 1f);
        List<AfterStep.Layer> layers = List.of(new AfterStep.Layer(Map.of("sorsa_S", s), Map.of(), 1));
        steps.updated(1, layers);
        assertThat(s.toFloatVector()).containsExactly(-4, 3, 1);
        steps.updated(2, layers);
        assertThat(s.toFloatVector()).containsExactly(-4, 3, 0);
        AfterStep resumed = Sorsa.rank(3).withCut(0.5, 2).afterStep().orElseThrow();
        resumed.restore(steps.state());
        s.putScalar(2, 5f); // as a gradient would move it
        resumed.updated(3, layers);
        assertThat(s.toFloatVector()).containsExactly(-4, 3, 0);
    }

    @Test
    void a_cut_is_part_of_the_settings_and_bad_ones_are_refused() {
        Sorsa method = Sorsa.rank(3).withCut(0.1, 5);
        assertThat(AdapterMethods.named("sorsa", 3, OptionalDouble.empty(), method.settings()))
                .isEqualTo(method);
        assertThat(Sorsa.rank(3).toString()).doesNotContain("cut");
        for (double share : new double[] {0, 1, -1, Double.NaN}) {
            assertThatThrownBy(() -> Sorsa.rank(3).withCut(share, 5))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("share");
        }
    }

    /** U, S and V have names of their own in the graph, so that patterns of names give them rates of their own. */
    @Test
    void u_s_and_v_train_at_rates_of_their_own() {
        AdaptedModel model = AdaptedModel.inject(
                gpt.graph, AdapterConfig.of(Sorsa.rank(3)).withTargets(TargetSelector.suffixes("c_fc")));
        Map<String, INDArray> start = model.trainables();
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        TrainingPlan plan = TrainingPlan.builder()
                .steps(1)
                .learningRate(1e-3)
                .learningRateOf("*.sorsa_A.*", 0)
                .learningRateOf("*.sorsa_S.*", 1e-2)
                .build();
        try (AdapterTrainer trainer = new AdapterTrainer(model, loss, plan, Binding.of(loss, "input_ids", "causal"))) {
            trainer.fit(Batches.of(gpt, 2, 4, 6), null);
        }
        model.trainables().forEach((name, now) -> {
            double moved = now.sub(start.get(name)).amaxNumber().doubleValue();
            double expected = name.contains("sorsa_A") ? 0 : name.contains("sorsa_S") ? 1e-2 : 1e-3;
            assertThat(moved).as(name).isCloseTo(expected, within(expected * 0.05)); // AdamW's first step
        });
    }
}
