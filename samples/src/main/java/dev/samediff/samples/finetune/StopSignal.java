package dev.samediff.samples.finetune;

import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.listener.TrainingListener;
import java.nio.file.Path;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** Lets another thread, that of a signal, end a training after the step that is being computed, with a checkpoint. */
public final class StopSignal implements TrainingListener {
    private @Nullable AdapterTrainer trainer;
    private boolean asked;
    private int checkpoint = -1;

    /** A training that ended because it was asked to. */
    public static final class Stopped extends RuntimeException {
        private static final long serialVersionUID = 1L;

        public Stopped(int step) {
            super("the training was stopped after step " + step);
        }
    }

    /**
     * Asks the training, the running one or the next, to end.
     *
     * @return whether one is running
     */
    public synchronized boolean stop() {
        asked = true;
        if (trainer != null) {
            trainer.stop();
        }
        return trainer != null;
    }

    /** Returns the step of the newest checkpoint that was written, if one was. */
    public synchronized OptionalInt checkpoint() {
        return checkpoint < 0 ? OptionalInt.empty() : OptionalInt.of(checkpoint);
    }

    /** Watches a trainer until the result is closed. */
    public synchronized Watch watch(AdapterTrainer running) {
        trainer = running;
        if (asked) {
            running.stop();
        }
        return this::forget;
    }

    private synchronized void forget() {
        trainer = null;
    }

    /** The time in which a trainer runs. */
    public interface Watch extends AutoCloseable {
        @Override
        void close();
    }

    @Override
    public synchronized void onCheckpoint(int step, Path directory) {
        checkpoint = step;
    }
}
