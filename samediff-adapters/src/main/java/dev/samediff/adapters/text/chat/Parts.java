package dev.samediff.adapters.text.chat;

import java.util.List;
import java.util.Map;

/** What a template is compiled to. */
final class Parts {
    private Parts() {}

    /** Where a rendering goes on. */
    enum Flow {
        NEXT,
        BREAK,
        CONTINUE
    }

    /** An expression. */
    @FunctionalInterface
    interface Expression {
        Object value(Scope scope);
    }

    /** A piece of a template that writes. */
    @FunctionalInterface
    interface Statement {
        Flow write(Scope scope, StringBuilder out);
    }

    /** Something that can be called: a macro, a function. */
    @FunctionalInterface
    interface Callable {
        Object call(Run run, List<Object> arguments, Map<String, Object> named);
    }

    /** Jinja's namespace: the only thing that templates may change. */
    record Namespace(Map<String, Object> values) {}
}
