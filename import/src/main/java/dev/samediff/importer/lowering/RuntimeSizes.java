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

    /** Returns the smaller of two sizes, computed when the graph runs. */
    Dim smaller(Dim a, Dim b) {
        Dim result = Dim.symbol("min(" + a + ", " + b + ")");
        String name = result.asSymbol().orElseThrow();
        sources.putIfAbsent(name, () -> builder.graph().min(scalar(a), scalar(b)));
        return result;
    }

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
