package dev.samediff.importer.lowering;

import dev.samediff.importer.tensor.Dim;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.BinaryOperator;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;

/** Comparisons, logical operators and casts. */
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
        operators.put("IsNaN", Logic::isNaN);
        operators.put("Where", Choice::where);
    }

    private static List<Value> isNaN(NodeCall call) {
        Value x = call.in(0);
        Value result = Value.computed(call.graph().math().isNaN(x.variable()), DataType.BOOL, x.dims());
        call.builder().origins().isNaN(result, x);
        return List.of(result);
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
        SDVariable result =
                form.apply(Choice.numbers(call, a, DataType.FLOAT), Choice.numbers(call, b, DataType.FLOAT));
        return call.result(result.castTo(DataType.BOOL), DataType.BOOL, Broadcast.dims(call, a.dims(), b.dims()));
    }

    private static List<Value> not(NodeCall call) {
        return call.result(Choice.numbers(call, call.in(0), DataType.FLOAT).eq(0.0), call.in(0));
    }
}
