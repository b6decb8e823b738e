package dev.samediff.samples.model;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.batch.AttentionMask;
import dev.samediff.adapters.text.batch.BatchArrays;
import dev.samediff.adapters.text.batch.BatchPlan;
import dev.samediff.adapters.text.batch.SequenceFeature;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Which input of a model takes what: token ids, the mask of real tokens, positions, segments.
 *
 * @param inputs the model's inputs in its order
 * @param mask what the attention mask is, if there is one
 * @param fixedLength the number of tokens, if the file allows only one; shorter texts are padded to it
 */
public record InputBinding(List<Input> inputs, AttentionMask mask, OptionalInt fixedLength) {
    private static final String ADVICE = "; export the model again with dynamic axes for batch and sequence";

    public InputBinding {
        inputs = List.copyOf(inputs);
    }

    /** One input of the model. */
    public record Input(String placeholder, SequenceFeature feature, DataType type) {}

    /**
     * Finds out what each placeholder of a graph takes, by its name; a single integer input is always the token ids.
     *
     * @throws InvalidInputException if a placeholder is none that a batch of texts can fill
     */
    public static InputBinding of(SameDiff graph) {
        return of(graph, Set.of());
    }

    /** As {@link #of(SameDiff)}, for a causal language model, whose mask may be of pairs of tokens, 1 or 0. */
    public static InputBinding causal(SameDiff graph) {
        return of(graph, Set.of(), true);
    }

    /**
     * As {@link #of(SameDiff)}, without placeholders that something else fills.
     *
     * @param others their names
     */
    public static InputBinding of(SameDiff graph, Set<String> others) {
        return of(graph, others, false);
    }

    private static InputBinding of(SameDiff graph, Set<String> others, boolean causal) {
        List<String> names =
                graph.inputs().stream().filter(name -> !others.contains(name)).toList();
        List<Input> inputs = new ArrayList<>();
        OptionalInt length = OptionalInt.empty();
        AttentionMask mask = AttentionMask.TOKENS;
        for (String name : names) {
            SDVariable placeholder = graph.getVariable(name);
            SequenceFeature feature = SequenceFeature.ofInput(name, names.size() == 1);
            long[] shape = placeholder.placeholderShape();
            if (causal && shape != null && shape.length > 2 && feature == SequenceFeature.ATTENTION_MASK) {
                mask = pairs(name, shape);
                length = checkedLength(name, new long[] {shape[0], shape[shape.length - 1]}, length);
            } else if (shape != null) {
                length = checkedLength(name, shape, length);
            }
            inputs.add(new Input(name, feature, placeholder.dataType()));
        }
        if (inputs.stream().noneMatch(input -> input.feature() == SequenceFeature.INPUT_IDS)) {
            throw new InvalidInputException("none of the model's inputs " + names
                    + " takes token ids; expected one named input_ids, or a single input");
        }
        return new InputBinding(inputs, mask, length);
    }

    private static AttentionMask pairs(String name, long... shape) {
        boolean square = shape.length < 5 && shape[shape.length - 1] == shape[shape.length - 2];
        if (!square || (shape.length == 4 && shape[1] > 1)) {
            throw new InvalidInputException("the model's input `" + name + "` is " + Arrays.toString(shape)
                    + " (-1 is any size); expected [batch, sequence], [batch, sequence, sequence] or [batch, 1, sequence,"
                    + " sequence]");
        }
        return new AttentionMask(shape.length, false);
    }

    /** Returns this with another kind of attention mask. */
    public InputBinding masking(AttentionMask other) {
        return new InputBinding(inputs, other, fixedLength);
    }

    /** Returns the input of a feature, if the model has one. */
    public Optional<Input> input(SequenceFeature feature) {
        return inputs.stream().filter(input -> input.feature() == feature).findFirst();
    }

    /** Returns the placeholders in the order of the features of {@link #fill(BatchPlan)}. */
    public String[] placeholders() {
        return inputs.stream().map(Input::placeholder).toArray(String[]::new);
    }

    /** Returns the placeholder that takes the token ids. */
    public String ids() {
        return input(SequenceFeature.INPUT_IDS).orElseThrow().placeholder();
    }

    /** Returns the plan with the features, types and padding that this model needs. */
    public BatchPlan fill(BatchPlan plan) {
        BatchPlan filled = plan.filling(inputs.stream()
                        .map(input -> input.feature().inputName())
                        .toList())
                .masking(mask);
        for (Input input : inputs) {
            filled = filled.typed(input.feature(), input.type());
        }
        return fixedLength.isPresent() ? filled.paddedToMultipleOf(fixedLength.getAsInt()) : filled;
    }

    /**
     * Returns the placeholders' values for a batch of token ids.
     *
     * @param ids [batch, T], padded on the right
     * @param lengths real tokens of each row
     */
    public Map<String, INDArray> fill(INDArray ids, int[] lengths) {
        return fill(ids, BatchArrays.oneDocument(lengths.length), lengths);
    }

    /**
     * As {@link #fill(INDArray, int[])}, of a causal language model, with several documents in a row.
     *
     * @param starts where they begin, by row
     */
    public Map<String, INDArray> fill(INDArray ids, int[][] starts, int[] lengths) {
        Map<String, INDArray> values = new LinkedHashMap<>();
        int width = Math.toIntExact(ids.size(1));
        int[] real =
                Arrays.stream(lengths).map(length -> Math.min(length, width)).toArray();
        int[][] known = new int[Math.toIntExact(ids.size(0))][];
        for (Input input : inputs) {
            values.put(
                    input.placeholder(),
                    input.feature() == SequenceFeature.INPUT_IDS
                            ? ids.castTo(input.type())
                            : BatchArrays.causal(input.feature(), input.type(), mask, known, starts, real, width, 0));
        }
        return values;
    }

    private static OptionalInt checkedLength(String name, long[] shape, OptionalInt known) {
        if (shape.length != 2) {
            throw new InvalidInputException(
                    "the model's input `" + name + "` has " + shape.length + " dimensions; expected [batch, sequence]");
        }
        if (shape[0] > 0) {
            throw new InvalidInputException(
                    "the model's input `" + name + "` fixes the batch size at " + shape[0] + ADVICE);
        }
        if (shape[1] <= 0) {
            return known;
        }
        int length = Math.toIntExact(shape[1]);
        if (known.isPresent() && known.getAsInt() != length) {
            throw new InvalidInputException("the model's input `" + name + "` fixes the sequence length at " + length
                    + ", another one at " + known.getAsInt() + ADVICE);
        }
        return OptionalInt.of(length);
    }
}
