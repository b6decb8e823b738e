package dev.samediff.importer;

import dev.samediff.importer.lowering.KnownSizes;
import dev.samediff.importer.onnx.OnnxNode;
import dev.samediff.importer.tensor.Dim;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;
import onnx.Onnx.TensorShapeProto.Dimension;
import onnx.Onnx.ValueInfoProto;
import org.jspecify.annotations.Nullable;

/** The sizes of a graph's values as numbers, once those of its inputs are: sums, products, and what windows leave. */
final class OpenSizes {
    private static final Set<String> WINDOWS = Set.of("Conv", "MaxPool", "AveragePool", "LpPool");
    private static final int DEEPEST = 64;

    private final KnownSizes known;
    private final List<ValueInfoProto> inputs;
    private final Map<String, Window> windows = new HashMap<>();

    /** The size of an axis that windows move over. */
    private record Window(Dim from, long span, long stride, long pads, boolean same) {
        long places(long size) {
            return same ? (size + stride - 1) / stride : Math.floorDiv(size + pads - span, stride) + 1;
        }
    }

    OpenSizes(GraphIndex graph, KnownSizes known) {
        this.known = known;
        this.inputs = graph.inputs();
        graph.nodes().stream()
                .filter(node -> WINDOWS.contains(node.getOpType()) && node.getOutputCount() > 0)
                .forEach(node -> addWindows(node, graph));
    }

    private void addWindows(NodeProto proto, GraphIndex graph) {
        OnnxNode node = new OnnxNode(proto);
        List<Dim> from = known.ofValues().get(node.input(0));
        List<Dim> to = known.ofValues().get(node.output(0));
        if (from == null || to == null || from.size() != to.size()) {
            return;
        }
        long[] kernel = node.integers("kernel_shape");
        for (int axis = 2; axis < to.size(); axis++) {
            int place = axis - 2;
            long size = kernel == null ? stored(graph.constant(node.input(1)), axis) : at(kernel, place, 1);
            long span = (size - 1) * at(node.integers("dilations"), place, 1) + 1;
            long stride = Math.max(1, at(node.integers("strides"), place, 1));
            long pads = at(node.integers("pads"), place, 0) + at(node.integers("pads"), place + to.size() - 2, 0);
            boolean same = node.text("auto_pad", "NOTSET").startsWith("SAME");
            Window window = new Window(from.get(axis), span, stride, pads, same);
            to.get(axis).asSymbol().filter(OpenSizes::isFound).ifPresent(name -> windows.putIfAbsent(name, window));
        }
    }

    private static long stored(@Nullable TensorProto weight, int axis) {
        return weight != null && axis < weight.getDimsCount() ? weight.getDims(axis) : 1;
    }

    private static long at(long @Nullable [] numbers, int index, long otherwise) {
        return numbers == null || index >= numbers.length ? otherwise : numbers[index];
    }

    private static boolean isFound(String symbol) {
        return symbol.startsWith("?");
    }

    /** The symbol of a dimension that the file leaves open. */
    static String symbol(String input, int axis, Dimension dimension) {
        return dimension.getDimParam().isEmpty() ? input + "." + axis : dimension.getDimParam();
    }

    /** The open dimensions of the inputs, by symbol, at some sizes. */
    Map<String, Long> at(InputSizes sizes) {
        Map<String, Long> symbols = new LinkedHashMap<>();
        for (ValueInfoProto input : inputs) {
            List<Dimension> dimensions =
                    input.getType().getTensorType().getShape().getDimList();
            long[] shape = sizes.shape(input);
            for (int axis = 0; axis < shape.length; axis++) {
                if (dimensions.get(axis).getDimValue() <= 0) {
                    symbols.put(symbol(input.getName(), axis, dimensions.get(axis)), shape[axis]);
                }
            }
        }
        return symbols;
    }

    /** The sizes of a value as they are known; null if nothing is. */
    @Nullable
    List<Dim> of(String value) {
        return known.ofValues().get(value);
    }

    /** A size as a number; nothing if it follows from data. */
    OptionalLong number(Dim dim, Map<String, Long> symbols) {
        try {
            return number(dim, symbols, 0);
        } catch (ArithmeticException tooLarge) {
            return OptionalLong.empty();
        }
    }

    private OptionalLong number(Dim dim, Map<String, Long> symbols, int depth) {
        long sum = 0;
        for (Map.Entry<List<String>, Long> term : dim.terms().entrySet()) {
            long product = term.getValue();
            for (String factor : term.getKey()) {
                OptionalLong size = number(factor, symbols, depth);
                if (size.isEmpty()) {
                    return OptionalLong.empty();
                }
                product = Math.multiplyExact(product, size.getAsLong());
            }
            sum = Math.addExact(sum, product);
        }
        return OptionalLong.of(sum);
    }

    private OptionalLong number(String symbol, Map<String, Long> symbols, int depth) {
        Long given = symbols.get(symbol);
        if (given != null) {
            return OptionalLong.of(given);
        }
        Window window = windows.get(symbol);
        if (window == null || depth > DEEPEST) {
            return OptionalLong.empty();
        }
        OptionalLong from = number(window.from(), symbols, depth + 1);
        return from.isPresent() ? OptionalLong.of(window.places(from.getAsLong())) : from;
    }

    /** The symbols that a size follows from, through windows. */
    Set<String> origins(Dim dim) {
        Set<String> origins = new HashSet<>();
        addOrigins(dim, origins, 0);
        return origins;
    }

    private void addOrigins(Dim dim, Set<String> origins, int depth) {
        dim.terms()
                .keySet()
                .forEach(factors -> factors.forEach(factor -> {
                    Window window = windows.get(factor);
                    if (window == null || depth > DEEPEST) {
                        origins.add(factor);
                    } else {
                        addOrigins(window.from(), origins, depth + 1);
                    }
                }));
    }
}
