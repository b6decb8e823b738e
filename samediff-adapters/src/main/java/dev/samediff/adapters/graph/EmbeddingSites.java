package dev.samediff.adapters.graph;

import dev.samediff.adapters.SiteKind;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.impl.reduce.Mmul;

/** Finds the embeddings of a graph: a gather of whole rows of a rank-2 floating-point VARIABLE or CONSTANT. */
public final class EmbeddingSites {
    private static final Set<String> PRODUCTS = Set.of("matmul", "mmul");
    private static final Set<String> TURNS = Set.of("permute", "transpose");

    private final SameDiff graph;
    private final Map<String, String> modulePathsByWeight;
    private final Map<String, List<AdaptableSite.Use>> lookups = new LinkedHashMap<>();
    private final Map<String, String> reasons = new LinkedHashMap<>();

    private EmbeddingSites(SameDiff graph, Map<String, String> modulePathsByWeight) {
        this.graph = graph;
        this.modulePathsByWeight = modulePathsByWeight;
    }

    /** Returns the embeddings that can be adapted; module paths are the tables' names without {@code .weight}. */
    public static List<EmbeddingSite> scan(SameDiff graph) {
        return layers(graph, Map.of()).sites();
    }

    /**
     * Returns the embeddings that can be adapted.
     *
     * @param graph the graph, not modified
     * @param modulePathsByWeight module path by variable; a table that is not in it, or that a matmul uses too (the path is
     *     that of the linear layer then), is named by its variable
     */
    public static List<EmbeddingSite> scan(SameDiff graph, Map<String, String> modulePathsByWeight) {
        return layers(graph, modulePathsByWeight).sites();
    }

    /** The embeddings that can be adapted, and the tables that cannot. */
    record Embeddings(List<EmbeddingSite> sites, List<LinearLayers.Rejected> rejected) {}

    static Embeddings layers(SameDiff graph, Map<String, String> modulePathsByWeight) {
        EmbeddingSites scan = new EmbeddingSites(graph, modulePathsByWeight);
        graph.getOps().values().forEach(scan::look);
        return scan.collect();
    }

    private void look(SameDiffOp op) {
        List<String> inputs = Internals.inputs(op);
        String type = op.getOp().opName();
        boolean gather = type.equals("gather");
        if (!(gather || type.equals("embedding_lookup")) || inputs.size() < 2 || !isTable(inputs.get(0))) {
            return;
        }
        String table = inputs.get(0);
        SDVariable ids = graph.getVariable(inputs.get(1));
        if (!gather || inputs.size() != 2 || !alongRows(op)) {
            reasons.putIfAbsent(
                    table,
                    "the op `" + op.getName() + "` (" + type + ") does not look up whole rows by one tensor of whole"
                            + " numbers; use gather along axis 0");
        } else if (!ids.dataType().isIntType()) {
            reasons.putIfAbsent(
                    table,
                    "the op `" + op.getName() + "` looks rows up by `" + ids.name() + "` of type " + ids.dataType()
                            + "; cast it to INT or LONG");
        } else {
            lookups.computeIfAbsent(table, t -> new ArrayList<>())
                    .add(new AdaptableSite.Use(
                            op.getName(), ids.name(), op.getOutputsOfOp().get(0)));
        }
    }

    private static boolean alongRows(SameDiffOp op) {
        long[] arguments = op.getOp() instanceof CustomOp custom ? custom.iArgs() : new long[0];
        return arguments.length == 1 && (arguments[0] == 0 || arguments[0] == -2);
    }

    private Embeddings collect() {
        List<EmbeddingSite> sites = new ArrayList<>();
        Set<String> modules = new HashSet<>();
        lookups.forEach((table, uses) -> {
            if (reasons.containsKey(table)) {
                return;
            }
            Set<String> others = new LinkedHashSet<>(Internals.readers(graph, table));
            uses.forEach(use -> others.remove(use.op()));
            String module = path(table, others);
            if (!modules.add(module)) {
                module = table;
                modules.add(module);
            }
            long[] shape = graph.getVariable(table).getArr().shape();
            List<AdaptableSite.Use> products = new ArrayList<>();
            List<String> foreign = new ArrayList<>();
            others.forEach(other -> sort(table, Internals.op(graph, other), products, foreign));
            sites.add(new EmbeddingSite(
                    module, table, (int) shape[0], (int) shape[1], uses, List.copyOf(others), products, foreign));
        });
        List<LinearLayers.Rejected> rejected = reasons.entrySet().stream()
                .map(e -> new LinearLayers.Rejected(
                        path(e.getKey(), Set.copyOf(Internals.readers(graph, e.getKey()))),
                        e.getKey(),
                        e.getValue(),
                        SiteKind.EMBEDDING))
                .toList();
        return new Embeddings(sites, rejected);
    }

    /** Sorts what reads a table: products with its transpose, written in one way or the other, and anything else. */
    private void sort(String table, SameDiffOp op, List<AdaptableSite.Use> products, List<String> foreign) {
        if (TURNS.contains(op.getOp().opName())) {
            String turned = op.getOutputsOfOp().get(0);
            Internals.readers(graph, turned)
                    .forEach(reader -> sort(Internals.op(graph, reader), turned, false, products, foreign));
        } else {
            sort(op, table, true, products, foreign);
        }
    }

    private static void sort(
            SameDiffOp op, String weight, boolean turned, List<AdaptableSite.Use> products, List<String> foreign) {
        List<String> inputs = Internals.inputs(op);
        long[] flags = op.getOp() instanceof Mmul mmul ? mmul.iArgs() : new long[0];
        boolean product = PRODUCTS.contains(op.getOp().opName())
                && inputs.get(1).equals(weight)
                && !inputs.get(0).equals(weight)
                && !(flags.length > 0 && flags[0] != 0)
                && (flags.length > 1 && flags[1] != 0) == turned
                && !(flags.length > 2 && flags[2] != 0);
        if (product) {
            products.add(new AdaptableSite.Use(
                    op.getName(), inputs.get(0), op.getOutputsOfOp().get(0)));
        } else {
            foreign.add("`" + op.getName() + "` (" + op.getOp().opName() + ")");
        }
    }

    private String path(String table, Set<String> readers) {
        boolean tied = readers.stream()
                .anyMatch(
                        op -> PRODUCTS.contains(Internals.op(graph, op).getOp().opName()));
        String path = tied ? null : modulePathsByWeight.get(table);
        return path == null ? LinearSites.modulePath(table) : path;
    }

    private boolean isTable(String name) {
        return LinearSites.isWeight(graph.getVariable(name));
    }
}
