package dev.samediff.samples.output;

import java.io.PrintStream;

/** Tells a waiting person how far a job is. Writes to standard error only. */
public interface Progress extends AutoCloseable {
    /** Columns of a bar on a terminal. */
    int WIDTH = 110;

    /**
     * Says that so many steps are done.
     *
     * @param done steps done, of the total given at the start
     * @param message a few figures, such as the loss
     */
    void at(long done, String message);

    @Override
    void close();

    /** Does nothing. */
    static Progress silent() {
        return new Progress() {
            @Override
            public void at(long done, String message) {}

            @Override
            public void close() {}
        };
    }

    /** Makes progress displays for the jobs of one command. */
    @FunctionalInterface
    interface Factory {
        /** Starts a display of a job of so many steps. */
        Progress start(String job, long steps);

        /** Shows nothing. */
        static Factory silent() {
            return (job, steps) -> Progress.silent();
        }

        /** A bar that redraws itself if a person watches, otherwise a plain line now and then. */
        static Factory on(PrintStream target, boolean terminal) {
            return (job, steps) ->
                    terminal ? new ProgressBarLine(target, job, steps) : new ProgressLines(target, job, steps);
        }
    }
}
