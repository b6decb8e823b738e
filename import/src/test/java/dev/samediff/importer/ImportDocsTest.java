package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.importer.folding.HostFolding;
import dev.samediff.importer.lowering.Operators;
import dev.samediff.importer.lowering.Refusals;
import dev.samediff.importer.onnx.QuantisedModel;
import dev.samediff.importer.tensorflow.TensorFlowOperators;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * The tables of docs/import.md are those of the code. With {@code -Ddocs.write=true} they are written instead of compared.
 */
class ImportDocsTest {
    private static final Path FILE = Path.of("..", "docs", "import.md");

    @Test
    void the_table_of_operators_is_that_of_the_code() throws IOException {
        check("operators", operators());
    }

    @Test
    void the_table_of_refusals_is_that_of_the_code() throws IOException {
        check("refusals", refusals(Refusals.all()));
    }

    @Test
    void the_list_of_quantised_operators_is_that_of_the_code() throws IOException {
        check("quantised operators", String.join(", ", new TreeSet<>(QuantisedModel.operators())) + "\n");
    }

    @Test
    void the_tables_of_tensorflow_are_those_of_the_code() throws IOException {
        check("operators of TensorFlow", String.join(", ", TensorFlowOperators.names()) + "\n");
        check("refusals of TensorFlow", refusals(TensorFlowOperators.refusals()));
    }

    @Test
    void nothing_is_both_imported_and_refused() {
        assertThat(Refusals.all()).doesNotContainKeys(Operators.names().toArray(new String[0]));
        assertThat(TensorFlowOperators.refusals())
                .doesNotContainKeys(TensorFlowOperators.names().toArray(new String[0]));
    }

    private static String operators() {
        Set<String> folded = HostFolding.names();
        StringBuilder table = new StringBuilder("| operator | evaluated while importing |\n|---|---|\n");
        for (String operator : Operators.names()) {
            table.append("| ")
                    .append(operator)
                    .append(folded.contains(operator) ? " | yes |" : " | |")
                    .append('\n');
        }
        return table.toString();
    }

    private static String refusals(Map<String, String> reasons) {
        return reasons.entrySet().stream()
                .map(entry -> "| " + entry.getKey() + " | " + entry.getValue() + " |\n")
                .collect(Collectors.joining("", "| operator | reason and what to do |\n|---|---|\n", ""));
    }

    private static void check(String name, String table) throws IOException {
        String begin = "<!-- " + name + ": written by ImportDocsTest -->\n\n";
        String end = "\n<!-- end of " + name + " -->";
        String text = Files.readString(FILE);
        int from = text.indexOf(begin) + begin.length();
        int to = text.indexOf(end);
        assertThat(from).isGreaterThan(begin.length());
        if (Boolean.getBoolean("docs.write")) {
            Files.writeString(FILE, text.substring(0, from) + table + text.substring(to));
        } else {
            assertThat(text.substring(from, to))
                    .as("docs/import.md; write it with -Dtest=ImportDocsTest -Ddocs.write=true")
                    .isEqualTo(table);
        }
    }
}
