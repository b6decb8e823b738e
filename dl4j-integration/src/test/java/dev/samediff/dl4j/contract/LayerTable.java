package dev.samediff.dl4j.contract;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The tables of docs/dl4j.md. A cell is found once, by whoever asks first. */
final class LayerTable {
    private static final Map<String, String> CELLS = new ConcurrentHashMap<>();

    private LayerTable() {}

    static String cell(Example example, Position position) {
        return found(example.type(), position.name(), () -> LayerCells.cell(example, position));
    }

    static String wrappers(Example example) {
        return found(example.type(), "wrappers", () -> LayerCells.wrappers(example));
    }

    static String cell(VertexExample example, Position position) {
        return found(example.type(), position.name(), () -> VertexCells.cell(example, position));
    }

    static String alone(Example example) {
        return found(example.type(), "alone", () -> Alone.of(example));
    }

    static String alone(VertexExample example) {
        return found(example.type(), "alone", () -> Alone.of(example));
    }

    private static String found(Class<?> type, String column, Supplier<String> search) {
        String key = type.getName() + "/" + column;
        String known = CELLS.get(key);
        if (known == null) {
            known = search.get();
            CELLS.put(key, known);
        }
        return known;
    }

    /** Returns both tables, as they stand in the document. */
    static List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add(row(Stream.concat(
                Stream.of("layer"),
                Stream.concat(
                        Arrays.stream(Position.values()).map(Position::title),
                        Stream.of("right inside of", "DL4J's own gradient")))));
        lines.add(row(Stream.generate(() -> "---").limit(7)));
        for (Example example : LayerCells.examples()) {
            lines.add(row(Stream.concat(
                    Stream.of("`" + example.type().getSimpleName() + "`"),
                    Stream.concat(
                            Arrays.stream(Position.values()).map(position -> cell(example, position)),
                            Stream.of(wrappers(example), alone(example))))));
        }
        lines.add("");
        List<Position> positions = List.of(Position.ABOVE, Position.BELOW, Position.TRAINED);
        lines.add(row(Stream.concat(
                Stream.of("vertex"),
                Stream.concat(positions.stream().map(Position::title), Stream.of("DL4J's own gradient")))));
        lines.add(row(Stream.generate(() -> "---").limit(5)));
        for (VertexExample example : VertexExamples.all()) {
            lines.add(row(Stream.concat(
                    Stream.of("`" + example.type().getSimpleName() + "`"),
                    Stream.concat(
                            positions.stream().map(position -> cell(example, position)), Stream.of(alone(example))))));
        }
        return lines;
    }

    private static String row(Stream<String> cells) {
        return cells.collect(Collectors.joining(" | ", "| ", " |"));
    }
}
