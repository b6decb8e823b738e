package dev.samediff.samples.bench.step;

import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.output.TextTable;
import java.util.ArrayList;
import java.util.List;

/** Comparisons as text. */
public final class StepTables {
    private StepTables() {}

    /** Returns the rows, then what other methods' steps cost beside LoRA's, then the notes. */
    public static String describe(StepBench.Result result) {
        TextTable table = new TextTable(
                "network",
                "method",
                "precision",
                "threads",
                "ms",
                "MB",
                "peer",
                "its threads",
                "ms",
                "MB",
                "time",
                "memory");
        for (StepRow row : result.results()) {
            table.row(
                    row.network(),
                    row.method(),
                    row.precision(),
                    Integer.toString(row.threads()),
                    Numbers.decimal(row.ms(), 1),
                    Numbers.decimal(row.rssMb(), 0),
                    row.peer() == null ? "none" : row.peer() + ", " + row.peerPrecision(),
                    row.peerThreads() == null ? "" : row.peerThreads().toString(),
                    ofPeer(row, row.peerMs(), 1),
                    ofPeer(row, row.peerRssMb(), 0),
                    ofPeer(row, row.timeRatio(), 2),
                    ofPeer(row, row.rssRatio(), 2));
        }
        List<String> lines = new ArrayList<>(List.of(table.render(), ""));
        result.ratios().forEach(ratio -> lines.add(described(ratio)));
        result.notes().forEach(note -> lines.add("- " + note));
        return String.join("\n", lines);
    }

    private static String ofPeer(StepRow row, double value, int digits) {
        return row.peer() == null ? "" : Numbers.decimal(value, digits);
    }

    private static String described(MethodRatio ratio) {
        return "- the step of " + ratio.method() + " takes " + Numbers.decimal(ratio.time(), 2) + " of LoRA's time and "
                + Numbers.decimal(ratio.rss(), 2) + " of its memory (medians of " + ratio.rounds() + " rounds): "
                + ratio.network() + ", " + ratio.precision() + ", threads: " + ratio.threads();
    }

    /** Returns the losses of the first steps, and which agree. */
    public static String describe(List<LossCheck> checks) {
        TextTable table =
                new TextTable("network", "library", "loss 1", "loss 2", "loss 3", "difference of loss 1", "agrees");
        for (LossCheck check : checks) {
            table.row(
                    check.network(),
                    check.contender(),
                    Numbers.decimal(check.losses().get(0), 6),
                    Numbers.decimal(check.losses().get(1), 6),
                    Numbers.decimal(check.losses().get(2), 6),
                    String.format(java.util.Locale.ROOT, "%.1e", check.difference()),
                    check.passed() ? "yes" : "NO");
        }
        return table.render();
    }
}
