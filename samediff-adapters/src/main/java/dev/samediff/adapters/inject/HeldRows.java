package dev.samediff.adapters.inject;

import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.graph.AdaptableSite;
import dev.samediff.adapters.graph.EmbeddingSite;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.graph.IdFloor;
import dev.samediff.adapters.graph.Orientation;
import dev.samediff.adapters.graph.RowBranches;
import dev.samediff.adapters.graph.TiedProducts;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Rows of an embedding's table, or all of it, that an adapter trains: a variable of its own, which takes their place in a branch
 * behind whatever reads the table. The graph keeps the caller's table, a constant; while adapters are merged it holds a copy with
 * the rows in it.
 */
public final class HeldRows {
    private final RowBranches branches;
    private final TiedProducts tied;
    private final Map<String, INDArray> originals = new LinkedHashMap<>();

    /**
     * @param branches which rows, and their variables
     * @param tied what else reads the table
     */
    HeldRows(RowBranches branches, TiedProducts tied) {
        this.branches = branches;
        this.tied = tied;
    }

    /** The name in an adapter's state: the table's in PyTorch, or that of virtual tokens. */
    String key() {
        return isPrompt() ? AdapterState.Whole.PROMPT : branches.table().module() + ".weight";
    }

    /** Tells whether the rows are those of virtual tokens, which are part of no table. */
    boolean isPrompt() {
        return branches.isPrompt();
    }

    EmbeddingSite table() {
        return branches.table();
    }

    /** Which rows of the table; empty means all of the tensor. */
    List<Integer> indices() {
        return isPrompt() ? List.of() : branches.indices();
    }

    /** The variable that is trained. */
    String variable() {
        return branches.rows();
    }

    /** The scalar that switches the branches. */
    String scale() {
        return branches.scale();
    }

    /** What is trained, where it lies. */
    INDArray value(SameDiff graph) {
        return graph.getVariable(variable()).getArr();
    }

    /** The variables that hold the table; no other adapter may change them at the same time. */
    List<String> tables() {
        List<String> tables = new ArrayList<>(List.of(table().weight()));
        tied.copies().forEach(copy -> tables.add(copy.weight()));
        return tables;
    }

    /** Puts the branches in. */
    List<GraphEditor.Insertion> insert(GraphEditor editor, SameDiff graph, String adapter) {
        if (isPrompt()) {
            new IdFloor(table()).put(editor, graph);
        }
        List<GraphEditor.Insertion> insertions = new ArrayList<>();
        for (AdaptableSite.Use use : table().uses()) {
            insertions.add(editor.insert(
                    use.output(),
                    base(graph, use, adapter),
                    output -> branches.ofLookup(use, output, prefix(use, adapter))));
        }
        for (AdaptableSite.Use use : tied.uses()) {
            insertions.add(editor.insert(
                    use.output(),
                    base(graph, use, adapter),
                    output -> branches.ofProduct(use, output, prefix(use, adapter))));
        }
        return insertions;
    }

    private static String base(SameDiff graph, AdaptableSite.Use use, String adapter) {
        String base = use.output() + "/base";
        if (graph.hasVariable(base)) {
            base = base + "." + adapter;
        }
        return graph.hasVariable(base) ? base + ".rows" : base; // factors of the same adapter are there
    }

    private static String prefix(AdaptableSite.Use use, String adapter) {
        return use.output() + "/" + adapter + "/rows/";
    }

    boolean isMerged() {
        return !originals.isEmpty();
    }

    /** Puts the caller's arrays back. */
    void withdraw(SameDiff graph, GraphEditor editor) {
        originals.forEach((name, array) -> {
            if (graph.hasVariable(name)) { // a copy of the table is gone with the adapter that asked for it
                editor.replaceArray(name, array);
            }
        });
        originals.clear();
    }

    /** Lets the graph compute with the rows: beside the table, in it, or not at all. */
    void show(HeldTensor.Shown wanted, SameDiff graph, GraphEditor editor) {
        if (wanted != HeldTensor.Shown.MERGED) {
            withdraw(graph, editor);
        } else if (!isMerged()) {
            Map<String, INDArray> merged = merged(graph);
            merged.forEach((name, array) -> originals.put(name, editor.replaceArray(name, array)));
        }
        editor.setScalar(scale(), wanted == HeldTensor.Shown.TRAINED ? 1 : 0);
    }

    /** New arrays with the rows in them, by variable, for everything that reads the table. */
    Map<String, INDArray> merged(SameDiff graph) {
        Map<String, INDArray> merged = new LinkedHashMap<>();
        merged.put(table().weight(), merged(graph, table().weight(), true));
        tied.copies()
                .forEach(copy -> merged.put(
                        copy.weight(), merged(graph, copy.weight(), copy.orientation() == Orientation.OUT_IN)));
        String copy = table().copy();
        if (!tied.uses().isEmpty() && graph.hasVariable(copy)) { // asked for by factors of another adapter
            merged.put(copy, merged(graph, copy, true));
        }
        return merged;
    }

    private INDArray merged(SameDiff graph, String name, boolean rowsFirst) {
        INDArray rows = value(graph);
        if (indices().isEmpty()) {
            return rows.dup('c');
        }
        INDArray former = originals.get(name);
        INDArray result = (former == null ? graph.getVariable(name).getArr() : former).dup('c');
        INDArray table = rowsFirst ? result : result.transpose();
        for (int i = 0; i < indices().size(); i++) {
            table.putRow(indices().get(i), rows.getRow(i));
        }
        return result;
    }
}
