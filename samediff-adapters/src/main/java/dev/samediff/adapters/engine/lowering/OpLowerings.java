package dev.samediff.adapters.engine.lowering;

import java.util.HashMap;
import java.util.Map;

/** The translations there are, by name of the op. */
final class OpLowerings {
    private static final Map<String, OpLowering> TABLE = table();

    private OpLowerings() {}

    private static Map<String, OpLowering> table() {
        Map<String, OpLowering> table = new HashMap<>();
        ArithmeticLowering.register(table);
        ViewLowering.register(table);
        ProductLowering.register(table);
        return Map.copyOf(table);
    }

    /** Returns the translation of an op; of one that has none, a translation that never applies. */
    static OpLowering of(String name) {
        return TABLE.getOrDefault(name, call -> null);
    }
}
