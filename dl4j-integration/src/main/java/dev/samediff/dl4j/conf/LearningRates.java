package dev.samediff.dl4j.conf;

import java.util.OptionalDouble;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.learning.config.IUpdater;

/** What can be known of an updater's learning rate before the training. */
public final class LearningRates {
    private static final int[] PLACES = {0, 1, 2, 10, 100, 1000, 10_000, 1_000_000};

    private LearningRates() {}

    /** Returns the learning rate if it is the same at all iterations and epochs that are looked at, and positive. */
    public static OptionalDouble constant(@Nullable IUpdater updater) {
        if (updater == null || !updater.hasLearningRate()) {
            return OptionalDouble.empty();
        }
        double first = updater.getLearningRate(0, 0);
        boolean same = IntStream.of(PLACES)
                .boxed()
                .flatMapToDouble(
                        place -> DoubleStream.of(updater.getLearningRate(place, 0), updater.getLearningRate(0, place)))
                .allMatch(rate -> rate == first);
        return same && first > 0 ? OptionalDouble.of(first) : OptionalDouble.empty();
    }
}
