package dev.samediff.adapters.engine.fusion;

import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.ProgramBuilder;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link Pattern} has found so far: tensors of the program by the names the pattern gives them. Immutable, so that a
 * pattern can try several ways.
 *
 * @param site the program and what is known of it
 * @param bound the tensors by name
 */
record Match(Site site, Map<String, Tensor> bound) {
    /** Starts with nothing found. */
    static Match in(Site site) {
        return new Match(site, Map.of());
    }

    /** Returns this with one more tensor, or null if the name stands for another tensor already. */
    @Nullable
    Match with(String name, Tensor tensor) {
        Tensor known = bound.get(name);
        if (known != null) {
            return known == tensor ? this : null;
        }
        Map<String, Tensor> more = new LinkedHashMap<>(bound);
        more.put(name, tensor);
        return new Match(site, more);
    }

    /** Tells whether a name has been given. */
    boolean has(String name) {
        return bound.containsKey(name);
    }

    /** Returns a tensor of the program as it was. */
    Tensor old(String name) {
        Tensor tensor = bound.get(name);
        if (tensor == null) {
            throw new IllegalStateException("the pattern gives no `" + name + "`; it gives " + bound.keySet());
        }
        return tensor;
    }

    /** Returns what a tensor has become in the program that is being written. */
    Tensor get(String name) {
        return site.get(old(name));
    }

    /** Returns the node that defines a tensor. */
    Node node(String name) {
        Node node = site.producer(old(name));
        if (node == null) {
            throw new IllegalStateException("`" + name + "` of the pattern is not computed: " + old(name));
        }
        return node;
    }

    /** Returns the operation that defines a tensor. */
    <T extends Op> T op(String name, Class<T> kind) {
        return kind.cast(node(name).op());
    }

    /** Returns the program that is being written. */
    ProgramBuilder builder() {
        return site.builder();
    }
}
