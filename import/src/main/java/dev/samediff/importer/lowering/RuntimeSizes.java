package dev.samediff.importer.lowering;

import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;

/** Where the sizes that are unknown while importing come from when the graph runs. */
final class RuntimeSizes {
    private final GraphBuilder builder;
    private final Map<String, Supplier<SDVariable>> sources = new HashMap<>();
    private final Map<String, SDVariable> symbols = new HashMap<>();
    private final Map<Dim, SDVariable> scalars = new HashMap<>();
    private final Set<KnownSizes.Equal> equal = new LinkedHashSet<>();
    private final Map<Computation, Dim> computed = new HashMap<>();

    RuntimeSizes(GraphBuilder builder) {
        this.builder = builder;
    }

    /** Remembers the value as the source of those of its sizes that have none yet. */
    void learn(Value value) {
        for (int axis = 0; axis < value.rank(); axis++) {
            int index = axis;
            value.dim(axis).asSymbol().ifPresent(name -> sources.putIfAbsent(name, () -> size(value, index)));
        }
    }

    /** Names the elements of a small whole-number tensor, so that shapes built from them can be followed. */
    HostTensor name(Value value, long[] shape) {
        Dim[] elements = new Dim[(int) HostTensor.length(shape)];
        for (int i = 0; i < elements.length; i++) {
            int index = i;
            String name = Dim.ANY_SIGN + Integer.toString(sources.size());
            sources.put(name, () -> element(value, index));
            elements[i] = Dim.symbol(name);
        }
        return HostTensor.of(value.type(), shape, elements);
    }

    /** Remembers that an operator combines two axes element by element. */
    void combined(Dim left, Dim right) {
        equal.add(new KnownSizes.Equal(left, right));
    }

    /** Returns the sizes that were combined. */
    List<KnownSizes.Equal> equal() {
        return List.copyOf(equal);
    }

    /** Tells whether the size can be computed when the graph runs. */
    boolean isKnown(Dim dim) {
        return dim.terms().keySet().stream().flatMap(List::stream).allMatch(sources::containsKey);
    }

    /** Returns the smaller of two sizes of zero or more, computed when the graph runs unless it is known which one it is. */
    Dim smaller(Dim a, Dim b) {
        if (b.minus(a).isAtLeast(0)) {
            return a;
        }
        return a.minus(b).isAtLeast(0)
                ? b
                : computed(Dim.COMPUTED, "min", a, b, () -> builder.graph().min(scalar(a), scalar(b)));
    }

    /** Returns the larger one of a number of any sign and one that is zero or more, computed as {@link #smaller}. */
    Dim larger(Dim a, Dim b) {
        if (b.minus(a).isAtLeast(0)) {
            return b;
        }
        return a.minus(b).isAtLeast(0)
                ? a
                : computed(Dim.COMPUTED, "max", a, b, () -> builder.graph().max(scalar(a), scalar(b)));
    }

    /** Returns a place that is counted from the end if it is below zero, counted from the start; it may be outside of the axis. */
    Dim place(Dim bound, Dim size) {
        if (bound.isAtLeast(0)) {
            return bound;
        }
        if (Dim.ZERO.minus(bound).isAtLeast(1)) {
            return size.plus(bound);
        }
        return computed(Dim.ANY_SIGN, "place", bound, size, () -> {
            SDVariable isFromEnd = scalar(bound).lt(scalar(Dim.ZERO)).castTo(DataType.LONG);
            return builder.graph().math().add(scalar(bound), isFromEnd.mul(scalar(size)));
        });
    }

    /** Returns how many parts of so many elements a size of zero or more is cut into, the last of which may be smaller. */
    Dim parts(Dim size, long each) {
        return size.dividedBy(Dim.of(each))
                .orElseGet(() -> size.isKnown()
                        ? Dim.of(Math.floorDiv(size.known() + each - 1, each))
                        : computed(
                                Dim.COMPUTED,
                                "parts",
                                size,
                                Dim.of(each),
                                () -> builder.graph()
                                        .math()
                                        .floorDiv(scalar(size.plus(Dim.of(each - 1))), builder.whole(each))));
    }

    /** Returns {@code most} where a size is one, and one where it is not: how often an axis is repeated to be as long as another. */
    Dim repeats(Dim size, Dim most) {
        if (most.is(1) || size.isAtLeast(2)) {
            return Dim.ONE;
        }
        return size.is(1)
                ? most
                : computed(Dim.COMPUTED, "repeats", size, most, () -> {
                    SDVariable isOne = scalar(size).eq(scalar(Dim.ONE)).castTo(DataType.LONG);
                    SDVariable more = isOne.mul(scalar(most.minus(Dim.ONE)));
                    return builder.graph().math().add(more, scalar(Dim.ONE));
                });
    }

    /** A number that is computed from two others when the graph runs; equal ones are one. */
    private Dim computed(char first, String operation, Dim a, Dim b, Supplier<SDVariable> source) {
        return computed.computeIfAbsent(new Computation(operation, a, b), key -> {
            String name = first + operation + computed.size();
            sources.put(name, source);
            return Dim.symbol(name);
        });
    }

    private record Computation(String operation, Dim a, Dim b) {}

    private SDVariable size(Value value, int axis) {
        SameDiff graph = builder.graph();
        SDVariable from = value.variable();
        return pick(builder.once(from, "shape", () -> graph.shape(from)), axis);
    }

    private SDVariable element(Value value, int index) {
        SameDiff graph = builder.graph();
        SDVariable flat = value.rank() == 1 ? value.variable() : graph.reshape(value.variable(), -1);
        return builder.cast(pick(flat, index), value.type(), DataType.LONG);
    }

    /** One element of a vector, as a scalar. */
    private SDVariable pick(SDVariable vector, int index) {
        long[] begin = {index};
        return builder.graph().stridedSlice(vector, begin, new long[] {index + 1}, new long[] {1}, 0, 0, 0, 0, 1);
    }

    /** Returns a tensor of sizes as a variable. */
    SDVariable tensor(HostTensor content) {
        SameDiff graph = builder.graph();
        List<SDVariable> elements = new ArrayList<>();
        content.asDims().forEach(dim -> elements.add(scalar(dim)));
        SDVariable result = content.rank() == 0 ? elements.get(0) : graph.stack(0, elements.toArray(new SDVariable[0]));
        SDVariable shaped = content.rank() > 1 ? graph.reshape(result, content.shape()) : result;
        return builder.cast(shaped, DataType.LONG, content.type());
    }

    /** Returns a size as a LONG variable of rank 0. */
    SDVariable scalar(Dim dim) {
        SDVariable existing = scalars.get(dim);
        if (existing == null) {
            existing = sum(dim);
            scalars.put(dim, existing);
        }
        return existing;
    }

    private SDVariable sum(Dim dim) {
        if (dim.isKnown()) {
            return builder.whole(dim.known());
        }
        SDVariable sum = null;
        for (Map.Entry<List<String>, Long> term : dim.terms().entrySet()) {
            SDVariable product = product(term.getKey(), term.getValue());
            sum = sum == null ? product : builder.graph().math().add(sum, product);
        }
        return Objects.requireNonNull(sum);
    }

    private SDVariable product(List<String> factors, long coefficient) {
        SDVariable product = coefficient == 1 && !factors.isEmpty() ? null : builder.whole(coefficient);
        for (String factor : factors) {
            SDVariable symbol = symbol(factor);
            product = product == null ? symbol : builder.graph().math().mul(product, symbol);
        }
        return Objects.requireNonNull(product);
    }

    private SDVariable symbol(String name) {
        SDVariable existing = symbols.get(name);
        if (existing == null) {
            Supplier<SDVariable> source = sources.get(name);
            if (source == null) {
                throw new IllegalStateException("no value has the size '" + name + "'");
            }
            existing = source.get();
            symbols.put(name, existing);
        }
        return existing;
    }
}
