package dev.samediff.adapters.inject;

import dev.samediff.adapters.AdaptedSite;
import dev.samediff.adapters.graph.EmbeddingSite;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.graph.IdFloor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Takes adapters out of a graph, or out of a copy of it, except the weights' values.
 *
 * @param graph the graph or the copy
 * @param editor its editor
 */
record AdapterRemoval(SameDiff graph, GraphEditor editor) {
    AdapterRemoval(SameDiff graph) {
        this(graph, new GraphEditor(graph));
    }

    /**
     * Removes every trace of all adapters.
     *
     * @param adapters all adapters of the graph, in the order they were added
     * @param formerTrainables what was trainable before the first of them
     * @param taskLosses the losses without penalties
     * @param changed weights that keep a changed value; what else reads such a table goes on reading its copy
     */
    void all(
            List<Adapter> adapters,
            List<String> formerTrainables,
            List<String> taskLosses,
            Collection<String> changed) {
        editor.setLosses(taskLosses);
        List<Adapter> newestFirst = new ArrayList<>(adapters);
        Collections.reverse(newestFirst);
        for (Adapter adapter : newestFirst) {
            remove(adapter, List.of());
            rejoin(adapter, changed);
            unfloor(adapter, List.of());
        }
        editor.unfreeze(formerTrainables);
        editor.invalidate();
    }

    /**
     * Removes one adapter, whose penalty must be no loss any more.
     *
     * @param adapter the adapter
     * @param newer adapters that were added later and stay, oldest first
     * @param staying all adapters that stay
     */
    void one(Adapter adapter, List<Adapter> newer, List<Adapter> staying) {
        remove(adapter, newer);
        rejoin(
                adapter,
                staying.stream()
                        .flatMap(other -> other.sites().stream())
                        .map(site -> site.layer().weight())
                        .toList());
        unfloor(adapter, staying);
        editor.invalidate();
    }

    /** Lets lookups read ids below zero again, when nobody has virtual tokens any more. */
    private void unfloor(Adapter adapter, List<Adapter> staying) {
        for (HeldRows rows : adapter.rows()) {
            boolean isNeeded = staying.stream()
                    .flatMap(other -> other.rows().stream())
                    .anyMatch(other -> other.isPrompt() && other.table().equals(rows.table()));
            if (rows.isPrompt() && !isNeeded) {
                new IdFloor(rows.table()).remove(editor, graph);
            }
        }
    }

    private void remove(Adapter adapter, List<Adapter> newer) {
        Adapter.PenaltyTerm term = adapter.penalty();
        if (term != null) {
            editor.removeWithProducers(term.variables());
        }
        List<GraphEditor.Insertion> newestFirst = new ArrayList<>(adapter.insertions());
        Collections.reverse(newestFirst);
        for (GraphEditor.Insertion insertion : newestFirst) {
            editor.remove(
                    insertion,
                    newer.stream()
                            .flatMap(other -> other.insertions().stream())
                            .filter(other -> other.output().equals(insertion.output()))
                            .toList());
        }
        editor.removeWithProducers(adapter.scalingVariables());
        editor.removeWithProducers(adapter.factorNames());
    }

    /** Lets what else reads an adapted table read the table again. */
    private void rejoin(Adapter adapter, Collection<String> except) {
        for (AdaptedSite site : adapter.sites()) {
            String weight = site.layer().weight();
            if (!except.contains(weight) && graph.hasVariable(EmbeddingSite.copyOf(weight))) {
                editor.rejoin(weight, EmbeddingSite.copyOf(weight));
            }
        }
    }
}
