package dev.samediff.importer.cells;

import static dev.samediff.importer.cells.Cell.stored;
import static dev.samediff.importer.cells.Samples.extremes;
import static dev.samediff.importer.cells.Samples.general;
import static dev.samediff.importer.cells.Samples.large;
import static dev.samediff.importer.cells.Samples.other;
import static dev.samediff.importer.cells.Samples.positive;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import onnx.Onnx.TensorProto.DataType;

/** TensorFlow's operators that move, choose and make elements, and products, by types. */
final class TensorFlowMovements {
    private static final DataType INT = DataType.INT32;

    private TensorFlowMovements() {}

    static void add(Map<String, Function<DataType, List<TensorFlowCell>>> rows) {
        rows.put("Cast", TensorFlowMovements::casts);
        rows.put(
                "Transpose",
                type -> List.of(cell(
                        "Transpose",
                        type,
                        "general",
                        general(type, 2, 3, 2),
                        stored(ints(2, 0, 1)),
                        "T",
                        type,
                        "Tperm",
                        INT)));
        rows.put("GatherV2", TensorFlowMovements::gather);
        rows.put(
                "GatherNd",
                type -> List.of(cell(
                        "GatherNd",
                        type,
                        "general",
                        general(type, 2, 3),
                        stored(Numbers.of(INT, new long[] {2, 2}, i -> i % 2)),
                        "Tparams",
                        type,
                        "Tindices",
                        INT)));
        rows.put("OneHot", TensorFlowMovements::oneHot);
        rows.put(
                "SelectV2",
                type -> List.of(
                        cell(
                                "SelectV2",
                                type,
                                "general",
                                general(DataType.BOOL, 2, 3),
                                general(type, 2, 3),
                                other(type, 3),
                                "T",
                                type),
                        cell(
                                "SelectV2",
                                type,
                                "large",
                                general(DataType.BOOL, 3),
                                large(type, 3),
                                large(type, 3),
                                "T",
                                type)));
        rows.put(
                "Select",
                type -> List.of(cell(
                        "Select",
                        type,
                        "by rows",
                        general(DataType.BOOL, 2),
                        general(type, 2, 3),
                        other(type, 2, 3),
                        "T",
                        type)));
        rows.put(
                "ConcatV2",
                type -> List.of(cell(
                        "ConcatV2",
                        type,
                        "general",
                        general(type, 2, 3),
                        large(type, 2, 2),
                        stored(Numbers.scalar(INT, -1)),
                        "T",
                        type,
                        "N",
                        2,
                        "Tidx",
                        INT)));
        rows.put(
                "Pack",
                type -> List.of(cell(
                        "Pack",
                        type,
                        "general",
                        general(type, 2, 3),
                        large(type, 2, 3),
                        "T",
                        type,
                        "N",
                        2,
                        "axis",
                        1)));
        rows.put(
                "AddN",
                type -> List.of(
                        cell("AddN", type, "general", general(type, 2, 3), large(type, 2, 3), "T", type, "N", 2)));
        rows.put(
                "Tile",
                type -> List.of(cell(
                        "Tile",
                        type,
                        "general",
                        general(type, 2, 3),
                        stored(ints(2, 1)),
                        "T",
                        type,
                        "Tmultiples",
                        INT)));
        rows.put(
                "Fill",
                type -> List.of(cell(
                        "Fill", type, "general", stored(ints(2, 3)), general(type), "T", type, "index_type", INT)));
        rows.put(
                "BroadcastTo",
                type -> List.of(cell(
                        "BroadcastTo", type, "general", general(type, 3), stored(ints(2, 3)), "T", type, "Tidx", INT)));
        rows.put(
                "PadV2",
                type -> List.of(cell(
                        "PadV2",
                        type,
                        "general",
                        general(type, 2, 3),
                        stored(Numbers.of(INT, new long[] {2, 2}, i -> i % 3)),
                        stored(large(type)),
                        "T",
                        type,
                        "Tpaddings",
                        INT)));
        rows.put("Range", TensorFlowMovements::ranges);
        rows.put(
                "ClipByValue",
                type -> List.of(cell(
                        "ClipByValue", type, "general", general(type, 2, 3), other(type), positive(type), "T", type)));
        rows.put(
                "MatrixBandPart",
                type -> List.of(cell(
                        "MatrixBandPart",
                        type,
                        "general",
                        large(type, 3, 4),
                        stored(Numbers.scalar(INT, 1)),
                        stored(Numbers.scalar(INT, 0)),
                        "T",
                        type,
                        "Tindex",
                        INT)));
        rows.put(
                "MatMul",
                type -> List.of(
                        cell("MatMul", type, "general", general(type, 2, 3), stored(other(type, 3, 2)), "T", type)));
        rows.put(
                "BatchMatMulV2",
                type -> List.of(cell(
                        "BatchMatMulV2", type, "general", general(type, 2, 2, 3), other(type, 2, 3, 2), "T", type)));
    }

    private static TensorFlowCell cell(String operator, DataType type, String situation, Object... arguments) {
        return TensorFlowCell.of(operator, type, situation, arguments);
    }

    private static Numbers ints(long... values) {
        return TensorFlowRows.ints(values);
    }

    private static List<TensorFlowCell> casts(DataType type) {
        List<TensorFlowCell> cells = new ArrayList<>();
        for (DataType to : OperatorCells.TYPES) {
            Numbers x = Numbers.isReal(type) && Samples.isUnsigned(to) ? positive(type, 2, 3) : general(type, 2, 3);
            cells.add(cell("Cast", type, "to " + to, x, "SrcT", type, "DstT", to));
            if (!Numbers.isReal(type) && to != DataType.FLOAT16) {
                cells.add(cell("Cast", type, "extremes to " + to, extremes(type, 7), "SrcT", type, "DstT", to));
            }
        }
        return cells;
    }

    private static List<TensorFlowCell> gather(DataType type) {
        List<TensorFlowCell> cells = new ArrayList<>();
        for (int axis : new int[] {0, -1}) {
            cells.add(cell(
                    "GatherV2",
                    type,
                    "axis " + axis,
                    general(type, 3, 4),
                    ints(2, 0),
                    stored(Numbers.scalar(INT, axis)),
                    "Tparams",
                    type,
                    "Tindices",
                    INT,
                    "Taxis",
                    INT));
        }
        return cells;
    }

    private static List<TensorFlowCell> oneHot(DataType type) {
        List<TensorFlowCell> cells = new ArrayList<>();
        for (int axis : new int[] {-1, 0}) {
            cells.add(cell(
                    "OneHot",
                    type,
                    "axis " + axis,
                    ints(1, -1, 4, 0),
                    stored(Numbers.scalar(INT, 4)),
                    stored(large(type)),
                    stored(other(type)),
                    "T",
                    type,
                    "TI",
                    INT,
                    "axis",
                    axis));
        }
        return cells;
    }

    private static List<TensorFlowCell> ranges(DataType type) {
        List<TensorFlowCell> cells = new ArrayList<>();
        for (int[] one : new int[][] {{1, 8, 3}, {5, -2, -3}, {0, 4, 1}}) {
            if (one[1] >= 0 || !Samples.isUnsigned(type)) {
                cells.add(cell(
                        "Range",
                        type,
                        one[0] + " to " + one[1],
                        Numbers.scalar(type, one[0]),
                        Numbers.scalar(type, one[1]),
                        Numbers.scalar(type, one[2]),
                        "Tidx",
                        type));
            }
        }
        return cells;
    }
}
