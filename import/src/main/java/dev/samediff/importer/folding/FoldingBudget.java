package dev.samediff.importer.folding;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.onnx.OnnxNode;
import dev.samediff.importer.tensor.HostTensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Bounds what constant folding computes in one import: a file of a few bytes can ask for any number of large constants.
 *
 * <p>Beyond the first bound large results are thrown away and computed by the graph instead, if it can; beyond the second
 * the file is refused.
 */
public final class FoldingBudget {
    /** Results with fewer elements, as sizes are, are always kept. */
    private static final int SMALL = 1 << 12;

    private static final long MOST_KEPT = 1L << 25;
    private static final long MOST_READ = 1L << 27;
    private static final long BYTES_PER_ELEMENT = 32;

    private final long mostKept = Math.min(MOST_KEPT, Runtime.getRuntime().maxMemory() / BYTES_PER_ELEMENT);
    private long computed;
    private long read;

    /** Counts the elements a node reads, and tells whether it may be evaluated; those that read little always may. */
    boolean allows(List<@Nullable HostTensor> inputs) {
        long most = 0;
        for (HostTensor input : inputs) {
            most = Math.max(most, input == null ? 0 : input.length());
        }
        if (most <= SMALL) {
            return true;
        }
        read += most;
        return read <= MOST_READ;
    }

    /**
     * Counts the results of a node.
     *
     * @return whether they may be kept
     * @throws InvalidInputException if the file computes too many numbers from constants alone
     */
    boolean admits(OnnxNode node, List<HostTensor> results) {
        long most = 0;
        for (HostTensor result : results) {
            computed += result.length();
            most = Math.max(most, result.length());
        }
        if (computed > 2 * mostKept) {
            throw new InvalidInputException(node + " and those before it compute " + computed
                    + " numbers from constants alone; up to " + 2 * mostKept
                    + " are computed while importing: simplify the model, for example with onnxsim, or give Java more"
                    + " memory");
        }
        return most <= SMALL || computed <= mostKept;
    }
}
