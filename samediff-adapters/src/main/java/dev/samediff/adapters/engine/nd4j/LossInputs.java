package dev.samediff.adapters.engine.nd4j;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.ExecutionOrder;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a loss of {@code train.Losses} is fed with. The graph keeps it under names, so that it is found again in a
 * graph that was saved.
 *
 * @param loss the loss
 * @param logits the scores [..., classes]
 * @param labels placeholder of the labels [...]; null if there are none
 * @param mask placeholder of the weights [...]
 * @param axes how many axes labels and weights have; 0 if the graph does not say
 * @param classes whether labels are numbers of classes, the last axis of the scores; otherwise they are of the scores' shape
 * @param group how many rows of the scores make an item with a weight of its own; 1 if the weights are the labels'
 */
public record LossInputs(
        String loss, String logits, @Nullable String labels, String mask, int axes, boolean classes, int group) {
    /** What follows the loss' name in that of the labels, seen as one row. */
    public static final String LABELS = "/label_indices";
    /** The same of labels that are numbers beside the scores. */
    public static final String NUMBERS = "/label_numbers";
    /** What follows the loss' name in that of the weights, seen as one row. */
    public static final String MASK = "/mask_weights";

    private static final Pattern GROUPS = Pattern.compile("(.+)/weights_of_groups_of_([0-9]{1,4})");

    /** What follows the loss' name in that of the weights of items that have several rows each. */
    public static String groups(int group) {
        return "/weights_of_groups_of_" + group;
    }

    /**
     * Returns the inputs of all losses of {@code train.Losses} that some outputs are computed from, or are.
     *
     * @param graph the graph
     * @param outputs variables of it
     */
    public static List<LossInputs> among(SameDiff graph, Collection<String> outputs) {
        return ExecutionOrder.of(graph, outputs).stream()
                .flatMap(node -> node.outputs().stream())
                .flatMap(name -> named(graph, name).stream())
                .toList();
    }

    /** Returns the inputs of the loss whose weights have a name, if there is one. */
    private static Optional<LossInputs> named(SameDiff graph, String weights) {
        Matcher groups = GROUPS.matcher(weights);
        if (groups.matches()) {
            return of(graph, groups.group(1), weights, Integer.parseInt(groups.group(2)));
        }
        return weights.endsWith(MASK)
                ? of(graph, weights.substring(0, weights.length() - MASK.length()), weights, 1)
                : Optional.empty();
    }

    private static Optional<LossInputs> of(SameDiff graph, String loss, String weights, int group) {
        int end = loss.lastIndexOf('/');
        String logits = end < 0 ? loss : loss.substring(0, end);
        boolean classes = graph.hasVariable(loss + LABELS);
        String labels = source(graph, loss + (classes ? LABELS : NUMBERS));
        String mask = source(graph, weights);
        if ((labels == null && group == 1) || mask == null || !graph.hasVariable(logits)) {
            return Optional.empty();
        }
        long[] declared = labels == null ? null : graph.getVariable(labels).placeholderShape();
        return Optional.of(
                new LossInputs(loss, logits, labels, mask, declared == null ? 0 : declared.length, classes, group));
    }

    /** Returns the placeholder that a variable shows in another shape, or null. */
    private static @Nullable String source(SameDiff graph, String variable) {
        DifferentialFunction op = graph.hasVariable(variable) ? graph.getVariableOutputOp(variable) : null;
        String source = op == null ? null : op.arg(0).name();
        return source != null && Placeholders.isOne(graph, source) ? source : null;
    }

    /**
     * Refuses labels and weights that do not fit the scores or each other.
     *
     * @param values values of placeholders
     * @param scores the shape of the scores
     * @throws InvalidInputException if shapes differ, a weight is negative or not finite, or a label of weight other than 0 is
     *     no class
     */
    public void check(Map<String, INDArray> values, long... scores) {
        INDArray weight = values.get(mask);
        if (group > 1 && weight != null) {
            checkGroups(values, weight, scores);
            return;
        }
        INDArray label = labels == null ? null : values.get(labels);
        if (label == null || weight == null) {
            return; // refused by whoever reads it
        }
        if (!classes) {
            checkNumbers(label, weight, scores);
            return;
        }
        if (axes > 0 && scores.length != axes + 1) {
            throw new InvalidInputException("the scores `" + logits + "` are " + Arrays.toString(scores)
                    + ", the loss `"
                    + loss + "` takes " + (axes + 1) + " axes, the last one the classes: Losses.causalLm takes scores"
                    + " [batch, time, classes], Losses.classification [batch, classes]");
        }
        long[] rows = Arrays.copyOf(scores, Math.max(0, scores.length - 1));
        requireShape(labels, label, rows, scores);
        requireShape(mask, weight, rows, scores);
        long count = scores[scores.length - 1];
        Elements ids = Elements.of(label);
        Elements weights = Elements.of(weight);
        for (long i = 0; i < weights.length(); i++) {
            double given = weights.real(i);
            requireWeight(mask, given, weights, i);
            if (given != 0 && (ids.whole(i) < 0 || ids.whole(i) >= count)) {
                throw new InvalidInputException("the label at position " + ids.position(i) + " of the placeholder `"
                        + labels + "` is " + ids.whole(i) + ", allowed is 0 to " + (count - 1)
                        + ", the classes of `" + logits + "`; where `" + mask + "` is 0 it may be anything");
            }
        }
    }

    /** Pairs and triplets, whose parts lie one behind the other in the scores. */
    private void checkGroups(Map<String, INDArray> values, INDArray weight, long[] scores) {
        if (scores.length == 0 || scores[0] % group != 0) {
            throw new InvalidInputException(
                    "the scores `" + logits + "` are " + Arrays.toString(scores) + ", the loss `" + loss
                            + "` takes items of " + group + " rows each: all first ones, then all second ones");
        }
        requireShape(mask, weight, new long[] {scores[0] / group}, scores);
        requireWeights(mask, weight);
        INDArray label = labels == null ? null : values.get(labels);
        if (label == null) {
            return;
        }
        if (!classes) {
            requireShape(labels, label, new long[] {scores[0] / group}, scores);
            requireNumbers(label);
            return;
        }
        if (scores.length != 3) {
            throw new InvalidInputException("the scores `" + logits + "` are " + Arrays.toString(scores)
                    + ", the loss `" + loss + "` takes [" + group + " x items, tokens, vocabulary]");
        }
        requireShape(labels, label, Arrays.copyOf(scores, 2), scores);
        Elements ids = Elements.of(label);
        for (long i = 0; i < ids.length(); i++) {
            if (ids.whole(i) >= scores[2]) {
                throw new InvalidInputException("the label at position " + ids.position(i) + " of the placeholder `"
                        + labels + "` is " + ids.whole(i) + ", allowed is 0 to " + (scores[2] - 1)
                        + ", the classes of `" + logits + "`, or any number below 0 where no label is");
            }
        }
    }

    private void checkNumbers(INDArray label, INDArray weight, long[] scores) {
        requireShape(labels, label, scores, scores);
        requireShape(mask, weight, scores, scores);
        requireWeights(mask, weight);
        requireNumbers(label);
    }

    private void requireNumbers(INDArray label) {
        Elements numbers = Elements.of(label);
        for (long i = 0; i < numbers.length(); i++) {
            if (!Double.isFinite(numbers.real(i))) {
                throw new InvalidInputException("the label at position " + numbers.position(i) + " of the placeholder `"
                        + labels + "` is " + numbers.real(i) + "; give a number, and `" + mask
                        + "` 0 there if there is none");
            }
        }
    }

    /**
     * Refuses weights of a loss that are negative or not finite.
     *
     * @param name the placeholder
     * @param values its value
     */
    public static void requireWeights(String name, INDArray values) {
        Elements weights = Elements.of(values);
        for (long i = 0; i < weights.length(); i++) {
            requireWeight(name, weights.real(i), weights, i);
        }
    }

    private static void requireWeight(String name, double given, Elements weights, long index) {
        if (!(given >= 0 && given < Double.POSITIVE_INFINITY)) {
            throw new InvalidInputException("the placeholder `" + name + "` is " + given + " at position "
                    + weights.position(index) + "; weights of a loss are finite and 0 or more");
        }
    }

    private void requireShape(@Nullable String name, INDArray array, long[] rows, long[] scores) {
        if (!Arrays.equals(array.shape(), rows)) {
            throw new InvalidInputException("the shape of the placeholder `" + name + "` is "
                    + Arrays.toString(array.shape()) + ", expected " + Arrays.toString(rows) + ": the scores `" + logits
                    + "` are " + Arrays.toString(scores));
        }
    }

    /**
     * Refuses a loss that is more than one number.
     *
     * @param loss its name
     * @param shape its shape
     */
    public static void requireScalar(String loss, long... shape) {
        if (Arrays.stream(shape).reduce(1, (a, b) -> a * b) != 1) {
            throw new InvalidInputException("the loss `" + loss + "` must be a scalar, its shape is "
                    + Arrays.toString(shape) + "; take its mean");
        }
    }
}
