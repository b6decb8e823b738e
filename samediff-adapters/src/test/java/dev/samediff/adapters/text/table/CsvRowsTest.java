package dev.samediff.adapters.text.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.jsonl.LabelledTexts;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CsvRowsTest {
    @TempDir
    Path folder;

    private Path write(String text) throws IOException {
        return Files.write(folder.resolve("table.csv"), text.getBytes(StandardCharsets.UTF_8));
    }

    private CsvRows read(String text) throws IOException {
        return CsvRows.read(write(text));
    }

    private static List<List<String>> fields(CsvRows table) {
        return table.rows().stream().map(CsvRows.Row::fields).toList();
    }

    @Test
    void quotes_hold_commas_line_breaks_and_quotes() throws IOException {
        CsvRows table = read("\uFEFFtext,label\r\n\"a, \"\"b\"\"\nc\",x\r\n\r\nplain,y");
        assertThat(table.names()).containsExactly("text", "label");
        assertThat(fields(table)).containsExactly(List.of("a, \"b\"\nc", "x"), List.of("plain", "y"));
        assertThat(table.rows().get(0).line()).isEqualTo(3);
        assertThat(table.column(List.of("category", "label"))).isEqualTo(1);
    }

    @Test
    void tabs_separate_fields_in_which_quotes_mean_nothing() throws IOException {
        Path file = folder.resolve("table.TSV");
        Files.writeString(file, "sentence\tlabel\n\"a\" film, or not\t1\n6\" tall\t0\n");
        CsvRows table = CsvRows.read(file);
        assertThat(table.names()).containsExactly("sentence", "label");
        assertThat(fields(table)).containsExactly(List.of("\"a\" film, or not", "1"), List.of("6\" tall", "0"));
        Files.writeString(file, "sentence\tlabel\na\n");
        assertThatThrownBy(() -> CsvRows.read(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("line 2: has 1 fields");
        LabelledTexts read = LabelledTexts.read(Files.writeString(file, "sentence\tlabel\nsays \"no\"\t1\nb\t0\n"));
        assertThat(read.classes()).containsExactly("0", "1");
    }

    @Test
    void what_is_no_table_is_refused_with_the_line() throws IOException {
        assertRefused("text,label\na,b,c\n", "line 2", "3 fields", "names 2", "a,b,c");
        assertRefused("text,label\na\n", "line 2", "1 fields");
        assertRefused("text,label\n", "no example");
        assertRefused("", "no example");
        assertRefused("a,a\n1,2\n", "column `a` twice");
        assertRefused("text,label\n\"a\"b,c\n", "not a table");
        assertRefused("text,label\n\"never closed,c\n", "not a table");
        Files.write(folder.resolve("table.csv"), new byte[] {'t', ',', 'l', '\n', (byte) 0xff, ',', 'x', '\n'});
        assertThatThrownBy(() -> CsvRows.read(folder.resolve("table.csv")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("UTF-8");
        assertThatThrownBy(() -> CsvRows.read(folder)).hasMessageContaining("is not a file");
        assertThatThrownBy(() -> CsvRows.read(folder.resolve("none.csv"))).hasMessageContaining("does not exist");
    }

    private void assertRefused(String text, String... parts) throws IOException {
        Path file = write(text);
        assertThatThrownBy(() -> CsvRows.read(file))
                .as(text)
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll(parts)
                .hasMessageNotContaining("commons");
    }

    @Test
    void labelled_texts_are_read_from_tables() throws IOException {
        LabelledTexts texts = LabelledTexts.read(write("category,text\nb,one\na,\"two, three\"\nb,four\n"));
        assertThat(texts.classes()).containsExactly("a", "b");
        assertThat(texts.examples().get(1).text()).isEqualTo("two, three");
        assertThat(texts.examples().get(0).label()).isEqualTo(1);
        assertThatThrownBy(() -> LabelledTexts.read(write("text,kind\na,b\n")))
                .hasMessageContaining("text, kind")
                .hasMessageContaining("label or category or intent");
        assertThatThrownBy(() -> LabelledTexts.read(write("text,label\na,\n")))
                .hasMessageContaining("line 2")
                .hasMessageContaining("label is empty");
        Path further = write("text,label\na,z\n");
        assertThatThrownBy(() -> LabelledTexts.read(further, List.of("a", "b"))).hasMessageContaining("`z`");
    }

    @Test
    void quotation_marks_that_do_not_fit_are_told_in_words_of_tables() {
        assertThatThrownBy(() -> read("a,b\n1,\"open\n2,3\n"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(
                        "line 2, is not a table of comma-separated values: a quotation mark opens a field")
                .hasMessageNotContaining("EOF")
                .hasMessageNotContaining("token");
        assertThatThrownBy(() -> read("a,b\n1,\"x\"y\n2,3\n"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("line 2")
                .hasMessageContaining("next comma")
                .hasMessageNotContaining("encapsulated");
    }

    @Test
    void a_row_without_an_end_is_refused_before_it_fills_the_memory() throws IOException {
        Path file = folder.resolve("table.csv");
        Files.writeString(file, "a,b\n1,\"" + "x,y\n".repeat(5 << 20));
        assertThatThrownBy(() -> CsvRows.read(file, (names, row) -> {}))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("row of more than 16777216 characters");
    }
}
