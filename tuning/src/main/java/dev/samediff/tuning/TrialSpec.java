package dev.samediff.tuning;

import dev.samediff.tuning.pruning.Pruning;
import dev.samediff.tuning.space.ParameterValues;
import java.io.Serializable;
import java.time.Duration;
import java.util.List;

/**
 * Everything a trial depends on; the same specification gives the same result on any machine of the same kind.
 *
 * @param index its number, from 0
 * @param parameters what is tried
 * @param seed seed of all its random numbers
 * @param threads threads it computes with
 * @param limit longest duration of one attempt; zero for no limit
 * @param retries attempts after a failed one
 * @param pruning when it is given up
 * @param known the trials that pruning compares it with
 */
public record TrialSpec(
        int index,
        ParameterValues parameters,
        long seed,
        int threads,
        Duration limit,
        int retries,
        Pruning pruning,
        List<TrialResult> known)
        implements Serializable {
    public TrialSpec {
        known = List.copyOf(known);
    }
}
