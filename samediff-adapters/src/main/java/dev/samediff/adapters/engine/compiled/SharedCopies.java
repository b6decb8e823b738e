package dev.samediff.adapters.engine.compiled;

import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.kernel.HostTarget;
import dev.samediff.adapters.engine.kernel.PackedMatrices;
import dev.samediff.adapters.engine.plan.Conversion;
import dev.samediff.adapters.engine.plan.Target;
import java.util.HashMap;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Copies of frozen weights, packed or rounded, that several engines read together, each in a thread of its own: there is one of
 * each, however many engines there are. The engines' graphs are copies of one graph: constants of the same name have
 * the same numbers in all of them, and nobody changes these while an engine is open. Thread-safe; closed after the engines.
 */
public final class SharedCopies implements AutoCloseable {
    private final PackedMatrices packed = new PackedMatrices();
    private final Map<String, INDArray> rounded = new HashMap<>();

    /** Makes it; nothing is copied yet. */
    public SharedCopies() {}

    /** Opens a target for one engine. */
    Target open(EngineOptions options) {
        return HostTarget.sharing(packed, options.threads(), options.packed());
    }

    /** Returns the rounded weights as one engine sees them. */
    RoundedWeights rounded(Target target) {
        return new RoundedWeights() {
            @Override
            public INDArray get(String variable, INDArray source, Runnable onChange) {
                return round(variable, source, target);
            }

            @Override
            public long bytes() {
                return 0; // counted once, here
            }

            @Override
            public void close() {
                // others read them
            }
        };
    }

    private synchronized INDArray round(String variable, INDArray source, Target target) {
        return rounded.computeIfAbsent(variable, name -> Conversion.toBfloat16(source, target));
    }

    /** Returns the memory of all copies in bytes. */
    public synchronized long bytes() {
        return packed.bytes()
                + rounded.values().stream()
                        .mapToLong(array -> array.length() * array.dataType().width())
                        .sum();
    }

    /** Gives the memory back; every engine that reads the copies has been closed before. */
    @Override
    public synchronized void close() {
        packed.close();
        rounded.values().forEach(INDArray::close);
        rounded.clear();
    }
}
