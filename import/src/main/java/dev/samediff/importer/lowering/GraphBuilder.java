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
    /** Infinities become this: infinite constants turn into NaN in masked arithmetic and its gradient. */
    static final double HUGE = 3e38;

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

    /** Returns the value, replaced by the largest finite number if it is infinite. */
    static double finite(double value) {
        return Double.isInfinite(value) ? Math.copySign(HUGE, value) : value;
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
            double[] values = content.asDoubles();
            for (int i = 0; i < values.length; i++) {
                values[i] = finite(values[i]);
            }
            return Nd4j.createFromArray(values).castTo(held).reshape(content.shape());
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
        return once(from, "reshape " + dims, () -> Value.computed(reshape(from, dims), x.type(), dims));
    }

    private SDVariable reshape(SDVariable x, List<Dim> dims) {
        if (dims.stream().filter(dim -> !dim.isKnown()).count() > 1) {
            List<Dim> open = dims.stream()
                    .map(dim -> sizes.isKnown(dim) ? dim : Dim.of(-1))
                    .toList();
            return graph.reshape(x, constant(HostTensor.vector(open)).variable());
        }
        return graph.reshape(
                x,
                dims.stream().mapToLong(dim -> dim.isKnown() ? dim.known() : -1).toArray());
    }

    /** Returns {@code x} as a matrix: all axes but the last in one. */
    Value matrix(Value x) {
        Dim rows = x.dims().subList(0, x.rank() - 1).stream().reduce(Dim.ONE, Dim::times);
        return reshape(x, List.of(rows, x.dim(x.rank() - 1)));
    }
}
