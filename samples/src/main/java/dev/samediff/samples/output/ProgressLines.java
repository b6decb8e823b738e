package dev.samediff.samples.output;

import java.io.PrintStream;

/** A plain line at every tenth of the job, for logs and pipes. */
final class ProgressLines implements Progress {
    private static final int LINES = 10;

    private final PrintStream target;
    private final String job;
    private final long steps;
    private long shown;
    private long first = -1;
    private long start;

    ProgressLines(PrintStream target, String job, long steps) {
        this.target = target;
        this.job = job;
        this.steps = steps;
    }

    @Override
    public void at(long done, String message) {
        if (first < 0) { // a resumed job does not begin at 0
            first = done;
            start = System.nanoTime();
        }
        long tenth = done * LINES / Math.max(1, steps);
        if (tenth > shown || (shown == 0 && done == 1)) {
            shown = tenth;
            target.println(job + ' ' + done + '/' + steps + (message.isEmpty() ? "" : "  " + message) + left(done));
            target.flush();
        }
    }

    /** Says how long the rest takes, at the pace so far. */
    private String left(long done) {
        if (done <= first || done >= steps) {
            return "";
        }
        long seconds = Math.round((System.nanoTime() - start) / 1e9 / (done - first) * (steps - done));
        return seconds < 60
                ? "  " + seconds + " s left"
                : "  " + (seconds < 3600 ? seconds / 60 + " min" : seconds / 3600 + " h " + seconds / 60 % 60 + " min")
                        + " left";
    }

    @Override
    public void close() {}
}
