package dev.samediff.importer.cells;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import onnx.Onnx.TensorProto.DataType;

/**
 * The outcomes by operator and type, and the document about them.
 *
 * @param outcomes of every operator of the table
 */
record CellTable(Map<String, Map<DataType, List<Outcome>>> outcomes) {
    /** How many situations ONNX has and ONNX Runtime computes. */
    long checked() {
        return all().filter(one -> one.reference().verdict() == Reference.Verdict.COMPUTED)
                .count();
    }

    java.util.stream.Stream<Outcome> all() {
        return outcomes.values().stream().flatMap(row -> row.values().stream()).flatMap(List::stream);
    }

    /** The table of operators and types. */
    String table() {
        StringBuilder text = new StringBuilder("| operator |");
        OperatorCells.TYPES.forEach(type -> text.append(' ').append(type).append(" |"));
        text.append("\n|---").append("|---".repeat(OperatorCells.TYPES.size())).append("|\n");
        outcomes.forEach((operator, row) -> {
            text.append("| ").append(operator).append(" |");
            OperatorCells.TYPES.forEach(type ->
                    text.append(' ').append(entry(row.getOrDefault(type, List.of()))).append(" |"));
            text.append('\n');
        });
        return text.toString();
    }

    private static String entry(List<Outcome> cells) {
        List<Outcome> known = cells.stream()
                .filter(one -> one.reference().verdict() == Reference.Verdict.COMPUTED)
                .toList();
        if (known.isEmpty()) {
            return "";
        }
        long refused = known.stream().filter(one -> one.right() == 0).count();
        boolean wide = known.stream().anyMatch(one -> one.reference().wide());
        String right = known.size() - refused + (wide ? "w" : "");
        return refused == 0 ? right : refused == known.size() ? "refused" : right + ", " + refused + " refused";
    }

    /** What is refused, and why. */
    String refusals() {
        Map<String, Map<String, TreeSet<String>>> reasons = new TreeMap<>();
        all().filter(one -> one.reference().verdict() == Reference.Verdict.COMPUTED)
                .forEach(one -> one.refusals().forEach((mode, reason) -> reasons.computeIfAbsent(
                                one.cell().operator(), key -> new TreeMap<>())
                        .computeIfAbsent(
                                reason + (one.right() > 0 ? " (with " + sizes(mode) + ")" : ""), key -> new TreeSet<>())
                        .add(one.cell().situation())));
        StringBuilder text = new StringBuilder("| operator | situations | reason |\n|---|---|---|\n");
        reasons.forEach((operator, by) -> by.forEach((reason, situations) -> text.append("| ")
                .append(operator)
                .append(" | ")
                .append(String.join("; ", situations))
                .append(" | ")
                .append(reason)
                .append(" |\n")));
        return text.toString();
    }

    private static String sizes(CellFile.Mode mode) {
        return switch (mode) {
            case OPEN -> "open sizes";
            case KNOWN -> "known sizes";
            case STORED -> "stored numbers";
        };
    }

    /** What is wrong, a line each. */
    Map<String, List<String>> faults() {
        Map<String, List<String>> faults = new LinkedHashMap<>();
        outcomes.forEach((operator, row) -> {
            List<String> lines = new ArrayList<>();
            row.values().stream().flatMap(List::stream).forEach(one -> {
                one.faults().forEach((mode, fault) -> lines.add(one.cell().title() + ", " + sizes(mode) + ": " + fault
                        + "\n    of " + inputs(one.cell())));
                one.refusals().forEach((mode, reason) -> {
                    if (reason.startsWith("INTERNAL")) {
                        lines.add(one.cell().title() + ", " + sizes(mode) + ": " + reason);
                    }
                });
            });
            faults.put(operator, lines);
        });
        return faults;
    }

    private static String inputs(Cell cell) {
        return cell.inputs().stream().map(input -> String.valueOf(input.numbers())).collect(Collectors.joining("; "))
                + " " + cell.attributes().keySet();
    }
}
