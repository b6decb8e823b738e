package dev.samediff.adapters.engine.compiled;

import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.kernel.HostTarget;
import dev.samediff.adapters.engine.kernel.PackedMatrices;
import dev.samediff.adapters.engine.plan.Target;
import dev.samediff.adapters.engine.plan.TargetCopies;

/** The hardware that engines run on. */
public final class Targets {
    private Targets() {}

    /** Returns the target that the options ask for; the caller closes it. */
    public static Target open(EngineOptions options) {
        return new HostTarget(options.threads(), options.packed());
    }

    /** Returns room for copies of matrices that several targets read. */
    static TargetCopies copies() {
        return new PackedMatrices();
    }

    /** Tells whether an engine with these options rounds frozen weights, so that steps do not read the graph's own. */
    public static boolean roundsWeights(EngineOptions options) {
        try (Target target = open(options)) {
            return options.precision().isReduced(target.multipliesBfloat16());
        }
    }
}
