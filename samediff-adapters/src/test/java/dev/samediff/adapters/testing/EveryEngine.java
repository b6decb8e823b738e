package dev.samediff.adapters.testing;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.adapters.engine.Precision;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.nd4j.autodiff.samediff.SameDiff;

/** The engines, and the ways of the compiled one, that must refuse the same: a source for {@link ParameterizedTest}. */
public enum EveryEngine {
    COMPILED(EngineOptions.defaults()),
    BFLOAT16(EngineOptions.defaults().withPrecision(Precision.BFLOAT16)),
    RECOMPUTING(EngineOptions.defaults().withRecomputation(true)),
    REFERENCE(EngineOptions.reference());

    private final EngineOptions options;

    EveryEngine(EngineOptions options) {
        this.options = options;
    }

    /** Opens an engine. */
    public Engine open(SameDiff graph, String loss, List<String> trainables) {
        return Engines.open(graph, loss, trainables, options);
    }

    /** Opens an engine that computes outputs only. */
    public Engine open(SameDiff graph) {
        return open(graph, "", List.of());
    }

    /** Returns all. */
    public static Stream<EveryEngine> all() {
        return Stream.of(values());
    }
}
