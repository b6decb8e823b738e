package dev.samediff.adapters.engine.fusion;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Program;
import dev.samediff.adapters.engine.program.Rewrite;
import dev.samediff.adapters.engine.program.Tensor;
import dev.samediff.adapters.engine.program.UnaryKind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A cross entropy whose mask leaves rows out is computed from the other rows alone: with 1 labelled position in 4 the head of a
 * language model costs a quarter. How many rows there are is a matter of the batch, so a program is made for a number of
 * them, and a leaf says which they are; rows of weight 0 fill up what is left.
 */
public final class LabelledRows extends Rewrite {
    /** The leaf with the numbers of the rows, LONG [count]. */
    public static final String LEAF = "labelled rows";

    /** Fewer classes are not worth a program for every number of rows. */
    private static final long LEAST_CLASSES = 512;

    private static final long PARTS = 4;
    private static final long LEAST_ROWS = 64;

    private final Node loss;
    private final long rows;
    private final Tensor numbers;
    private final Map<Tensor, Tensor> compact = new HashMap<>();

    private LabelledRows(Program program, Node loss, long count) {
        super(program);
        this.loss = loss;
        this.rows = loss.input(0).size(0);
        this.numbers = builder.leaf(LEAF, DataType.LONG, count);
    }

    /**
     * Where a program's loss gets its weights from.
     *
     * @param leaf the leaf that is 0 where a row does not count
     * @param rows how many rows there are
     */
    public record Mask(String leaf, long rows) {
        /** Returns for how many rows a program is made if so many count: all, or some quarters of all. */
        public long capacity(long labelled) {
            long part = rows / PARTS;
            return rows < LEAST_ROWS || rows % PARTS != 0 ? rows : Math.max(1, (labelled + part - 1) / part) * part;
        }
    }

    /** Finds the mask of a program's only cross entropy; empty if there is none, or leaving rows out would gain nothing. */
    public static Optional<Mask> find(Program program) {
        List<Node> losses = losses(program);
        if (losses.size() != 1 || losses.get(0).input(0).size(1) < LEAST_CLASSES) {
            return Optional.empty();
        }
        Node loss = losses.get(0);
        long rows = loss.input(0).size(0);
        Map<Tensor, Node> producers = program.producers();
        Tensor weights = loss.input(2);
        while (producers.containsKey(weights)) {
            Tensor from = unscaled(producers.get(weights), rows);
            if (from == null) {
                return Optional.empty();
            }
            weights = from;
        }
        for (Map.Entry<String, Tensor> leaf : program.leaves().entrySet()) {
            if (leaf.getValue() == weights) {
                return Optional.of(new Mask(leaf.getKey(), rows));
            }
        }
        return Optional.empty();
    }

    /**
     * Returns a program that computes the loss of so many rows.
     *
     * @param program the forward pass
     * @param count how many
     */
    public static Program apply(Program program, long count) {
        return new LabelledRows(program, losses(program).get(0), count).run();
    }

    private static List<Node> losses(Program program) {
        return program.nodes().stream()
                .filter(node -> node.op() instanceof Op.CrossEntropy)
                .toList();
    }

    /** Returns the input that is 0 exactly where the output is, in the same order, or null. */
    private static @Nullable Tensor unscaled(Node node, long rows) {
        if (node.op() instanceof Op.Reshape || node.op() instanceof Op.Cast) {
            return node.input(0);
        }
        if (node.op() instanceof Op.Unary unary && unary.kind() == UnaryKind.LINEAR && unary.beta() == 0) {
            return node.input(0);
        }
        if (!(node.op() instanceof Op.Binary binary)) {
            return null;
        }
        Tensor a = node.input(0);
        Tensor b = node.input(1);
        if (a.length() == rows
                && b.length() == 1
                && (binary.kind() == BinaryKind.DIVIDE || binary.kind() == BinaryKind.MULTIPLY)) {
            return a;
        }
        return binary.kind() == BinaryKind.MULTIPLY && a.length() == 1 && b.length() == rows ? b : null;
    }

    @Override
    protected @Nullable Tensor replacement(Node node) {
        if (node != loss) {
            return null;
        }
        List<Tensor> inputs = new ArrayList<>();
        inputs.add(compact(node.input(0)));
        for (Tensor perRow : node.inputs().subList(1, 3)) {
            inputs.add(builder.reshape(gathered(perRow, 1), numbers.length()));
        }
        return builder.add(
                        node.op(),
                        inputs,
                        node.outputs().stream().map(Tensor::type).toList(),
                        List.of(node.output().shape(), new long[] {numbers.length()}))
                .get(0);
    }

    /** Returns the wanted rows [count,c] of a tensor with all rows. */
    private Tensor compact(Tensor x) {
        Tensor known = compact.get(x);
        if (known == null) {
            Node node = onlyReadHere(x);
            Tensor computed = node == null ? null : computed(node, x);
            known = computed == null ? gathered(x, x.length() / rows) : computed;
            compact.put(x, known);
        }
        return known;
    }

    private Tensor gathered(Tensor x, long columns) {
        return builder.gather(builder.reshape(get(x), rows, columns), numbers);
    }

    /** Computes only the wanted rows of what is computed row by row; null if a node is not. */
    private @Nullable Tensor computed(Node node, Tensor x) {
        long columns = x.length() / rows;
        if (x.size(-1) != columns) {
            return null;
        }
        if (node.op() instanceof Op.Reshape) {
            return node.input(0).size(-1) == columns ? compact(node.input(0)) : null;
        }
        if (node.op() instanceof Op.Unary) {
            return builder.add(node.op(), List.of(compact(node.input(0))), x.type(), numbers.length(), columns);
        }
        if (node.op() instanceof Op.MatMul product) {
            return product(node, product, columns);
        }
        return node.op() instanceof Op.Binary ? binary(node, x, columns) : null;
    }

    private @Nullable Tensor product(Node node, Op.MatMul product, long columns) {
        Tensor a = node.input(0);
        Tensor b = node.input(1);
        if (b.rank() != 2 || a.length() != rows * b.size(0)) {
            return null;
        }
        List<Tensor> inputs = new ArrayList<>(List.of(compact(a), get(b)));
        int next = 2;
        if (product.bias()) {
            inputs.add(get(node.input(next++)));
        }
        if (product.accumulate()) {
            inputs.add(compact(node.input(next)));
        }
        return builder.add(product, inputs, DataType.FLOAT, numbers.length(), columns);
    }

    private @Nullable Tensor binary(Node node, Tensor x, long columns) {
        List<Tensor> operands = new ArrayList<>();
        for (Tensor operand : node.inputs()) {
            if (operand.hasShape(x.shape())) {
                operands.add(compact(operand));
            } else if (operand.length() == columns && operand.size(-1) == columns) {
                operands.add(builder.reshape(get(operand), 1, columns));
            } else {
                return null;
            }
        }
        return builder.add(node.op(), operands, x.type(), numbers.length(), columns);
    }
}
