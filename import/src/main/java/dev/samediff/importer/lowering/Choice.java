package dev.samediff.importer.lowering;

import dev.samediff.importer.onnx.OnnxTypes;
import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ops.impl.scalar.ScalarMax;
import org.nd4j.linalg.api.ops.impl.scalar.ScalarMin;

/**
 * One of two tensors, element by element: {@code c a + (1 - c) b}, because SameDiff's own {@code where} and {@code select} have
 * no gradient. What is not chosen may be infinite or no number: neither it nor its gradient reaches the result. So where a branch
 * may be, it is made finite first, which ends its gradient there, and what of it is chosen is added from comparisons.
 */
final class Choice {
    private Choice() {}

    /** The Where operator. */
    static List<Value> where(NodeCall call) {
        Value condition = call.in(0);
        Value yes = call.in(1);
        Value no = call.in(2);
        Optional<Value> guarded = withoutNan(call, condition, yes, no);
        return List.of(guarded.orElseGet(() -> of(call, condition, yes, no)));
    }

    /**
     * The larger or the smaller of two. If either is no number, the result is none, as in ONNX Runtime; where both are equal, the
     * gradient is the first one's.
     */
    static Value extreme(NodeCall call, Value first, Value second, boolean larger) {
        boolean swaps = isNumber(first) && !isNumber(second);
        Value a = swaps ? second : first;
        Value b = swaps ? first : second;
        Value better = call.emit(larger ? "Less" : "Greater", a, b);
        boolean maybeNone = !isNumber(b) && call.builder().origins().mayBeInfinite(b);
        Value chosen = maybeNone ? call.emit("Or", better, call.emit("IsNaN", b)) : better;
        return call.emit("Where", chosen, b, a);
    }

    /** Known elements that all are numbers; infinities are. */
    private static boolean isNumber(Value value) {
        HostTensor content = value.content();
        return content != null
                && (!content.isFloating()
                        || Arrays.stream(content.asDoubles()).noneMatch(number -> Double.isNaN(number)));
    }

    /**
     * {@code Where(IsNaN(p), z, p)} of a softmax p, which exporters write for rows that are hidden whole: the softmax is computed
     * of other scores in these rows, so that its derivative is a number there. It is the one of PyTorch, zero.
     */
    private static Optional<Value> withoutNan(NodeCall call, Value condition, Value yes, Value no) {
        Origins origins = call.builder().origins();
        return origins.softmaxWithoutNan(condition, no).map(softmax -> {
            Value scores = of(call, condition, call.real(no.type(), 0), softmax.scores());
            return of(call, condition, yes, softmax.again().apply(scores));
        });
    }

    private static Value of(NodeCall call, Value condition, Value yes, Value no) {
        List<Dim> dims = Broadcast.dims(call, condition.dims(), Broadcast.dims(call, yes.dims(), no.dims()));
        DataType type = yes.type() == DataType.BOOL ? DataType.INT : OnnxTypes.held(yes.type());
        SDVariable chosen = numbers(call, condition, type);
        SDVariable rest = call.builder().once(chosen, "rest", () -> chosen.rsub(1.0));
        SDVariable sum = part(call, chosen, rest, yes, type).add(part(call, rest, chosen, no, type));
        boolean infinite = mayBeInfinite(call, yes) || mayBeInfinite(call, no);
        SDVariable all = infinite ? sum.add(infinite(call, chosen, yes, rest, no)) : sum;
        return Value.computed(call.builder().cast(all, type, yes.type()), yes.type(), dims);
    }

    /** A tensor of truth values, or of anything else, as numbers. */
    static SDVariable numbers(NodeCall call, Value x, DataType type) {
        HostTensor known = x.content();
        if (known != null && !known.isSymbolic() && x.type() == DataType.BOOL) {
            HostTensor numbers = type.isFPType()
                    ? HostTensor.of(type, known.shape(), known.asDoubles())
                    : HostTensor.of(type, known.shape(), known.asLongs());
            return call.builder().constant(numbers).variable();
        }
        return call.builder().cast(x.variable(), x.type(), type);
    }

    /** The value where the mask is one, zero elsewhere; masks with the same number are shared by all layers. */
    private static SDVariable part(NodeCall call, SDVariable mask, SDVariable others, Value value, DataType type) {
        if (value.isScalar() && value.rank() == 0) {
            double number = value.scalar();
            if (Double.isNaN(number)) {
                return call.builder().once(others, "none", () -> others.rdiv(0.0));
            }
            if (Double.isInfinite(number)) {
                SDVariable below = call.builder()
                        .once(others, "log", () -> call.graph().math().log(others));
                return number < 0 ? below : call.builder().once(others, "-log", below::neg);
            }
            return number == 1 ? mask : call.builder().once(mask, "times " + number, () -> mask.mul(number));
        }
        SDVariable numbers = numbers(call, value, type);
        return mask.mul(mayBeInfinite(call, value) ? finite(call, numbers) : numbers);
    }

    /** Infinities become the largest finite numbers, what is no number the lowest; neither gets a gradient. */
    private static SDVariable finite(NodeCall call, SDVariable x) {
        double most = most(x.dataType());
        return call.builder().once(x, "finite", () -> {
            SDVariable above = new ScalarMax(call.graph(), x, -most).outputVariable();
            return new ScalarMin(call.graph(), above, most).outputVariable();
        });
    }

    private static double most(DataType type) {
        return type == DataType.DOUBLE ? Double.MAX_VALUE : Float.MAX_VALUE;
    }

    /** A tensor of which an element may be infinite or no number; single known numbers are added as they are. */
    private static boolean mayBeInfinite(NodeCall call, Value value) {
        boolean number = value.isScalar() && value.rank() == 0;
        return !number && call.builder().origins().mayBeInfinite(value);
    }

    /**
     * What the result is more than the choice between the finite parts: {@code 1 / u - 1 / v}, where u is 0 if something is chosen
     * that is not below infinity, and v if something is that is not above minus infinity, and both are 1 elsewhere.
     */
    private static SDVariable infinite(NodeCall call, SDVariable chosen, Value yes, SDVariable rest, Value no) {
        SDVariable below = where(call, chosen, bounded(call, yes, true), rest, bounded(call, no, true));
        SDVariable above = where(call, chosen, bounded(call, yes, false), rest, bounded(call, no, false));
        return below.rdiv(1.0).sub(above.rdiv(1.0));
    }

    private static SDVariable where(
            NodeCall call, SDVariable chosen, Optional<SDVariable> yes, SDVariable rest, Optional<SDVariable> no) {
        return yes.map(chosen::mul).orElse(chosen).add(no.map(rest::mul).orElse(rest));
    }

    /** One where the value is less than infinity, or more than minus infinity; nothing if it is everywhere. */
    private static Optional<SDVariable> bounded(NodeCall call, Value value, boolean above) {
        if (!mayBeInfinite(call, value)) {
            return Optional.empty();
        }
        SDVariable x = value.variable();
        double most = most(value.type());
        return Optional.of(call.builder()
                .once(x, "bounded " + above, () -> (above ? x.lte(most) : x.gte(-most)).castTo(value.type())));
    }
}
