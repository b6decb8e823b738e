package dev.samediff.importer.lowering;

import dev.samediff.importer.tensor.Dim;
import dev.samediff.importer.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.BinaryOperator;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ops.impl.scalar.ScalarMax;
import org.nd4j.linalg.api.ops.impl.scalar.ScalarMin;

/** Comparisons, logical operators, choices and casts. */
final class Logic {
    private Logic() {}

    static void register(Map<String, OpLowering> operators) {
        operators.put("Equal", call -> compare(call, SDVariable::eq));
        operators.put("Less", call -> compare(call, SDVariable::lt));
        operators.put("LessOrEqual", call -> compare(call, SDVariable::lte));
        operators.put("Greater", call -> compare(call, SDVariable::gt));
        operators.put("GreaterOrEqual", call -> compare(call, SDVariable::gte));
        operators.put("And", call -> logic(call, SDVariable::mul));
        operators.put("Or", call -> logic(call, SDVariable::add));
        operators.put("Xor", call -> logic(call, SDVariable::sub));
        operators.put("Not", Logic::not);
        operators.put(
                "IsNaN",
                call -> call.result(
                        call.graph().math().isNaN(call.in(0).variable()),
                        DataType.BOOL,
                        call.in(0).dims()));
        operators.put("Where", Logic::where);
    }

    private static List<Value> compare(NodeCall call, BinaryOperator<SDVariable> form) {
        Value a = call.in(0);
        Value b = call.in(1);
        List<Dim> dims = Broadcast.dims(call, a.dims(), b.dims());
        SDVariable left = call.builder().cast(raised(call, a, dims), a.type(), comparable(a.type()));
        SDVariable right = call.builder().cast(raised(call, b, dims), b.type(), comparable(b.type()));
        return call.result(form.apply(left, right), DataType.BOOL, dims);
    }

    /** The operand with the result's number of axes: M2.1 cannot compare a [1,1] with a vector. */
    private static SDVariable raised(NodeCall call, Value x, List<Dim> like) {
        if (x.rank() == 0 || x.rank() == like.size()) {
            return x.variable();
        }
        List<Dim> dims = new ArrayList<>(Collections.nCopies(like.size() - x.rank(), Dim.ONE));
        dims.addAll(x.dims());
        return call.builder().reshape(x, dims).variable();
    }

    private static DataType comparable(DataType type) {
        return type == DataType.BOOL ? DataType.INT : type;
    }

    /** As arithmetic: the boolean operators of M2.1 do not broadcast, and say nothing about it. */
    private static List<Value> logic(NodeCall call, BinaryOperator<SDVariable> form) {
        Value a = call.in(0);
        Value b = call.in(1);
        SDVariable result = form.apply(numbers(call, a, DataType.FLOAT), numbers(call, b, DataType.FLOAT));
        return call.result(result.castTo(DataType.BOOL), DataType.BOOL, Broadcast.dims(call, a.dims(), b.dims()));
    }

    private static List<Value> not(NodeCall call) {
        return call.result(numbers(call, call.in(0), DataType.FLOAT).eq(0.0), call.in(0));
    }

    private static SDVariable numbers(NodeCall call, Value x, DataType type) {
        HostTensor known = x.content();
        if (known != null && !known.isSymbolic() && x.type() == DataType.BOOL) {
            HostTensor numbers = type.isFPType()
                    ? HostTensor.of(type, known.shape(), known.asDoubles())
                    : HostTensor.of(type, known.shape(), known.asLongs());
            return call.builder().constant(numbers).variable();
        }
        return call.builder().cast(x.variable(), x.type(), type);
    }

    /**
     * {@code c * x + (1 - c) * y}: SameDiff's own {@code where} has no gradient. What may be infinite or no number is made
     * finite first, so that zero times it is zero.
     */
    private static List<Value> where(NodeCall call) {
        Value condition = call.in(0);
        Value yes = call.in(1);
        Value no = call.in(2);
        List<Dim> dims = Broadcast.dims(call, condition.dims(), Broadcast.dims(call, yes.dims(), no.dims()));
        DataType type = yes.type() == DataType.BOOL ? DataType.INT : yes.type();
        SDVariable chosen = numbers(call, condition, type);
        SDVariable rest = call.builder().once(chosen, "rest", () -> chosen.rsub(1.0));
        SDVariable sum = sum(part(call, chosen, yes, type), part(call, rest, no, type));
        return call.result(call.builder().cast(sum, type, yes.type()), yes.type(), dims);
    }

    private static SDVariable sum(SDVariable a, SDVariable b) {
        return a.add(b);
    }

    /** The factor times the value; masks with the same number are shared by all layers. */
    private static SDVariable part(NodeCall call, SDVariable factor, Value value, DataType type) {
        if (value.isScalar() && value.rank() == 0) {
            double number = value.scalar();
            return number == 1 ? factor : call.builder().once(factor, "times " + number, () -> factor.mul(number));
        }
        SDVariable numbers = numbers(call, value, type);
        return factor.mul(call.builder().origins().mayBeInfinite(value) ? finite(call, numbers) : numbers);
    }

    /** Infinities become the largest finite numbers, what is no number the lowest; neither gets a gradient. */
    private static SDVariable finite(NodeCall call, SDVariable x) {
        return call.builder().once(x, "finite", () -> {
            SDVariable above = new ScalarMax(call.graph(), x, -GraphBuilder.HUGE).outputVariable();
            return new ScalarMin(call.graph(), above, GraphBuilder.HUGE).outputVariable();
        });
    }
}
