package dev.samediff.samples.output;

import java.io.PrintStream;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** One line of a terminal that redraws itself. */
final class ProgressBarLine implements Progress {
    private static final int REDRAW_MILLIS = 250;

    private final ProgressBar bar;

    ProgressBarLine(PrintStream target, String job, long steps) {
        bar = new ProgressBarBuilder()
                .setTaskName(job)
                .setInitialMax(steps)
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(REDRAW_MILLIS)
                .setConsumer(new ConsoleProgressBarConsumer(target, WIDTH))
                .build();
    }

    @Override
    public void at(long done, String message) {
        bar.stepTo(done);
        bar.setExtraMessage(message);
    }

    @Override
    public void close() {
        bar.close();
    }
}
