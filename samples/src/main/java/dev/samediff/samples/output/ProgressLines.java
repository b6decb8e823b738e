package dev.samediff.samples.output;

import java.io.PrintStream;

/** A plain line at every tenth of the job, for logs and pipes. */
final class ProgressLines implements Progress {
    private static final int LINES = 10;

    private final PrintStream target;
    private final String job;
    private final long steps;
    private long shown;

    ProgressLines(PrintStream target, String job, long steps) {
        this.target = target;
        this.job = job;
        this.steps = steps;
    }

    @Override
    public void at(long done, String message) {
        long tenth = done * LINES / Math.max(1, steps);
        if (tenth > shown || (shown == 0 && done == 1)) {
            shown = tenth;
            target.println(job + ' ' + done + '/' + steps + (message.isEmpty() ? "" : "  " + message));
            target.flush();
        }
    }

    @Override
    public void close() {}
}
