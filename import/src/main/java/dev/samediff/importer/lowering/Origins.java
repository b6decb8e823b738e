package dev.samediff.importer.lowering;

import dev.samediff.importer.onnx.OnnxNode;
import dev.samediff.importer.onnx.OnnxTensor;
import dev.samediff.importer.tensor.HostTensor;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SDVariable;

/** What is known of computed values by how they were computed. */
final class Origins {
    private final Set<SDVariable> trained = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Map<SDVariable, Range> ranges = new IdentityHashMap<>();
    private final Map<String, Range> tensors = new HashMap<>();
    private final Map<SDVariable, SDVariable> nanOf = new IdentityHashMap<>();
    private final Map<SDVariable, Softmax> softmaxes = new IdentityHashMap<>();

    /**
     * A softmax.
     *
     * @param scores what it is of
     * @param again the same of other scores
     */
    record Softmax(Value scores, UnaryOperator<Value> again) {}

    /** Records an input of the graph, which may hold anything, and be made a weight by who imports the graph. */
    void input(Value input) {
        if (input.type().isFPType()) {
            ranges.put(input.variable(), Range.ANY);
            trained.add(input.variable());
        }
    }

    /** Records what an operator made of its inputs. */
    void computed(OnnxNode node, List<@Nullable Value> inputs, List<Value> results) {
        List<Value> made = results.stream()
                .filter(result -> isComputed(result) && result.type().isFPType())
                .toList();
        if (made.isEmpty()) { // such as the transpose of a weight: looking for infinities would read the whole of it
            return;
        }
        boolean weights = inputs.stream().anyMatch(input -> input != null && isTrained(input));
        Range range = Range.isLayer(node.operator(), inputs) ? Range.FINITE : computed(node, inputs);
        for (Value result : made) {
            ranges.put(result.variable(), range);
            if (weights) {
                trained.add(result.variable());
            }
        }
    }

    private Range computed(OnnxNode node, List<@Nullable Value> inputs) {
        Range most = Stream.concat(
                        Stream.of(Range.written(node)), inputs.stream().map(this::range))
                .max(Range::compareTo)
                .orElseThrow();
        return Range.computed(node.operator(), inputs, most);
    }

    /** Records that a value has the elements of another one, or some of them. */
    Value like(Value result, Value from) {
        if (isComputed(result) && result.type().isFPType()) {
            ranges.put(result.variable(), range(from));
        }
        return result;
    }

    private Range range(@Nullable Value value) {
        if (value == null || !value.type().isFPType()) {
            return Range.FINITE;
        }
        HostTensor content = value.content();
        if (content != null) {
            return Range.of(content);
        }
        Value.Stored stored = value.stored();
        return stored != null
                ? tensors.computeIfAbsent(stored.tensor().name(), name -> Range.of(stored.tensor()))
                : ranges.getOrDefault(value.variable(), Range.FINITE);
    }

    /** Takes a tensor of the file for finite without reading it. */
    void isFinite(OnnxTensor tensor) {
        tensors.put(tensor.name(), Range.FINITE);
    }

    /** Tells whether all elements are of the size that activations have. */
    boolean isOrdinary(Value value) {
        return range(value) == Range.FINITE;
    }

    /** Tells whether an element may be infinite or no number. */
    boolean mayBeInfinite(Value value) {
        return range(value) == Range.ANY;
    }

    /** Records truth values that tell where another value is no number. */
    void isNaN(Value result, Value of) {
        nanOf.put(result.variable(), of.variable());
    }

    /** Records a softmax. */
    void softmax(Value result, Softmax softmax) {
        softmaxes.put(result.variable(), softmax);
    }

    /** Returns the softmax that a value is, if the condition tells where it is no number. */
    Optional<Softmax> softmaxWithoutNan(Value condition, Value value) {
        boolean tells =
                isComputed(condition) && isComputed(value) && nanOf.get(condition.variable()) == value.variable();
        return tells ? Optional.ofNullable(softmaxes.get(value.variable())) : Optional.empty();
    }

    private static boolean isComputed(@Nullable Value value) {
        return value != null && value.content() == null && value.stored() == null;
    }

    /** Tells whether real inputs, weights of the file, or adapters beside them, are among what the value was computed from. */
    boolean isTrained(Value value) {
        return value.stored() != null || isComputed(value) && trained.contains(value.variable());
    }
}
