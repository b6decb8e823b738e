package dev.samediff.adapters.inject;

import dev.samediff.adapters.AdaptedSite;
import dev.samediff.adapters.graph.EmbeddingSite;
import dev.samediff.adapters.graph.GraphEditor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * Takes adapters out of a graph, or out of a copy of it, except the weights' values.
 *
 * @param adapters all adapters of the graph, in the order they were added
 * @param formerTrainables what was trainable before the first of them
 * @param taskLosses the losses without penalties
 */
public record AdapterRemoval(Collection<Adapter> adapters, List<String> formerTrainables, List<String> taskLosses) {
    /**
     * Removes every trace of the adapters.
     *
     * @param changed weights that keep a changed value; what else reads such a table goes on reading its copy
     */
    public void from(SameDiff graph, Collection<String> changed) {
        GraphEditor editor = new GraphEditor(graph);
        editor.setLosses(taskLosses);
        List<Adapter> newestFirst = new ArrayList<>(adapters);
        Collections.reverse(newestFirst);
        for (Adapter adapter : newestFirst) {
            Adapter.PenaltyTerm term = adapter.penalty();
            if (term != null) {
                editor.removeWithProducers(term.variables());
            }
            List<GraphEditor.Insertion> insertions = new ArrayList<>(adapter.insertions());
            Collections.reverse(insertions);
            insertions.forEach(editor::remove);
            editor.removeWithProducers(adapter.scalingVariables());
            editor.removeWithProducers(adapter.trainableNames());
            for (AdaptedSite site : adapter.sites()) {
                String weight = site.layer().weight();
                if (!changed.contains(weight) && graph.hasVariable(EmbeddingSite.copyOf(weight))) {
                    editor.rejoin(weight, EmbeddingSite.copyOf(weight));
                }
            }
        }
        editor.unfreeze(formerTrainables);
        editor.invalidate();
    }
}
