package dev.samediff.samples.finetune;

import dev.samediff.adapters.StartListener;
import dev.samediff.adapters.StartOptions;
import dev.samediff.adapters.StartProgress;
import dev.samediff.adapters.io.DecompositionFolder;
import dev.samediff.adapters.linalg.ChosenDecompositions;
import dev.samediff.adapters.linalg.Decompositions;
import dev.samediff.adapters.linalg.LapackDecompositions;
import dev.samediff.adapters.linalg.StoredDecompositions;
import dev.samediff.adapters.linalg.SvdChoice;
import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.output.Progress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * How adapters are started in a job: the decompositions, a display of how far they are once they take more than {@value #PATIENCE_SECONDS}
 * seconds, and a sentence about what was done.
 *
 * @param choice exact, randomised, or by size
 * @param folder where decompositions are kept for the next run, if they are
 */
public record AdapterStarts(SvdChoice choice, Optional<Path> folder) {
    private static final int PATIENCE_SECONDS = 2;

    /** Returns the usual way, which keeps nothing. */
    public static AdapterStarts standard() {
        return new AdapterStarts(SvdChoice.auto(), Optional.empty());
    }

    /** Returns decompositions for many starts, of which nobody waits for a single one. */
    public Decompositions decompositions() {
        LapackDecompositions lapack = new LapackDecompositions();
        return folder.<Decompositions>map(path -> new StoredDecompositions(lapack, new DecompositionFolder(path)))
                .orElse(lapack);
    }

    /**
     * Starts adapters.
     *
     * @param progress shows how far it is
     * @param notes takes a sentence about large weights
     * @param start injects the adapters
     * @return what {@code start} returned
     */
    public <T> T with(Progress.Factory progress, Consumer<String> notes, Function<StartOptions, T> start) {
        Decompositions computing = decompositions();
        ChosenDecompositions chosen = choice.over(computing);
        long begun = System.nanoTime();
        T started;
        try (Display display = new Display(progress)) {
            started = start.apply(new StartOptions(chosen, display));
        }
        Duration took = Duration.ofNanos(System.nanoTime() - begun);
        int found = computing instanceof StoredDecompositions stored ? stored.found() : 0;
        if (chosen.count().randomized() + found > 0 || took.toSeconds() >= PATIENCE_SECONDS) {
            note(chosen.count(), found, took).ifPresent(notes);
        }
        return started;
    }

    private static Optional<String> note(ChosenDecompositions.Count count, int found, Duration took) {
        int all = count.exact() + count.randomized();
        if (all == 0) {
            return Optional.empty();
        }
        StringBuilder text = new StringBuilder("decomposed " + all + (all == 1 ? " weight in " : " weights in ")
                + Numbers.duration(took) + ": " + count.exact() + " exactly, " + count.randomized()
                + " by randomised iteration");
        if (count.randomized() > 0) {
            text.append(" (what is left over is ").append(excess(count.excess()));
            text.append(" larger than the least possible, by estimate; --svd exact takes longer)");
        }
        if (found > 0) {
            text.append("; ").append(found).append(" kept from an earlier run");
        }
        return Optional.of(text.toString());
    }

    private static String excess(double excess) {
        return Double.isFinite(excess)
                ? "at most " + String.format(Locale.ROOT, "%.2g", Math.max(0.01, 100 * excess)) + " %"
                : "an unknown share";
    }

    /** A display that begins when a person begins to wait. */
    private static final class Display implements StartListener, AutoCloseable {
        private final Progress.Factory factory;
        private final long begun = System.nanoTime();
        private @Nullable Progress shown;

        Display(Progress.Factory factory) {
            this.factory = factory;
        }

        @Override
        public void factorized(StartProgress progress) {
            long waited = System.nanoTime() - begun;
            if (shown == null && progress.done() < progress.all() && waited > PATIENCE_SECONDS * 1_000_000_000L) {
                shown = factory.start("decomposing weights", progress.all());
            }
            if (shown != null) {
                shown.at(progress.done(), progress.module());
            }
        }

        @Override
        public void close() {
            if (shown != null) {
                shown.close();
            }
        }
    }
}
