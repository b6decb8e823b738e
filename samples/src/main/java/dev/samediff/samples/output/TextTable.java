package dev.samediff.samples.output;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A table of text with aligned columns; columns whose cells are all numbers are aligned to the right. */
public final class TextTable {
    private static final String GAP = "  ";

    private final List<String> header;
    private final List<List<String>> rows = new ArrayList<>();

    /** Creates a table with one column per header. */
    public TextTable(String... header) {
        this.header = List.of(header);
    }

    /**
     * Adds a row and returns this table.
     *
     * @throws IllegalArgumentException if the number of cells is not the number of columns
     */
    public TextTable row(String... cells) {
        if (cells.length != header.size()) {
            throw new IllegalArgumentException(
                    cells.length + " cells " + Arrays.toString(cells) + " for " + header.size() + " columns " + header);
        }
        rows.add(List.of(cells));
        return this;
    }

    /** Returns the column headers. */
    public List<String> header() {
        return header;
    }

    /** Returns whether a column has a header at all. */
    public boolean hasHeader() {
        return header.stream().anyMatch(name -> !name.isEmpty());
    }

    /** Returns the rows without the header. */
    public List<List<String>> rows() {
        return List.copyOf(rows);
    }

    /** Returns whether every cell of a column, empty ones aside, starts like a number. */
    public boolean isNumeric(int column) {
        return rows.stream().map(row -> row.get(column)).allMatch(TextTable::isNumber);
    }

    /** Returns the lines: header and a rule (if there is a header), rows; without a line break at the end. */
    public String render() {
        int[] widths = IntStream.range(0, header.size()).map(this::width).toArray();
        List<String> lines = new ArrayList<>();
        if (hasHeader()) {
            lines.add(line(header, widths));
            lines.add(IntStream.of(widths).mapToObj("-"::repeat).collect(Collectors.joining(GAP)));
        }
        rows.forEach(row -> lines.add(line(row, widths)));
        return String.join("\n", lines);
    }

    @Override
    public String toString() {
        return render();
    }

    private int width(int column) {
        int widest =
                rows.stream().mapToInt(row -> length(row.get(column))).max().orElse(0);
        return Math.max(widest, length(header.get(column)));
    }

    private String line(List<String> cells, int[] widths) {
        return IntStream.range(0, cells.size())
                .mapToObj(i -> pad(cells.get(i), widths[i], isNumeric(i)))
                .collect(Collectors.joining(GAP))
                .stripTrailing();
    }

    private static String pad(String cell, int width, boolean right) {
        String blanks = " ".repeat(width - length(cell));
        return right ? blanks + cell : cell + blanks;
    }

    private static int length(String cell) {
        return cell.codePointCount(0, cell.length());
    }

    private static boolean isNumber(String cell) {
        return cell.isEmpty() || cell.equals("-") || cell.matches("[-+]?[\\d.].*");
    }
}
