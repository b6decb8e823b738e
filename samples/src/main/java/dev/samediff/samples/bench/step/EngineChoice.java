package dev.samediff.samples.bench.step;

import dev.samediff.adapters.engine.EngineOptions;
import java.util.Locale;

/** This library's engines, as the command line names them. */
public enum EngineChoice {
    /** Static plans of fused kernels. */
    COMPILED {
        @Override
        boolean runs(Precision precision) {
            return true;
        }

        @Override
        EngineOptions options(Precision precision) {
            return EngineOptions.defaults()
                    .withPrecision(
                            precision == Precision.BF16
                                    ? dev.samediff.adapters.engine.Precision.BFLOAT16
                                    : dev.samediff.adapters.engine.Precision.FLOAT32);
        }
    },
    /** SameDiff's own operations, one after the other. */
    REFERENCE {
        @Override
        boolean runs(Precision precision) {
            return precision == Precision.F32;
        }

        @Override
        EngineOptions options(Precision precision) {
            return EngineOptions.reference();
        }
    };

    /** Returns whether the engine knows a precision. */
    abstract boolean runs(Precision precision);

    /** Returns how the engine executes steps. */
    abstract EngineOptions options(Precision precision);

    /** Returns the name on the command line. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    @Override
    public String toString() {
        return label();
    }
}
