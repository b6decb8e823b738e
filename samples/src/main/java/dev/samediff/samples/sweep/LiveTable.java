package dev.samediff.samples.sweep;

import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.output.Progress;
import dev.samediff.tuning.LearningCurve;
import dev.samediff.tuning.SweepListener;
import dev.samediff.tuning.SweepPlan;
import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.TrialSpec;
import dev.samediff.tuning.space.ParameterValues;
import java.time.Duration;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** A line for every ended trial, and below them how far the sweep is, the best so far and the time left. */
public final class LiveTable implements SweepListener, AutoCloseable {
    private static final String ROW = "%5s  %-8s  %9s  %6s  %8s  %s%s";

    private final Progress bar;
    private final Consumer<String> lines;
    private final int trials;
    private int done;
    private int ran;
    private double seconds;
    private int parallel = 1;
    private @Nullable TrialResult best;
    private String running = "";

    /**
     * Starts the table.
     *
     * @param name the sweep's name
     * @param trials trials to come
     * @param progress makes the bar
     * @param lines takes the table's lines
     */
    public LiveTable(String name, int trials, Progress.Factory progress, Consumer<String> lines) {
        this.bar = progress.start(name, trials);
        this.lines = lines;
        this.trials = trials;
    }

    @Override
    public void onStart(SweepPlan plan) {
        parallel = plan.parallel();
        lines.accept(String.format(Locale.ROOT, ROW, "trial", "state", "score", "step", "seconds", "parameters", ""));
    }

    @Override
    public void onKnown(TrialResult result) {
        count(result, " (from the journal)");
    }

    @Override
    public void onReport(TrialSpec spec, LearningCurve.Point report) {
        running = String.format(Locale.ROOT, ", %d: %.4f at %d", spec.index(), report.value(), report.step());
        bar.at(done, message());
    }

    @Override
    public void onTrialEnd(TrialResult result) {
        ran++;
        seconds += result.seconds();
        running = "";
        count(result, "");
    }

    @Override
    public void onNote(String note) {
        lines.accept("note: " + note);
    }

    private void count(TrialResult result, String remark) {
        done++;
        boolean better = result.isComplete() && (best == null || result.score() < best.score());
        if (better) {
            best = result;
        }
        lines.accept(row(result) + (better ? "  << best" : "") + remark);
        bar.at(done, message());
    }

    private String message() {
        String text = best == null ? "" : "best " + Numbers.decimal(best.score()) + " (trial " + best.index() + ")";
        if (ran > 0 && done < trials) {
            double left = seconds / ran * (trials - done) / parallel;
            text += ", " + Numbers.duration(Duration.ofSeconds((long) left)) + " left";
        }
        return text + running;
    }

    private static String row(TrialResult result) {
        String step =
                result.curve().last().map(point -> Long.toString(point.step())).orElse("-");
        return String.format(
                Locale.ROOT,
                ROW,
                result.index(),
                result.state().key(),
                Numbers.decimal(result.score()),
                step,
                Numbers.decimal(result.seconds(), 1),
                text(result.parameters()),
                result.error().isEmpty() ? "" : "  " + result.error());
    }

    /** Returns parameters as a person writes them: {@code rank=8 gamma=4e-4}. */
    static String text(ParameterValues values) {
        return values.values().keySet().stream()
                .map(name -> name + "=" + value(values, name))
                .collect(Collectors.joining(" "));
    }

    /** Returns one value as a person writes it, "-" where it does not exist. */
    static String value(ParameterValues values, String name) {
        Object value = values.values().get(name);
        return value instanceof Double number ? Numbers.setting(number) : value == null ? "-" : value.toString();
    }

    @Override
    public void close() {
        bar.close();
    }
}
