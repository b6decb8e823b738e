package dev.samediff.importer;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.OLora;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.method.Sorsa;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Prints what becomes of the files that {@code import/src/test/python/zoo.py} writes, as the table of docs/import.md: each is
 * verified, adapted by one of the four methods in turn, trained for two steps, merged, and the merged file is verified. The argument
 * is the folder; what is done lies in its folder {@code rows}, so that a second process takes a part of the work, and a later one
 * goes on. A failure is a row, and ends the program with 1.
 */
final class ZooTable {
    private static final List<AdapterMethod> METHODS =
            List.of(Lora.rank(2), OLora.rank(2), Pissa.rank(2), Sorsa.rank(2));

    private final Path folder;
    private final Path rows;
    private final List<String> names;

    private ZooTable(Path folder) throws IOException {
        this.folder = folder;
        this.rows = folder.resolve("rows");
        try (Stream<Path> all = Files.list(folder)) {
            this.names = all.map(file -> String.valueOf(file.getFileName()))
                    .filter(file -> file.endsWith(".onnx"))
                    .map(file -> file.replace(".onnx", ""))
                    .sorted()
                    .toList();
        }
    }

    public static void main(String[] arguments) throws IOException {
        ZooTable table = new ZooTable(Path.of(arguments[0]));
        table.measure();
        List<ZooRow> measured = table.measured();
        System.out.print(table.text(measured));
        System.exit(measured.stream().allMatch(ZooRow::holds) ? 0 : 1);
    }

    private void measure() throws IOException {
        long start = System.nanoTime();
        int here = 0;
        for (int i = 0; i < names.size(); i++) {
            String name = names.get(i);
            if (!ZooRow.claim(rows, name)) {
                continue;
            }
            ZooRow row = row(name, METHODS.get(i % METHODS.size()));
            row.write(rows);
            here++;
            double seconds = (System.nanoTime() - start) / 1e9;
            System.err.printf(
                    Locale.ROOT,
                    "%d of %d, %.0f s, at most %.0f s left: %s%n",
                    i + 1,
                    names.size(),
                    seconds,
                    seconds / here * (names.size() - i - 1),
                    row);
        }
    }

    /** Whatever goes wrong with a file is its row. */
    private ZooRow row(String name, AdapterMethod method) throws IOException {
        Path merged = rows.resolveSibling("merged").resolve(name + ".onnx");
        try {
            return new ZooRun(folder.resolve(name + ".onnx"), merged, method).row(name);
        } catch (RuntimeException | OutOfMemoryError | StackOverflowError e) {
            return ZooRow.failed(name, e.getClass().getSimpleName() + ": " + e.getMessage());
        } finally {
            Files.deleteIfExists(merged);
        }
    }

    private List<ZooRow> measured() {
        return names.stream().map(name -> ZooRow.read(rows.resolve(name))).toList();
    }

    private String text(List<ZooRow> measured) throws IOException {
        Map<String, List<ZooRow>> byArchitecture = measured.stream()
                .collect(Collectors.groupingBy(ZooRow::architecture, TreeMap::new, Collectors.toList()));
        StringBuilder text = new StringBuilder("""
                | architecture | operator sets | files | hold | layers | verify | verify of the merged file | merged file and graph |
                |---|---|---|---|---|---|---|---|
                """);
        byArchitecture.forEach((architecture, of) -> text.append(String.format(
                Locale.ROOT,
                "| %s | %s | %d | %d | %d | %.1e | %.1e | %.1e |%n",
                architecture,
                of.stream().map(ZooRow::opset).distinct().collect(Collectors.joining(", ")),
                of.size(),
                of.stream().filter(ZooRow::holds).count(),
                of.stream().mapToInt(ZooRow::layers).max().orElse(0),
                worst(of, ZooRow::verified),
                worst(of, ZooRow::merged),
                worst(of, ZooRow::adapted))));
        Map<String, List<String>> remarks = new LinkedHashMap<>();
        measured.stream().filter(row -> !row.holds()).forEach(row -> remark(remarks, row.name(), row.reason()));
        Path missing = folder.resolve("not-exported.txt");
        if (Files.exists(missing)) {
            for (String line : Files.readAllLines(missing)) {
                int colon = line.indexOf(": ");
                remark(remarks, line.substring(0, colon), "not exported: " + line.substring(colon + 2));
            }
        }
        remarks.forEach((reason, names) -> text.append("\n- ")
                .append(String.join(", ", names))
                .append(": ")
                .append(reason));
        return text.append(remarks.isEmpty() ? "" : "\n").toString();
    }

    private static void remark(Map<String, List<String>> remarks, String name, String reason) {
        remarks.computeIfAbsent(reason, key -> new ArrayList<>()).add(name);
    }

    /** The largest number of the files that were measured to the end. */
    private static double worst(List<ZooRow> rows, ToDoubleFunction<ZooRow> number) {
        return rows.stream()
                .filter(row -> row.failure().isEmpty())
                .mapToDouble(number)
                .max()
                .orElse(Double.NaN);
    }
}
