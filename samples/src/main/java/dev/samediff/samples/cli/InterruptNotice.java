package dev.samediff.samples.cli;

import dev.samediff.samples.finetune.RunFolder;
import java.util.function.Consumer;

/** Says how to go on when a person stops a training (Ctrl-C); files are complete at every moment. */
final class InterruptNotice implements AutoCloseable {
    private final Thread hook;

    InterruptNotice(Consumer<String> say, boolean checkpoints, RunFolder folder) {
        this(
                say,
                checkpoints
                        ? "stopped; go on from the last checkpoint: the same command with --out " + folder.path()
                                + " --resume"
                        : "stopped; nothing was trained to the end (--checkpoint-every N makes runs that can go on)");
    }

    InterruptNotice(Consumer<String> say, String sentence) {
        this.hook = new Thread(() -> say.accept("\n" + sentence), "interrupt-notice");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException shuttingDown) {
            return; // the hook is running: that is what it is for
        }
    }
}
