package dev.samediff.importer;

import dev.samediff.importer.lowering.KnownSizes;
import dev.samediff.importer.tensor.Dim;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorShapeProto.Dimension;
import onnx.Onnx.ValueInfoProto;

/**
 * What open dimensions of inputs stand for where their names do not say it ({@code unk__12}, {@code dynamic_axes=[0, 1]}):
 * told by how they are used. Sizes that are combined element by element are one; a size that a stored tensor needs
 * (channels of a convolution, a table of positions that is added whole) is that; both axes of scores are the length of a
 * text. What is left is the batch on the axis that the batch is on, else a length.
 */
final class SizeRoles {
    private static final long LARGEST = 1 << 16;

    private final List<ValueInfoProto> inputs;
    private final OpenSizes sizes;
    private final Map<String, String> parents = new HashMap<>();
    private final Map<String, Long> fixed = new LinkedHashMap<>();
    private final Set<String> symbols = new LinkedHashSet<>();
    private final Set<String> texts = new LinkedHashSet<>();

    SizeRoles(GraphIndex graph, KnownSizes known) {
        this.inputs = graph.inputs();
        this.sizes = new OpenSizes(graph, known);
        inputs.forEach(input -> forEachOpen(input, (symbol, axis) -> symbols.add(symbol)));
        known.equal().forEach(this::join);
        known.equal().forEach(this::fix);
        graph.nodes().forEach(node -> fixBy(node, graph, known));
        known.ofValues().values().forEach(this::findText);
    }

    /** Takes an open dimension of an input. */
    private interface Open {
        void accept(String symbol, int axis);
    }

    private static void forEachOpen(ValueInfoProto input, Open open) {
        List<Dimension> dimensions = input.getType().getTensorType().getShape().getDimList();
        for (int axis = 0; axis < dimensions.size(); axis++) {
            if (dimensions.get(axis).getDimValue() <= 0) {
                open.accept(OpenSizes.symbol(input.getName(), axis, dimensions.get(axis)), axis);
            }
        }
    }

    private String root(String symbol) {
        String root = symbol;
        while (!parents.getOrDefault(root, root).equals(root)) {
            root = parents.getOrDefault(root, root);
        }
        return root;
    }

    private void join(KnownSizes.Equal equal) {
        Optional<String> left = equal.left().asSymbol().filter(symbols::contains);
        Optional<String> right = equal.right().asSymbol().filter(symbols::contains);
        if (left.isPresent() && right.isPresent()) {
            parents.put(root(left.get()), root(right.get()));
        }
    }

    private void fix(KnownSizes.Equal equal) {
        if (equal.right().isKnown()) {
            fix(equal.left(), equal.right().known());
        } else if (equal.left().isKnown()) {
            fix(equal.right(), equal.left().known());
        }
    }

    /** Finds the smallest size that makes another what it must be. */
    private void fix(Dim dim, long wanted) {
        Set<String> origins = sizes.origins(dim);
        String symbol = origins.size() == 1 ? origins.iterator().next() : "";
        if (!symbols.contains(symbol) || fixed.containsKey(root(symbol))) {
            return;
        }
        for (long size = 1; size <= LARGEST; size++) {
            if (sizes.number(dim, Map.of(symbol, size)).orElse(-1) == wanted) {
                fixed.put(root(symbol), size);
                return;
            }
        }
    }

    /** What is multiplied by a stored matrix, or goes through a convolution, has as many columns or channels as that. */
    private void fixBy(NodeProto node, GraphIndex graph, KnownSizes known) {
        boolean convolution = node.getOpType().equals("Conv");
        if (node.getInputCount() < 2 || !(convolution || node.getOpType().equals("MatMul"))) {
            return;
        }
        List<Dim> x = known.ofValues().getOrDefault(node.getInput(0), List.of());
        var weight = graph.constant(node.getInput(1));
        if (weight == null || x.size() < 2 || weight.getDimsCount() < 2) {
            return;
        }
        if (convolution) {
            fix(x.get(1), weight.getDims(1) * GraphIndex.attribute(node, "group", 1));
        } else {
            fix(x.get(x.size() - 1), weight.getDims(weight.getDimsCount() - 2));
        }
    }

    /** Scores of all pairs of tokens: two axes of one open size behind others. */
    private void findText(List<Dim> dims) {
        if (dims.size() < 3 || dims.get(dims.size() - 1).isKnown()) {
            return;
        }
        Optional<String> rows = dims.get(dims.size() - 2).asSymbol().filter(symbols::contains);
        Optional<String> columns = dims.get(dims.size() - 1).asSymbol().filter(symbols::contains);
        if (rows.isPresent() && columns.isPresent() && root(rows.get()).equals(root(columns.get()))) {
            texts.add(root(rows.get()));
        }
    }

    /** Returns these sizes with those of dimensions whose names say nothing, as far as they are not given by name. */
    InputSizes at(InputSizes general) {
        Map<String, Long> named = new LinkedHashMap<>();
        Map<String, Long> byRoot = new HashMap<>(fixed);
        symbols.stream()
                .filter(symbol -> general.named().containsKey(symbol))
                .forEach(symbol -> byRoot.put(
                        root(symbol), Objects.requireNonNull(general.named().get(symbol))));
        symbols.stream()
                .filter(InputSizes::isSpeaking)
                .forEach(symbol -> byRoot.putIfAbsent(root(symbol), general.size(symbol)));
        texts.forEach(symbol -> byRoot.putIfAbsent(symbol, general.sequence()));
        for (ValueInfoProto input : inputs) {
            boolean textFirst = isText(input, 0);
            forEachOpen(input, (symbol, axis) -> {
                boolean batch = axis == (textFirst ? 1 : 0);
                boolean past = input.getType().getTensorType().getShape().getDimCount() == 4 && axis == 2;
                byRoot.putIfAbsent(root(symbol), batch ? general.batch() : past ? general.past() : general.sequence());
            });
        }
        symbols.forEach(symbol -> {
            // a speaking name keeps its own meaning: lengths of encoder and decoder differ even if they may be equal
            boolean own = InputSizes.isSpeaking(symbol) && !fixed.containsKey(root(symbol));
            named.put(
                    symbol,
                    isTotal(symbol)
                            ? general.total()
                            : own ? general.size(symbol) : Objects.requireNonNull(byRoot.get(root(symbol))));
        });
        named.putAll(general.named());
        return general.withNamed(named);
    }

    /** The tokens of a past and those after it, as onnxruntime-genai names the length of their mask. */
    private boolean isTotal(String symbol) {
        return symbol.toLowerCase(Locale.ROOT).contains("total")
                && symbols.stream()
                        .anyMatch(other -> other.toLowerCase(Locale.ROOT).contains("past"));
    }

    private boolean isText(ValueInfoProto input, int wanted) {
        boolean[] found = new boolean[1];
        forEachOpen(input, (symbol, axis) -> found[0] |= axis == wanted && texts.contains(root(symbol)));
        return found[0];
    }
}
