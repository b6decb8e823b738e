package dev.samediff.adapters.train;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.nd4j.Placeholders;
import dev.samediff.adapters.graph.ExecutionOrder;
import dev.samediff.adapters.graph.GraphOutputs;
import dev.samediff.adapters.graph.Names;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/** Batches as values of a graph's placeholders, in the types that it declares. What does not fit is refused by name. */
final class Feed {
    private final SameDiff graph;
    private final String loss;
    private final Binding binding;

    /**
     * Binds.
     *
     * @param graph the graph
     * @param loss the loss in it
     * @param binding which array feeds which placeholder
     * @throws InvalidInputException if there is no such loss, or the binding names something else than placeholders, one of
     *     them twice, or not all of those that the loss needs
     */
    Feed(SameDiff graph, String loss, Binding binding) {
        this.graph = graph;
        this.loss = loss;
        this.binding = binding;
        List<String> names = binding.names();
        for (String name : names) {
            if (!Placeholders.isOne(graph, name)) {
                throw new InvalidInputException("`" + name + "` is no placeholder of the graph; its placeholders are "
                        + Names.some(graph.inputs()));
            }
            if (names.indexOf(name) != names.lastIndexOf(name)) {
                throw new InvalidInputException("the binding names the placeholder `" + name + "` twice: " + names);
            }
        }
        if (!graph.hasVariable(loss)) {
            throw new InvalidInputException("the loss `" + loss + "` is not a variable of this graph; its outputs are "
                    + GraphOutputs.text(graph));
        }
        Set<String> missing = new LinkedHashSet<>();
        ExecutionOrder.of(graph, List.of(loss)).forEach(node -> missing.addAll(node.inputs()));
        missing.removeIf(name -> !Placeholders.isOne(graph, name) || names.contains(name));
        if (!missing.isEmpty()) {
            throw new InvalidInputException("the loss `" + loss + "` needs the placeholders " + Names.some(missing)
                    + ", which the binding does not name; it names " + Names.some(names)
                    + ". Bind an array of every batch to each of them");
        }
    }

    /**
     * Returns the placeholder values of a batch.
     *
     * @throws InvalidInputException if an array is missing, or has another shape or kind of number than its placeholder
     */
    Map<String, INDArray> placeholders(MultiDataSet batch) {
        Map<String, INDArray> given = binding.placeholders(batch);
        Map<String, INDArray> values = new LinkedHashMap<>();
        given.forEach((name, array) -> {
            SDVariable placeholder = graph.getVariable(name);
            requireFit(placeholder, array);
            values.put(name, Placeholders.get(placeholder, given));
        });
        return values;
    }

    private void requireFit(SDVariable placeholder, INDArray array) {
        boolean fraction = array.dataType().isFPType() && placeholder.dataType().isIntType();
        if (!fraction && fits(placeholder.placeholderShape(), array)) {
            return;
        }
        List<String> advice = new ArrayList<>();
        String name = placeholder.name();
        if (binding.targets().contains(name) && oneMoreAxis(placeholder.placeholderShape(), array)) {
            advice.add("if the labels are one-hot, give the index of each item's class: labels.argMax(-1)");
        } else if (fraction) {
            advice.add("whole numbers are asked for: give array.castTo(DataType." + placeholder.dataType() + ")");
        }
        throw new InvalidInputException(what(name) + " is " + describe(array.dataType(), array.shape())
                + ", its placeholder `" + name + "` takes "
                + describe(placeholder.dataType(), placeholder.placeholderShape()) + " (-1 is any size)"
                + (advice.isEmpty() ? "" : "; " + advice.get(0)));
    }

    private String what(String name) {
        int target = binding.targets().indexOf(name);
        if (target >= 0) {
            return (binding.targets().size() == 1 ? "the label array" : "label array " + target)
                    + " of a batch, for the loss `" + loss + "`,";
        }
        return name.equals(binding.labelMask())
                ? "the label mask of a batch"
                : "feature array " + binding.features().indexOf(name) + " of a batch";
    }

    private static String describe(DataType type, long[] shape) {
        return type + " " + (shape == null ? "of any shape" : Arrays.toString(shape));
    }

    /** Compares with a declared shape, of which sizes below zero are free; without axes it says nothing. */
    private static boolean fits(long[] declared, INDArray array) {
        if (declared == null || declared.length == 0) {
            return true;
        }
        boolean fits = declared.length == array.rank();
        for (int axis = 0; fits && axis < declared.length; axis++) {
            fits = declared[axis] < 0 || declared[axis] == array.size(axis);
        }
        return fits;
    }

    private static boolean oneMoreAxis(long[] declared, INDArray array) {
        return declared != null && array.rank() == declared.length + 1 && array.size(-1) > 1;
    }

    /** Returns the label arrays among placeholder values, in their order. */
    List<INDArray> targets(Map<String, INDArray> placeholders) {
        return binding.targets().stream()
                .map(name -> Objects.requireNonNull(placeholders.get(name), name))
                .toList();
    }

    /** Returns the items' weights among placeholder values. */
    INDArray weights(Map<String, INDArray> placeholders) {
        return Objects.requireNonNull(placeholders.get(binding.labelMask()), binding.labelMask());
    }

    /** Returns the sum of the label weights among placeholder values, in float64. */
    double weight(Map<String, INDArray> placeholders) {
        INDArray mask = placeholders.get(binding.labelMask());
        return mask == null ? 0 : mask.castTo(DataType.DOUBLE).sumNumber().doubleValue();
    }
}
