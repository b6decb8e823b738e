package dev.samediff.adapters.inject;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.GraphAudit;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.graph.Names;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SameDiff;

/** The loss variables of a graph with adapters: the task's losses and the active adapters' penalties. */
public final class AdapterLosses {
    private final SameDiff graph;
    private final GraphEditor editor;
    private final AdapterSet adapters;
    private @Nullable Double peak;

    public AdapterLosses(SameDiff graph, GraphEditor editor, AdapterSet adapters) {
        this.graph = graph;
        this.editor = editor;
        this.adapters = adapters;
    }

    /** The graph's loss variables without the penalties. */
    public List<String> tasks() {
        List<String> losses = new ArrayList<>(graph.getLossVariables());
        for (Adapter adapter : adapters.all()) {
            Adapter.PenaltyTerm term = adapter.penalty();
            if (term != null) {
                losses.remove(term.variable());
            }
        }
        return losses;
    }

    /** The given losses and the active adapters' penalties. */
    public List<String> withPenalties(List<String> tasks) {
        List<String> losses = new ArrayList<>(tasks);
        for (Adapter adapter : adapters.active()) {
            Adapter.PenaltyTerm term = adapter.penalty();
            if (term != null && !losses.contains(term.variable())) {
                losses.add(term.variable());
            }
        }
        return losses;
    }

    /** Refuses a loss that the graph does not have. */
    public void requireExists(String task) {
        if (!graph.hasVariable(task)) {
            List<String> outputs = graph.outputs();
            throw new InvalidInputException("the graph has no variable `" + task
                    + "` to use as the loss; its last variables are "
                    + Names.some(
                            !graph.getLossVariables().isEmpty()
                                    ? graph.getLossVariables()
                                    : outputs == null ? List.of() : outputs));
        }
    }

    /** Refuses losses with a wrong gradient on the way to variables. */
    public void requireSafe(List<String> tasks, List<String> trainables) {
        for (String task : tasks) {
            GraphAudit.requireSafe(graph, List.of(task), trainables);
        }
    }

    /** Sets the graph's losses, after a look at the gradients on the way to the adapters. */
    public void use(List<String> tasks) {
        requireSafe(tasks, adapters.trainableNames());
        editor.setLosses(withPenalties(tasks));
    }

    /** Sets the peak learning rate, by which the penalties of all adapters are divided as long as they are active. */
    public void peakLearningRate(double etaMax) {
        if (!(etaMax > 0) || Double.isInfinite(etaMax)) {
            throw new InvalidInputException(
                    "the peak learning rate " + etaMax + " is not a positive number; the penalty is divided by it");
        }
        peak = etaMax;
        refresh();
    }

    /** Sets the coefficients of the active adapters' penalties as soon as that is known, of others to 0. */
    public void refresh() {
        Double etaMax = peak;
        for (Adapter adapter : adapters.all()) {
            Adapter.PenaltyTerm term = adapter.penalty();
            if (term != null) {
                editor.setScalar(
                        term.coefficient(),
                        etaMax != null && adapters.isActive(adapter)
                                ? term.penalty().coefficient(etaMax)
                                : 0);
            }
        }
    }
}
