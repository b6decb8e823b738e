package dev.samediff.adapters.testing;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Limits on work that hold on a machine that others use too: processor time of the thread that does it, which grows only while that
 * runs, instead of time on a clock.
 */
public final class Effort {
    /** A thread that gets no processor time for so long waits for something that does not come. */
    private static final Duration STILL = Duration.ofMinutes(2);

    private static final Duration LOOK = Duration.ofMillis(50);
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private Effort() {}

    /** Work that took more than it may; the stack is that of the work. */
    public static final class Exceeded extends AssertionError {
        private static final long serialVersionUID = 1L;

        Exceeded(String message, StackTraceElement[] where) {
            super(message);
            setStackTrace(where);
        }
    }

    /** Returns the processor time that the calling thread has had. */
    public static Duration ofThisThread() {
        return Duration.ofNanos(THREADS.getCurrentThreadCpuTime());
    }

    /**
     * Runs something in a thread of its own.
     *
     * @throws Exceeded if it takes more processor time than that, or waits without an end
     * @throws Exception what it throws
     */
    public static <T> T within(Duration most, Callable<T> work) throws Exception {
        FutureTask<T> task = new FutureTask<>(work);
        Thread worker = new Thread(task, "effort");
        worker.setDaemon(true);
        worker.start();
        long before = 0;
        long moved = System.nanoTime();
        while (true) {
            try {
                return task.get(LOOK.toMillis(), TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                long used = THREADS.getThreadCpuTime(worker.getId()); // -1 when it has just ended
                if (used > most.toNanos()) {
                    throw new Exceeded(
                            "more than " + most.toSeconds() + " s of processor time", worker.getStackTrace());
                }
                if (used != before) {
                    before = used;
                    moved = System.nanoTime();
                } else if (System.nanoTime() - moved > STILL.toNanos()) {
                    throw new Exceeded("waits without an end", worker.getStackTrace());
                }
            } catch (ExecutionException e) {
                if (e.getCause() instanceof Error error) {
                    throw error;
                }
                throw (Exception) e.getCause();
            }
        }
    }
}
