package dev.samediff.adapters.graph;

import java.util.List;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Lets the lookups of an embedding see 0 in place of ids below zero, which are those of virtual tokens: SameDiff's own sessions would read in
 * front of the table. What else reads the ids sees them as they are.
 *
 * @param table the embedding
 */
public record IdFloor(EmbeddingSite table) {
    private static final String SUFFIX = "/rows_looked_up";
    private static final String LEAST = "/least_row";

    /** Puts it in, if it is not there. */
    public void put(GraphEditor editor, SameDiff graph) {
        for (AdaptableSite.Use use : table.uses()) {
            if (!graph.hasVariable(use.output() + SUFFIX)) {
                SDVariable ids = graph.getVariable(use.input());
                List<String> lookups = lookups(graph, use.input());
                SDVariable least = graph.constant(use.output() + LEAST, Nd4j.scalar(ids.dataType(), 0));
                SDVariable rows = graph.math.max(use.output() + SUFFIX, ids, least);
                editor.reread(use.input(), rows.name(), lookups);
            }
        }
    }

    /** Takes it out. */
    public void remove(GraphEditor editor, SameDiff graph) {
        for (AdaptableSite.Use use : table.uses()) {
            String rows = use.output() + SUFFIX;
            if (graph.hasVariable(rows)) {
                editor.reread(rows, use.input(), lookups(graph, rows));
                editor.removeWithProducers(List.of(rows, use.output() + LEAST));
            }
        }
    }

    private List<String> lookups(SameDiff graph, String ids) {
        return Internals.readers(graph, ids).stream()
                .filter(op -> Internals.inputs(Internals.op(graph, op)).contains(table.weight()))
                .distinct()
                .toList();
    }
}
