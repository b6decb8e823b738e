package dev.samediff.adapters.graph;

import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Counts the changes of one graph, so that what was derived from it (plans, packed and rounded weights, remembered keys and
 * values) knows when it is out of date. Everything in this library that changes a graph counts here; a caller who writes into a
 * graph's arrays or edits it past the library may count too, and then need not rely on sampling.
 *
 * <p>There is one for each graph object, for as long as the graph lives; graphs that are equal in SameDiff's sense have
 * different ones. Thread-safe.
 */
public final class GraphVersion {
    private static final Map<Identity, GraphVersion> ALL = new ConcurrentHashMap<>();
    private static final ReferenceQueue<SameDiff> COLLECTED = new ReferenceQueue<>();

    private final AtomicLong structure = new AtomicLong();
    private final AtomicLong values = new AtomicLong();
    private final Map<String, Long> byVariable = new ConcurrentHashMap<>();

    private GraphVersion() {}

    /** Returns the version of a graph; always the same object for the same graph. */
    public static GraphVersion of(SameDiff graph) {
        for (Object gone = COLLECTED.poll(); gone != null; gone = COLLECTED.poll()) {
            ALL.remove(gone);
        }
        return ALL.computeIfAbsent(new Identity(graph), key -> new GraphVersion());
    }

    /** Returns a number that grows whenever ops, variables or their types change. */
    public long structure() {
        return structure.get();
    }

    /** Returns a number that grows whenever any value changes. */
    public long values() {
        return values.get();
    }

    /** Returns the number that {@link #values} had when this variable's value changed last; 0 if it never did. */
    public long value(String variable) {
        return byVariable.getOrDefault(variable, 0L);
    }

    /** Counts a change of ops, of variables or of variables' types. */
    public void structureChanged() {
        structure.incrementAndGet();
    }

    /** Counts that the array of a constant or variable was replaced or written to; to be called after the write. */
    public void valueChanged(String variable) {
        valuesChanged(List.of(variable));
    }

    /** Counts that the arrays of constants or variables were replaced or written to; to be called after the writes. */
    public void valuesChanged(Collection<String> variables) {
        long now = values.incrementAndGet();
        variables.forEach(variable -> byVariable.merge(variable, now, Math::max));
    }

    /** A graph by identity: SameDiff compares graphs by content, and its hash code changes with it. */
    private static final class Identity extends WeakReference<SameDiff> {
        private final int hash;

        Identity(SameDiff graph) {
            super(graph, COLLECTED);
            hash = System.identityHashCode(graph);
        }

        @Override
        public int hashCode() {
            return hash;
        }

        @Override
        public boolean equals(@Nullable Object other) {
            if (this == other) {
                return true;
            }
            SameDiff graph = get();
            return graph != null && other instanceof Identity identity && identity.refersTo(graph);
        }
    }
}
