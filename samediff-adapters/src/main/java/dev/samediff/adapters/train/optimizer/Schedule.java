package dev.samediff.adapters.train.optimizer;

import dev.samediff.adapters.InvalidInputException;
import java.util.Arrays;
import java.util.Locale;

/**
 * How the learning rate changes during training; the definitions are those of Hugging Face transformers. Every schedule
 * rises linearly from 0 over the warm-up steps.
 */
public enum Schedule {
    /** Stays at the peak after warm-up ({@code get_constant_schedule_with_warmup}). */
    CONSTANT {
        @Override
        double afterWarmup(int step, int warmup, int total) {
            return 1;
        }
    },
    /** Falls linearly to 0 at the last step ({@code get_linear_schedule_with_warmup}). */
    LINEAR {
        @Override
        double afterWarmup(int step, int warmup, int total) {
            return Math.max(0, (double) (total - step) / Math.max(1, total - warmup));
        }
    },
    /** Falls along half a cosine to 0 at the last step ({@code get_cosine_schedule_with_warmup}). */
    COSINE {
        @Override
        double afterWarmup(int step, int warmup, int total) {
            double progress = (double) (step - warmup) / Math.max(1, total - warmup);
            return Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
        }
    };

    /**
     * Returns the factor on the peak learning rate.
     *
     * @param step number of updates made before, from 0
     * @param warmup warm-up steps
     * @param total steps of the whole training
     */
    public double multiplier(int step, int warmup, int total) {
        return step < warmup ? (double) step / Math.max(1, warmup) : afterWarmup(step, warmup, total);
    }

    abstract double afterWarmup(int step, int warmup, int total);

    /**
     * Returns the schedule with a name, in any case.
     *
     * @throws InvalidInputException if there is none
     */
    public static Schedule named(String name) {
        return Arrays.stream(values())
                .filter(schedule -> schedule.name().equalsIgnoreCase(name))
                .findFirst()
                .orElseThrow(() -> new InvalidInputException("there is no schedule `" + name + "`; there are "
                        + Arrays.toString(values()).toLowerCase(Locale.ROOT)));
    }
}
