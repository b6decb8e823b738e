package dev.samediff.adapters.engine.compiled;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a plan's kernels refuse, in the words of the graph: kernels see places in memory and know no names, and a plan may
 * compute with some rows only. The graph's own ops meet the same input, and say which variable it came from.
 */
final class NamedRefusal {
    private NamedRefusal() {}

    /**
     * Runs a plan.
     *
     * @param run what runs it
     * @param graph what it was compiled from
     * @param placeholders values of the placeholders
     * @param outputs what it computes
     * @throws InvalidInputException if the plan refuses the input: as the graph's op says it, or, if none does, as the kernel did
     */
    static <T> T of(Supplier<T> run, SameDiff graph, Map<String, INDArray> placeholders, Collection<String> outputs) {
        try {
            return run.get();
        } catch (InvalidInputException unnamed) {
            try (ReferenceEngine reference =
                    new ReferenceEngine(graph, outputs.iterator().next(), List.of())) {
                reference.outputs(placeholders, outputs).values().forEach(INDArray::close);
            } catch (InvalidInputException named) {
                named.addSuppressed(unnamed);
                throw named;
            } catch (RuntimeException other) {
                unnamed.addSuppressed(other);
            }
            throw unnamed;
        }
    }
}
