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
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
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
     * @param fastByExact time of the randomised decompositions by that of the exact ones that a start needs
     * @param fastByWhole time of the randomised decompositions by that of whole ones, LAPACK's gesdd
     * @param notes sentences: what could not be measured, and which kernels were used
     */
    public record Result(List<Row> results, double fastByExact, double fastByWhole, List<String> notes) {}

    private record Contender(String name, int threads, List<String> command, Map<String, String> settings) {
        Map<String, String> environment() {
            Map<String, String> environment = new TreeMap<>(settings);
            environment.put("OPENBLAS_NUM_THREADS", Integer.toString(threads));
            environment.put("OMP_NUM_THREADS", Integer.toString(threads));
            environment.put("OMP_WAIT_POLICY", "passive");
            return environment;
        }
    }

    private record Found(Contender contender, List<JsonNode> lines) {
        double median(String field) {
            return Statistics.median(
                    lines.stream().map(line -> line.path(field).asDouble()).toList());
        }
    }

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
        List<Found> found = contenders(workload, threads, notes).stream()
                .map(contender -> new Found(contender, new ArrayList<>()))
                .toList();
        for (int round = 1; round <= rounds; round++) {
            for (Found each : found) {
                Contender contender = each.contender();
                say.accept("round " + round + " of " + rounds + ": " + contender.name() + ", threads: "
                        + contender.threads());
                each.lines()
                        .add(FreshProcess.run(contender.command(), contender.environment())
                                .line());
            }
        }
        return result(network, found, notes);
    }

    /** Peers run with one thread as well, because more can make them slower. */
    private static List<Contender> contenders(Workload workload, int threads, List<String> notes)
            throws IOException, InterruptedException {
        BlasKernel own = BlasKernel.ofThisLibrary();
        notes.add(own.describe("samediff-adapters"));
        List<Contender> contenders = new ArrayList<>();
        contenders.add(new Contender(OWN_EXACT, threads, probe(workload, 0), own.settings()));
        contenders.add(new Contender(OWN_FAST, threads, probe(workload, ITERATIONS), own.settings()));
        Optional<String> python = Peers.python("torch");
        if (python.isEmpty()) {
            notes.add(Peers.NO_PYTORCH);
            return contenders;
        }
        BlasKernel theirs = BlasKernel.fastest(List.of(python.get(), Peers.script("gemm.py")));
        notes.add(theirs.describe("NumPy and PyTorch"));
        for (String library : List.of("numpy", "torch")) {
            List<String> command = List.of(
                    python.get(), Peers.script("svd.py"), workload.folder().toString(), library);
            for (int count : new TreeSet<>(List.of(1, threads))) {
                contenders.add(new Contender(library, count, command, theirs.settings()));
            }
        }
        return contenders;
    }

    private static List<String> probe(Workload workload, int iterations) {
        return FreshProcess.java(InitProbe.class, workload.folder().toString(), Integer.toString(iterations));
    }

    private static Result result(Network network, List<Found> found, List<String> notes) {
        Found exact = found.get(0);
        double fast = found.get(1).median("decomposition_seconds");
        List<Row> rows = found.stream()
                .map(each -> new Row(
                        network.toString(),
                        each.contender().name(),
                        each.lines().get(0).path("matrices").asInt(),
                        each.contender().threads(),
                        each.median("seconds"),
                        each.median("decomposition_seconds"),
                        exact.median("seconds") / each.median("seconds")))
                .toList();
        return new Result(
                rows,
                fast / exact.median("decomposition_seconds"),
                fast / exact.median("whole_seconds"),
                List.copyOf(notes));
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
                + Numbers.decimal(result.fastByExact(), 3) + " of the time of the exact ones that a start needs, "
                + Numbers.decimal(result.fastByWhole(), 3) + " of whole ones' (gesdd)\n- "
                + String.join("\n- ", result.notes());
    }
}
