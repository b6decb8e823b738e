package dev.samediff.adapters.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.Penalty;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.OrthonormalPenalty;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.testing.ToyGraph;
import dev.samediff.adapters.train.listener.TrainingListener;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.adapters.train.optimizer.PenaltyTerm;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The trainer's penalties, which it computes in closed form, are those of all active adapters. */
class SeveralPenaltiesTest {
    private static final double PEAK = 0.01;

    private static final Map<String, AdapterMethod> METHODS = Map.of(
            "weak", Sorsa.rank(2).withGamma(0.05),
            "strong", Sorsa.rank(3).withGamma(0.5).withRegularizer(OrthonormalPenalty.Form.FRO),
            "none", Sorsa.rank(2).withGamma(0),
            "lora", Lora.rank(2));

    private final TinyGpt gpt = new TinyGpt(16, 1, 2, 11, 0);

    /** Adapters that have moved away from their start, where the penalty is 0. */
    private AdaptedModel model(String names) {
        List<AdapterConfig> configs = new ArrayList<>();
        for (String name : names.split(" ")) {
            configs.add(AdapterConfig.of(METHODS.get(name))
                    .withName(name)
                    .withTargets(TargetSelector.suffixes(configs.isEmpty() ? "c_attn" : "c_fc", "c_proj")));
        }
        AdaptedModel model = AdaptedModel.inject(gpt.graph, configs.get(0));
        configs.subList(1, configs.size()).forEach(model::add);
        model.activate(names.split(" "));
        Random random = new Random(3);
        Map<String, INDArray> moved = new LinkedHashMap<>();
        model.trainables()
                .forEach((name, value) -> moved.put(
                        name,
                        value.add(ToyGraph.random(random, DataType.FLOAT, value.shape())
                                .mul(0.3))));
        model.restore(moved);
        return model;
    }

    private static double unweighted(AdaptedModel model, String name) {
        return model.config(name)
                .method()
                .penalty()
                .map(penalty -> penalty.evaluate(model.state(name).sites().stream()
                                .map(AdapterState.Site::tensors)
                                .toList())
                        .value())
                .orElse(0.0);
    }

    private static double gamma(AdaptedModel model, String name) {
        return model.config(name).method().penalty().map(Penalty::gamma).orElse(0.0);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"weak strong", "strong weak", "lora weak", "none strong", "strong none", "none lora", "weak"})
    void all_are_reported_and_made_smaller(String names) {
        AdaptedModel model = model(names);
        Map<String, Double> before = new LinkedHashMap<>();
        double expected = 0;
        for (String name : names.split(" ")) {
            before.put(name, unweighted(model, name));
            expected += gamma(model, name) / PEAK * before.get(name);
        }
        List<StepReport> reports = new ArrayList<>();
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        TrainingPlan plan = TrainingPlan.builder().steps(60).learningRate(PEAK).build();
        try (AdapterTrainer trainer = new AdapterTrainer(model, loss, plan, Binding.of(loss, "input_ids", "causal"))) {
            trainer.fit(Batches.of(gpt, 4, 2, 5), null, new TrainingListener() {
                @Override
                public void onStep(StepReport report) {
                    reports.add(report);
                }
            });
        }
        assertThat(reports.get(0).penalty()).isCloseTo(expected, within(1e-4 * expected + 1e-9));
        before.forEach((name, value) -> {
            if (gamma(model, name) > 0) {
                assertThat(unweighted(model, name)).as(name).isLessThan(value / 4);
            }
        });
    }

    /** Both ways to train follow the same gradient: SameDiff's, by the losses in the graph, and the closed form. */
    @ParameterizedTest
    @ValueSource(
            strings = {"weak strong", "strong weak", "lora weak", "none strong", "strong none", "none lora", "weak"})
    void the_closed_form_is_the_gradient_of_the_losses_in_the_graph(String names) {
        AdaptedModel model = model(names);
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        model.useLoss(loss.loss());
        model.peakLearningRate(PEAK);
        Map<String, INDArray> batch = gpt.batch(2, 5, 1);
        List<String> trained = model.trainableNames();
        Map<String, INDArray> all = new LinkedHashMap<>();
        gpt.graph.calculateGradients(batch, trained).forEach((name, gradient) -> all.put(name, gradient.dup()));
        gpt.graph.setLossVariables(loss.loss());
        Map<String, INDArray> task = gpt.graph.calculateGradients(batch, trained);
        try (PenaltyTerm.At term = new PenaltyTerm(new AdaptedTrainable(model, loss), PEAK).evaluate()) {
            for (int i = 0; i < trained.size(); i++) {
                INDArray expected = all.get(trained.get(i)).sub(task.get(trained.get(i)));
                INDArray found = term.gradients().containsKey(i)
                        ? term.gradients().get(i).mul(term.coefficient())
                        : expected.like();
                assertThat(found.sub(expected).norm2Number().doubleValue())
                        .as(trained.get(i))
                        .isLessThan(1e-4 * expected.norm2Number().doubleValue() + 1e-5);
            }
        }
    }
}
