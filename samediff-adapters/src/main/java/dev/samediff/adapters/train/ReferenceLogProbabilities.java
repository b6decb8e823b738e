package dev.samediff.adapters.train;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.adapters.engine.nd4j.Placeholders;
import dev.samediff.adapters.graph.Names;
import dev.samediff.adapters.text.batch.PreferenceIterator;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The log-probabilities of answers by the model without its adapters, which is the reference of {@link Losses#dpo}: no second copy of
 * the weights is needed. They are computed once for all pairs, because they do not change while adapters are trained.
 */
public final class ReferenceLogProbabilities {
    private ReferenceLogProbabilities() {}

    /**
     * Returns the same pairs with the reference's log-probabilities.
     *
     * @param model the model; its adapters are switched off meanwhile, and then as they were
     * @param dpo a loss of {@link Losses#dpo} in its graph
     * @param pairs the pairs
     * @param options how it is computed
     * @param features placeholders of the pairs' features, as for {@link Binding#of}
     * @throws InvalidInputException if it is another loss, or the features do not fit the graph
     */
    public static PreferenceIterator add(
            AdaptedModel model, TaskLoss dpo, PreferenceIterator pairs, EngineOptions options, String... features) {
        String wanted = Losses.logProbabilities(model.graph(), dpo);
        boolean enabled = model.enabled();
        model.disable();
        List<INDArray> found = new ArrayList<>();
        try (Engine engine = Engines.open(model.graph(), "", List.of(), options)) {
            PreferenceIterator ordered = pairs.inOrder();
            while (ordered.hasNext()) {
                INDArray rows = engine.outputs(values(model, dpo, ordered.next(), features), List.of(wanted))
                        .values()
                        .iterator()
                        .next();
                found.add(rows.castTo(DataType.FLOAT).reshape(2, -1));
            }
        } finally {
            if (enabled) {
                model.enable();
            }
        }
        INDArray all = Nd4j.concat(1, found.toArray(new INDArray[0]));
        return pairs.withReference(all.getRow(0).dup(), all.getRow(1).dup());
    }

    private static Map<String, INDArray> values(
            AdaptedModel model, TaskLoss dpo, MultiDataSet batch, String... features) {
        if (batch.getFeatures().length != features.length) {
            throw new InvalidInputException("the pairs have " + batch.getFeatures().length + " features, named are "
                    + features.length + ": " + List.of(features));
        }
        Map<String, INDArray> given = new LinkedHashMap<>();
        for (int i = 0; i < features.length; i++) {
            given.put(features[i], batch.getFeatures(i));
        }
        given.put(dpo.labels(), batch.getLabels(0));
        Map<String, INDArray> values = new LinkedHashMap<>();
        for (String name : given.keySet()) {
            if (!Placeholders.isOne(model.graph(), name)) {
                throw new InvalidInputException("`" + name + "` is no placeholder of the graph; its placeholders are "
                        + Names.some(model.graph().inputs()));
            }
            values.put(name, Placeholders.get(model.graph().getVariable(name), given));
        }
        return values;
    }
}
