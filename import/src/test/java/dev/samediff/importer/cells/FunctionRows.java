package dev.samediff.importer.cells;

import static dev.samediff.importer.cells.Samples.extremes;
import static dev.samediff.importer.cells.Samples.general;
import static dev.samediff.importer.cells.Samples.large;
import static dev.samediff.importer.cells.Samples.special;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import onnx.Onnx.TensorProto.DataType;

/** Functions of one tensor, element by element or along an axis. */
final class FunctionRows {
    /** Functions whose values at infinities and at NaN ONNX leaves no doubt about. */
    private static final List<String> EXACT = List.of(
            "Abs", "Neg", "Identity", "Relu", "Exp", "Log", "Sqrt", "Reciprocal", "Tanh", "Sigmoid", "Floor", "Ceil",
            "IsNaN", "IsInf");

    private FunctionRows() {}

    private interface Domain {
        Numbers of(DataType type, long... shape);
    }

    static void register(Map<String, Row> rows) {
        for (String operator : List.of("Abs", "Neg", "Sign", "Identity", "Relu", "Not")) {
            rows.put(operator, type -> unary(operator, 18, type, Samples::general));
        }
        for (String operator : List.of(
                "Exp", "Sin", "Cos", "Tan", "Atan", "Sinh", "Cosh", "Asinh", "Erf", "Sigmoid", "Tanh", "Softplus",
                "Softsign", "Floor", "Ceil", "HardSigmoid", "HardSwish", "Mish", "Elu", "Celu", "Selu",
                "ThresholdedRelu", "Shrink", "LeakyRelu", "Dropout", "com.microsoft:Gelu", "com.microsoft:FastGelu",
                "com.microsoft:QuickGelu")) {
            rows.put(operator, type -> unary(operator, 18, type, Samples::general));
        }
        for (String operator : List.of("Sqrt", "Log", "Reciprocal")) {
            rows.put(operator, type -> unary(operator, 18, type, Samples::positive));
        }
        for (String operator : List.of("Asin", "Acos", "Atanh")) {
            rows.put(operator, type -> Numbers.isReal(type) ? unary(operator, 18, type, Samples::fractions) : List.of());
        }
        rows.put("Acosh", type -> unary("Acosh", 18, type, FunctionRows::aboveOne));
        rows.put("Gelu", type -> {
            List<Cell> cells = unary("Gelu", 20, type, Samples::general);
            cells.add(Cell.of("Gelu", type, "tanh", 20, 1, general(type, 2, 3), "approximate", "tanh"));
            return cells;
        });
        rows.put("Swish", type -> List.of(
                Cell.of("Swish", type, "general", 24, 1, general(type, 2, 3), "alpha", 1f),
                Cell.of("Swish", type, "another slope", 24, 1, general(type, 2, 3), "alpha", 1.7f),
                Cell.of("Swish", type, "one element", 24, 1, general(type, 1), "alpha", 1f)));
        rows.put("IsNaN", type -> unary("IsNaN", 20, type, Samples::general));
        rows.put("IsInf", FunctionRows::infinite);
        rows.put("Round", FunctionRows::round);
        for (String operator : List.of("Softmax", "LogSoftmax", "Hardmax")) {
            rows.put(operator, type -> alongAxis(operator, type));
        }
    }

    private static Numbers aboveOne(DataType type, long... shape) {
        return Numbers.ofReals(type, shape, i -> 1.1 + 0.3 * i);
    }

    /** Whole numbers beyond a FLOAT are left out of Shrink, which ONNX Runtime computes in FLOAT. */
    private static List<Cell> unary(String operator, int opset, DataType type, Domain domain) {
        List<Cell> cells = new ArrayList<>();
        cells.add(Cell.of(operator, type, "general", opset, 1, domain.of(type, 2, 3)));
        cells.add(Cell.of(operator, type, "one element", opset, 1, domain.of(type, 1, 1)));
        cells.add(Cell.of(operator, type, "scalar", opset, 1, domain.of(type)));
        cells.add(Cell.of(operator, type, "empty", opset, 1, domain.of(type, 2, 0)));
        if (Numbers.isReal(type) && EXACT.contains(operator)) {
            cells.add(Cell.of(operator, type, Row.SPECIAL, opset, 1, special(type, 8)));
        }
        if (!Numbers.isReal(type) && !operator.equals("Shrink")) {
            cells.add(Cell.of(operator, type, "large", opset, 1, large(type, 7)));
            cells.add(Cell.of(operator, type, "extremes", opset, 1, extremes(type, 7)));
        }
        return cells;
    }

    private static List<Cell> infinite(DataType type) {
        List<Cell> cells = unary("IsInf", 20, type, Samples::general);
        if (Numbers.isReal(type)) {
            cells.add(Cell.of("IsInf", type, Row.SPECIAL + ", above", 20, 1, special(type, 8), "detect_negative", 0));
            cells.add(Cell.of("IsInf", type, Row.SPECIAL + ", below", 20, 1, special(type, 8), "detect_positive", 0));
        }
        return cells;
    }

    private static List<Cell> round(DataType type) {
        List<Cell> cells = unary("Round", 18, type, Samples::general);
        Numbers halves = Numbers.ofReals(type, new long[] {8}, i -> i - 3.5);
        cells.add(Cell.of("Round", type, "ties", 18, 1, halves));
        return cells;
    }

    private static List<Cell> alongAxis(String operator, DataType type) {
        List<Cell> cells = new ArrayList<>();
        cells.add(Cell.of(operator, type, "last axis", 18, 1, general(type, 2, 3)));
        cells.add(Cell.of(operator, type, "first axis", 18, 1, general(type, 2, 3), "axis", 0));
        cells.add(Cell.of(operator, type, "negative axis", 18, 1, general(type, 2, 3, 2), "axis", -2));
        cells.add(Cell.of(operator, type, "ties", 18, 1, Samples.ties(type, 2, 4)));
        cells.add(Cell.of(operator, type, "row", 18, 1, general(type, 1, 3)));
        cells.add(Cell.of(operator, type, "column", 18, 1, general(type, 3, 1)));
        cells.add(Cell.of(operator, type, "one element", 18, 1, general(type, 1)));
        cells.add(Cell.of(operator, type, "large", 18, 1, large(type, 2, 3)));
        if (!operator.equals("Hardmax")) {
            cells.add(Cell.of(operator, type, "several axes before opset 13", 11, 1, general(type, 2, 3, 2)));
        }
        return cells;
    }
}
