package dev.samediff.adapters.method;

import dev.samediff.adapters.InvalidInputException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;

/**
 * How many ranks all layers together keep while AdaLoRA trains (section 3.3 of the paper). With r0 ranks of all layers at first
 * and rT at last, at update t of T:
 *
 * <pre>
 * b(t) = r0                                                             t &lt;= warmup
 *        rT + (r0 - rT) (1 - (t - warmup) / (T - last - warmup))^3      rounded down
 *        rT                                                             t &gt; T - last       (equation 12)
 * </pre>
 *
 * @param target average rank of a layer at last; empty means two thirds of the first one, so that the first budget is 1.5 of the
 *     last as in the paper. PEFT's {@code target_r}
 * @param warmup updates before anything is cut. PEFT's {@code tinit}
 * @param last updates at the end, in which the ranks stay as they are. PEFT's {@code tfinal}
 * @param interval updates from one cut to the next. PEFT's {@code deltaT}
 * @param beta1 of the moving average of an entry's importance
 * @param beta2 of the moving average of its uncertainty
 * @param total T; empty means the updates of the trainer's plan. PEFT's {@code total_step}
 */
public record RankBudget(
        OptionalInt target, int warmup, int last, int interval, double beta1, double beta2, OptionalInt total) {
    /** PEFT's schedule: every update cuts, from the first to the last. */
    public static final RankBudget DEFAULT =
            new RankBudget(OptionalInt.empty(), 0, 0, 1, 0.85, 0.85, OptionalInt.empty());

    public RankBudget {
        require(target.orElse(1) > 0, "target", target.orElse(1), "a positive rank");
        require(warmup >= 0, "warmup", warmup, "zero or more updates");
        require(last >= 0, "last", last, "zero or more updates");
        require(interval > 0, "interval", interval, "one or more updates");
        require(beta1 > 0 && beta1 < 1, "beta1", beta1, "a number between 0 and 1, such as 0.85");
        require(beta2 > 0 && beta2 < 1, "beta2", beta2, "a number between 0 and 1, such as 0.85");
        if (total.isPresent()) {
            requireRoom(warmup, last, total.getAsInt());
        }
    }

    private static void require(boolean holds, String what, Number value, String expected) {
        if (!holds) {
            throw new InvalidInputException(
                    "the setting `" + what + "` of adalora is " + value + "; expected " + expected);
        }
    }

    private static void requireRoom(int warmup, int last, int total) {
        if (total <= (long) warmup + last) {
            throw new InvalidInputException(
                    "adalora cuts ranks after the first " + warmup + " updates (warmup) and before the"
                            + " last " + last + " (last), and there are " + total
                            + " updates: nothing is left between them; train longer, or lower warmup and last");
        }
    }

    /** Returns the same schedule with another average rank at last. */
    public RankBudget withTarget(int rank) {
        return new RankBudget(OptionalInt.of(rank), warmup, last, interval, beta1, beta2, total);
    }

    /** Returns the same schedule with updates before and after the cuts, and between two of them. */
    public RankBudget withPhases(int first, int atLast, int between) {
        return new RankBudget(target, first, atLast, between, beta1, beta2, total);
    }

    /** Returns the same schedule with other moving averages. */
    public RankBudget withAverages(double importance, double uncertainty) {
        return new RankBudget(target, warmup, last, interval, importance, uncertainty, total);
    }

    /** Returns the average rank of a layer at last, of layers with this rank at first. */
    int target(int rank) {
        return target.orElse(Math.max(1, rank * 2 / 3));
    }

    /**
     * Returns T.
     *
     * @param updates of the trainer's plan
     * @throws InvalidInputException if no update is left for cuts
     */
    int total(int updates) {
        int all = total.orElse(updates);
        requireRoom(warmup, last, all);
        return all;
    }

    /**
     * Returns b(t).
     *
     * @param first r0
     * @param atLast rT
     * @param update t
     * @param updates T
     */
    int at(int first, int atLast, int update, int updates) {
        if (update <= warmup) {
            return first;
        }
        if (update > updates - last) {
            return atLast;
        }
        double left = 1 - (update - warmup) / (double) (updates - last - warmup);
        return (int) ((first - atLast) * Math.pow(left, 3) + atLast);
    }

    Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        target.ifPresent(rank -> settings.put("target", Integer.toString(rank)));
        settings.put("warmup", Integer.toString(warmup));
        settings.put("last", Integer.toString(last));
        settings.put("interval", Integer.toString(interval));
        settings.put("beta1", Double.toString(beta1));
        settings.put("beta2", Double.toString(beta2));
        total.ifPresent(updates -> settings.put("total", Integer.toString(updates)));
        return settings;
    }
}
