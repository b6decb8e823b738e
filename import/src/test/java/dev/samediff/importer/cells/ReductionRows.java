package dev.samediff.importer.cells;

import static dev.samediff.importer.cells.Cell.stored;
import static dev.samediff.importer.cells.Samples.extremes;
import static dev.samediff.importer.cells.Samples.general;
import static dev.samediff.importer.cells.Samples.large;
import static dev.samediff.importer.cells.Samples.positive;
import static dev.samediff.importer.cells.Samples.ties;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import onnx.Onnx.TensorProto.DataType;

/** Reductions, places of the largest, running sums, the k largest. */
final class ReductionRows {
    private static final int OPSET = 18;

    private ReductionRows() {}

    static void register(Map<String, Row> rows) {
        for (String operator : List.of(
                "ReduceSum",
                "ReduceMean",
                "ReduceMax",
                "ReduceMin",
                "ReduceProd",
                "ReduceL1",
                "ReduceL2",
                "ReduceSumSquare",
                "ReduceLogSum",
                "ReduceLogSumExp")) {
            rows.put(operator, type -> reductions(operator, type));
        }
        rows.put("ArgMax", type -> places("ArgMax", type));
        rows.put("ArgMin", type -> places("ArgMin", type));
        rows.put("CumSum", ReductionRows::sums);
        rows.put("TopK", ReductionRows::largest);
    }

    private static Cell cell(String operator, DataType type, String situation, Object... arguments) {
        return Cell.of(operator, type, situation, OPSET, 1, arguments);
    }

    private static List<Cell> reductions(String operator, DataType type) {
        boolean logarithm = operator.equals("ReduceLogSum");
        int opset = operator.endsWith("Max") || operator.endsWith("Min") ? 20 : OPSET;
        Numbers x = logarithm ? positive(type, 2, 3, 2) : general(type, 2, 3, 2);
        List<Cell> cells = new ArrayList<>();
        cells.add(Cell.of(operator, type, "axis", opset, 1, x, stored(Numbers.vector(1))));
        cells.add(Cell.of(operator, type, "axes gone", opset, 1, x, stored(Numbers.vector(0, 2)), "keepdims", 0));
        cells.add(Cell.of(operator, type, "negative axis", opset, 1, x, stored(Numbers.vector(-1)), "keepdims", 0));
        cells.add(Cell.of(operator, type, "all axes", opset, 1, x));
        cells.add(Cell.of(operator, type, "all axes gone", opset, 1, x, "keepdims", 0));
        boolean keepsAll = type == DataType.FLOAT16
                || operator.equals("ReduceLogSumExp") && (type == DataType.BFLOAT16 || type == DataType.UINT32);
        if (!keepsAll) { // ONNX Runtime reduces all axes of these
            cells.add(Cell.of(operator, type, "no axis", opset, 1, x, Cell.absent(), "noop_with_empty_axes", 1));
        }
        Numbers row = logarithm ? positive(type, 1, 3) : general(type, 1, 3);
        cells.add(Cell.of(operator, type, "row", opset, 1, row, stored(Numbers.vector(0))));
        cells.add(Cell.of(operator, type, "row to one", opset, 1, row, stored(Numbers.vector(1)), "keepdims", 0));
        cells.add(Cell.of(operator, type, "one element", opset, 1, positive(type, 1), stored(Numbers.vector(0))));
        Numbers equal = logarithm ? positive(type, 3, 4) : ties(type, 3, 4);
        cells.add(Cell.of(operator, type, "ties", opset, 1, equal, stored(Numbers.vector(1))));
        if (!Numbers.isReal(type)) {
            boolean exact =
                    List.of("ReduceSum", "ReduceMax", "ReduceMin", "ReduceMean").contains(operator);
            if (exact) {
                cells.add(Cell.of(operator, type, "large", opset, 1, large(type, 4, 2), stored(Numbers.vector(0))));
            }
            if (exact && !operator.equals("ReduceMean")) {
                cells.add(
                        Cell.of(operator, type, "extremes", opset, 1, extremes(type, 7, 2), stored(Numbers.vector(1))));
            }
        } else if (List.of("ReduceSum", "ReduceMax", "ReduceMin").contains(operator)) {
            // the largest and the lowest of M2.1 leave out what is no number
            double other = operator.equals("ReduceSum") ? Double.NaN : Double.NEGATIVE_INFINITY;
            Numbers infinite = Numbers.ofReals(
                    type, new long[] {2, 2}, i -> i == 0 ? Double.POSITIVE_INFINITY : i == 2 ? other : i);
            cells.add(Cell.of(operator, type, Row.SPECIAL, opset, 1, infinite, stored(Numbers.vector(1))));
        }
        if (operator.equals("ReduceSum")) {
            cells.add(Cell.of(operator, type, "empty", opset, 1, general(type, 0, 3), stored(Numbers.vector(0))));
        }
        cells.add(Cell.of(operator, type, "empty kept", opset, 1, general(type, 0, 3), stored(Numbers.vector(1))));
        return cells;
    }

    private static List<Cell> places(String operator, DataType type) {
        List<Cell> cells = new ArrayList<>();
        for (int last = 0; last < 2; last++) {
            String end = last == 1 ? ", last" : "";
            cells.add(cell(operator, type, "axis" + end, general(type, 2, 3), "axis", 1, "select_last_index", last));
            cells.add(cell(
                    operator,
                    type,
                    "ties" + end,
                    ties(type, 3, 7),
                    "axis",
                    -1,
                    "keepdims",
                    0,
                    "select_last_index",
                    last));
            cells.add(cell(
                    operator, type, "ties, first axis" + end, ties(type, 5, 2), "axis", 0, "select_last_index", last));
            cells.add(cell(operator, type, "one element" + end, general(type, 1), "select_last_index", last));
            cells.add(cell(operator, type, "row" + end, general(type, 1, 3), "axis", 0, "select_last_index", last));
            cells.add(cell(operator, type, "large" + end, large(type, 6), "select_last_index", last));
            if (!Numbers.isReal(type)) {
                cells.add(cell(operator, type, "extremes" + end, extremes(type, 7), "select_last_index", last));
            }
        }
        cells.add(cell(operator, type, "empty kept", general(type, 0, 3), "axis", 1));
        return cells;
    }

    private static List<Cell> sums(DataType type) {
        List<Cell> cells = new ArrayList<>();
        Object first = stored(Numbers.scalar(DataType.INT64, 0));
        Object last = stored(Numbers.scalar(DataType.INT32, -1));
        cells.add(cell("CumSum", type, "first axis", general(type, 3, 2), first));
        cells.add(cell("CumSum", type, "last axis", general(type, 2, 3), last));
        cells.add(cell("CumSum", type, "exclusive", general(type, 2, 3), last, "exclusive", 1));
        cells.add(cell("CumSum", type, "reverse", general(type, 2, 3), last, "reverse", 1));
        cells.add(cell("CumSum", type, "both", general(type, 2, 3), last, "reverse", 1, "exclusive", 1));
        cells.add(cell("CumSum", type, "one element", general(type, 1), first));
        cells.add(cell("CumSum", type, "row", general(type, 1, 3), first));
        cells.add(cell("CumSum", type, "empty", general(type, 0, 3), first));
        cells.add(cell("CumSum", type, "large", large(type, 5), first));
        if (!Numbers.isReal(type)) {
            cells.add(cell("CumSum", type, "extremes", extremes(type, 7), first));
        }
        return cells;
    }

    private static List<Cell> largest(DataType type) {
        List<Cell> cells = new ArrayList<>();
        for (int largest = 0; largest < 2; largest++) {
            String what = largest == 1 ? "" : "smallest, ";
            Object[][] numbers = {
                {"general", general(type, 2, 5), 3L, -1},
                {"ties", ties(type, 2, 7), 4L, -1},
                {"all equal", Numbers.of(type, new long[] {6}, i -> 1), 3L, 0},
                {"pairs", Numbers.of(type, new long[] {6}, i -> i / 2), 3L, 0},
                {"first axis", ties(type, 5, 2), 3L, 0},
                {"middle axis", ties(type, 2, 4, 3), 2L, -2},
                {"the whole axis", ties(type, 7), 7L, -1},
                {"one element", general(type, 1), 1L, -1},
                {"row", general(type, 1, 4), 2L, 1},
                {"large", large(type, 8), 5L, -1}
            };
            for (Object[] one : numbers) {
                Numbers x = (Numbers) one[1];
                cells.add(Cell.of(
                        "TopK",
                        type,
                        what + one[0],
                        11,
                        2,
                        x,
                        stored(Numbers.vector((Long) one[2])),
                        "axis",
                        one[3],
                        "largest",
                        largest));
            }
            if (!Numbers.isReal(type)) {
                cells.add(Cell.of(
                        "TopK",
                        type,
                        what + "extremes",
                        11,
                        2,
                        extremes(type, 7),
                        stored(Numbers.vector(4)),
                        "largest",
                        largest));
            }
        }
        return cells;
    }
}
