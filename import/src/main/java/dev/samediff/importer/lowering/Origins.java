package dev.samediff.importer.lowering;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SDVariable;

/** What is known of computed values by how they were computed. */
final class Origins {
    /** Operators whose results may be infinite or no numbers although their inputs are finite. */
    private static final Set<String> OPENING =
            Set.of("Log", "Reciprocal", "Exp", "Pow", "Sqrt", "Acos", "Asin", "Atanh");

    /** Operators that hand on what is infinite; products of matrices and what is made of them are taken to be finite. */
    private static final Set<String> PASSING = Set.of(
            "Add",
            "Sub",
            "Mul",
            "Div",
            "Neg",
            "Abs",
            "Max",
            "Min",
            "Sum",
            "Where",
            "Reshape",
            "Transpose",
            "Expand",
            "Unsqueeze",
            "Squeeze",
            "Slice",
            "Concat",
            "Split",
            "Gather",
            "Flatten",
            "Tile",
            "Identity",
            "Cast",
            "CastLike",
            "Sqrt",
            "Pow",
            "Exp",
            "Log",
            "ReduceMax",
            "ReduceMin",
            "ReduceSum",
            "Pad",
            "Dropout");

    private final Set<SDVariable> trained = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Set<SDVariable> open = Collections.newSetFromMap(new IdentityHashMap<>());

    /** Records an input of the graph, which may hold anything, and be made a weight by who imports the graph. */
    void input(Value input) {
        if (input.type().isFPType()) {
            open.add(input.variable());
            trained.add(input.variable());
        }
    }

    /** Records what an operator made of its inputs. */
    void computed(String operator, List<@Nullable Value> inputs, List<Value> results) {
        boolean weights = inputs.stream().anyMatch(input -> input != null && isTrained(input));
        boolean infinite = OPENING.contains(operator)
                || PASSING.contains(operator)
                        && inputs.stream().anyMatch(input -> input != null && mayBeInfinite(input))
                || operator.equals("Div") && inputs.size() > 1 && isComputed(inputs.get(1));
        for (Value result : results) {
            if (isComputed(result) && result.type().isFPType()) {
                if (weights) {
                    trained.add(result.variable());
                }
                if (infinite) {
                    open.add(result.variable());
                }
            }
        }
    }

    private static boolean isComputed(@Nullable Value value) {
        return value != null && value.content() == null && value.stored() == null;
    }

    /** Tells whether real inputs, weights of the file, or adapters beside them, are among what the value was computed from. */
    boolean isTrained(Value value) {
        return value.stored() != null || isComputed(value) && trained.contains(value.variable());
    }

    /** Tells whether an element may be infinite or no number. */
    boolean mayBeInfinite(Value value) {
        return isComputed(value) && value.type().isFPType() && open.contains(value.variable());
    }
}
