package dev.samediff.adapters.graph;

import dev.samediff.adapters.InvalidInputException;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;

/**
 * A loss and the variables it is differentiated by, as a graph had them at one moment. Whoever goes on to ask for gradients
 * after the graph has changed is told which of them is missing.
 *
 * @param graph the graph
 * @param present the loss and those of the trainables that the graph had
 */
public record Objective(SameDiff graph, Set<String> present) {
    /** Notes which of these the graph has: the loss, and trainables that are VARIABLEs. */
    public static Objective of(SameDiff graph, String loss, Collection<String> trainables) {
        Set<String> present = trainables.stream()
                .filter(name -> kind(graph, name).equals(VariableType.VARIABLE.name()))
                .collect(Collectors.toCollection(LinkedHashSet::new));
        if (graph.hasVariable(loss)) {
            present.add(loss);
        }
        return new Objective(graph, present);
    }

    /**
     * Refuses to go on if one of them is gone, or no longer what it was.
     *
     * @param loss the loss
     * @throws InvalidInputException that names it, says what has become of it and what to do
     */
    public void requirePresent(String loss) {
        for (String name : present) {
            String kind = kind(graph, name);
            boolean kept = name.equals(loss) ? !kind.isEmpty() : kind.equals(VariableType.VARIABLE.name());
            if (!kept) {
                List<String> now = new GraphEditor(graph).trainables();
                throw new InvalidInputException(
                        "the " + (name.equals(loss) ? "loss" : "trainable variable") + " `" + name
                                + "` " + (kind.isEmpty() ? "is no longer in the graph" : "is now a " + kind)
                                + ": the graph was changed after this engine was opened, as by activating other adapters or unloading"
                                + " them. Open a new engine or trainer; the graph's VARIABLEs are " + Names.some(now));
            }
        }
    }

    private static String kind(SameDiff graph, String name) {
        return graph.hasVariable(name)
                ? graph.getVariable(name).getVariableType().name()
                : "";
    }
}
