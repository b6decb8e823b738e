package dev.samediff.adapters.engine.program;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Writes a program. Equal nodes become one, views of views become one view, and linear functions of linear functions one
 * linear function. What takes more than a node and its inputs to see is a matter of {@code fusion}.
 */
public final class ProgramBuilder {
    private final List<Node> nodes = new ArrayList<>();
    private final Map<Tensor, Node> producers = new LinkedHashMap<>();
    private final Map<Key, Node> known = new HashMap<>();
    private final Map<String, Tensor> leaves = new LinkedHashMap<>();
    private final Map<Tensor, INDArray> literals = new LinkedHashMap<>();

    /** Starts an empty program. */
    public ProgramBuilder() {}

    /**
     * Continues a program.
     *
     * @param program the program; it is copied
     */
    public ProgramBuilder(Program program) {
        leaves.putAll(program.leaves());
        literals.putAll(program.literals());
        program.nodes().forEach(this::register);
    }

    /** Returns the program with these outputs. */
    public Program build(Map<String, Tensor> outputs) {
        return new Program(nodes, leaves, literals, outputs).withoutDeadNodes();
    }

    /** Returns the nodes so far. */
    public List<Node> nodes() {
        return List.copyOf(nodes);
    }

    /** Returns the node that defines a tensor, or null for leaves and literals. */
    public @Nullable Node producer(Tensor tensor) {
        return producers.get(tensor);
    }

    /** Returns the value of a literal, or null for any other tensor. */
    public @Nullable INDArray literal(Tensor tensor) {
        return literals.get(tensor);
    }

    /** Returns the tensor of a variable of the graph. */
    public Tensor leaf(String variable, DataType type, long... shape) {
        return leaves.computeIfAbsent(variable, name -> new Tensor(name, type, shape));
    }

    /** Returns a tensor with a value known now. */
    public Tensor literal(String name, INDArray value) {
        Tensor tensor = new Tensor(name, value.dataType(), value.shape());
        literals.put(tensor, value);
        return tensor;
    }

    /** Returns the elements of a tensor in another shape. */
    public Tensor reshape(Tensor x, long... shape) {
        if (Shapes.length(shape) != x.length()) {
            throw new IllegalArgumentException(x + " cannot be reshaped to " + Arrays.toString(shape));
        }
        if (x.hasShape(shape)) {
            return x;
        }
        Node producer = producer(x);
        if (producer != null && producer.op() instanceof Op.Reshape) {
            return reshape(producer.input(0), shape);
        }
        return add(new Op.Reshape(), List.of(x), x.type(), shape);
    }

    /** Returns a tensor with its axes in another order. */
    public Tensor permute(Tensor x, int... axes) {
        if (Arrays.equals(axes, IntStream.range(0, x.rank()).toArray())) {
            return x;
        }
        Node producer = producer(x);
        if (producer != null && producer.op() instanceof Op.Permute inner) {
            return permute(
                    producer.input(0),
                    Arrays.stream(axes).map(axis -> inner.axes().get(axis)).toArray());
        }
        return add(
                new Op.Permute(Arrays.stream(axes).boxed().toList()),
                List.of(x),
                x.type(),
                Shapes.permute(x.shape(), axes));
    }

    /** Returns a tensor with its last two axes exchanged. */
    public Tensor transpose(Tensor x) {
        int[] axes = IntStream.range(0, x.rank()).toArray();
        axes[x.rank() - 1] = x.rank() - 2;
        axes[x.rank() - 2] = x.rank() - 1;
        return permute(x, axes);
    }

    /** Returns a part of one axis. */
    public Tensor slice(Tensor x, int axis, long begin, long size) {
        if (begin == 0 && size == x.size(axis)) {
            return x;
        }
        return add(new Op.Slice(axis, begin), List.of(x), x.type(), Shapes.with(x.shape(), axis, size));
    }

    /** Returns a tensor of equal rank with axes of size 1 repeated. */
    public Tensor expand(Tensor x, long... shape) {
        return x.hasShape(shape) ? x : add(new Op.Expand(), List.of(x), x.type(), shape);
    }

    /** Returns tensors one behind the other. */
    public Tensor concat(int axis, List<Tensor> parts) {
        if (parts.size() == 1) {
            return parts.get(0);
        }
        long size = parts.stream().mapToLong(part -> part.size(axis)).sum();
        Tensor first = parts.get(0);
        return add(new Op.Concat(axis), parts, first.type(), Shapes.with(first.shape(), axis, size));
    }

    /** Returns a float tensor in another float type. */
    public Tensor cast(Tensor x, DataType type) {
        return x.type() == type ? x : add(new Op.Cast(), List.of(x), type, x.shape());
    }

    /** Returns one number everywhere. */
    public Tensor fill(double value, long... shape) {
        return add(new Op.Fill(value), List.of(), DataType.FLOAT, shape);
    }

    /** Returns rows of a table [V,D]; ids of any shape. */
    public Tensor gather(Tensor table, Tensor ids) {
        long[] shape = Arrays.copyOf(ids.shape(), ids.rank() + 1);
        shape[ids.rank()] = table.size(1);
        Tensor flat = reshape(ids, ids.length());
        return reshape(add(new Op.Gather(), List.of(table, flat), table.type(), ids.length(), table.size(1)), shape);
    }

    /** Returns {@code alpha x + beta}. */
    public Tensor linear(Tensor x, double alpha, double beta) {
        return unary(UnaryKind.LINEAR, alpha, beta, x);
    }

    /** Returns an element-wise function. */
    public Tensor unary(UnaryKind kind, double alpha, double beta, Tensor x) {
        Tensor operand = x;
        double a = alpha;
        Node producer = producer(x);
        if (kind == UnaryKind.LINEAR
                && producer != null
                && producer.op() instanceof Op.Unary inner
                && inner.kind() == UnaryKind.LINEAR
                && inner.beta() == 0 // (1 - x) + 1e-8 is 1e-8 where x is 1, but 1 + 1e-8 is 1 in float32
                && joins(alpha, inner.alpha())) {
            operand = producer.input(0);
            a = alpha * inner.alpha();
        }
        if (kind == UnaryKind.LINEAR && a == 1 && beta == 0) {
            return operand;
        }
        return add(new Op.Unary(kind, a, beta), List.of(operand), x.type(), x.shape());
    }

    /**
     * Tells whether multiplying by two numbers is multiplying by their product in float32, too: not if that leaves the range of
     * normal numbers, as 1e25 1e25 does.
     */
    public static boolean joins(double first, double second) {
        double product = Math.abs(first * second);
        return product >= Float.MIN_NORMAL && product <= Float.MAX_VALUE || first == 0 || second == 0;
    }

    /** Returns an element-wise function of two tensors, broadcast by NumPy's rules. */
    public Tensor binary(BinaryKind kind, Tensor a, Tensor b) {
        Tensor simple = Constants.simplify(this, kind, a, b);
        if (simple != null) {
            return simple;
        }
        long[] shape = Shapes.broadcast(a.shape(), b.shape());
        Tensor left = reshape(a, Shapes.withRank(shape.length, a.shape()));
        Tensor right = reshape(b, Shapes.withRank(shape.length, b.shape()));
        return add(new Op.Binary(kind), List.of(left, right), a.type(), shape);
    }

    /** Returns a reduction of some axes, which stay with size 1 if {@code keep}. */
    public Tensor reduce(ReduceKind kind, Tensor x, int[] axes, boolean keep) {
        long[] kept = x.shape().clone();
        boolean[] gone = new boolean[x.rank()];
        for (int axis : axes) {
            kept[axis] = 1;
            gone[axis] = true;
        }
        Tensor reduced = Arrays.equals(kept, x.shape()) ? x : add(new Op.Reduce(kind), List.of(x), x.type(), kept);
        return keep
                ? reduced
                : reshape(
                        reduced,
                        IntStream.range(0, x.rank())
                                .filter(axis -> !gone[axis])
                                .mapToLong(axis -> kept[axis])
                                .toArray());
    }

    /** Returns {@code alpha a b} of the last two axes; leading axes are broadcast. */
    public Tensor matmul(Tensor a, Tensor b, double alpha) {
        int rank = Math.max(a.rank(), b.rank());
        Tensor left = reshape(a, Shapes.withRank(rank, a.shape()));
        Tensor right = reshape(b, Shapes.withRank(rank, b.shape()));
        long[] shape = Shapes.broadcast(
                Shapes.with(Shapes.with(left.shape(), rank - 1, 1), rank - 2, 1),
                Shapes.with(Shapes.with(right.shape(), rank - 1, 1), rank - 2, 1));
        shape[rank - 2] = left.size(-2);
        shape[rank - 1] = right.size(-1);
        return add(new Op.MatMul(alpha, false, false), List.of(left, right), DataType.FLOAT, shape);
    }

    /** Returns the softmax along the last axis. */
    public Tensor softmax(Tensor x) {
        return add(new Op.Softmax(), List.of(x), x.type(), x.shape());
    }

    /** Adds a node with one output. */
    public Tensor add(Op op, List<Tensor> inputs, DataType type, long... shape) {
        return add(op, inputs, List.of(type), List.of(shape)).get(0);
    }

    /** Adds a node, or finds the equal one. */
    public List<Tensor> add(Op op, List<Tensor> inputs, List<DataType> types, List<long[]> shapes) {
        Node equal = known.get(new Key(op, inputs));
        if (equal != null
                && equal.output().hasShape(shapes.get(0))
                && equal.output().type() == types.get(0)) {
            return equal.outputs();
        }
        List<Tensor> outputs = new ArrayList<>();
        for (int i = 0; i < shapes.size(); i++) {
            String name = op.title() + "#" + nodes.size() + (i == 0 ? "" : ":" + i);
            outputs.add(new Tensor(name, types.get(i), shapes.get(i)));
        }
        Node node = new Node(op, inputs, outputs);
        register(node);
        return node.outputs();
    }

    private void register(Node node) {
        nodes.add(node);
        node.outputs().forEach(output -> producers.put(output, node));
        if (!(node.op() instanceof Op.Nd4j)) {
            known.put(new Key(node.op(), node.inputs()), node);
        }
    }

    /** What makes two nodes compute the same, but for the shape. */
    private record Key(Op op, List<Tensor> inputs) {}
}
