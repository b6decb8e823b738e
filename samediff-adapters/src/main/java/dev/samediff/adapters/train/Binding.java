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
 * @param targets placeholder of each label array
 * @param labelMask placeholder of the label mask; where a data set has none: ones, but 0 where a whole number is -100
 * @param group how many rows of the features make an item, see {@link TaskLoss}
 */
public record Binding(List<String> features, List<String> targets, String labelMask, int group) {
    /** The label that does not count, in PyTorch. */
    private static final int IGNORED = -100;

    public Binding {
        features = List.copyOf(features);
        targets = List.copyOf(targets);
    }

    /** Binds one label array. */
    public Binding(List<String> features, String labels, String labelMask) {
        this(features, List.of(labels), labelMask, 1);
    }

    /**
     * Binds the features in this order, and labels and label mask to those of a loss.
     *
     * @param loss the loss
     * @param features placeholders
     */
    public static Binding of(TaskLoss loss, String... features) {
        return new Binding(Arrays.asList(features), loss.targets(), loss.mask(), loss.group());
    }

    /** Returns the placeholders that are fed: features, labels, label mask. */
    List<String> names() {
        List<String> names = new ArrayList<>(features);
        names.addAll(targets);
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
        INDArray[] labels = batch.getLabels() == null ? new INDArray[0] : batch.getLabels();
        if (labels.length != targets.size()) {
            throw new InvalidInputException(
                    targets.size() == 1
                            ? "a batch must have one array of labels, this one has " + labels.length
                            : "a batch has " + labels.length + " label arrays, the binding names " + targets.size()
                                    + ": " + targets);
        }
        Map<String, INDArray> values = new LinkedHashMap<>();
        for (int i = 0; i < arrays.length; i++) {
            put(values, features.get(i), arrays[i]);
        }
        for (int i = 0; i < labels.length; i++) {
            put(values, targets.get(i), labels[i]);
        }
        if (group > 1 && (arrays.length == 0 || arrays[0].rank() == 0 || arrays[0].size(0) % group != 0)) {
            throw new InvalidInputException("a batch has "
                    + (arrays.length == 0 || arrays[0].rank() == 0 ? 0 : arrays[0].size(0)) + " rows in `"
                    + (features.isEmpty() ? "" : features.get(0)) + "`, the loss takes items of " + group
                    + " rows each: all first ones, then all second ones");
        }
        INDArray[] masks = batch.getLabelsMaskArrays();
        if (masks == null || masks.length == 0 || masks[0] == null) {
            values.put(labelMask, everything(arrays, labels));
        } else {
            put(values, labelMask, masks[0]);
            LossInputs.requireWeights(labelMask, masks[0]);
        }
        return values;
    }

    private INDArray everything(INDArray[] arrays, INDArray[] labels) {
        if (group > 1) {
            return Nd4j.ones(DataType.FLOAT, arrays[0].size(0) / group);
        }
        if (labels.length == 0) {
            throw new InvalidInputException("a batch has neither labels nor a label mask for `" + labelMask
                    + "`; give a mask, 1 where an item counts");
        }
        INDArray first = labels[0];
        return first.dataType().isIntType()
                ? first.neq(IGNORED).castTo(DataType.FLOAT)
                : Nd4j.ones(DataType.FLOAT, first.shape());
    }

    private static void put(Map<String, INDArray> values, String name, INDArray array) {
        if (array == null || array.wasClosed()) {
            throw new InvalidInputException("a batch has no array for the placeholder `" + name + "`: it is "
                    + (array == null ? "null" : "closed"));
        }
        values.put(name, array);
    }
}
