package dev.samediff.adapters.engine;

import java.util.List;
import org.nd4j.autodiff.samediff.SameDiff;

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
     */
    public static Engine open(SameDiff graph, String loss, List<String> trainables, EngineOptions options) {
        return switch (options.kind()) {
            case COMPILED -> new CompiledEngine(graph, loss, trainables, options);
            case REFERENCE -> new ReferenceEngine(graph, loss, trainables);
        };
    }
}
