package dev.samediff.importer.cells;

import static dev.samediff.importer.cells.Cell.stored;
import static dev.samediff.importer.cells.Samples.divisors;
import static dev.samediff.importer.cells.Samples.extremes;
import static dev.samediff.importer.cells.Samples.general;
import static dev.samediff.importer.cells.Samples.large;
import static dev.samediff.importer.cells.Samples.other;
import static dev.samediff.importer.cells.Samples.positive;
import static dev.samediff.importer.cells.Samples.ties;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import onnx.Onnx.TensorProto.DataType;

/** TensorFlow's operators by types: those whose definitions differ from ONNX's or depend on the type. */
final class TensorFlowRows {
    private static final DataType INT = DataType.INT32;

    private TensorFlowRows() {}

    static Map<String, Function<DataType, List<TensorFlowCell>>> rows() {
        Map<String, Function<DataType, List<TensorFlowCell>>> rows = new TreeMap<>();
        for (String operator : List.of(
                "Add",
                "AddV2",
                "Sub",
                "Mul",
                "Maximum",
                "Minimum",
                "SquaredDifference",
                "Equal",
                "NotEqual",
                "Less",
                "LessEqual",
                "Greater",
                "GreaterEqual")) {
            rows.put(operator, type -> binary(operator, type));
        }
        for (String operator :
                List.of("RealDiv", "Div", "TruncateDiv", "FloorDiv", "FloorMod", "TruncateMod", "Mod", "DivNoNan")) {
            rows.put(operator, type -> comparable(operator, type, division(operator, type)));
        }
        rows.put(
                "Pow",
                type -> List.of(
                        cell("Pow", type, "general", positive(type, 2, 3), positive(type, 3), "T", type),
                        cell("Pow", type, "one element", positive(type, 1), positive(type, 1), "T", type)));
        for (String operator : List.of("LogicalAnd", "LogicalOr")) {
            rows.put(operator, type -> List.of(cell(operator, type, "general", general(type, 2, 3), other(type, 3))));
        }
        for (String operator : List.of(
                "Abs",
                "Neg",
                "Sign",
                "Square",
                "Exp",
                "Expm1",
                "Erf",
                "Erfc",
                "Tanh",
                "Sigmoid",
                "Relu",
                "Relu6",
                "Elu",
                "Selu",
                "Softplus",
                "Softsign",
                "Floor",
                "Ceil",
                "Round",
                "Rint",
                "Sin",
                "Cos",
                "Tan",
                "IsNan",
                "ZerosLike",
                "OnesLike",
                "Identity",
                "LogicalNot",
                "Softmax",
                "LogSoftmax")) {
            rows.put(operator, type -> unary(operator, type, general(type, 2, 3)));
        }
        for (String operator : List.of("Sqrt", "Rsqrt", "Log", "Log1p", "Reciprocal", "Inv")) {
            rows.put(operator, type -> unary(operator, type, positive(type, 2, 3)));
        }
        rows.put("BiasAdd", TensorFlowRows::biases);
        for (String operator : List.of("Sum", "Mean", "Max", "Min", "Prod", "All", "Any")) {
            rows.put(operator, type -> reductions(operator, type));
        }
        for (String operator : List.of("ArgMax", "ArgMin")) {
            rows.put(operator, type -> places(operator, type));
        }
        rows.put(
                "Cumsum",
                type -> List.of(
                        cumsum(type, "general", general(type, 2, 3), 1, false, false),
                        cumsum(type, "reverse, exclusive", general(type, 2, 3), -1, true, true),
                        cumsum(type, "large", large(type, 5), 0, false, false)));
        rows.put(
                "TopKV2",
                type -> List.of(
                        topK(type, "general", general(type, 2, 5)),
                        topK(type, "ties", ties(type, 2, 7)),
                        topK(type, "large", large(type, 6))));
        TensorFlowMovements.add(rows);
        return rows;
    }

    private static TensorFlowCell cell(String operator, DataType type, String situation, Object... arguments) {
        return TensorFlowCell.of(operator, type, situation, arguments);
    }

    static Numbers ints(long... values) {
        return Numbers.of(INT, new long[] {values.length}, i -> values[i]);
    }

    private static List<TensorFlowCell> binary(String operator, DataType type) {
        List<TensorFlowCell> cells = new ArrayList<>();
        cells.add(cell(operator, type, "general", general(type, 2, 3), other(type, 2, 3), "T", type));
        cells.add(cell(operator, type, "broadcast", general(type, 2, 3), other(type, 3), "T", type));
        cells.add(cell(operator, type, "scalar", general(type, 2, 3), stored(other(type)), "T", type));
        cells.add(cell(operator, type, "one element", general(type, 1), other(type, 1), "T", type));
        if (type != DataType.FLOAT16) {
            cells.add(cell(operator, type, "large", large(type, 7), large(type, 7, 1), "T", type));
        }
        if (!Numbers.isReal(type)) {
            cells.add(cell(operator, type, "extremes", extremes(type, 7), extremes(type, 7, 1), "T", type));
        }
        return cells;
    }

    /** A quotient of DOUBLEs that rounds to a whole number: there the remainder jumps by the divisor, and is either. */
    private static List<TensorFlowCell> comparable(String operator, DataType type, List<TensorFlowCell> cells) {
        boolean jumps = operator.endsWith("Mod") && type == DataType.DOUBLE;
        return cells.stream()
                .filter(cell -> !jumps || !cell.situation().contains("large"))
                .toList();
    }

    private static List<TensorFlowCell> division(String operator, DataType type) {
        List<TensorFlowCell> cells = new ArrayList<>();
        cells.add(cell(operator, type, "general", general(type, 2, 3), divisors(type, 2, 3), "T", type));
        cells.add(cell(operator, type, "stored scalar", general(type, 2, 3), stored(divisors(type)), "T", type));
        cells.add(cell(operator, type, "one element", general(type, 1), divisors(type, 1), "T", type));
        cells.add(cell(operator, type, "large", large(type, 7), divisors(type, 7, 1), "T", type));
        if (!Numbers.isReal(type)) {
            cells.add(cell(operator, type, "extremes", extremes(type, 7), divisors(type, 7, 1), "T", type));
        }
        return cells;
    }

    private static List<TensorFlowCell> unary(String operator, DataType type, Numbers x) {
        Object[] more = operator.equals("LogicalNot") ? new Object[0] : new Object[] {"T", type};
        List<TensorFlowCell> cells = new ArrayList<>();
        for (Object[] one : new Object[][] {{"general", x}, {"large", large(type, 4)}, {"halves", halves(type)}}) {
            if (one[1] instanceof Numbers numbers && (numbers == x || !operator.endsWith("oftmax"))) {
                Object[] arguments = new Object[more.length + 1];
                arguments[0] = numbers;
                System.arraycopy(more, 0, arguments, 1, more.length);
                boolean sensible = numbers == x
                        || one[0].equals("halves") == Numbers.isReal(type)
                                && !List.of("Sqrt", "Rsqrt", "Log", "Log1p").contains(operator);
                if (sensible) {
                    cells.add(cell(operator, type, (String) one[0], arguments));
                }
            }
        }
        return cells;
    }

    private static Numbers halves(DataType type) {
        return Numbers.ofReals(type, new long[] {8}, i -> i - 3.5);
    }

    private static List<TensorFlowCell> biases(DataType type) {
        List<TensorFlowCell> cells = new ArrayList<>();
        long[][] shapes = {{2, 3}, {2, 3, 4}, {2, 3, 4, 2}, {2, 3, 2, 2, 2}};
        for (long[] shape : shapes) {
            cells.add(cell(
                    "BiasAdd",
                    type,
                    "NCHW of rank " + shape.length,
                    general(type, shape),
                    other(type, 3),
                    "T",
                    type,
                    "data_format",
                    "NCHW"));
            cells.add(cell(
                    "BiasAdd",
                    type,
                    "NHWC of rank " + shape.length,
                    general(type, shape),
                    other(type, shape[shape.length - 1]),
                    "T",
                    type));
        }
        return cells;
    }

    private static List<TensorFlowCell> reductions(String operator, DataType type) {
        List<TensorFlowCell> cells = new ArrayList<>();
        boolean truth = operator.equals("All") || operator.equals("Any");
        Object[][] axes = {{"axis", ints(1)}, {"negative axes", ints(-1, 0)}, {"scalar", Numbers.scalar(INT, 0)}};
        for (Object[] one : axes) {
            for (boolean keep : new boolean[] {true, false}) {
                Object given = stored((Numbers) one[1]);
                String title = one[0] + (keep ? " kept" : "");
                cells.add(
                        truth
                                ? cell(
                                        operator,
                                        type,
                                        title,
                                        general(type, 2, 3, 2),
                                        given,
                                        "Tidx",
                                        INT,
                                        "keep_dims",
                                        keep)
                                : cell(
                                        operator,
                                        type,
                                        title,
                                        general(type, 2, 3, 2),
                                        given,
                                        "T",
                                        type,
                                        "Tidx",
                                        INT,
                                        "keep_dims",
                                        keep));
            }
        }
        if (!truth && type != DataType.FLOAT16) {
            cells.add(cell(operator, type, "large", large(type, 4), stored(ints(0)), "T", type, "Tidx", INT));
        }
        return cells;
    }

    private static List<TensorFlowCell> places(String operator, DataType type) {
        List<TensorFlowCell> cells = new ArrayList<>();
        Object[][] numbers = {{"general", general(type, 2, 5)}, {"ties", ties(type, 2, 7)}, {"large", large(type, 2, 5)}
        };
        for (Object[] one : numbers) {
            cells.add(cell(
                    operator,
                    type,
                    (String) one[0],
                    one[1],
                    stored(Numbers.scalar(INT, -1)),
                    "T",
                    type,
                    "Tidx",
                    INT,
                    "output_type",
                    DataType.INT64));
        }
        return cells;
    }

    private static TensorFlowCell cumsum(
            DataType type, String situation, Numbers x, int axis, boolean exclusive, boolean reverse) {
        return cell(
                "Cumsum",
                type,
                situation,
                x,
                stored(Numbers.scalar(INT, axis)),
                "T",
                type,
                "Tidx",
                INT,
                "exclusive",
                exclusive,
                "reverse",
                reverse);
    }

    private static TensorFlowCell topK(DataType type, String situation, Numbers x) {
        return cell("TopKV2", type, situation, x, stored(Numbers.scalar(INT, 4)), "T", type);
    }
}
