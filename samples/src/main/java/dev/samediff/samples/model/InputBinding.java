package dev.samediff.samples.model;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.batch.BatchPlan;
import dev.samediff.adapters.text.batch.SequenceFeature;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Which input of a model takes what: token ids, the mask of real tokens, positions, segments.
 *
 * @param inputs the model's inputs in its order
 * @param fixedLength the number of tokens, if the file allows only one; shorter texts are padded to it
 */
public record InputBinding(List<Input> inputs, OptionalInt fixedLength) {
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

    /**
     * As {@link #of(SameDiff)}, without placeholders that something else fills.
     *
     * @param others their names
     */
    public static InputBinding of(SameDiff graph, Set<String> others) {
        List<String> names =
                graph.inputs().stream().filter(name -> !others.contains(name)).toList();
        List<Input> inputs = new ArrayList<>();
        OptionalInt length = OptionalInt.empty();
        for (String name : names) {
            SDVariable placeholder = graph.getVariable(name);
            SequenceFeature feature = SequenceFeature.ofInput(name, names.size() == 1);
            long[] shape = placeholder.placeholderShape();
            if (shape != null) {
                length = checkedLength(name, shape, length);
            }
            inputs.add(new Input(name, feature, placeholder.dataType()));
        }
        if (inputs.stream().noneMatch(input -> input.feature() == SequenceFeature.INPUT_IDS)) {
            throw new InvalidInputException("none of the model's inputs " + names
                    + " takes token ids; expected one named input_ids, or a single input");
        }
        return new InputBinding(inputs, length);
    }

    /** Returns the placeholders in the order of the features of {@link #fill(BatchPlan)}. */
    public String[] placeholders() {
        return inputs.stream().map(Input::placeholder).toArray(String[]::new);
    }

    /** Returns the placeholder that takes the token ids. */
    public String ids() {
        return inputs.stream()
                .filter(input -> input.feature() == SequenceFeature.INPUT_IDS)
                .findFirst()
                .orElseThrow()
                .placeholder();
    }

    /** Returns the plan with the features, types and padding that this model needs. */
    public BatchPlan fill(BatchPlan plan) {
        BatchPlan filled = plan.filling(
                inputs.stream().map(input -> input.feature().inputName()).toList());
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
        Map<String, INDArray> values = new LinkedHashMap<>();
        int batch = Math.toIntExact(ids.size(0));
        int width = Math.toIntExact(ids.size(1));
        for (Input input : inputs) {
            INDArray value = switch (input.feature()) {
                case INPUT_IDS -> ids;
                case ATTENTION_MASK -> mask(lengths, width);
                case POSITION_IDS -> positions(batch, width);
                case TOKEN_TYPE_IDS -> Nd4j.zeros(DataType.LONG, batch, width);
            };
            values.put(input.placeholder(), value.castTo(input.type()));
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

    private static INDArray mask(int[] lengths, int width) {
        int[][] mask = new int[lengths.length][width];
        for (int row = 0; row < lengths.length; row++) {
            Arrays.fill(mask[row], 0, Math.min(lengths[row], width), 1);
        }
        return Nd4j.createFromArray(mask);
    }

    private static INDArray positions(int batch, int width) {
        int[][] positions = new int[batch][width];
        for (int[] row : positions) {
            Arrays.setAll(row, i -> i);
        }
        return Nd4j.createFromArray(positions);
    }
}
