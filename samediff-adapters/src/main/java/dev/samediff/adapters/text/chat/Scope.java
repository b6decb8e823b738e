package dev.samediff.adapters.text.chat;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Variables. What a loop or macro sets is gone after it, as in Jinja. */
final class Scope {
    private final Run run;
    private final @Nullable Scope parent;
    private final Map<String, Object> values = new HashMap<>();

    Scope(Run run, @Nullable Scope parent) {
        this.run = run;
        this.parent = parent;
    }

    Scope inner() {
        return new Scope(run, this);
    }

    Run run() {
        return run;
    }

    Object get(String name) {
        for (Scope scope = this; scope != null; scope = scope.parent) {
            Object value = scope.values.get(name);
            if (value != null) {
                return value;
            }
        }
        return Special.UNDEFINED;
    }

    void set(String name, Object value) {
        values.put(name, value);
    }
}
