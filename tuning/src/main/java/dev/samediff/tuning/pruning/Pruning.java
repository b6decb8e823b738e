package dev.samediff.tuning.pruning;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.tuning.LearningCurve;
import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.TrialState;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Gives up trials that do worse than others did after as many steps. Decisions depend on the reports alone, so that a sweep
 * can be repeated.
 */
public sealed interface Pruning extends Serializable {
    /**
     * Returns whether a trial should be given up.
     *
     * @param own its reports so far
     * @param known ended trials it may be compared with
     */
    boolean isHopeless(LearningCurve own, List<TrialResult> known);

    /** Lets every trial run to its end. */
    record None() implements Pruning {
        @Override
        public boolean isHopeless(LearningCurve own, List<TrialResult> known) {
            return false;
        }

        @Override
        public String toString() {
            return "none";
        }
    }

    /**
     * Gives up a trial whose best value so far is above the median of what completed trials reported at the same step, as
     * Optuna's {@code MedianPruner} does.
     *
     * @param startup completed trials before anything is given up
     * @param warmup steps a trial makes before it is given up
     */
    record Median(int startup, long warmup) implements Pruning {
        public Median {
            if (startup < 1 || warmup < 0) {
                throw new InvalidInputException("median pruning after " + startup + " trials and " + warmup
                        + " steps is not possible; give at least 1 trial and 0 steps");
            }
        }

        @Override
        public boolean isHopeless(LearningCurve own, List<TrialResult> known) {
            if (own.last().isEmpty() || own.last().get().step() < warmup) {
                return false;
            }
            long step = own.last().get().step();
            double[] others = known.stream()
                    .filter(TrialResult::isComplete)
                    .flatMap(trial -> trial.curve().from(step).stream())
                    .mapToDouble(LearningCurve.Point::value)
                    .sorted()
                    .toArray();
            if (others.length < startup) {
                return false;
            }
            double median = (others[(others.length - 1) / 2] + others[others.length / 2]) / 2;
            double best = own.points().stream()
                    .mapToDouble(LearningCurve.Point::value)
                    .min()
                    .orElseThrow();
            return best > median;
        }

        @Override
        public String toString() {
            return "median:" + startup + ":" + warmup;
        }
    }

    /**
     * Asynchronous successive halving (Li et al. 2018): at the rungs {@code first, first * factor, first * factor^2, ...}
     * of steps only the best {@code 1 / factor} of the trials that came there go on, as in Optuna's
     * {@code SuccessiveHalvingPruner}.
     *
     * @param first steps of the first rung
     * @param factor reduction factor, 2 or more
     */
    record Asha(long first, int factor) implements Pruning {
        public Asha {
            if (first < 1 || factor < 2) {
                throw new InvalidInputException("ASHA with a first rung at step " + first + " and a factor of " + factor
                        + " is not possible; give at least step 1 and factor 2");
            }
        }

        @Override
        public boolean isHopeless(LearningCurve own, List<TrialResult> known) {
            if (own.last().isEmpty()) {
                return false;
            }
            long reached = own.last().get().step();
            for (long rung = first; rung <= reached && rung > 0; rung = rung * factor) {
                if (!isPromoted(own, known, rung)) {
                    return true;
                }
            }
            return false;
        }

        private boolean isPromoted(LearningCurve own, List<TrialResult> known, long rung) {
            double value = own.from(rung).orElseThrow().value();
            List<Double> competing = new ArrayList<>(List.of(value));
            known.stream()
                    .filter(trial -> trial.state() != TrialState.FAILED)
                    .flatMap(trial -> trial.curve().from(rung).stream())
                    .forEach(point -> competing.add(point.value()));
            competing.sort(Double::compare);
            return value <= competing.get(Math.max(0, competing.size() / factor - 1));
        }

        @Override
        public String toString() {
            return "asha:" + first + ":" + factor;
        }
    }

    /**
     * Reads a rule: {@code none}, {@code median:STARTUP:WARMUP} or {@code asha:FIRST:FACTOR}, as {@code toString} writes
     * it.
     *
     * @throws InvalidInputException if it is none of these
     */
    static Pruning parse(String text) {
        String[] parts = text.toLowerCase(Locale.ROOT).split(":", -1);
        try {
            if (parts.length == 1 && parts[0].equals("none")) {
                return new None();
            }
            if (parts.length == 3 && parts[0].equals("median")) {
                return new Median(Integer.parseInt(parts[1]), Long.parseLong(parts[2]));
            }
            if (parts.length == 3 && parts[0].equals("asha")) {
                return new Asha(Long.parseLong(parts[1]), Integer.parseInt(parts[2]));
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw new InvalidInputException("the pruning `" + text
                + "` is unknown; expected none, median:STARTUP:WARMUP such as median:5:10, or asha:FIRST:FACTOR such as"
                + " asha:10:3");
    }
}
