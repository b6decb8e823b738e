package dev.samediff.importer.naming;

import dev.samediff.importer.onnx.OnnxGraph;
import dev.samediff.importer.onnx.OnnxNode;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Names in the SameDiff graph: unique, without characters SameDiff cannot bear, and recovered for linear layers and
 * embeddings.
 */
public final class GraphNames {
    private final Map<String, String> byRaw = new LinkedHashMap<>();
    private final Map<String, String> moduleByTensor = new LinkedHashMap<>();
    private final Map<String, String> outputs = new LinkedHashMap<>();
    private final Set<String> taken = new HashSet<>();
    private final Prefixes prefixes;
    private final ExportedAdapters adapters;
    private final Map<String, Integer> last = new HashMap<>();

    /** Names inputs and outputs first, then linear layers and embeddings, then everything else on demand. */
    public GraphNames(OnnxGraph graph, WeightRoles roles) {
        graph.inputs().forEach(input -> of(input.name()));
        graph.outputs().forEach(output -> outputs.put(output.name(), of(output.name())));
        Set<String> paths = new HashSet<>();
        this.prefixes = Prefixes.of(graph);
        this.adapters = ExportedAdapters.of(roles.linears(), prefixes);
        for (LinearUse use : roles.linears()) {
            if (!moduleByTensor.containsKey(use.weight())) {
                name(use, roles.isTable(use.weight()), paths);
            }
        }
        for (LinearUse use : roles.experts()) {
            if (!moduleByTensor.containsKey(use.weight()) && !roles.isTable(use.weight())) {
                nameExperts(use, paths);
            }
        }
        roles.tables().forEach((table, gather) -> nameTable(table, gather, paths));
    }

    private void nameTable(String table, OnnxNode gather, Set<String> linears) {
        if (!byRaw.containsKey(table)) {
            ModulePaths.ofTable(table, gather, linears, prefixes)
                    .map(GraphNames::sanitised)
                    .ifPresent(path -> byRaw.put(table, unique(path + ".weight")));
        }
    }

    /** Experts are a parameter with a name of its own, such as {@code experts.gate_up_proj}; if that is lost, the node tells. */
    private void nameExperts(LinearUse use, Set<String> paths) {
        String stored = ModulePaths.unquantised(use.weight());
        boolean named = stored.indexOf('.') > 0 && !stored.startsWith("onnx::") && !stored.endsWith(".weight");
        String path = named ? sanitised(stored) : "";
        if (named && paths.add(path)) {
            moduleByTensor.put(use.weight(), path);
            byRaw.computeIfAbsent(use.weight(), raw -> unique(path));
        } else {
            name(use, false, paths);
        }
    }

    private void name(LinearUse use, boolean table, Set<String> paths) {
        String path = adapters.get(use.weight())
                .or(() -> ModulePaths.of(use, !table, prefixes))
                .map(GraphNames::sanitised)
                .orElse(sanitised(ModulePaths.unquantised(use.weight())));
        String unique = path;
        for (int i = 1; !paths.add(unique); i++) {
            unique = path + "_" + i;
        }
        moduleByTensor.put(use.weight(), unique);
        if (!table && !byRaw.containsKey(use.weight())) {
            byRaw.put(use.weight(), unique(unique + ".weight"));
        }
        if (use.bias() != null && !byRaw.containsKey(use.bias())) {
            byRaw.put(use.bias(), unique(unique + ".bias"));
        }
    }

    /** Returns the graph's name for a value of the file, the same at every call. */
    public String of(String raw) {
        String known = byRaw.get(raw);
        if (known == null) {
            known = unique(sanitised(raw));
            byRaw.put(raw, known);
        }
        return known;
    }

    /** Returns the graph's name of an output. */
    public String output(String raw) {
        String name = outputs.get(raw);
        if (name == null) {
            throw new IllegalArgumentException("'" + raw + "' is not an output");
        }
        return name;
    }

    /** Tells whether a name of the graph belongs to an output. */
    public boolean isOutput(String graphName) {
        return outputs.containsValue(graphName);
    }

    /** Records that a value of the file is a variable that already has a name. */
    public void alias(String raw, String graphName) {
        byRaw.put(raw, graphName);
    }

    /** Returns the module path of a stored matrix that is a linear layer's weight. */
    public String module(String tensor) {
        return moduleByTensor.getOrDefault(tensor, tensor);
    }

    /** Returns the graph's names by the names in the file. */
    public Map<String, String> byRawName() {
        return byRaw;
    }

    private String unique(String wanted) {
        String name = wanted;
        while (!taken.add(name)) {
            name = wanted + "_" + last.merge(wanted, 1, Integer::sum);
        }
        return name;
    }

    /** Returns a name of the file without characters SameDiff cannot bear: ":" separates output numbers. */
    public static String sanitised(String raw) {
        return raw.replaceAll("[:\\s]+", "_");
    }
}
