package dev.samediff.adapters.engine.gradient;

import dev.samediff.adapters.engine.UncompilableException;
import dev.samediff.adapters.engine.program.Op;
import java.util.HashMap;
import java.util.Map;

/** The rules there are. */
final class Rules {
    private static final Map<Class<? extends Op>, Rule> TABLE = table();

    private Rules() {}

    private static Map<Class<? extends Op>, Rule> table() {
        Map<Class<? extends Op>, Rule> table = new HashMap<>();
        ViewRules.register(table);
        ArithmeticRules.register(table);
        LayerRules.register(table);
        table.put(Op.Nd4j.class, Nd4jRules::op);
        return Map.copyOf(table);
    }

    static Rule of(Op op) {
        Rule rule = TABLE.get(op.getClass());
        if (rule == null) {
            throw new UncompilableException("something trainable goes through an operation without a derivative in the"
                    + " compiled engine: " + op.title());
        }
        return rule;
    }
}
