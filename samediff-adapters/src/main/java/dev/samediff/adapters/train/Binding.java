package dev.samediff.adapters.train;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.nd4j.LossInputs;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Which array of a data set feeds which placeholder, by position.
 *
 * @param features placeholder of each feature array, such as {@code input_ids, attention_mask}
 * @param labels placeholder of the one label array
 * @param labelMask placeholder of the label mask; ones where a data set has none
 */
public record Binding(List<String> features, String labels, String labelMask) {
    public Binding {
        features = List.copyOf(features);
    }

    /**
     * Binds the features in this order, and labels and label mask to those of a loss.
     *
     * @param loss the loss
     * @param features placeholders
     */
    public static Binding of(TaskLoss loss, String... features) {
        return new Binding(Arrays.asList(features), loss.labels(), loss.mask());
    }

    /** Refuses names that are no placeholders. */
    void check(SameDiff graph) {
        for (String name : features) {
            checkPlaceholder(graph, name);
        }
        checkPlaceholder(graph, labels);
        checkPlaceholder(graph, labelMask);
    }

    private static void checkPlaceholder(SameDiff graph, String name) {
        if (!graph.hasVariable(name) || !graph.getVariable(name).isPlaceHolder()) {
            throw new InvalidInputException(
                    "`" + name + "` is no placeholder of the graph; its placeholders are " + graph.inputs());
        }
    }

    /**
     * Returns the placeholder values of a batch.
     *
     * @throws InvalidInputException if it has not as many arrays as are bound, or a label mask that is negative or not finite
     */
    Map<String, INDArray> placeholders(MultiDataSet batch) {
        INDArray[] arrays = batch.getFeatures();
        if (arrays == null || arrays.length != features.size()) {
            throw new InvalidInputException("a batch has " + (arrays == null ? 0 : arrays.length)
                    + " feature arrays, the binding names " + features.size() + ": " + features);
        }
        if (batch.getLabels() == null || batch.getLabels().length != 1) {
            throw new InvalidInputException("a batch must have one array of labels, this one has "
                    + (batch.getLabels() == null ? 0 : batch.getLabels().length));
        }
        Map<String, INDArray> values = new HashMap<>();
        for (int i = 0; i < arrays.length; i++) {
            values.put(features.get(i), arrays[i]);
        }
        INDArray label = batch.getLabels(0);
        INDArray mask = mask(batch);
        values.put(labels, label);
        if (mask != null) {
            LossInputs.requireWeights(labelMask, mask);
        }
        values.put(labelMask, mask == null ? Nd4j.ones(DataType.FLOAT, label.shape()) : mask);
        return values;
    }

    private static @Nullable INDArray mask(MultiDataSet batch) {
        INDArray[] masks = batch.getLabelsMaskArrays();
        return masks == null || masks.length == 0 ? null : masks[0];
    }

    /** Returns the number of labelled items among placeholder values. */
    long tokens(Map<String, INDArray> placeholders) {
        INDArray mask = placeholders.get(labelMask);
        return mask == null ? 0 : Math.round(mask.sumNumber().doubleValue());
    }
}
