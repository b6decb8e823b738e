package dev.samediff.adapters.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.WholeTensors;
import dev.samediff.adapters.WholeTensors.Bias;
import dev.samediff.adapters.graph.ModuleMatch;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The gradients of tensors that are trained whole, whichever are chosen: both engines against finite differences in float64. */
class WholeGradientsTest {
    /** Modules of {@link TinyGpt}: layers, normalisations, the head, and all of a block's attention. */
    private static final List<String> MODULES =
            List.of("ln_f", "lm_head", "ln_1", "h.0.ln_2", "attn", "mlp.c_fc", "c_attn");

    private static final int LOOKED_AT = 2;

    private static AdaptedModel model(DataType type, long seed) {
        TinyGpt gpt = new TinyGpt(8, 1, 2, 7, 0, type, seed % 2 == 1);
        Random random = new Random(seed);
        List<String> modules = new ArrayList<>(MODULES);
        Collections.shuffle(modules, random);
        WholeTensors whole = new WholeTensors(
                Optional.of(ModuleMatch.names(modules.subList(0, 1 + random.nextInt(3)))),
                Bias.values()[random.nextInt(3)]);
        Losses.causalLm(gpt.graph, gpt.logits);
        return AdaptedModel.inject(
                gpt.graph,
                AdapterConfig.of(Lora.rank(2))
                        .withTargets(TargetSelector.suffixes("mlp.c_proj"))
                        .withWhole(whole));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 2})
    void are_the_finite_differences(long seed) {
        AdaptedModel model = model(DataType.FLOAT, seed);
        AdaptedModel exact = model(DataType.DOUBLE, seed);
        TaskLoss loss = Losses.causalLm(model.graph(), "logits");
        Map<String, INDArray> batch = new TinyGpt(8, 1, 2, 7, 0).batch(2, 5, seed);
        for (EngineOptions options : List.of(EngineOptions.defaults(), EngineOptions.reference())) {
            try (Engine engine = Engines.open(model.graph(), loss.loss(), model.trainableNames(), options)) {
                Map<String, INDArray> gradients = engine.gradients(batch).byName();
                assertThat(engine.report().flatMap(report -> report.notCompiled()))
                        .as("%s", options.kind())
                        .isEmpty();
                for (String name : model.trainableNames()) {
                    INDArray gradient = gradients.get(name);
                    double largest = Math.max(1e-3, gradient.amaxNumber().doubleValue());
                    Random places = new Random(seed);
                    for (int i = 0; i < LOOKED_AT; i++) {
                        int place = places.nextInt((int) gradient.length());
                        assertThat(gradient.dup('c').data().getDouble(place))
                                .as("%s of %s at %d by %s", name, model.config().whole(), place, options.kind())
                                .isCloseTo(difference(exact, loss, batch, name, place), within(2e-4 * largest));
                    }
                }
            }
        }
    }

    private static double difference(
            AdaptedModel model, TaskLoss loss, Map<String, INDArray> batch, String name, int place) {
        INDArray values = model.graph().getArrForVarName(name);
        double step = 1e-5;
        double before = values.data().getDouble(place);
        values.data().put(place, before + step);
        double above = loss(model, loss, batch);
        values.data().put(place, before - step);
        double below = loss(model, loss, batch);
        values.data().put(place, before);
        return (above - below) / (2 * step);
    }

    private static double loss(AdaptedModel model, TaskLoss loss, Map<String, INDArray> batch) {
        Map<String, INDArray> fed = new HashMap<>(batch);
        fed.put("causal", batch.get("causal").castTo(DataType.DOUBLE));
        return model.graph().output(fed, loss.loss()).get(loss.loss()).getDouble(0);
    }
}
