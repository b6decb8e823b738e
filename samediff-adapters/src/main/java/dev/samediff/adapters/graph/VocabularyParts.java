package dev.samediff.adapters.graph;

import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;

/**
 * All that a graph stores of its vocabulary: the table that tokens are looked up in, the heads that score them, and the vectors that are
 * added to the scores.
 *
 * @param table the table [V,D]
 * @param heads linear layers [D,V] with an array of their own whose result no other layer reads, those that hold the table's numbers (tied)
 *     among them
 * @param vectors variables of V numbers that are combined with the scores, such as a bias
 */
public record VocabularyParts(EmbeddingSite table, List<LinearSite> heads, List<String> vectors) {
    /**
     * Finds them.
     *
     * @param graph a graph without adapters
     * @param modulePathsByWeight module paths by weight variable
     * @throws InvalidInputException if it cannot be told which table is the vocabulary's, or something of the graph says the vocabulary's size
     *     beside what is stored for each token
     */
    public static VocabularyParts of(SameDiff graph, Map<String, String> modulePathsByWeight) {
        AdaptableLayers layers = AdaptableLayers.of(graph, modulePathsByWeight);
        EmbeddingSite table = TokenTables.only(
                graph, layers, "vocabulary to resize", "resize the vocabulary before the model is exported");
        TiedProducts tied = TiedProducts.of(graph, table, layers);
        Search search = new Search(graph, layers, table);
        tied.uses().forEach(use -> search.walk(use.output()));
        List<LinearSite> heads = new ArrayList<>(tied.copies());
        layers.sites().stream()
                .filter(LinearSite.class::isInstance)
                .map(LinearSite.class::cast)
                .filter(site -> site.out() == table.in() && !heads.contains(site) && search.isLast(site))
                .forEach(heads::add);
        heads.forEach(head -> head.uses().forEach(use -> search.walk(use.output())));
        return new VocabularyParts(table, heads, List.copyOf(search.vectors));
    }

    /** Follows scores to the end of the graph. */
    private static final class Search {
        private final SameDiff graph;
        private final long size;
        private final Set<String> layerOps = new LinkedHashSet<>();
        private final Set<String> vectors = new LinkedHashSet<>();
        private final Set<String> seen = new LinkedHashSet<>();

        Search(SameDiff graph, AdaptableLayers layers, EmbeddingSite table) {
            this.graph = graph;
            this.size = table.in();
            layers.sites().forEach(site -> site.uses().forEach(use -> layerOps.add(use.op())));
        }

        private List<String> outputs(String op) {
            List<String> outputs = Internals.op(graph, op).getOutputsOfOp();
            return outputs == null ? List.of() : outputs;
        }

        /** Tells whether no other layer reads what a layer computes. */
        boolean isLast(LinearSite site) {
            Set<String> reached = new LinkedHashSet<>();
            Deque<String> waiting = new ArrayDeque<>();
            site.uses().forEach(use -> waiting.add(use.output()));
            while (!waiting.isEmpty()) {
                for (String reader : Internals.readers(graph, waiting.remove())) {
                    if (layerOps.contains(reader)) {
                        return false;
                    }
                    if (reached.add(reader)) {
                        waiting.addAll(outputs(reader));
                    }
                }
            }
            return true;
        }

        /** Looks at everything that is computed from scores. */
        void walk(String scores) {
            Deque<String> waiting = new ArrayDeque<>(List.of(scores));
            while (!waiting.isEmpty()) {
                String value = waiting.remove();
                for (String reader : Internals.readers(graph, value)) {
                    if (seen.add(reader)) {
                        look(reader);
                        waiting.addAll(outputs(reader));
                    }
                }
            }
        }

        private void look(String name) {
            SameDiffOp op = Internals.op(graph, name);
            if (op.getOp() instanceof DynamicCustomOp custom
                    && Arrays.stream(custom.iArgs()).anyMatch(argument -> argument == size)) {
                throw fixed(name, "its arguments " + Arrays.toString(custom.iArgs()));
            }
            for (String input : Internals.inputs(op)) {
                stored(input).ifPresent(array -> {
                    if (array.dataType().isFPType()
                            && array.length() == size
                            && array.rank() > 0
                            && array.size(array.rank() - 1) == size) {
                        vectors.add(input);
                    } else if (array.dataType().isFPType()
                            && Arrays.stream(array.shape()).anyMatch(axis -> axis == size)) {
                        throw fixed(name, "`" + input + "` " + Arrays.toString(array.shape()));
                    }
                });
                requireNoSize(name, input);
            }
        }

        /** Whole numbers that a shape is computed from. */
        private void requireNoSize(String op, String input) {
            Deque<String> waiting = new ArrayDeque<>(List.of(input));
            Set<String> looked = new LinkedHashSet<>();
            while (!waiting.isEmpty()) {
                String value = waiting.remove();
                if (!graph.getVariable(value).dataType().isIntType() || !looked.add(value)) {
                    continue;
                }
                stored(value)
                        .filter(array ->
                                Arrays.stream(array.dup('c').data().asLong()).anyMatch(number -> number == size))
                        .ifPresent(array -> {
                            throw fixed(op, "`" + value + "`");
                        });
                String maker = Internals.variable(graph, value).getOutputOfOp();
                if (maker != null) {
                    waiting.addAll(Internals.inputs(Internals.op(graph, maker)));
                }
            }
        }

        private InvalidInputException fixed(String op, String where) {
            return new InvalidInputException("the vocabulary of " + size + " tokens cannot be resized: the op `" + op
                    + "`, which the scores go through, has that number in " + where
                    + "; of an imported model call ImportedModel.resizeTokenEmbeddings, in a graph of your own take the"
                    + " size from the scores (resize_token_embeddings before the model is exported does it too)");
        }

        private Optional<INDArray> stored(String name) {
            SDVariable variable = graph.getVariable(name);
            boolean stored = variable.getVariableType() == VariableType.CONSTANT
                    || variable.getVariableType() == VariableType.VARIABLE;
            return stored ? Optional.ofNullable(variable.getArr()) : Optional.empty();
        }
    }

    /** Returns the names of all variables that have something for each token. */
    public List<String> variables() {
        return Stream.of(Stream.of(table.weight()), heads.stream().map(LinearSite::weight), vectors.stream())
                .flatMap(names -> names)
                .toList();
    }
}
