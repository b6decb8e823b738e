package dev.samediff.importer.lowering;

import dev.samediff.importer.folding.FoldingBudget;
import dev.samediff.importer.onnx.OnnxTypes;
import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The SameDiff graph under construction: constants, sizes and reshapes, each created once however often it is needed. */
public final class GraphBuilder {
    private final SameDiff graph;
    private final RuntimeSizes sizes;
    private final FoldingBudget budget = new FoldingBudget();
    private final Map<HostTensor, Value> constants = new HashMap<>();
    private final IdentityHashMap<SDVariable, Map<String, Object>> derived = new IdentityHashMap<>();
    private final Origins origins = new Origins();
    private int unknowns;

    GraphBuilder(SameDiff graph) {
        this.graph = graph;
        this.sizes = new RuntimeSizes(this);
    }

    /** Returns the graph. */
    public SameDiff graph() {
        return graph;
    }

    /** Returns what counts the numbers that are computed while importing. */
    FoldingBudget budget() {
        return budget;
    }

    /** Returns what is known of values by how they were computed. */
    Origins origins() {
        return origins;
    }

    /** Returns the sizes that are only known when the graph runs. */
    RuntimeSizes sizes() {
        return sizes;
    }

    /** Returns a size about which nothing is known. */
    public Dim unknown() {
        return Dim.symbol("?" + unknowns++);
    }

    /** Returns a value whose elements are known; equal ones are one variable. */
    public Value constant(HostTensor content) {
        return constants.computeIfAbsent(content, key -> {
            List<Dim> dims = new ArrayList<>();
            for (long size : key.shape()) {
                dims.add(Dim.of(size));
            }
            return new Value(key.type(), dims, key, null, () -> emit(key));
        });
    }

    private SDVariable emit(HostTensor content) {
        return content.isSymbolic() ? sizes.tensor(content) : graph.constant(array(content));
    }

    private static INDArray array(HostTensor content) {
        DataType held = OnnxTypes.held(content.type());
        if (content.length() == 0) {
            return Nd4j.create(held, content.shape());
        }
        if (content.isFloating()) {
            return Nd4j.createFromArray(content.asDoubles()).castTo(held).reshape(content.shape());
        }
        INDArray longs = Nd4j.createFromArray(content.asLongs()).reshape(content.shape());
        return held == DataType.LONG ? longs : longs.castTo(held);
    }

    /** Returns a whole number as a variable of rank 0 and type LONG. */
    SDVariable whole(long value) {
        return constant(HostTensor.of(DataType.LONG, new long[0], new long[] {value}))
                .variable();
    }

    /** Returns what was derived from {@code from} under this name before, or derives it now. */
    @SuppressWarnings("unchecked")
    <T> T once(SDVariable from, String name, Supplier<T> derivation) {
        Map<String, Object> known = derived.computeIfAbsent(from, key -> new HashMap<>());
        Object existing = known.get(name);
        if (existing == null) {
            existing = derivation.get();
            known.put(name, existing);
        }
        return (T) existing;
    }

    /** Returns the variable in the type that holds numbers of another. */
    SDVariable cast(SDVariable x, DataType from, DataType to) {
        DataType held = OnnxTypes.held(to);
        return OnnxTypes.held(from) == held ? x : once(x, "cast " + held, () -> x.castTo(held));
    }

    /** Returns the elements of {@code x} in another shape with the same number of elements. */
    public Value reshape(Value x, List<Dim> dims) {
        if (x.dims().equals(dims)) {
            return x;
        }
        SDVariable from = x.variable();
        return once(from, "reshape " + dims, () -> {
            boolean fits = isSameLength(x.dims(), dims);
            return origins.like(Value.computed(reshape(from, dims, fits), x.type(), dims), x);
        });
    }

    /** Returns the value itself, with sizes that the file says it must have; if it has others, the graph fails when it runs. */
    Value required(Value x, List<Dim> dims) {
        if (x.dims().equals(dims)) {
            return x;
        }
        SDVariable from = x.variable();
        return once(
                from, "required " + dims, () -> origins.like(Value.computed(byArray(from, dims), x.type(), dims), x));
    }

    private static boolean isSameLength(List<Dim> from, List<Dim> to) {
        List<Dim> left = new ArrayList<>(from);
        List<Dim> right = new ArrayList<>();
        for (Dim dim : to) {
            if (!left.remove(dim)) {
                right.add(dim);
            }
        }
        return left.stream().reduce(Dim.ONE, Dim::times).equals(right.stream().reduce(Dim.ONE, Dim::times));
    }

    /** One size may be left to SameDiff if it is what the file says, or if nothing else tells it. */
    private SDVariable reshape(SDVariable x, List<Dim> dims, boolean fits) {
        List<Dim> open = dims.stream().filter(dim -> !dim.isKnown()).toList();
        if (open.size() > 1 || (open.size() == 1 && !fits && sizes.isKnown(open.get(0)))) {
            return byArray(x, dims);
        }
        return graph.reshape(
                x,
                dims.stream().mapToLong(dim -> dim.isKnown() ? dim.known() : -1).toArray());
    }

    private SDVariable byArray(SDVariable x, List<Dim> dims) {
        List<Dim> sizesOfAxes =
                dims.stream().map(dim -> sizes.isKnown(dim) ? dim : Dim.of(-1)).toList();
        return graph.reshape(x, constant(HostTensor.vector(sizesOfAxes)).variable());
    }

    /** Returns {@code x} as a matrix: all axes but the last in one. */
    Value matrix(Value x) {
        Dim rows = x.dims().subList(0, x.rank() - 1).stream().reduce(Dim.ONE, Dim::times);
        return reshape(x, List.of(rows, x.dim(x.rank() - 1)));
    }
}
