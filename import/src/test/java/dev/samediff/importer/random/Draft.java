package dev.samediff.importer.random;

import dev.samediff.importer.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A random graph while it is made: operators pick values that exist and put nodes on top. */
final class Draft {
    /** Thrown if nothing in the graph fits an operator; another one is tried then. */
    static final class Unfit extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    /** Sizes of the open axes: one may be 1, as a batch is. */
    static final long[][] OPEN = {{2, 1}, {3, 5}, {4, 2}};

    private static final double LARGEST = 10;
    private static final long MOST_ELEMENTS = 4000;

    final Random random;
    final int opset;
    private final Set<String> wrong = new HashSet<>();
    private final List<Made> pool = new ArrayList<>();
    private final List<String> inputs = new ArrayList<>();
    private final List<RandomGraph.Node> nodes = new ArrayList<>();
    private final Map<String, HostTensor> stored = new LinkedHashMap<>();
    private final Map<String, Made> values = new LinkedHashMap<>();
    private final List<Map<String, INDArray>> feeds = List.of(new LinkedHashMap<>(), new LinkedHashMap<>());

    Draft(long seed) {
        this.random = new Random(seed);
        this.opset = 9 + random.nextInt(13);
        int reals = 1 + random.nextInt(3);
        for (int i = 0; i < reals; i++) {
            input("x" + i, DataType.FLOAT, randomShape(1 + random.nextInt(4)));
        }
        input("ids", DataType.LONG, randomShape(1 + random.nextInt(2)));
        if (random.nextBoolean()) {
            input("flags", DataType.BOOL, randomShape(1 + random.nextInt(2)));
        }
    }

    private long[][] randomShape(int rank) {
        long[][] shape = new long[2][rank];
        for (int axis = 0; axis < rank; axis++) {
            long fixed = 1 + random.nextInt(5);
            long[] size = random.nextInt(2) == 0 ? OPEN[random.nextInt(OPEN.length)] : new long[] {fixed, fixed};
            shape[0][axis] = size[0];
            shape[1][axis] = size[1];
        }
        return shape;
    }

    private void input(String name, DataType type, long[][] shapes) {
        for (int sample = 0; sample < 2; sample++) {
            int length = (int) LongStream.of(shapes[sample]).reduce(1, (a, b) -> a * b);
            double[] numbers = new double[length];
            for (int i = 0; i < length; i++) {
                numbers[i] = switch (type) {
                    case FLOAT -> Math.max(-3, Math.min(3, random.nextGaussian()));
                    case LONG -> random.nextInt(3);
                    default -> random.nextInt(2);
                };
            }
            feeds.get(sample)
                    .put(name, Nd4j.createFromArray(numbers).castTo(type).reshape(shapes[sample]));
        }
        inputs.add(name);
        add(new Made(name, type, shapes, null, 3, type == DataType.FLOAT));
    }

    private Made add(Made made) {
        values.put(made.name(), made);
        pool.add(made);
        return made;
    }

    /** Returns a random value that fits. */
    Made pick(Predicate<Made> fits) {
        List<Made> fitting = pool.stream().filter(fits).toList();
        if (fitting.isEmpty()) {
            throw new Unfit();
        }
        // newer ones twice as likely, so that graphs become deep
        int index = Math.max(random.nextInt(fitting.size()), random.nextInt(fitting.size()));
        return fitting.get(index);
    }

    Made real(int least, int most) {
        return pick(made -> made.isReal() && made.rank() >= least && made.rank() <= most);
    }

    Made real() {
        return real(0, 6);
    }

    Made truth() {
        return pick(made -> made.type() == DataType.BOOL);
    }

    Made whole() {
        return pick(made -> made.type() == DataType.LONG && made.elements() == null);
    }

    int axis(Made made) {
        if (made.rank() == 0) {
            throw new Unfit();
        }
        return random.nextInt(made.rank());
    }

    /** The axis, or the same counted from the end. */
    int signed(int axis, int rank) {
        return random.nextBoolean() ? axis : axis - rank;
    }

    /** Random numbers in the file: an initializer, or a Constant node. */
    Made stored(double scale, long... shape) {
        int length = (int) LongStream.of(shape).reduce(1, (a, b) -> a * b);
        double[] numbers = random.doubles(length, -scale, scale).toArray();
        return constant(HostTensor.of(DataType.FLOAT, shape, numbers), scale);
    }

    /** One number in the file. */
    Made number(double value) {
        return constant(HostTensor.of(DataType.FLOAT, new long[0], new double[] {value}), Math.abs(value));
    }

    /** A vector of whole numbers in the file. */
    Made vector(long... numbers) {
        return constant(HostTensor.vector(numbers), 0);
    }

    Made whole(long number) {
        return constant(HostTensor.of(DataType.LONG, new long[0], new long[] {number}), Math.abs(number));
    }

    Made constant(HostTensor tensor, double bound) {
        String name = fresh("c");
        if (random.nextInt(4) == 0) {
            nodes.add(new RandomGraph.Node("Constant", List.of(), List.of(name), List.of("value", tensor)));
        } else {
            stored.put(name, tensor);
        }
        long[][] numbers = tensor.isFloating() ? null : new long[][] {tensor.asLongs(), tensor.asLongs()};
        Made made = new Made(name, tensor.type(), new long[][] {tensor.shape(), tensor.shape()}, numbers, bound, false);
        values.put(name, made);
        return made;
    }

    private String fresh(String prefix) {
        return prefix + values.size();
    }

    /** Adds a node with one output like its first input. */
    Made like(String operator, double bound, List<Made> from, Object... attributes) {
        return node(operator, from.get(0).type(), from.get(0).shapes(), bound, from, attributes);
    }

    /** Adds a node with one output. Large numbers are squashed, so that errors do not grow from node to node. */
    Made node(String operator, DataType type, long[][] shapes, double bound, List<Made> from, Object... attributes) {
        return sized(operator, type, shapes, null, bound, from, attributes);
    }

    /** Adds a node whose whole numbers are known at both sizes. */
    Made sized(
            String operator,
            DataType type,
            long[][] shapes,
            long @Nullable [][] elements,
            double bound,
            List<Made> from,
            Object... attributes) {
        for (long[] shape : shapes) {
            if (LongStream.of(shape).reduce(1, (a, b) -> a * b) > MOST_ELEMENTS || shape.length > 6) {
                throw new Unfit();
            }
        }
        boolean flows = flows(type, from);
        Made made = new Made(fresh("v"), type, shapes, elements, bound, flows);
        nodes.add(new RandomGraph.Node(
                operator, from.stream().map(Made::name).toList(), List.of(made.name()), Arrays.asList(attributes)));
        values.put(made.name(), made);
        if (type == DataType.FLOAT && from.stream().anyMatch(each -> wrong.contains(each.name()))) {
            wrong.add(made.name());
        }
        if (type == DataType.FLOAT && bound > LARGEST) {
            return like("Tanh", 1, List.of(made));
        }
        pool.add(made);
        return made;
    }

    /** Adds a node with several outputs of one type. */
    void several(
            String operator,
            DataType type,
            List<long[][]> shapes,
            double bound,
            List<Made> from,
            Object... attributes) {
        List<String> names = new ArrayList<>();
        boolean flows = flows(type, from);
        for (long[][] shape : shapes) {
            Made part = add(new Made(fresh("v"), type, shape, null, bound, flows));
            names.add(part.name());
            if (from.stream().anyMatch(each -> wrong.contains(each.name()))) {
                wrong.add(part.name());
            }
        }
        nodes.add(new RandomGraph.Node(
                operator, from.stream().map(Made::name).toList(), names, Arrays.asList(attributes)));
    }

    /** A gradient flows through a value if it reaches an input, and no value on the way is differentiated wrongly. */
    private boolean flows(DataType type, List<Made> from) {
        return type == DataType.FLOAT
                && from.stream().anyMatch(Made::flows)
                && from.stream().noneMatch(made -> wrong.contains(made.name()));
    }

    /** SameDiff differentiates the node wrongly, which is known: gradients of what is made from it are not looked at. */
    Made still(Made made) {
        Made stopped = new Made(made.name(), made.type(), made.shapes(), made.elements(), made.bound(), false);
        wrong.add(made.name());
        values.put(made.name(), stopped);
        pool.replaceAll(each -> each.name().equals(made.name()) ? stopped : each);
        return stopped;
    }

    /** Numbers that are away from zero and positive. */
    Made positive(Made x) {
        return like("Add", x.bound() + 0.5, List.of(like("Abs", x.bound(), List.of(x)), number(0.5)));
    }

    /** Numbers that rounding does not move across a whole number: sums that should be 0 or 1 are none any more. */
    Made jittered(Made x) {
        return like("Add", x.bound() + 0.4, List.of(x, number(0.3717)));
    }

    /** A value that broadcasts with another one: a value of the graph, or one that is stored. */
    Made partner(Made x) {
        if (random.nextInt(3) > 0) {
            List<Made> fitting = pool.stream()
                    .filter(made -> made.isReal() && broadcast(made.shapes(), x.shapes()) != null)
                    .toList();
            return fitting.get(random.nextInt(fitting.size()));
        }
        long[] shape = new long[random.nextInt(x.rank() + 1)];
        for (int i = 0; i < shape.length; i++) {
            int axis = x.rank() - shape.length + i;
            shape[i] = x.isOpen(axis) || random.nextInt(3) == 0 ? 1 : x.shapes()[0][axis];
        }
        return stored(1.5, shape);
    }

    /** The common shape at both sizes; null if there is none. Axes that are 1 at one size only do not broadcast. */
    static long @Nullable [][] broadcast(long[][] a, long[][] b) {
        int rank = Math.max(a[0].length, b[0].length);
        long[][] result = new long[2][rank];
        for (int i = 0; i < rank; i++) {
            long[] left = at(a, i - rank + a[0].length);
            long[] right = at(b, i - rank + b[0].length);
            boolean one = left[0] == 1 && left[1] == 1;
            if (!Arrays.equals(left, right) && !one && !(right[0] == 1 && right[1] == 1)) {
                return null;
            }
            result[0][i] = one ? right[0] : left[0];
            result[1][i] = one ? right[1] : left[1];
        }
        return result;
    }

    private static long[] at(long[][] shapes, int axis) {
        return axis < 0 ? new long[] {1, 1} : new long[] {shapes[0][axis], shapes[1][axis]};
    }

    /** Adds nodes until there are so many, and returns the graph; values nothing reads are its outputs. */
    static RandomGraph make(long seed, List<OperatorMaker> table, int size) {
        Draft draft = new Draft(seed);
        int tries = 0;
        while (draft.nodes.size() < size && tries++ < 20 * size) {
            OperatorMaker operator = table.get(draft.random.nextInt(table.size()));
            if (operator.firstOpset() <= draft.opset && draft.opset <= operator.lastOpset()) {
                draft.attempt(operator);
            }
        }
        return draft.graph();
    }

    /** What an operator that finds nothing to fit has made until then may stay: it is a valid part of the graph. */
    private void attempt(OperatorMaker operator) {
        try {
            operator.maker().accept(this);
        } catch (Unfit e) {
            // another operator is tried
        }
    }

    private RandomGraph graph() {
        Set<String> read = new HashSet<>();
        nodes.forEach(node -> read.addAll(node.inputs()));
        Set<String> made = new HashSet<>();
        nodes.stream().filter(node -> !node.operator().equals("Constant")).forEach(node -> made.addAll(node.outputs()));
        List<String> outputs = values.keySet().stream()
                .filter(made::contains)
                .filter(name -> !read.contains(name) || random.nextInt(8) == 0)
                .toList();
        RandomGraph all = new RandomGraph(opset, inputs, nodes, stored, outputs, values, feeds);
        return all.withOutputs(outputs);
    }
}
