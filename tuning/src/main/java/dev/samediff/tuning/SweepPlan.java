package dev.samediff.tuning;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.tuning.pruning.Pruning;
import java.time.Duration;

/**
 * How a space is searched. The same space, plan and trial give the same results, whatever the timing.
 *
 * @param trials trials in all; a grid may end earlier
 * @param search how parameters are chosen
 * @param seed seed of the search and of every trial
 * @param parallel trials at the same time; trial i knows the results of trials 0 to i - parallel
 * @param threads threads of each trial
 * @param pruning when a trial is given up
 * @param retries attempts after a failed one
 * @param limit longest duration of one attempt; zero for no limit
 * @param gridPoints points of a grid along a continuous range, and most along a range of whole numbers
 */
public record SweepPlan(
        int trials,
        Search search,
        long seed,
        int parallel,
        int threads,
        Pruning pruning,
        int retries,
        Duration limit,
        int gridPoints) {
    private static final int DEFAULT_GRID_POINTS = 4;

    public SweepPlan {
        require(trials >= 1, "trials", trials, "1 or more");
        require(parallel >= 1, "parallel trials", parallel, "1 or more");
        require(threads >= 1, "threads per trial", threads, "1 or more");
        require(retries >= 0, "retries", retries, "0 or more");
        require(gridPoints >= 2, "points of a grid", gridPoints, "2 or more");
        require(!limit.isNegative(), "seconds per trial", limit.toSeconds(), "0 for no limit, or more");
    }

    /** Returns a plan: one trial at a time, TPE, seed 1, no pruning, no retries, no limit. */
    public static SweepPlan of(int trials) {
        return new SweepPlan(
                trials,
                Search.TPE,
                1,
                1,
                ComputeThreads.each(1),
                new Pruning.None(),
                0,
                Duration.ZERO,
                DEFAULT_GRID_POINTS);
    }

    /** Returns this with another search. */
    public SweepPlan withSearch(Search value) {
        return new SweepPlan(trials, value, seed, parallel, threads, pruning, retries, limit, gridPoints);
    }

    /** Returns this with another seed. */
    public SweepPlan withSeed(long value) {
        return new SweepPlan(trials, search, value, parallel, threads, pruning, retries, limit, gridPoints);
    }

    /** Returns this with so many trials at a time, and the cores divided among them. */
    public SweepPlan withParallel(int value) {
        return new SweepPlan(
                trials, search, seed, value, ComputeThreads.each(value), pruning, retries, limit, gridPoints);
    }

    /** Returns this with another pruning. */
    public SweepPlan withPruning(Pruning value) {
        return new SweepPlan(trials, search, seed, parallel, threads, value, retries, limit, gridPoints);
    }

    /** Returns this with retries of failed trials. */
    public SweepPlan withRetries(int value) {
        return new SweepPlan(trials, search, seed, parallel, threads, pruning, value, limit, gridPoints);
    }

    /** Returns this with a longest duration of one attempt. */
    public SweepPlan withLimit(Duration value) {
        return new SweepPlan(trials, search, seed, parallel, threads, pruning, retries, value, gridPoints);
    }

    /** Returns this with so many points along continuous ranges of a grid. */
    public SweepPlan withGridPoints(int value) {
        return new SweepPlan(trials, search, seed, parallel, threads, pruning, retries, limit, value);
    }

    /** Returns whether a trial depends on the results of earlier ones. */
    public boolean learns() {
        return search.learns() || !(pruning instanceof Pruning.None);
    }

    private static void require(boolean good, String what, long value, String expected) {
        if (!good) {
            throw new InvalidInputException(what + ": " + value + " is not possible; expected " + expected);
        }
    }
}
