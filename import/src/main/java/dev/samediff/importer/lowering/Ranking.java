package dev.samediff.importer.lowering;

import dev.samediff.importer.onnx.OnnxTypes;
import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ops.impl.transforms.custom.TopK;

/**
 * TopK: the k largest or smallest elements, of equal ones those that come first. SameDiff's operator loses elements that are
 * equal, so it is asked for numbers that never are: DOUBLEs that hold a FLOAT, or a whole number of up to 32 bits, and below
 * it the place. Wider numbers fill a DOUBLE themselves; their k places are found one after the other.
 */
final class Ranking {
    /** How many elements an axis may have so that its places fit below a whole number of 32 bits. */
    private static final long MOST_ELEMENTS = 1L << 21;

    /** How many places are found one after the other. */
    private static final long MOST_STEPS = 256;

    private static final double PLACE = 0x1p-50;
    private static final double LEAST = 0x1p-200;
    private static final double INFINITY = 1e39;
    private static final double NO_NUMBER = 1e40;

    private Ranking() {}

    static void register(Map<String, OpLowering> operators) {
        operators.put("TopK", Ranking::topK);
    }

    /** The places by SameDiff, the values by looking them up, which has a gradient. */
    private static List<Value> topK(NodeCall call) {
        Value x = call.in(0);
        int axis = call.axis("axis", -1, x.rank());
        long count = call.optional(1).isPresent()
                ? call.known(1, "number").asLong(0)
                : call.node().integer("k", 1);
        Dim size = x.dim(axis);
        if (count < 0 || (size.isKnown() && count > size.known())) {
            throw call.invalid("asks for " + count + " of " + size + " elements");
        }
        if (count == 0) {
            throw call.refused("asks for no elements; SameDiff has no tensors without elements", "ask for one or more");
        }
        boolean largest = call.node().integer("largest", 1) == 1;
        Value last = Gathering.axisLast(call, x, axis);
        boolean wide = x.type() == DataType.DOUBLE || x.type() == DataType.LONG || x.type() == DataType.UINT64;
        Value places = wide ? stepByStep(call, last, count, largest) : byKeys(call, last, count, largest);
        Value indices = Gathering.axisBack(call, places, axis);
        return List.of(call.emit("GatherElements", Map.of("axis", axis), x, indices), indices);
    }

    private static Value byKeys(NodeCall call, Value x, long count, boolean largest) {
        Dim size = x.dim(x.rank() - 1);
        if (size.isKnown() && size.known() > MOST_ELEMENTS) {
            throw call.refused(
                    "chooses among " + size + " elements; up to " + MOST_ELEMENTS + " can be imported",
                    "choose among parts of them, and among what they give");
        }
        SameDiff graph = call.graph();
        GraphBuilder builder = call.builder();
        SDVariable number = number(call, x);
        SDVariable ordered = largest ? number : number.neg();
        SDVariable place = Creation.numbers(call, size).castTo(DataType.DOUBLE);
        SDVariable key;
        if (x.type().isFPType()) {
            SDVariable step = graph.math().abs(ordered).add(LEAST).mul(PLACE);
            key = ordered.sub(step.mul(place));
        } else {
            key = ordered.mul((double) MOST_ELEMENTS).sub(place);
        }
        SDVariable[] found = new Largest(graph, key, Math.toIntExact(count)).outputVariables();
        List<Dim> dims = new ArrayList<>(x.dims());
        dims.set(x.rank() - 1, Dim.of(count));
        return Value.computed(found[1].castTo(DataType.LONG), DataType.LONG, dims);
    }

    /** Finite DOUBLEs in the order of the elements; what is no number is more than infinity, as for PyTorch. */
    private static SDVariable number(NodeCall call, Value x) {
        SDVariable wide = call.builder().cast(x.variable(), x.type(), DataType.DOUBLE);
        if (!x.type().isFPType()) {
            return wide;
        }
        SDVariable finite = call.graph().clipByValue(wide, -INFINITY, INFINITY);
        Origins origins = call.builder().origins();
        if (!origins.mayBeInfinite(x)) {
            return finite;
        }
        Value numbers = origins.like(Value.computed(finite, DataType.DOUBLE, x.dims()), x);
        Value none = call.real(DataType.DOUBLE, NO_NUMBER);
        return call.emit("Where", call.emit("IsNaN", x), none, numbers).variable();
    }

    /** SameDiff's operator with its two numbers in the order that is executed: M2.1 hands them over the other way round. */
    private static final class Largest extends TopK {
        Largest(SameDiff graph, SDVariable x, int count) {
            super(graph, x, count, true);
            iArguments.clear();
            addIArgument(count, 1);
        }
    }

    private static Value stepByStep(NodeCall call, Value given, long count, boolean largest) {
        if (count > MOST_STEPS) {
            throw call.refused(
                    "chooses " + count + " numbers of 64 bits; up to " + MOST_STEPS + " can be imported",
                    "choose fewer, or cast them to 32 bits first");
        }
        Value x = given.type().isFPType() && call.builder().origins().mayBeInfinite(given)
                ? call.emit(
                        "Where", call.emit("IsNaN", given), call.real(given.type(), Double.POSITIVE_INFINITY), given)
                : given;
        int axis = x.rank() - 1;
        Value last = call.vector(axis);
        Value numbers = Value.computed(Creation.numbers(call, x.dim(axis)), DataType.LONG, List.of(x.dim(axis)));
        Value beyond = call.builder().constant(end(x.type(), !largest));
        Value taken = null;
        List<Value> places = new ArrayList<>();
        for (long step = 0; step < count; step++) {
            Value open = taken == null ? x : call.emit("Where", taken, beyond, x);
            Value best = call.emit(largest ? "ReduceMax" : "ReduceMin", open, last);
            Value hit = call.emit("Equal", x, best);
            Value free = taken == null ? hit : call.emit("And", hit, call.emit("Not", taken));
            Value place = first(call, free, axis, true);
            places.add(place);
            Value now = call.emit("Equal", numbers, place);
            taken = taken == null ? now : call.emit("Or", taken, now);
        }
        return places.size() == 1
                ? places.get(0)
                : call.emit("Concat", Map.of("axis", axis), places.toArray(new @Nullable Value[0]));
    }

    /** The end of a type; what is taken is no longer chosen among elements that are at this end themselves. */
    private static HostTensor end(DataType type, boolean most) {
        return type.isFPType()
                ? HostTensor.filled(type, new long[0], most ? Double.POSITIVE_INFINITY : Double.NEGATIVE_INFINITY)
                : HostTensor.of(type, new long[0], new long[] {most ? Long.MAX_VALUE : Long.MIN_VALUE});
    }

    /** Where the first truth of an axis stands. */
    static Value first(NodeCall call, Value truths, int axis, boolean keep) {
        Value numbers = call.emit("Cast", Map.of("to", OnnxTypes.number(DataType.FLOAT)), truths);
        List<Dim> dims = new ArrayList<>(truths.dims());
        if (keep) {
            dims.set(axis, Dim.ONE);
        } else {
            dims.remove(axis);
        }
        return Value.computed(call.graph().argmax(numbers.variable(), keep, axis), DataType.LONG, dims);
    }
}
