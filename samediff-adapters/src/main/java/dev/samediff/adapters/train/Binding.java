package dev.samediff.adapters.train;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.nd4j.LossInputs;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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

    /** Returns the placeholders that are fed: features, labels, label mask. */
    List<String> names() {
        List<String> names = new ArrayList<>(features);
        names.add(labels);
        names.add(labelMask);
        return names;
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
        Map<String, INDArray> values = new LinkedHashMap<>();
        for (int i = 0; i < arrays.length; i++) {
            put(values, features.get(i), arrays[i]);
        }
        put(values, labels, batch.getLabels(0));
        INDArray[] masks = batch.getLabelsMaskArrays();
        if (masks == null || masks.length == 0 || masks[0] == null) {
            values.put(labelMask, Nd4j.ones(DataType.FLOAT, batch.getLabels(0).shape()));
        } else {
            put(values, labelMask, masks[0]);
            LossInputs.requireWeights(labelMask, masks[0]);
        }
        return values;
    }

    private static void put(Map<String, INDArray> values, String name, INDArray array) {
        if (array == null || array.wasClosed()) {
            throw new InvalidInputException("a batch has no array for the placeholder `" + name + "`: it is "
                    + (array == null ? "null" : "closed"));
        }
        values.put(name, array);
    }
}
