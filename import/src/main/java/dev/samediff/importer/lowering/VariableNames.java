package dev.samediff.importer.lowering;

import dev.samediff.importer.naming.GraphNames;
import java.util.HashSet;
import java.util.Set;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;

/** Gives variables the names of the values they hold, without colliding with names SameDiff made up. */
final class VariableNames {
    private final SameDiff graph;
    private final GraphNames names;
    private final Set<String> given = new HashSet<>();

    VariableNames(SameDiff graph, GraphNames names) {
        this.graph = graph;
        this.names = names;
    }

    /** Returns the name for a value that is about to be created. */
    String of(String raw) {
        String name = names.of(raw);
        makeWay(name);
        given.add(name);
        return name;
    }

    /** Names an operator's result after the value it holds; a second value it holds becomes an alias. */
    void name(SDVariable variable, String raw) {
        if (variable.getVariableType() != VariableType.ARRAY || given.contains(variable.name())) {
            names.alias(raw, variable.name());
            return;
        }
        rename(variable, names.of(raw));
    }

    /** Gives an output its own name; if the variable has another use, as a new variable. */
    void output(SDVariable variable, String raw) {
        String name = names.output(raw);
        if (variable.name().equals(name)) {
            return;
        }
        if (variable.getVariableType() == VariableType.ARRAY && !names.isOutput(variable.name())) {
            rename(variable, name);
        } else {
            makeWay(name);
            graph.identity(name, variable);
            given.add(name);
        }
        names.alias(raw, name);
    }

    private void rename(SDVariable variable, String name) {
        if (!variable.name().equals(name)) {
            makeWay(name);
            graph.renameVariable(variable.name(), name);
        }
        given.add(name);
    }

    private void makeWay(String name) {
        if (graph.hasVariable(name)) {
            String other = name + "_";
            while (graph.hasVariable(other)) {
                other += "_";
            }
            graph.renameVariable(name, other);
        }
    }
}
