package dev.samediff.samples.finetune;

import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.output.TextTable;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** A fine-tuning's figures as tables for people. */
public final class FineTuneTables {
    private static final Set<String> SHARES =
            Set.of("accuracy", "f1_macro", "f1_micro", "exact_match", "entity_f1", "preference_accuracy");

    private FineTuneTables() {}

    /** Returns loss, exact match and metrics of every evaluation set, before and after. */
    public static TextTable beforeAndAfter(FineTuneResult result) {
        TextTable table = new TextTable("", "before", "after");
        for (int i = 0; i < result.after().size(); i++) {
            Measurement before = result.before().get(i);
            Measurement after = result.after().get(i);
            table.row("loss, " + after.set(), Numbers.decimal(before.loss()), Numbers.decimal(after.loss()));
            if (!Double.isNaN(after.exactMatch())) {
                table.row(
                        "exact match, " + after.set(),
                        Numbers.percent(before.exactMatch()),
                        Numbers.percent(after.exactMatch()));
            }
            Set<String> names = new TreeSet<>(before.metrics().keySet());
            names.addAll(after.metrics().keySet());
            for (String name : names) {
                table.row(
                        name.replace('_', ' ') + ", " + after.set(),
                        metric(name, before.metrics()),
                        metric(name, after.metrics()));
            }
        }
        return table;
    }

    /** Returns a metric as people read it: shares as percentages, {@code -} for one that is not defined. */
    public static String metric(String name, Map<String, Double> metrics) {
        double value = metrics.getOrDefault(name, Double.NaN);
        return SHARES.contains(name) ? Numbers.percent(value) : Numbers.decimal(value);
    }

    /** Returns what it cost. */
    public static TextTable cost(FineTuneResult result) {
        Candidate candidate = result.candidate();
        return new TextTable("", "")
                .row(
                        "trained parameters",
                        Numbers.count(candidate.trainableParameters()) + " of "
                                + Numbers.count(candidate.totalParameters()) + " ("
                                + Numbers.percent(result.trainableShare()) + ")")
                .row("steps", Numbers.count(result.training().steps()))
                .row("seconds per step", Numbers.decimal(result.secondsPerStep(), 3))
                .row("training", Numbers.duration(Duration.ofMillis((long)
                        (1000 * result.training().seconds()))))
                .row("peak memory", Numbers.bytes(result.peakMemory()));
    }

    /** Returns up to so many prompts with the answers before and after. */
    public static TextTable samples(FineTuneResult result, int count) {
        TextTable table = new TextTable("prompt", "expected", "before", "after");
        java.util.List<Sample> before = result.before().get(0).samples();
        java.util.List<Sample> after = result.after().get(0).samples();
        for (int i = 0; i < Math.min(count, Math.min(before.size(), after.size())); i++) {
            table.row(after.get(i).prompt().strip(), after.get(i).expected(), mark(before.get(i)), mark(after.get(i)));
        }
        return table;
    }

    private static String mark(Sample sample) {
        return (sample.right() ? "✓ " : "✗ ") + sample.written();
    }
}
