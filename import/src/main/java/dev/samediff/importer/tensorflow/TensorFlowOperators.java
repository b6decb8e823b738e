package dev.samediff.importer.tensorflow;

import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** All TensorFlow operators that can be imported. */
public final class TensorFlowOperators {
    private static final TreeMap<String, TensorFlowOp> ALL = new TreeMap<>();
    private static final Map<String, String> REASONS = new TreeMap<>();

    static {
        Passing.register(ALL);
        Arithmetic.register(ALL);
        Functions.register(ALL);
        Comparisons.register(ALL);
        Products.register(ALL);
        Reducing.register(ALL);
        Shaping.register(ALL);
        Joins.register(ALL);
        Slices.register(ALL);
        Lookups.register(ALL);
        Filling.register(ALL);
        Images.register(ALL);
        for (String flow : new String[] {
            "If",
            "StatelessIf",
            "Case",
            "StatelessCase",
            "While",
            "StatelessWhile",
            "Switch",
            "Merge",
            "Enter",
            "Exit",
            "NextIteration",
            "LoopCond"
        }) {
            REASONS.put(
                    flow,
                    "control flow by a condition that is not constant; export one pass of the model, without loops and conditions");
        }
        for (String random : new String[] {
            "RandomUniform",
            "RandomStandardNormal",
            "RandomUniformInt",
            "TruncatedNormal",
            "StatelessRandomUniformV2",
            "StatelessRandomNormalV2",
            "Multinomial"
        }) {
            REASONS.put(random, "random numbers; export the model for inference, with training=False");
        }
        for (String pipeline : new String[] {"IteratorV2", "Iterator", "OneShotIterator", "IteratorGetNext"}) {
            REASONS.put(
                    pipeline,
                    "the data come from a pipeline in the graph; name what it hands out as inputs, such as --inputs"
                            + " input_ids=IteratorGetNext:0 (TensorFlowOptions.withInputs)");
        }
        for (String open : new String[] {"Where", "Unique", "UniqueV2", "BooleanMask", "NonMaxSuppressionV3"}) {
            REASONS.put(
                    open,
                    "the size of its result depends on the data; write the model with masks in place of indices"
                            + " (multiply by the mask, tf.where with three arguments)");
        }
        for (String list :
                new String[] {"TensorListReserve", "TensorListStack", "TensorListFromTensor", "TensorArrayV3"}) {
            REASONS.put(list, "a list of tensors; export one pass of the model, without loops");
        }
    }

    private TensorFlowOperators() {}

    /** Returns the names of the operators. */
    public static Set<String> names() {
        return ALL.keySet();
    }

    /** Returns why operators are refused, for those where there is more to say than that they are not known. */
    public static Map<String, String> refusals() {
        return Collections.unmodifiableMap(REASONS);
    }

    static @Nullable TensorFlowOp of(String operator) {
        return ALL.get(operator);
    }

    /** Returns why an operator is refused, and what to do. */
    static String reason(String operator) {
        return REASONS.getOrDefault(
                operator,
                "no translation of this operator exists; write it of operators that docs/import.md lists, or choose outputs"
                        + " that do not need it");
    }
}
