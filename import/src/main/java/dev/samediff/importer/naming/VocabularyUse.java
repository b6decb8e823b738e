package dev.samediff.importer.naming;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.naming.StoredRoots.Root;
import dev.samediff.importer.onnx.OnnxGraph;
import dev.samediff.importer.onnx.OnnxNode;
import dev.samediff.importer.onnx.OnnxTensor;
import dev.samediff.importer.onnx.VocabularyEdit;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Finds all that a graph says of its vocabulary's size: the tables that tokens are looked up in, the last linear layers, which score
 * tokens, what is combined with the scores, and whole numbers beside them.
 */
public final class VocabularyUse {
    private static final Set<String> SIZES_ONLY = Set.of("Shape", "Size", "ArgMax", "ArgMin", "TopK", "NonZero");

    private final OnnxGraph graph;
    private final WeightRoles roles;
    private final ValueFlow flow;
    private final Map<String, Integer> axes = new LinkedHashMap<>();
    private final Set<String> numbers = new LinkedHashSet<>();
    private final Set<String> nodes = new LinkedHashSet<>();
    private final Set<String> scores = new LinkedHashSet<>();
    private long size;

    private VocabularyUse(OnnxGraph graph, WeightRoles roles) {
        this.graph = graph;
        this.roles = roles;
        this.flow = new ValueFlow(graph);
    }

    /**
     * Finds what changes with the vocabulary.
     *
     * @param graph the graph
     * @param roles what its stored tensors are
     * @throws InvalidInputException if there is no one table, or the size is part of something that cannot be changed
     */
    public static VocabularyEdit of(OnnxGraph graph, WeightRoles roles) {
        VocabularyUse use = new VocabularyUse(graph, roles);
        use.tables();
        use.heads();
        use.requireOwnNumbers();
        return new VocabularyEdit(use.size, use.axes, use.numbers, use.nodes, use.scores);
    }

    private void tables() {
        Map<String, OnnxNode> matrices = new LinkedHashMap<>(roles.tables());
        matrices.keySet().removeIf(name -> shape(name).length != 2);
        if (matrices.isEmpty()) {
            throw new InvalidInputException(
                    "the model looks no tokens up in a table, so it has no vocabulary to resize");
        }
        Map<String, OnnxNode> byTokens = new LinkedHashMap<>(matrices);
        byTokens.values()
                .removeIf(lookup -> flow.sources(index(lookup)).stream().noneMatch(VocabularyUse::isTokens));
        Map<String, OnnxNode> candidates = byTokens.isEmpty() ? matrices : byTokens;
        size = candidates.keySet().stream()
                .mapToLong(name -> shape(name)[0])
                .max()
                .orElseThrow();
        candidates.keySet().removeIf(name -> shape(name)[0] != size);
        requireOne(candidates.keySet());
        candidates.forEach((table, lookup) -> {
            axes.put(table, 0);
            for (OnnxNode reader : graph.nodes()) {
                boolean same = roles.roots()
                        .of(reader.input(0))
                        .filter(root -> root.tensor().name().equals(table))
                        .isPresent();
                if (same && reader.operator().equals("Gather")) {
                    numbersBefore(reader, reader.input(1), size - 1);
                }
            }
        });
    }

    private static String index(OnnxNode lookup) {
        return lookup.operator().equals("Gather") ? lookup.input(1) : lookup.input(0);
    }

    private static boolean isTokens(String input) {
        return input.contains("input_ids");
    }

    /** Several tables must hold the same numbers: one vocabulary, stored for encoder and decoder. */
    private void requireOne(Collection<String> tables) {
        OnnxTensor first = tensor(tables.iterator().next());
        List<String> others = tables.stream()
                .filter(name -> !first.holdsTheSame(tensor(name)))
                .toList();
        if (!others.isEmpty()) {
            throw new InvalidInputException("it is not clear which table is the vocabulary's: " + tables + " have "
                    + size + " rows each and other numbers; resize the vocabulary before the model is exported"
                    + " (resize_token_embeddings)");
        }
    }

    private long[] shape(String tensor) {
        return tensor(tensor).shape();
    }

    private OnnxTensor tensor(String name) {
        return Objects.requireNonNull(graph.tensor(name), name);
    }

    private void heads() {
        Set<OnnxNode> layers = new LinkedHashSet<>();
        roles.linears().forEach(use -> layers.add(use.node()));
        for (LinearUse use : roles.linears()) {
            long[] matrix = Optional.ofNullable(roles.matrix(use.weight())).orElse(shape(use.weight()));
            Set<OnnxNode> after = flow.after(use.node());
            if (matrix.length == 2
                    && matrix[use.transposed() ? 0 : 1] == size
                    && after.stream().noneMatch(layers::contains)) {
                axes.put(use.weight(), use.transposed() ? 0 : 1);
                scores(use.node(), after);
            }
        }
    }

    /** Looks at what scores go through: the head itself, whose bias is one of its inputs, and all nodes behind it. */
    private void scores(OnnxNode head, Set<OnnxNode> after) {
        scores.addAll(head.outputs());
        after.forEach(node -> scores.addAll(node.outputs()));
        if (head.operator().endsWith("Gemm")) {
            combined(head, head.input(2));
        }
        for (OnnxNode node : after) {
            nodes.add(node.output(0));
            requireNoSize(node);
            node.inputs().stream().filter(input -> !scores.contains(input)).forEach(input -> combined(node, input));
        }
    }

    /** Numbers that a node combines with scores. */
    private void combined(OnnxNode node, String input) {
        Optional<Root> stored = roles.roots().of(input);
        if (stored.isEmpty() || !stored.get().tensor().type().isFPType()) {
            numbersBefore(node, input, size);
            return;
        }
        OnnxTensor tensor = stored.get().tensor();
        long[] shape = tensor.shape();
        if (tensor.length() == size && shape.length > 0 && shape[shape.length - 1] == size) {
            axes.put(tensor.name(), shape.length - 1);
        } else if (Arrays.stream(shape).anyMatch(axis -> axis == size)) {
            throw fixed(node, "the tensor `" + tensor.name() + "` " + Arrays.toString(shape));
        }
    }

    private void requireNoSize(OnnxNode node) {
        boolean said = node.attributes().stream()
                .anyMatch(attribute ->
                        attribute.getI() == size || attribute.getIntsList().contains(size));
        if (said) {
            throw fixed(node, "an attribute");
        }
    }

    /**
     * Finds the size among whole numbers that an input is computed from.
     *
     * @param last a number that may not be there beside it, such as the last token, to which others are cut
     */
    private void numbersBefore(OnnxNode reader, String input, long last) {
        nodes.add(reader.output(0));
        Deque<String> waiting = new ArrayDeque<>(List.of(input));
        Set<String> looked = new LinkedHashSet<>();
        while (!waiting.isEmpty()) {
            String value = waiting.remove();
            if (value.isEmpty() || scores.contains(value) || !looked.add(value)) {
                continue;
            }
            OnnxTensor stored = graph.tensor(value);
            OnnxNode writer = flow.writer(value);
            if (stored != null && !stored.type().isFPType()) {
                number(reader, stored, last);
            } else if (stored != null) {
                combinedConstant(reader, stored);
            } else if (writer != null && !SIZES_ONLY.contains(writer.operator()) && !flow.isActivation(value)) {
                nodes.add(writer.output(0));
                requireNoSize(writer);
                waiting.addAll(writer.inputs());
            }
        }
    }

    /** A tensor of real numbers on the way of a mask or the like has to be found by its place; only a single number is no size. */
    private void combinedConstant(OnnxNode reader, OnnxTensor stored) {
        if (Arrays.stream(stored.shape()).anyMatch(axis -> axis == size)) {
            throw fixed(reader, "the tensor `" + stored.name() + "` " + Arrays.toString(stored.shape()));
        }
    }

    private void number(OnnxNode reader, OnnxTensor stored, long last) {
        boolean cut = last != size
                && stored.toHost().stream()
                        .flatMapToLong(host -> Arrays.stream(host.asLongs()))
                        .anyMatch(number -> number == last);
        if (cut) {
            throw new InvalidInputException(
                    "the vocabulary of " + size + " tokens cannot be resized: the node " + reader
                            + " looks up tokens that are computed with the number " + last + " (`" + stored.name()
                            + "`), the last of them; resize it before the model is exported (resize_token_embeddings)");
        }
        long found = stored.toHost().stream()
                .flatMapToLong(host -> Arrays.stream(host.asLongs()))
                .filter(number -> number == size)
                .count();
        if (found > 1 || (found == 1 && flow.readers(stored.name()).isEmpty())) {
            throw fixed(reader, "the numbers `" + stored.name() + "`, more than once");
        }
        if (found == 1) {
            numbers.add(stored.name());
        }
    }

    /** What is made of a number must be read by what is known to mean the vocabulary: exporters share equal shapes. */
    private void requireOwnNumbers() {
        for (String number : numbers) {
            for (OnnxNode reader : flow.readers(number)) {
                if (!nodes.contains(reader.output(0)) || scores.contains(reader.output(0))) {
                    continue; // it keeps the old number, or is one of the scores
                }
                reader.outputs().stream()
                        .flatMap(output -> flow.readers(output).stream())
                        .filter(other -> !nodes.contains(other.output(0)))
                        .findFirst()
                        .ifPresent(other -> {
                            throw fixed(other, "the numbers of " + reader + ", which it shares with the scores");
                        });
            }
        }
    }

    private InvalidInputException fixed(OnnxNode node, String where) {
        return new InvalidInputException("the vocabulary of " + size + " tokens cannot be resized: the node " + node
                + " has that number in " + where
                + "; resize it before the model is exported (resize_token_embeddings), or export the model so that the"
                + " size is taken from the scores");
    }
}
