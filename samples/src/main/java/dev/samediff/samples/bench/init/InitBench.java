package dev.samediff.samples.bench.init;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.samples.bench.FreshProcess;
import dev.samediff.samples.bench.Statistics;
import dev.samediff.samples.bench.network.Network;
import dev.samediff.samples.bench.network.Workload;
import dev.samediff.samples.bench.step.BlasKernel;
import dev.samediff.samples.bench.step.Peers;
import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.output.TextTable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/** Compares the start of SORSA adapters with the decompositions of NumPy and PyTorch, in alternating fresh processes. */
public final class InitBench {
    private static final String OWN_EXACT = "samediff-adapters, exact";
    private static final String OWN_FAST = "samediff-adapters, fast";
    private static final int ITERATIONS = 4;

    private InitBench() {}

    /**
     * One contender, medians.
     *
     * @param network the network's sizes
     * @param name library and kind of decomposition
     * @param matrices number of weights
     * @param threads how many threads compute
     * @param seconds starting all adapters, everything that belongs to it; a peer's is the decompositions alone
     * @param decompositionSeconds the decompositions alone
     * @param exactRatio this library's exact start by this contender's time; below 1 is faster than the peer
     */
    public record Row(
            String network,
            String name,
            int matrices,
            int threads,
            double seconds,
            double decompositionSeconds,
            double exactRatio) {}

    /**
     * What was found.
     *
     * @param results one row per contender
     * @param fastByExact time of the randomised decompositions by that of the exact ones
     * @param notes sentences: what could not be measured, and which kernels were used
     */
    public record Result(List<Row> results, double fastByExact, List<String> notes) {}

    private record Contender(String name, List<String> command, Map<String, String> settings) {}

    /**
     * Measures.
     *
     * @param network the network whose weights are decomposed
     * @param folder where networks are written and found again
     * @param threads how many threads compute
     * @param rounds processes per contender
     * @param say is told how it goes
     */
    public static Result measure(Network network, Path folder, int threads, int rounds, Consumer<String> say)
            throws IOException, InterruptedException {
        Workload workload = Workload.write(network, folder.resolve(network.fileName()));
        List<String> notes = new ArrayList<>();
        List<Contender> contenders = contenders(workload, notes);
        Map<String, List<JsonNode>> found = new LinkedHashMap<>();
        for (int round = 1; round <= rounds; round++) {
            for (Contender contender : contenders) {
                say.accept("round " + round + " of " + rounds + ": " + contender.name());
                Map<String, String> settings = new TreeMap<>(contender.settings());
                settings.put("OPENBLAS_NUM_THREADS", Integer.toString(threads));
                settings.put("OMP_NUM_THREADS", Integer.toString(threads));
                settings.put("OMP_WAIT_POLICY", "passive");
                found.computeIfAbsent(contender.name(), name -> new ArrayList<>())
                        .add(FreshProcess.run(contender.command(), settings).line());
            }
        }
        return result(network, threads, found, notes);
    }

    private static List<Contender> contenders(Workload workload, List<String> notes)
            throws IOException, InterruptedException {
        String folder = workload.folder().toString();
        BlasKernel own = BlasKernel.ofThisLibrary();
        notes.add(own.describe("samediff-adapters"));
        List<Contender> contenders = new ArrayList<>();
        contenders.add(new Contender(OWN_EXACT, FreshProcess.java(InitProbe.class, folder, "0"), own.settings()));
        Optional<String> python = Peers.python("torch");
        if (python.isEmpty()) {
            notes.add(Peers.NO_PYTORCH);
        } else {
            BlasKernel theirs = BlasKernel.fastest(List.of(python.get(), Peers.script("gemm.py")));
            notes.add(theirs.describe("NumPy and PyTorch"));
            for (String library : List.of("numpy", "torch")) {
                contenders.add(new Contender(
                        library, List.of(python.get(), Peers.script("svd.py"), folder, library), theirs.settings()));
            }
        }
        contenders.add(new Contender(
                OWN_FAST, FreshProcess.java(InitProbe.class, folder, Integer.toString(ITERATIONS)), own.settings()));
        return contenders;
    }

    private static Result result(Network network, int threads, Map<String, List<JsonNode>> found, List<String> notes) {
        double exact = median(found, OWN_EXACT, "seconds");
        List<Row> rows = new ArrayList<>();
        found.forEach((name, lines) -> rows.add(new Row(
                network.toString(),
                name,
                lines.get(0).path("matrices").asInt(),
                threads,
                median(found, name, "seconds"),
                median(found, name, "decomposition_seconds"),
                exact / median(found, name, "seconds"))));
        double fast = median(found, OWN_FAST, "decomposition_seconds");
        return new Result(rows, fast / median(found, OWN_EXACT, "decomposition_seconds"), List.copyOf(notes));
    }

    private static double median(Map<String, List<JsonNode>> found, String name, String field) {
        return Statistics.median(found.getOrDefault(name, List.of()).stream()
                .map(line -> line.path(field).asDouble())
                .toList());
    }

    /** Returns the result as a table. */
    public static String describe(Result result) {
        TextTable table = new TextTable(
                "library", "weights", "threads", "all adapters, s", "decompositions, s", "exact start by it");
        for (Row row : result.results()) {
            table.row(
                    row.name(),
                    Integer.toString(row.matrices()),
                    Integer.toString(row.threads()),
                    Numbers.decimal(row.seconds(), 2),
                    Numbers.decimal(row.decompositionSeconds(), 2),
                    Numbers.decimal(row.exactRatio(), 2));
        }
        return result.results().get(0).network() + "\n" + table.render() + "\n\n- the fast decompositions take "
                + Numbers.decimal(result.fastByExact(), 3) + " of the exact ones' time\n- "
                + String.join("\n- ", result.notes());
    }
}
