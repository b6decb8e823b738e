package dev.samediff.importer.onnx;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import onnx.Onnx;

/** Who reads the tensors of a graph that is being changed: matrix products, lookups, or something else. */
final class TensorReaders {
    private static final Set<String> PASSING = Set.of("Identity", "Transpose", "Cast");

    /** More nodes than any exporter puts between a tensor and what it is used for. */
    static final int LONGEST_CHAIN = 256;

    private final Onnx.GraphProto.Builder graph;
    private final Map<String, List<Read>> readers = new HashMap<>();

    /** One input of one node; node = -1: a graph output, or a use inside the body of an If, Loop or Scan. */
    record Read(int node, int input) {
        static final Read ELSEWHERE = new Read(-1, -1);
    }

    /**
     * Who reads a value.
     *
     * @param products the reads from which only matrix products can be reached
     * @param exclusive whether there are no others
     * @param entangled whether some lie behind a Transpose or Cast that something else reads too; they see the tensor turned
     *     round, or in another type, and cannot be given one of its own
     */
    record Reads(List<Read> products, boolean exclusive, boolean entangled) {}

    /** Looks at all nodes, and at the bodies of those that have some. */
    TensorReaders(Onnx.GraphProto.Builder graph) {
        this.graph = graph;
        for (int i = 0; i < graph.getNodeCount(); i++) {
            Onnx.NodeProto node = graph.getNode(i);
            for (int input = 0; input < node.getInputCount(); input++) {
                reader(node.getInput(input), new Read(i, input));
            }
            bodies(node).forEach(this::readInside);
        }
        graph.getOutputList().forEach(output -> reader(output.getName(), Read.ELSEWHERE));
    }

    /** Records that a node's input is going to read another tensor. */
    void move(Read read, String tensor) {
        String before = graph.getNode(read.node()).getInput(read.input());
        readers.getOrDefault(before, new ArrayList<>()).remove(read);
        reader(tensor, read);
    }

    /**
     * A node that multiplies by a tensor, directly or through Identity and Transpose nodes.
     *
     * @param index its place
     * @param input which of its inputs the tensor is
     * @param node the node
     * @param type element type of the numbers that it reads, which a Cast may have changed
     */
    record Product(int index, int input, Onnx.NodeProto node, int type) {}

    /**
     * Returns the nodes that multiply by a tensor.
     *
     * @param type its element type
     */
    List<Product> products(String name, int type) {
        List<Product> products = new ArrayList<>();
        for (Read read : readers.getOrDefault(name, List.of())) {
            Onnx.NodeProto node = read.equals(Read.ELSEWHERE) ? null : graph.getNode(read.node());
            if (node != null && (isProduct(node, read.input()) || isPacked(node, read.input()))) {
                products.add(new Product(read.node(), read.input(), node, type));
            } else if (node != null && passes(node)) {
                products.addAll(products(node.getOutput(0), typeBehind(node, type)));
            }
        }
        return products;
    }

    /** Returns the Gather nodes that look rows of a tensor up, directly or through nodes that hand it on as it is. */
    List<Product> lookups(String name, int type) {
        List<Product> lookups = new ArrayList<>();
        for (Read read : readers.getOrDefault(name, List.of())) {
            Onnx.NodeProto node = read.equals(Read.ELSEWHERE) ? null : graph.getNode(read.node());
            if (node != null && node.getOpType().equals("Gather") && read.input() == 0) {
                lookups.add(new Product(read.node(), 0, node, type));
            } else if (node != null && passes(node) && !node.getOpType().equals("Transpose")) {
                lookups.addAll(lookups(node.getOutput(0), typeBehind(node, type)));
            }
        }
        return lookups;
    }

    private static int typeBehind(Onnx.NodeProto node, int type) {
        return node.getOpType().equals("Cast") ? (int) new OnnxNode(node).integer("to", type) : type;
    }

    /** Returns the products of ONNX Runtime that read packed numbers. */
    List<Read> packedProducts(String name) {
        return readers.getOrDefault(name, List.of()).stream()
                .filter(read -> !read.equals(Read.ELSEWHERE) && isPacked(graph.getNode(read.node()), read.input()))
                .toList();
    }

    /** Returns the reads of a value that are not, and lead to nothing but, matrix products. */
    List<Read> others(String value) {
        List<Read> products = of(value).products();
        return readers.getOrDefault(value, List.of()).stream()
                .filter(read -> !read.equals(Read.ELSEWHERE) && !products.contains(read))
                .toList();
    }

    private static boolean isPacked(Onnx.NodeProto node, int input) {
        return node.getOpType().equals("MatMulNBits") && input == 1;
    }

    /** Returns who reads a value, directly or through nodes that hand it on. */
    Reads of(String value) {
        return of(value, new HashSet<>());
    }

    /** A node that was seen already adds nothing; what lies behind too many is taken for a read of another kind. */
    private Reads of(String value, Set<Integer> seen) {
        List<Read> products = new ArrayList<>();
        boolean exclusive = true;
        boolean entangled = false;
        for (Read read : readers.getOrDefault(value, List.of())) {
            Onnx.NodeProto node = read.equals(Read.ELSEWHERE) ? null : graph.getNode(read.node());
            if (node != null && isProduct(node, read.input())) {
                products.add(read);
            } else if (node != null && passes(node) && seen.size() < LONGEST_CHAIN) {
                Reads behind = seen.add(read.node()) ? of(node.getOutput(0), seen) : new Reads(List.of(), true, false);
                if (behind.exclusive()) {
                    products.add(read);
                } else {
                    exclusive = false;
                    entangled |= behind.entangled()
                            || (!node.getOpType().equals("Identity")
                                    && !behind.products().isEmpty());
                    products.addAll(behind.products());
                }
            } else {
                exclusive = false;
            }
        }
        return new Reads(products, exclusive, entangled);
    }

    private static boolean passes(Onnx.NodeProto node) {
        boolean toReal = !node.getOpType().equals("Cast") || WeightChains.isReal(typeBehind(node, 0));
        return PASSING.contains(node.getOpType()) && node.getOutputCount() > 0 && toReal;
    }

    private static boolean isProduct(Onnx.NodeProto node, int input) {
        return switch (node.getOpType()) {
            case "MatMul", "Gemm", "FusedMatMul", "FusedGemm", "GemmFastGelu" -> input < 2;
            case "Einsum" -> true;
            case "Conv", "Attention" -> input == 1;
            default -> false;
        };
    }

    private void reader(String value, Read read) {
        readers.computeIfAbsent(value, v -> new ArrayList<>()).add(read);
    }

    private void readInside(Onnx.GraphProto body) {
        for (Onnx.NodeProto node : body.getNodeList()) {
            node.getInputList().forEach(input -> reader(input, Read.ELSEWHERE));
            bodies(node).forEach(this::readInside);
        }
        body.getOutputList().forEach(output -> reader(output.getName(), Read.ELSEWHERE));
    }

    private static Stream<Onnx.GraphProto> bodies(Onnx.NodeProto node) {
        return node.getAttributeList().stream()
                .flatMap(attribute -> Stream.concat(
                        attribute.hasG() ? Stream.of(attribute.getG()) : Stream.empty(),
                        attribute.getGraphsList().stream()));
    }
}
