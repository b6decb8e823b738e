package dev.samediff.importer.cells;

import static dev.samediff.importer.cells.Cell.stored;
import static dev.samediff.importer.cells.Samples.general;
import static dev.samediff.importer.cells.Samples.large;
import static dev.samediff.importer.cells.Samples.other;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import onnx.Onnx.TensorProto.DataType;

/** Reading and writing at places that are numbers themselves. */
final class PlaceRows {
    private static final int OPSET = 18;

    private PlaceRows() {}

    static void register(Map<String, Row> rows) {
        rows.put("Gather", PlaceRows::gather);
        rows.put("GatherElements", PlaceRows::gatherElements);
        rows.put("GatherND", PlaceRows::gatherNd);
        rows.put("ScatterElements", PlaceRows::scatterElements);
        rows.put(
                "Scatter",
                type -> List.of(Cell.of(
                        "Scatter",
                        type,
                        "general",
                        10,
                        1,
                        general(type, 2, 3),
                        places(new long[] {2, 2}, 2, 0, 1, 2),
                        other(type, 2, 2),
                        "axis",
                        1)));
        rows.put("ScatterND", PlaceRows::scatterNd);
        rows.put("Compress", PlaceRows::compress);
        rows.put("OneHot", PlaceRows::oneHot);
        rows.put(
                "NonZero",
                type -> List.of(
                        cell("NonZero", type, "general", general(type, 2, 3)),
                        cell("NonZero", type, "stored", stored(general(type, 2, 3))),
                        cell("NonZero", type, "stored ties", stored(Samples.ties(type, 2, 2, 3))),
                        cell("NonZero", type, "stored vector", stored(Samples.ties(type, 5)))));
    }

    private static Cell cell(String operator, DataType type, String situation, Object... arguments) {
        return Cell.of(operator, type, situation, OPSET, 1, arguments);
    }

    private static Numbers places(long[] shape, long... values) {
        return Numbers.of(DataType.INT64, shape, i -> values[i]);
    }

    private static List<Cell> gather(DataType type) {
        List<Cell> cells = new ArrayList<>();
        Numbers x = general(type, 3, 4);
        Numbers some = places(new long[] {2}, 2, 0);
        cells.add(cell("Gather", type, "rows", x, some));
        cells.add(cell("Gather", type, "stored places", x, stored(some)));
        cells.add(cell("Gather", type, "stored data", stored(x), some));
        cells.add(cell("Gather", type, "negative axis", x, some, "axis", -1));
        cells.add(cell("Gather", type, "from the end", x, places(new long[] {3}, -1, 0, -3)));
        cells.add(cell("Gather", type, "stored from the end", x, stored(places(new long[] {3}, -1, 0, -3))));
        cells.add(cell("Gather", type, "one place", x, places(new long[0], 1)));
        cells.add(cell("Gather", type, "stored place", x, stored(places(new long[0], -1)), "axis", 1));
        cells.add(cell("Gather", type, "a matrix of places", x, places(new long[] {2, 2}, 0, 2, 1, 1)));
        cells.add(cell("Gather", type, "of a vector", general(type, 5), places(new long[] {2, 2}, 0, 4, -2, 1)));
        cells.add(cell("Gather", type, "INT32 places", x, some.as(DataType.INT32)));
        cells.add(cell("Gather", type, "one element", general(type, 1), places(new long[] {1}, 0)));
        cells.add(cell("Gather", type, "no places", x, places(new long[] {0})));
        cells.add(cell("Gather", type, "large", large(type, 3, 2), some));
        return cells;
    }

    private static List<Cell> gatherElements(DataType type) {
        List<Cell> cells = new ArrayList<>();
        Numbers x = general(type, 3, 2);
        cells.add(cell("GatherElements", type, "rows", x, places(new long[] {2, 2}, 2, 0, -1, 1)));
        cells.add(cell("GatherElements", type, "negative axis", x, places(new long[] {3, 1}, 1, 0, -1), "axis", -1));
        cells.add(cell("GatherElements", type, "fewer columns", x, places(new long[] {2, 1}, 2, 0)));
        cells.add(cell("GatherElements", type, "of a vector", general(type, 4), places(new long[] {3}, 3, 0, -1)));
        cells.add(cell("GatherElements", type, "one element", general(type, 1), places(new long[] {1}, 0)));
        cells.add(cell("GatherElements", type, "large", large(type, 3, 2), places(new long[] {2, 2}, 2, 0, -1, 1)));
        cells.add(cell("GatherElements", type, "no places", x, places(new long[] {0, 2})));
        return cells;
    }

    private static List<Cell> gatherNd(DataType type) {
        List<Cell> cells = new ArrayList<>();
        Numbers x = general(type, 2, 3, 2);
        Numbers points = places(new long[] {2, 3}, 0, 1, 1, 1, -1, 0);
        cells.add(cell("GatherND", type, "points", x, stored(points)));
        cells.add(cell("GatherND", type, "rows", x, stored(places(new long[] {3, 1}, 1, 0, -1))));
        cells.add(cell("GatherND", type, "batch", x, stored(places(new long[] {2, 1}, 1, 2)), "batch_dims", 1));
        cells.add(cell("GatherND", type, "one element", general(type, 1), stored(places(new long[] {1, 1}, 0))));
        cells.add(cell("GatherND", type, "large", large(type, 2, 3, 2), stored(points)));
        return cells;
    }

    private static List<Cell> scatterElements(DataType type) {
        List<Cell> cells = new ArrayList<>();
        Numbers x = general(type, 2, 3);
        Numbers where = places(new long[] {2, 2}, 2, 0, -1, 1);
        for (String reduction : List.of("none", "add", "mul", "max", "min")) {
            Numbers at = reduction.equals("none") ? where : places(new long[] {2, 2}, 2, 2, 0, 1);
            cells.add(cell(
                    "ScatterElements", type, reduction, x, at, other(type, 2, 2), "axis", 1, "reduction", reduction));
        }
        cells.add(cell("ScatterElements", type, "stored places", x, stored(where), other(type, 2, 2), "axis", -1));
        cells.add(cell(
                "ScatterElements",
                type,
                "first axis",
                general(type, 3, 2),
                places(new long[] {1, 2}, 2, 0),
                other(type, 1, 2)));
        cells.add(cell(
                "ScatterElements", type, "one element", general(type, 1), places(new long[] {1}, 0), other(type, 1)));
        cells.add(cell("ScatterElements", type, "large", large(type, 2, 3), where, large(type, 2, 2), "axis", 1));
        cells.add(cell(
                "ScatterElements",
                type,
                "large, add",
                large(type, 2, 3),
                where,
                large(type, 2, 2),
                "axis",
                1,
                "reduction",
                "add"));
        cells.add(
                cell("ScatterElements", type, "no places", x, places(new long[] {2, 0}), other(type, 2, 0), "axis", 1));
        return cells;
    }

    private static List<Cell> scatterNd(DataType type) {
        List<Cell> cells = new ArrayList<>();
        Numbers x = general(type, 4, 3);
        for (String reduction : List.of("none", "add", "mul", "max", "min")) {
            Numbers rows =
                    reduction.equals("none") ? places(new long[] {2, 1}, 2, -4) : places(new long[] {2, 1}, 2, 2);
            cells.add(cell("ScatterND", type, reduction, x, stored(rows), other(type, 2, 3), "reduction", reduction));
            Numbers points = reduction.equals("none")
                    ? places(new long[] {2, 2}, 2, 1, 0, -1)
                    : places(new long[] {2, 2}, 2, 1, 2, 1);
            cells.add(cell(
                    "ScatterND",
                    type,
                    reduction + ", points",
                    x,
                    stored(points),
                    other(type, 2),
                    "reduction",
                    reduction));
        }
        cells.add(cell(
                "ScatterND",
                type,
                "large",
                large(type, 4, 3),
                stored(places(new long[] {1, 1}, 1)),
                large(type, 1, 3)));
        cells.add(cell(
                "ScatterND",
                type,
                "one element",
                general(type, 1),
                stored(places(new long[] {1, 1}, 0)),
                other(type, 1)));
        return cells;
    }

    private static List<Cell> compress(DataType type) {
        List<Cell> cells = new ArrayList<>();
        Object rows = stored(Numbers.of(DataType.BOOL, new long[] {3}, i -> i % 2 == 0 ? 1 : 0));
        Object shorter = stored(Numbers.of(DataType.BOOL, new long[] {2}, i -> i));
        Object none = stored(Numbers.of(DataType.BOOL, new long[] {3}, i -> 0));
        cells.add(cell("Compress", type, "rows", general(type, 3, 2), rows, "axis", 0));
        cells.add(cell("Compress", type, "negative axis", general(type, 2, 3), rows, "axis", -1));
        cells.add(cell("Compress", type, "flat", general(type, 2, 3), rows));
        cells.add(cell("Compress", type, "shorter", general(type, 3, 2), shorter, "axis", 0));
        cells.add(cell("Compress", type, "nothing", general(type, 3, 2), none, "axis", 0));
        cells.add(cell("Compress", type, "large", large(type, 3, 2), rows, "axis", 0));
        return cells;
    }

    private static List<Cell> oneHot(DataType type) {
        List<Cell> cells = new ArrayList<>();
        Numbers values = Numbers.isReal(type)
                ? Numbers.ofReals(type, new long[] {2}, i -> i == 0 ? -0.5 : 2.5)
                : Numbers.of(type, new long[] {2}, i -> i == 0 ? 3 : 7);
        Object four = stored(Numbers.scalar(DataType.INT64, 4));
        Numbers some = places(new long[] {2, 2}, 1, 3, -1, 0);
        cells.add(cell("OneHot", type, "last axis", some, four, values));
        cells.add(cell("OneHot", type, "first axis", some, four, stored(values), "axis", 0));
        cells.add(cell("OneHot", type, "negative axis", some, four, stored(values), "axis", -2));
        cells.add(cell("OneHot", type, "outside", places(new long[] {3}, 4, -5, 2), four, stored(values)));
        cells.add(cell("OneHot", type, "large", some, four, stored(large(type, 2))));
        if (!Samples.isUnsigned(type) || type != DataType.BOOL) {
            Numbers zero = Numbers.of(DataType.INT64, new long[] {2}, i -> i);
            Numbers at = Numbers.of(type, new long[] {3}, i -> i);
            Object depth = stored(Numbers.vector(3));
            cells.add(cell("OneHot", type, "places of the type", at, depth, stored(zero)));
        }
        return cells;
    }
}
