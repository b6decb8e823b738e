package dev.samediff.importer.naming;

import dev.samediff.importer.onnx.OnnxGraph;
import dev.samediff.importer.onnx.OnnxNode;
import dev.samediff.importer.onnx.OnnxTensor;
import dev.samediff.importer.onnx.OnnxTypes;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Which values are stored tensors, seen through Identity, Cast between floating-point types and matrix transposition. */
public final class StoredRoots {
    private static final long[] SWAP = {1, 0};

    /** A value that is a stored tensor, possibly transposed. */
    public record Root(OnnxTensor tensor, boolean transposed) {}

    private final Map<String, Root> roots = new HashMap<>();

    /** Follows the graph's nodes. */
    public StoredRoots(OnnxGraph graph) {
        for (String name : graph.tensorNames()) {
            OnnxTensor tensor = graph.tensor(name);
            if (tensor != null) {
                roots.put(name, new Root(tensor, false));
            }
        }
        graph.nodes().forEach(this::follow);
    }

    private void follow(OnnxNode node) {
        Optional<Root> root = of(node.input(0));
        if (root.isEmpty() || !root.get().tensor().type().isFPType()) {
            return;
        }
        Root found = root.get();
        if (node.operator().equals("Identity") || isFloatCast(node, found)) {
            roots.put(node.output(0), found);
        } else if (node.operator().equals("Transpose") && isMatrixSwap(node, found)) {
            roots.put(node.output(0), new Root(found.tensor(), !found.transposed()));
        }
    }

    private static boolean isFloatCast(OnnxNode node, Root root) {
        return node.operator().equals("Cast")
                && OnnxTypes.toNd4j((int) node.integer("to", 1), node.toString())
                        == root.tensor().type();
    }

    private static boolean isMatrixSwap(OnnxNode node, Root root) {
        long[] order = node.integers("perm");
        return root.tensor().shape().length == 2 && (order == null || Arrays.equals(order, SWAP));
    }

    /** Returns the stored tensor behind a value. */
    public Optional<Root> of(String value) {
        return Optional.ofNullable(roots.get(value));
    }

    /** Returns the stored floating-point tensor with that many axes behind a value. */
    public Optional<Root> floating(String value, int rank) {
        return of(value)
                .filter(root -> root.tensor().type().isFPType() && root.tensor().shape().length == rank);
    }
}
