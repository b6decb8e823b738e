package dev.samediff.adapters.graph;

import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;

/** Which embedding of a graph looks tokens up. */
public final class TokenTables {
    private static final String TOKENS = "input_ids";
    private static final Set<String> SIZES = Set.of("shape_of", "size_at", "size", "rank");

    private TokenTables() {}

    /**
     * Returns the embedding that is looked up by the input with {@code input_ids} in its name; without such an input the one with the most
     * rows, which a table of positions may have.
     *
     * @param what what it is wanted for, for messages
     * @param otherwise what to do if it cannot be told, likewise
     * @throws InvalidInputException if there is none, or several have as many rows
     */
    public static EmbeddingSite only(SameDiff graph, AdaptableLayers layers, String what, String otherwise) {
        List<EmbeddingSite> tables = layers.sites().stream()
                .filter(EmbeddingSite.class::isInstance)
                .map(EmbeddingSite.class::cast)
                .toList();
        List<EmbeddingSite> byTokens =
                tables.stream().filter(table -> isByTokens(graph, table)).toList();
        List<EmbeddingSite> candidates = byTokens.isEmpty() ? tables : byTokens;
        int most = candidates.stream().mapToInt(EmbeddingSite::in).max().orElse(0);
        List<EmbeddingSite> largest =
                candidates.stream().filter(table -> table.in() == most).toList();
        if (largest.size() == 1) {
            return largest.get(0);
        }
        throw new InvalidInputException(
                tables.isEmpty()
                        ? "this graph has no embedding, so it has no " + what
                        : "it is not clear which embedding has the " + what + ": "
                                + largest.stream().map(EmbeddingSite::module).toList() + " have " + most
                                + " rows each; " + otherwise);
    }

    private static boolean isByTokens(SameDiff graph, EmbeddingSite table) {
        return table.uses().stream().anyMatch(use -> {
            Deque<String> waiting = new ArrayDeque<>(Internals.inputs(Internals.op(graph, use.op())));
            Set<String> seen = new HashSet<>(List.of(table.weight()));
            while (!waiting.isEmpty()) {
                String value = waiting.remove();
                if (!seen.add(value)) {
                    continue;
                }
                if (graph.getVariable(value).getVariableType() == VariableType.PLACEHOLDER && value.contains(TOKENS)) {
                    return true;
                }
                String maker = Internals.variable(graph, value).getOutputOfOp();
                SameDiffOp op = maker == null ? null : Internals.op(graph, maker);
                if (op != null && !SIZES.contains(op.getOp().opName())) {
                    waiting.addAll(Internals.inputs(op));
                }
            }
            return false;
        });
    }
}
