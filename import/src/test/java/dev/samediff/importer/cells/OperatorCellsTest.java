package dev.samediff.importer.cells;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.importer.lowering.Operators;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import onnx.Onnx.TensorProto.DataType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every operator of the importer on every element type in every situation, against ONNX Runtime: right, or refused with the
 * reason. {@code -Dcells=TopK,Cast} tries some operators only; {@code -Ddocs.write=true} writes the document.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class OperatorCellsTest {
    private static final Path FILE = Path.of("..", "docs", "import-operators.md");
    private static final @Nullable String CHOSEN = System.getProperty("cells");

    private CellTable table = new CellTable(Map.of());

    @BeforeAll
    void try_all_cells(@TempDir Path folder) {
        Map<String, Map<DataType, List<Outcome>>> outcomes = new TreeMap<>();
        OperatorCells.rows().forEach((operator, row) -> {
            if (CHOSEN == null || List.of(CHOSEN.split(",")).contains(operator)) {
                outcomes.put(operator, outcomes(row, folder));
            }
        });
        table = new CellTable(outcomes);
    }

    /** Where ONNX does not have the first cell for a type, it does not have the others. */
    private static Map<DataType, List<Outcome>> outcomes(Row row, Path folder) {
        Map<DataType, List<Outcome>> outcomes = new LinkedHashMap<>();
        for (DataType type : OperatorCells.TYPES) {
            List<Cell> cells = row.cells(type);
            if (!cells.isEmpty() && Reference.of(cells.get(0)).verdict() != Reference.Verdict.NOT_ONNX) {
                outcomes.put(
                        type,
                        cells.stream().map(cell -> Outcome.of(cell, folder)).toList());
            }
        }
        return outcomes;
    }

    @TestFactory
    Stream<DynamicTest> every_cell_is_right_or_refused_with_a_reason() {
        return table.faults().entrySet().stream()
                .map(entry -> DynamicTest.dynamicTest(
                        entry.getKey(),
                        () -> assertThat(entry.getValue())
                                .as(String.join("\n", entry.getValue()))
                                .isEmpty()));
    }

    @Test
    void every_operator_has_a_row_or_a_reason_to_have_none() {
        TreeSet<String> known = new TreeSet<>(OperatorCells.rows().keySet());
        known.addAll(OperatorCells.exempt().keySet());
        assertThat(known).containsExactlyElementsOf(new TreeSet<>(Operators.names()));
    }

    @Test
    void thousands_of_cells_are_compared() {
        Assumptions.assumeTrue(CHOSEN == null, "only some operators are tried: -Dcells=" + CHOSEN);
        assertThat(table.checked()).isGreaterThan(2000);
    }

    @Test
    void the_document_says_what_was_found() throws IOException {
        Assumptions.assumeTrue(CHOSEN == null, "only some operators are tried: -Dcells=" + CHOSEN);
        String text = Files.readString(FILE);
        String written = between(between(text, "cells", table.table()), "refused cells", table.refusals());
        if (Boolean.getBoolean("docs.write")) {
            Files.writeString(FILE, written);
        } else {
            assertThat(text)
                    .as("docs/import-operators.md; write it with -Dtest=OperatorCellsTest -Ddocs.write=true")
                    .isEqualTo(written);
        }
    }

    private static String between(String text, String name, String table) {
        String begin = "<!-- " + name + ": written by OperatorCellsTest -->\n\n";
        String end = "\n<!-- end of " + name + " -->";
        assertThat(text).contains(begin).contains(end);
        return text.substring(0, text.indexOf(begin) + begin.length()) + table + text.substring(text.indexOf(end));
    }
}
