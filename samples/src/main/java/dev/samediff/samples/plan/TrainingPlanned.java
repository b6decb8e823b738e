package dev.samediff.samples.plan;

import java.util.List;
import java.util.OptionalLong;

/**
 * What a training needs.
 *
 * @param parts memory by part
 * @param weights weights that every token is multiplied by, the head included
 * @param adapterParameters trained numbers
 * @param operations floating-point operations of the products of a step
 * @param gigaflops products of such sizes that this machine computes in a second, in 10^9 operations, measured now
 * @param diskBytes of the files behind frozen weights
 * @param residualBytes those of them that residuals need, which a method puts in the place of the weights
 * @param available memory that a new process can take now, if the system tells
 * @param mostTexts largest batch of texts of this length that fits into it
 * @param longestText most tokens of a text that fits into it, alone in its batch
 */
public record TrainingPlanned(
        List<MemoryPart> parts,
        long weights,
        long adapterParameters,
        double operations,
        double gigaflops,
        long diskBytes,
        long residualBytes,
        OptionalLong available,
        OptionalLong mostTexts,
        OptionalLong longestText) {
    public TrainingPlanned {
        parts = List.copyOf(parts);
    }

    /** Returns the memory of all parts, in bytes. */
    public long bytes() {
        return parts.stream().mapToLong(MemoryPart::bytes).sum();
    }

    /** Returns the least time of a step, that of its products, in seconds. */
    public double stepSeconds() {
        return operations / (gigaflops * 1e9);
    }

    /** Tells whether it fits into what is left of this machine's memory; true if the system does not tell. */
    public boolean fits() {
        return available.isEmpty() || bytes() <= available.getAsLong();
    }
}
