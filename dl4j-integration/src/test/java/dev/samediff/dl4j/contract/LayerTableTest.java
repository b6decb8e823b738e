package dev.samediff.dl4j.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Every class of layers and vertices of DL4J, wherever it can stand in a network with adapters: right, as {@link Contract}
 * says, or refused by name. With {@code -Ddl4j.table=write} the table of docs/dl4j.md is written from it.
 */
class LayerTableTest {
    private static final Path DOCUMENT = Path.of("..", "docs", "dl4j.md");
    private static final String BEGIN = "<!-- table: LayerTableTest -->";
    private static final String END = "<!-- end of table -->";

    @BeforeAll
    static void doubles() {
        Nd4j.setDefaultDataTypes(DataType.DOUBLE, DataType.DOUBLE);
    }

    @AfterAll
    static void floats() {
        Nd4j.setDefaultDataTypes(DataType.FLOAT, DataType.FLOAT);
    }

    @Test
    void every_layer_of_dl4j_has_an_example() {
        assertThat(names(LayerCells.examples().stream().map(Example::type))).isEqualTo(Dl4jClasses.layers());
    }

    @Test
    void every_vertex_of_dl4j_has_an_example() {
        assertThat(names(VertexExamples.all().stream().map(VertexExample::type)))
                .isEqualTo(Dl4jClasses.vertices());
    }

    private static TreeSet<String> names(Stream<Class<?>> types) {
        return types.map(Class::getName).collect(Collectors.toCollection(TreeSet::new));
    }

    static Stream<Arguments> layers() {
        return LayerCells.examples().stream()
                .flatMap(example -> Stream.of(Position.values()).map(position -> Arguments.of(example, position)));
    }

    @ParameterizedTest
    @MethodSource("layers")
    void a_layer_is_right_or_refused_by_name(Example example, Position position) {
        assertThat(LayerTable.cell(example, position)).isNotBlank();
    }

    static List<Example> examples() {
        return LayerCells.examples();
    }

    @ParameterizedTest
    @MethodSource("examples")
    void a_layer_is_right_inside_of_every_wrapper_that_dl4j_can_put_around_it(Example example) {
        assertThat(LayerTable.wrappers(example)).isNotBlank();
    }

    static Stream<Arguments> vertices() {
        return VertexExamples.all().stream()
                .flatMap(example -> Stream.of(Position.ABOVE, Position.BELOW, Position.TRAINED)
                        .map(position -> Arguments.of(example, position)));
    }

    @ParameterizedTest
    @MethodSource("vertices")
    void a_vertex_is_right(VertexExample example, Position position) {
        assertThat(LayerTable.cell(example, position)).isNotBlank();
    }

    @Test
    void the_document_has_the_table_that_this_test_finds() throws IOException {
        List<String> document = Files.readAllLines(DOCUMENT);
        int begin = document.indexOf(BEGIN);
        int end = document.indexOf(END);
        assertThat(begin).as("the line `%s` in %s", BEGIN, DOCUMENT).isBetween(0, end);
        boolean isWritten = "write".equals(System.getProperty("dl4j.table"));
        assumeThat(isWritten || end > begin + 1)
                .as("%s has no table yet; write it with -Ddl4j.table=write", DOCUMENT)
                .isTrue();
        List<String> found = LayerTable.lines();
        if (isWritten) {
            List<String> written = Stream.of(
                            document.subList(0, begin + 1), found, document.subList(end, document.size()))
                    .flatMap(List::stream)
                    .toList();
            Files.write(DOCUMENT, written);
        } else {
            assertThat(document.subList(begin + 1, end)).isEqualTo(found);
        }
    }
}
