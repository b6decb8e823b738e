package dev.samediff.samples.cli;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * What happens when a signal (Ctrl-C, SIGTERM, SIGHUP) ends a command: what can be saved is saved, and a sentence says how to go on.
 * Files are complete at every moment, so there is nothing to repair. The exit code is the system's: 128 and the signal's number.
 */
final class InterruptNotice implements AutoCloseable {
    /** Longer than a step takes; whoever cannot wait sends SIGKILL and loses that step's checkpoint, no more. */
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final CountDownLatch done = new CountDownLatch(1);
    private final Thread hook;

    /** Says a sentence. */
    InterruptNotice(Consumer<String> say, String sentence) {
        this(say, () -> false, () -> sentence);
    }

    /**
     * Asks the work to end, waits until it has, and says a sentence.
     *
     * @param say where the sentence goes
     * @param stop asks the work to end; returns whether there is something to wait for
     * @param sentence how to go on, asked for at the end
     */
    InterruptNotice(Consumer<String> say, BooleanSupplier stop, Supplier<String> sentence) {
        this.hook = new Thread(() -> end(say, stop, sentence), "interrupt-notice");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    private void end(Consumer<String> say, BooleanSupplier stop, Supplier<String> sentence) {
        if (stop.getAsBoolean()) {
            say.accept("\nstopping after this step, to write a checkpoint ...");
            try {
                done.await(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        say.accept("\n" + sentence.get());
    }

    /** The work has ended. */
    @Override
    public void close() {
        done.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException shuttingDown) {
            return; // the hook is running: that is what it is for
        }
    }
}
