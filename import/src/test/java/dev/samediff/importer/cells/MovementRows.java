package dev.samediff.importer.cells;

import static dev.samediff.importer.cells.Cell.stored;
import static dev.samediff.importer.cells.Samples.general;
import static dev.samediff.importer.cells.Samples.large;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import onnx.Onnx.TensorProto.DataType;

/** Operators that move elements, or make them from sizes. */
final class MovementRows {
    private static final int OPSET = 18;

    private MovementRows() {}

    static void register(Map<String, Row> rows) {
        rows.put("Concat", MovementRows::joins);
        rows.put("Split", MovementRows::splits);
        rows.put("Slice", MovementRows::slices);
        rows.put("Pad", MovementRows::pads);
        rows.put("Trilu", MovementRows::triangles);
        shape(rows, "Transpose", List.of(), "perm", new long[] {2, 0, 1});
        shape(rows, "Reshape", List.of(Numbers.vector(0, -1)));
        shape(rows, "Flatten", List.of(), "axis", -1);
        shape(rows, "Unsqueeze", List.of(Numbers.vector(0, -1)));
        shape(rows, "Expand", List.of(Numbers.vector(2, 1, 1, 1)));
        shape(rows, "Tile", List.of(Numbers.vector(2, 1, 3)));
        shape(rows, "Shape", List.of());
        shape(rows, "Size", List.of());
        rows.put("Squeeze", type -> List.of(
                cell("Squeeze", type, "axes", general(type, 1, 3, 1), stored(Numbers.vector(0, -1))),
                cell("Squeeze", type, "all", general(type, 1, 3, 1)),
                cell("Squeeze", type, "one element", general(type, 1), stored(Numbers.vector(0))),
                cell("Squeeze", type, "empty", general(type, 1, 0, 1), stored(Numbers.vector(0))),
                cell("Squeeze", type, "large", large(type, 1, 4), stored(Numbers.vector(0)))));
        rows.put("ConstantOfShape", type -> List.of(
                cell("ConstantOfShape", type, "general", stored(Numbers.vector(2, 3)), "value", general(type, 1)),
                cell("ConstantOfShape", type, "scalar", stored(Numbers.vector()), "value", general(type, 1)),
                cell("ConstantOfShape", type, "empty", stored(Numbers.vector(0, 3)), "value", general(type, 1)),
                cell("ConstantOfShape", type, "large", stored(Numbers.vector(2)), "value", large(type, 1))));
        rows.put("Constant", type -> List.of(
                cell("Constant", type, "general", "value", general(type, 2, 3)),
                cell("Constant", type, "scalar", "value", general(type)),
                cell("Constant", type, "empty", "value", general(type, 0, 3)),
                cell("Constant", type, "large", "value", large(type, 4))));
        rows.put("Range", MovementRows::ranges);
        rows.put("EyeLike", type -> List.of(
                cell("EyeLike", type, "general", general(type, 2, 3)),
                cell("EyeLike", type, "above", general(type, 3, 3), "k", 1),
                cell("EyeLike", type, "below", general(type, 3, 2), "k", -1),
                cell("EyeLike", type, "to FLOAT", general(type, 2, 2), "dtype", DataType.FLOAT),
                cell("EyeLike", type, "one element", general(type, 1, 1))));
        rows.put("DepthToSpace", type -> List.of(
                cell("DepthToSpace", type, "general", general(type, 1, 8, 2, 3), "blocksize", 2),
                cell("DepthToSpace", type, "columns", general(type, 1, 8, 2, 3), "blocksize", 2, "mode", "CRD")));
        rows.put("SpaceToDepth", type ->
                List.of(cell("SpaceToDepth", type, "general", general(type, 1, 2, 4, 6), "blocksize", 2)));
    }

    private static Cell cell(String operator, DataType type, String situation, Object... arguments) {
        return Cell.of(operator, type, situation, OPSET, 1, arguments);
    }

    /** Operators of one tensor of three axes and parameters. */
    private static void shape(
            Map<String, Row> rows, String operator, List<Numbers> parameters, Object... attributes) {
        rows.put(operator, type -> {
            List<Cell> cells = new ArrayList<>();
            add(cells, operator, type, "general", general(type, 2, 3, 2), parameters, attributes);
            add(cells, operator, type, "one element", general(type, 1, 1, 1), parameters, attributes);
            add(cells, operator, type, "row", general(type, 1, 1, 3), parameters, attributes);
            add(cells, operator, type, "large", large(type, 2, 1, 2), parameters, attributes);
            add(cells, operator, type, "empty", general(type, 2, 3, 0), parameters, attributes);
            return cells;
        });
    }

    private static void add(
            List<Cell> cells,
            String operator,
            DataType type,
            String situation,
            Numbers x,
            List<Numbers> parameters,
            Object... attributes) {
        List<Object> arguments = new ArrayList<>(List.of(x));
        parameters.forEach(numbers -> arguments.add(stored(numbers)));
        arguments.addAll(List.of(attributes));
        cells.add(cell(operator, type, situation, arguments.toArray()));
    }

    private static List<Cell> joins(DataType type) {
        List<Cell> cells = new ArrayList<>();
        cells.add(cell("Concat", type, "first axis", general(type, 2, 3), large(type, 1, 3), "axis", 0));
        cells.add(cell("Concat", type, "negative axis", general(type, 2, 3), large(type, 2, 2), "axis", -1));
        cells.add(cell("Concat", type, "one input", general(type, 2, 3), "axis", 0));
        cells.add(cell("Concat", type, "stored beside", general(type, 2), stored(large(type, 2)), "axis", 0));
        cells.add(cell("Concat", type, "one element", general(type, 1), large(type, 1), "axis", 0));
        cells.add(cell("Concat", type, "empty beside", general(type, 2, 3), general(type, 0, 3), "axis", 0));
        cells.add(cell("Concat", type, "empty", general(type, 0, 3), general(type, 0, 3), "axis", 0));
        return cells;
    }

    private static List<Cell> splits(DataType type) {
        List<Cell> cells = new ArrayList<>();
        cells.add(Cell.of("Split", type, "equal", 13, 2, general(type, 4, 3)));
        cells.add(Cell.of("Split", type, "negative axis", 13, 3, general(type, 2, 3), "axis", -1));
        cells.add(Cell.of(
                "Split", type, "given sizes", 13, 2, general(type, 2, 5), stored(Numbers.vector(2, 3)), "axis", 1));
        cells.add(Cell.of("Split", type, "empty part", 13, 2, general(type, 3), stored(Numbers.vector(3, 0))));
        cells.add(Cell.of("Split", type, "one part", 13, 1, large(type, 3)));
        return cells;
    }

    private static List<Cell> slices(DataType type) {
        List<Cell> cells = new ArrayList<>();
        slice(cells, type, "general", general(type, 4, 5), new long[] {1, 0}, new long[] {3, 4}, new long[] {1, 2});
        slice(cells, type, "from the end", general(type, 4, 5), new long[] {-3, -2}, new long[] {-1, 1L << 40}, new long[] {
            1, 1
        });
        slice(cells, type, "backwards", general(type, 4, 5), new long[] {-1, 3}, new long[] {-9, 0}, new long[] {
            -1, -2
        });
        slice(cells, type, "nothing", general(type, 4, 5), new long[] {2, 0}, new long[] {2, 5}, new long[] {1, 1});
        slice(cells, type, "one element", general(type, 1, 1), new long[] {0, 0}, new long[] {1, 1}, new long[] {1, 1});
        slice(cells, type, "empty", general(type, 0, 5), new long[] {0, 1}, new long[] {2, 3}, new long[] {1, 1});
        slice(cells, type, "large", large(type, 4, 5), new long[] {1, 1}, new long[] {3, 3}, new long[] {1, 1});
        return cells;
    }

    private static void slice(
            List<Cell> cells, DataType type, String situation, Numbers x, long[] from, long[] to, long[] steps) {
        cells.add(cell(
                "Slice",
                type,
                situation,
                x,
                stored(Numbers.vector(from)),
                stored(Numbers.vector(to)),
                stored(Numbers.vector(0, 1)),
                stored(Numbers.vector(steps))));
    }

    private static List<Cell> pads(DataType type) {
        List<Cell> cells = new ArrayList<>();
        Object pads = stored(Numbers.vector(1, 0, 0, 2));
        cells.add(cell("Pad", type, "zeros", general(type, 2, 3), pads));
        cells.add(cell("Pad", type, "number", general(type, 2, 3), pads, stored(general(type))));
        cells.add(cell("Pad", type, "computed number", general(type, 2, 3), pads, general(type)));
        cells.add(cell("Pad", type, "edge", general(type, 2, 3), pads, "mode", "edge"));
        cells.add(cell("Pad", type, "reflect", general(type, 2, 3), pads, "mode", "reflect"));
        cells.add(cell("Pad", type, "cut", general(type, 3, 3), stored(Numbers.vector(-1, 1, 0, -1))));
        cells.add(cell("Pad", type, "large", large(type, 2, 3), pads, stored(large(type))));
        cells.add(cell("Pad", type, "one element", general(type, 1, 1), pads));
        cells.add(cell("Pad", type, "empty", general(type, 0, 3), pads));
        return cells;
    }

    private static List<Cell> triangles(DataType type) {
        List<Cell> cells = new ArrayList<>();
        Object above = stored(Numbers.scalar(DataType.INT64, 1));
        Object below = stored(Numbers.scalar(DataType.INT64, -1));
        cells.add(cell("Trilu", type, "upper", general(type, 3, 4)));
        cells.add(cell("Trilu", type, "lower", general(type, 3, 4), "upper", 0));
        cells.add(cell("Trilu", type, "above", general(type, 2, 3, 3), above));
        cells.add(cell("Trilu", type, "below", general(type, 2, 3, 3), below, "upper", 0));
        cells.add(cell("Trilu", type, "large", large(type, 3, 3)));
        cells.add(cell("Trilu", type, "one element", general(type, 1, 1)));
        cells.add(cell("Trilu", type, "empty", general(type, 0, 3)));
        return cells;
    }

    private static List<Cell> ranges(DataType type) {
        List<Cell> cells = new ArrayList<>();
        for (boolean known : new boolean[] {true, false}) {
            String end = known ? "" : ", computed";
            cells.add(range(type, "up" + end, 1, 7, 2, known));
            cells.add(range(type, "by one" + end, 0, 5, 1, known));
            cells.add(range(type, "uneven" + end, 1, 8, 3, known));
            if (!Samples.isUnsigned(type)) {
                cells.add(range(type, "down" + end, 5, -2, -3, known));
                cells.add(range(type, "from below" + end, -3, 2, 1, known));
            }
            cells.add(range(type, "nothing" + end, 3, 3, 1, known));
            cells.add(range(type, "one" + end, 3, 4, 1, known));
        }
        if (type == DataType.INT64) {
            long large = (1L << 53) + 1;
            cells.add(cell(
                    "Range",
                    type,
                    "large",
                    Numbers.of(type, new long[0], i -> large),
                    Numbers.of(type, new long[0], i -> large + 5),
                    Numbers.of(type, new long[0], i -> 2)));
        }
        return cells;
    }

    private static Cell range(DataType type, String situation, double from, double to, double step, boolean known) {
        Object[] arguments = {
            Numbers.scalar(type, from), Numbers.scalar(type, to), Numbers.scalar(type, step)
        };
        for (int i = 0; known && i < arguments.length; i++) {
            arguments[i] = stored((Numbers) arguments[i]);
        }
        return cell("Range", type, situation, arguments);
    }
}
