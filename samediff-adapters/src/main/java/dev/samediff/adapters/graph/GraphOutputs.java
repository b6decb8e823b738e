package dev.samediff.adapters.graph;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;

/** What a graph computes, for messages. {@code SameDiff.outputs()} is null unless somebody has set it. */
public final class GraphOutputs {
    private GraphOutputs() {}

    /** Returns the outputs that were set, and the computed variables that no op reads, in the order of the graph. */
    public static Set<String> of(SameDiff graph) {
        Set<String> outputs = new LinkedHashSet<>();
        List<String> set = graph.outputs();
        if (set != null) {
            outputs.addAll(set);
        }
        graph.variables().stream()
                .filter(variable -> variable.getVariableType() == VariableType.ARRAY)
                .map(SDVariable::name)
                .filter(name -> Internals.readers(graph, name).isEmpty())
                .forEach(outputs::add);
        return outputs;
    }

    /** Returns the outputs as text, separated by commas. */
    public static String text(SameDiff graph) {
        return Names.some(of(graph));
    }
}
