package dev.samediff.importer.cells;

import static dev.samediff.importer.cells.Cell.stored;
import static dev.samediff.importer.cells.Samples.divisors;
import static dev.samediff.importer.cells.Samples.extremes;
import static dev.samediff.importer.cells.Samples.general;
import static dev.samediff.importer.cells.Samples.large;
import static dev.samediff.importer.cells.Samples.other;
import static dev.samediff.importer.cells.Samples.positive;
import static dev.samediff.importer.cells.Samples.special;
import static dev.samediff.importer.cells.Samples.specialAcross;
import static dev.samediff.importer.cells.Samples.ties;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import onnx.Onnx.TensorProto.DataType;

/** Operators on elements: arithmetic, comparisons, logic, choices, casts, functions. */
final class ElementRows {
    private static final int OPSET = 18;
    private static final long[] NONE = {};

    private ElementRows() {}

    static void register(Map<String, Row> rows) {
        for (String operator : List.of("Add", "Sub", "Mul", "Min", "Max")) {
            rows.put(operator, type -> binary(operator, type, type));
        }
        for (String operator : List.of("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual")) {
            rows.put(operator, type -> comparison(operator, type));
        }
        for (String operator : List.of("And", "Or", "Xor")) {
            rows.put(operator, type -> binary(operator, type, type));
        }
        rows.put("Div", type -> division("Div", type));
        rows.put("Mod", ElementRows::modulo);
        rows.put("Pow", ElementRows::power);
        rows.put("Where", ElementRows::where);
        rows.put("Clip", ElementRows::clip);
        rows.put("Cast", ElementRows::casts);
        rows.put("CastLike", ElementRows::castsLike);
        for (String operator : List.of("Sum", "Mean")) {
            rows.put(operator, type -> several(operator, type));
        }
        rows.put("PRelu", type -> {
            List<Cell> cells = new ArrayList<>();
            cells.add(cell("PRelu", type, "general", general(type, 2, 3), other(type, 2, 3)));
            cells.add(cell("PRelu", type, "broadcast", general(type, 2, 3), other(type, 3)));
            cells.add(cell("PRelu", type, "one element", general(type, 1), other(type, 1)));
            return cells;
        });
    }

    private static Cell cell(String operator, DataType type, String situation, Object... arguments) {
        return Cell.of(operator, type, situation, OPSET, 1, arguments);
    }

    private static List<Cell> binary(String operator, DataType left, DataType right) {
        List<Cell> cells = new ArrayList<>();
        cells.add(cell(operator, left, "general", general(left, 2, 3), other(right, 2, 3)));
        cells.add(cell(operator, left, "broadcast", general(left, 2, 3), other(right, 3)));
        cells.add(cell(operator, left, "broadcast left", general(left, 3), other(right, 2, 3)));
        cells.add(cell(operator, left, "broadcast both", general(left, 2, 1, 3), other(right, 4, 1)));
        cells.add(cell(operator, left, "scalar", general(left, 2, 3), other(right, NONE)));
        cells.add(cell(operator, left, "stored scalar", general(left, 2, 3), stored(other(right, NONE))));
        cells.add(cell(operator, left, "one element", general(left, 1), other(right, 1, 1)));
        cells.add(cell(operator, left, "empty", general(left, 0, 3), other(right, 3)));
        cells.add(cell(operator, left, "ties", ties(left, 2, 3), ties(right, 3)));
        if (Numbers.isReal(left) && !List.of("Min", "Max").contains(operator)) {
            cells.add(cell(operator, left, Row.SPECIAL, special(left, 8), specialAcross(right)));
        }
        if (!Numbers.isReal(left)) {
            cells.add(cell(operator, left, "large", large(left, 7), large(right, 7, 1)));
            cells.add(cell(operator, left, "extremes", extremes(left, 7), extremes(right, 7, 1)));
        }
        return cells;
    }

    private static List<Cell> comparison(String operator, DataType type) {
        List<Cell> cells = binary(operator, type, type);
        if (!Numbers.isReal(type) && type != DataType.BOOL) {
            Numbers numbers = large(type, 6);
            long[] wholes = numbers.wholes();
            Numbers neighbours = Numbers.of(type, new long[] {6}, i -> wholes[i] + i % 3 - 1);
            cells.add(cell(operator, type, "neighbours", numbers, neighbours));
        }
        return cells;
    }

    private static List<Cell> division(String operator, DataType type, Object... attributes) {
        List<Cell> cells = new ArrayList<>();
        add(cells, operator, type, "general", attributes, general(type, 2, 3), divisors(type, 2, 3));
        add(cells, operator, type, "broadcast", attributes, general(type, 2, 3), divisors(type, 3));
        add(cells, operator, type, "scalar", attributes, general(type, 2, 3), divisors(type, NONE));
        add(cells, operator, type, "stored scalar", attributes, general(type, 2, 3), stored(divisors(type, NONE)));
        add(cells, operator, type, "one element", attributes, general(type, 1), divisors(type, 1));
        add(cells, operator, type, "empty", attributes, general(type, 0, 3), divisors(type, 3));
        if (Numbers.isReal(type) && operator.equals("Div")) {
            add(cells, operator, type, Row.SPECIAL, attributes, special(type, 8), specialAcross(type));
        }
        if (!Numbers.isReal(type)) {
            add(cells, operator, type, "large", attributes, large(type, 7), divisors(type, 7, 1));
            add(cells, operator, type, "extremes", attributes, extremes(type, 7), divisors(type, 7, 1));
            add(cells, operator, type, "large divisors", attributes, extremes(type, 7), large(type, 7, 1));
        }
        return cells;
    }

    private static void add(
            List<Cell> cells,
            String operator,
            DataType type,
            String situation,
            Object[] attributes,
            Object left,
            Object right) {
        List<Object> arguments = new ArrayList<>(List.of(left, right));
        arguments.addAll(List.of(attributes));
        cells.add(cell(operator, type, situation, arguments.toArray()));
    }

    private static List<Cell> modulo(DataType type) {
        List<Cell> cells = new ArrayList<>();
        if (!Numbers.isReal(type)) {
            cells.addAll(division("Mod", type));
        }
        // ONNX Runtime computes it in DOUBLE
        division("Mod", type, "fmod", 1).stream()
                .filter(cell -> type != DataType.INT64
                        || !cell.situation().contains("large") && !cell.situation().equals("extremes"))
                .forEach(cell -> cells.add(renamed(cell, "truncating, " + cell.situation())));
        return cells;
    }

    private static Cell renamed(Cell cell, String situation) {
        return new Cell(
                cell.operator(), cell.type(), situation, cell.opset(), cell.inputs(), cell.outputs(), cell.attributes());
    }

    private static List<Cell> power(DataType type) {
        List<Cell> cells = new ArrayList<>();
        for (DataType by : List.of(type, DataType.FLOAT, DataType.INT64, DataType.INT32)) {
            Numbers exponents = Numbers.isReal(by)
                    ? Numbers.ofReals(by, new long[] {3}, i -> new double[] {0.5, 2, 1.5}[i])
                    : Numbers.of(by, new long[] {3}, i -> i + 1);
            Numbers base = positive(type, 2, 3);
            cells.add(cell("Pow", type, "by " + by, base, exponents));
            for (double exponent : Numbers.isReal(by) ? new double[] {0.5, 2, 3, -1} : new double[] {0, 1, 2, 3}) {
                cells.add(cell("Pow", type, "by " + by + " " + exponent, base, stored(Numbers.scalar(by, exponent))));
            }
        }
        Numbers wholes = Numbers.of(type, new long[] {2, 3}, i -> i + 1);
        cells.add(cell("Pow", type, "roots", wholes, stored(Numbers.scalar(DataType.FLOAT, 0.5))));
        cells.add(cell("Pow", type, "of negative numbers", general(type, 2, 3), stored(Numbers.scalar(type, 3))));
        cells.add(cell("Pow", type, "one element", positive(type, 1), positive(type, 1)));
        cells.add(cell("Pow", type, "empty", positive(type, 0, 3), positive(type, 3)));
        return cells;
    }

    private static List<Cell> where(DataType type) {
        List<Cell> cells = new ArrayList<>();
        Numbers some = general(DataType.BOOL, 2, 3);
        cells.add(cell("Where", type, "general", some, general(type, 2, 3), other(type, 2, 3)));
        cells.add(cell("Where", type, "broadcast", some, general(type, 3), other(type, NONE)));
        cells.add(cell("Where", type, "stored", some, general(type, 2, 3), stored(other(type, NONE))));
        cells.add(cell("Where", type, "both stored", some, stored(general(type, 3)), stored(other(type, NONE))));
        cells.add(cell(
                "Where",
                type,
                "condition broadcast",
                general(DataType.BOOL, 3),
                general(type, 2, 1, 1),
                other(type, 4, 1)));
        cells.add(cell("Where", type, "one element", general(DataType.BOOL, 1), general(type, 1), other(type, 1)));
        cells.add(cell("Where", type, "empty", general(DataType.BOOL, 0, 3), general(type, 3), other(type, 1)));
        if (!Numbers.isReal(type)) {
            cells.add(cell("Where", type, "large", some, large(type, 2, 3), large(type, 3)));
            cells.add(cell("Where", type, "extremes", some, extremes(type, 2, 3), extremes(type, 3)));
        }
        return cells;
    }

    private static List<Cell> clip(DataType type) {
        List<Cell> cells = new ArrayList<>();
        double low = Samples.isUnsigned(type) ? 2 : -1;
        Numbers least = Numbers.scalar(type, low);
        Numbers most = Numbers.scalar(type, low + 2);
        cells.add(cell("Clip", type, "general", general(type, 2, 3), stored(least), stored(most)));
        cells.add(cell("Clip", type, "low only", general(type, 2, 3), stored(least)));
        cells.add(cell("Clip", type, "high only", general(type, 2, 3), Cell.absent(), stored(most)));
        cells.add(cell("Clip", type, "computed bounds", general(type, 2, 3), least, most));
        cells.add(cell("Clip", type, "no bounds", general(type, 2, 3)));
        cells.add(cell("Clip", type, "one element", general(type, 1), stored(least), stored(most)));
        cells.add(cell("Clip", type, "empty", general(type, 0, 3), stored(least), stored(most)));
        if (Numbers.isReal(type)) {
            cells.add(cell("Clip", type, Row.SPECIAL, special(type, 8), stored(least), stored(most)));
        } else {
            Numbers bound = Numbers.of(type, NONE, i -> large(type, 1).wholes()[0]);
            cells.add(cell("Clip", type, "large", large(type, 6), stored(bound)));
            cells.add(cell("Clip", type, "extremes", extremes(type, 7), stored(least)));
        }
        return cells;
    }

    private static List<Cell> casts(DataType type) {
        List<Cell> cells = new ArrayList<>();
        for (DataType to : OperatorCells.TYPES) {
            cells.add(cell("Cast", type, "to " + to, general(type, 2, 3), "to", to));
            cells.add(cell("Cast", type, "empty to " + to, general(type, 0, 3), "to", to));
            if (!Numbers.isReal(type)) {
                if (isHeld(type, to)) {
                    cells.add(cell("Cast", type, "extremes to " + to, extremes(type, 7), "to", to));
                    cells.add(cell("Cast", type, "large to " + to, large(type, 7), "to", to));
                }
            } else {
                Numbers beyond = Numbers.ofReals(
                        type, new long[] {6}, i -> new double[] {300.7, -5.9, 70000, -40000, 2.5, -0.5}[i]);
                boolean held = type != DataType.FLOAT16 && to != DataType.FLOAT16;
                cells.add(cell("Cast", type, "to " + to + " beyond", held ? beyond : general(type, 6), "to", to));
                if (to != DataType.UINT32) {
                    cells.add(cell("Cast", type, Row.SPECIAL + " to " + to, special(type, 8), "to", to));
                }
            }
        }
        return cells;
    }

    /** The importer holds FLOAT16 in FLOAT, where nothing overflows. */
    private static boolean isHeld(DataType type, DataType to) {
        return to != DataType.FLOAT16 || List.of(DataType.INT16, DataType.INT8, DataType.UINT8, DataType.BOOL)
                .contains(type);
    }

    private static List<Cell> castsLike(DataType type) {
        List<Cell> cells = new ArrayList<>();
        for (DataType to : OperatorCells.TYPES) {
            cells.add(cell("CastLike", type, "to " + to, general(type, 2, 3), general(to, 1)));
        }
        if (!Numbers.isReal(type)) {
            cells.add(cell("CastLike", type, "large", large(type, 4), general(DataType.INT8, 1)));
        }
        return cells;
    }

    private static List<Cell> several(String operator, DataType type) {
        List<Cell> cells = new ArrayList<>();
        cells.add(cell(operator, type, "general", general(type, 2, 3), other(type, 2, 3), positive(type, 2, 3)));
        cells.add(cell(operator, type, "broadcast", general(type, 2, 3), other(type, 3), positive(type, 4, 1, 1)));
        cells.add(cell(operator, type, "one input", general(type, 2, 3)));
        cells.add(cell(operator, type, "one element", general(type, 1), other(type, 1), positive(type, 1)));
        cells.add(cell(operator, type, "empty", general(type, 0, 3), other(type, 3)));
        return cells;
    }
}
