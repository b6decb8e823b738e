package dev.samediff.adapters.engine;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.compiled.CompiledEngine;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import java.util.List;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.factory.Nd4j;

/** Opens engines. */
public final class Engines {
    private Engines() {}

    /**
     * Opens an engine.
     *
     * @param graph the graph; it is not modified
     * @param loss the scalar variable to differentiate; empty if only outputs are computed
     * @param trainables the VARIABLEs to differentiate it by
     * @param options how steps are executed
     * @throws InvalidInputException if half precision is asked for on the CPU
     */
    public static Engine open(SameDiff graph, String loss, List<String> trainables, EngineOptions options) {
        if (options.precision() == Precision.HALF) {
            if (Nd4j.getEnvironment().isCPU()) {
                throw new InvalidInputException(
                        "half precision is for CUDA devices: ND4J's CPU backend multiplies halves"
                                + " one by one, slower than float32; choose bfloat16 or float32 on the CPU");
            }
            return new ReferenceEngine(graph, loss, trainables, true, false);
        }
        return switch (options.kind()) {
            case COMPILED -> new CompiledEngine(graph, loss, trainables, options);
            case REFERENCE -> new ReferenceEngine(graph, loss, trainables);
        };
    }

    /**
     * Opens an engine that computes outputs and differentiates nothing: prediction. For several threads, or several adapters, see
     * {@link dev.samediff.adapters.serving.ModelPool}.
     *
     * @param graph the graph; it is not modified
     * @param options how steps are executed
     * @throws InvalidInputException if half precision is asked for on the CPU
     */
    public static Engine forOutputs(SameDiff graph, EngineOptions options) {
        return open(graph, "", List.of(), options);
    }
}
