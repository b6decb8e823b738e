package dev.samediff.importer.random;

import static dev.samediff.importer.random.Draft.broadcast;

import dev.samediff.importer.tensor.HostTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.nd4j.linalg.api.buffer.DataType;

/** The operators random graphs are made of: an entry each, calculation here, sizes and movement in {@link MovementTable}. */
final class OperatorTable {
    private static final int NEWEST = 21;
    private static final int FLOAT = 1;
    private static final int INT64 = 7;
    private static final int BOOL = 9;

    private final List<OperatorMaker> entries = new ArrayList<>();

    private OperatorTable() {}

    static List<OperatorMaker> all() {
        OperatorTable table = new OperatorTable();
        table.elementwise();
        table.logic();
        table.activations();
        table.products();
        table.reductions();
        new MovementTable(table).add();
        return List.copyOf(table.entries);
    }

    void add(String name, Consumer<Draft> maker) {
        add(name, 9, maker);
    }

    void add(String name, int firstOpset, Consumer<Draft> maker) {
        entries.add(new OperatorMaker(name, firstOpset, NEWEST, maker));
    }

    /** A function of one real number; the second argument bounds the result. */
    private void unary(String name, double bound) {
        add(name, d -> {
            Made x = d.real();
            d.like(name, bound > 0 ? bound : x.bound(), List.of(x));
        });
    }

    private void binary(String name, BiConsumer<Draft, Made[]> form) {
        add(name, d -> {
            Made x = d.real();
            Made y = d.partner(x);
            form.accept(d, d.random.nextBoolean() ? new Made[] {x, y} : new Made[] {y, x});
        });
    }

    private static void pair(Draft d, String name, double bound, Made a, Made b) {
        d.node(name, DataType.FLOAT, broadcast(a.shapes(), b.shapes()), bound, List.of(a, b));
    }

    private void elementwise() {
        binary("Add", (d, in) -> pair(d, "Add", in[0].bound() + in[1].bound(), in[0], in[1]));
        binary("Sub", (d, in) -> pair(d, "Sub", in[0].bound() + in[1].bound(), in[0], in[1]));
        binary("Mul", (d, in) -> pair(d, "Mul", in[0].bound() * in[1].bound(), in[0], in[1]));
        binary("Div", (d, in) -> pair(d, "Div", in[0].bound() * 2, in[0], d.positive(in[1])));
        binary("Max", (d, in) -> pair(d, "Max", Math.max(in[0].bound(), in[1].bound()), in[0], d.jittered(in[1])));
        binary("Min", (d, in) -> pair(d, "Min", Math.max(in[0].bound(), in[1].bound()), in[0], d.jittered(in[1])));
        binary(
                "Sum",
                (d, in) -> d.node(
                        "Sum",
                        DataType.FLOAT,
                        broadcast(in[0].shapes(), in[1].shapes()),
                        2 * in[0].bound() + in[1].bound(),
                        List.of(in[0], in[1], in[0])));
        add("Pow", d -> {
            Made x = d.positive(d.real());
            double power = new double[] {2, 3, 0.5, 1.7, -1}[d.random.nextInt(5)];
            d.like("Pow", Math.max(2, Math.pow(x.bound(), power)), List.of(x, d.number(power)));
        });
        add("Clip", 11, d -> {
            Made x = d.jittered(d.real());
            d.like("Clip", x.bound(), List.of(x, d.number(-0.6), d.number(0.9)));
        });
        add("Log", d -> d.like("Log", 10, List.of(d.positive(d.real()))));
        add("Sqrt", d -> d.like("Sqrt", 10, List.of(d.positive(d.real()))));
        add("Reciprocal", d -> d.like("Reciprocal", 2, List.of(d.positive(d.real()))));
        add("Exp", d -> {
            Made x = d.real();
            d.like("Exp", Math.exp(x.bound()), List.of(x));
        });
        unary("Neg", 0);
        unary("Sin", 1);
        unary("Cos", 1);
        add("Abs", d -> {
            Made x = d.jittered(d.real());
            d.like("Abs", x.bound(), List.of(x));
        });
        for (String name : List.of("Floor", "Ceil", "Sign")) {
            add(name, d -> {
                Made x = d.jittered(d.real());
                d.like(name, x.bound() + 1, List.of(x));
            });
        }
        for (String name : List.of("Add", "Sub", "Mul", "Div", "Mod")) {
            add(name, name.equals("Mod") ? 10 : 9, d -> {
                Made x = d.whole();
                d.like(name, 0, List.of(x, d.whole(1L + d.random.nextInt(3))));
            });
        }
        add("Identity", d -> {
            Made x = d.real();
            d.like("Identity", x.bound(), List.of(x));
        });
    }

    private void logic() {
        for (String name : List.of("Less", "Greater", "LessOrEqual", "GreaterOrEqual")) {
            add(name, name.endsWith("Equal") ? 12 : 9, d -> {
                Made x = d.jittered(d.real());
                Made y = d.partner(x);
                d.node(name, DataType.BOOL, broadcast(x.shapes(), y.shapes()), 1, List.of(x, y));
            });
        }
        add("Equal", d -> {
            Made x = d.whole();
            d.node("Equal", DataType.BOOL, x.shapes(), 1, List.of(x, d.whole(1)));
        });
        for (String name : List.of("And", "Or", "Xor")) {
            add(name, d -> {
                Made x = d.truth();
                Made y = d.pick(made -> made.type() == DataType.BOOL && broadcast(made.shapes(), x.shapes()) != null);
                d.node(name, DataType.BOOL, broadcast(x.shapes(), y.shapes()), 1, List.of(x, y));
            });
        }
        add("Not", d -> d.like("Not", 1, List.of(d.truth())));
        add("IsNaN", d -> {
            Made x = d.real();
            d.node("IsNaN", DataType.BOOL, x.shapes(), 1, List.of(x));
        });
        add("Where", d -> {
            Made condition = d.truth();
            Made x = d.pick(made -> made.isReal() && broadcast(made.shapes(), condition.shapes()) != null);
            Made y = d.partner(x);
            long[][] values = broadcast(x.shapes(), y.shapes());
            if (broadcast(condition.shapes(), values) == null) {
                throw new Draft.Unfit();
            }
            d.node(
                    "Where",
                    DataType.FLOAT,
                    broadcast(condition.shapes(), values),
                    Math.max(x.bound(), y.bound()),
                    List.of(condition, x, y));
        });
        cast(INT64, DataType.LONG);
        // not of whole numbers: ONNX Runtime makes one of two casts in a row, and forgets the rounding of the first
        add("Cast", d -> {
            Made x = d.jittered(d.real());
            d.node("Cast", DataType.BOOL, x.shapes(), 1, List.of(x), "to", BOOL);
        });
        add("Cast", d -> {
            Made x = d.pick(made -> made.type() != DataType.FLOAT && made.elements() == null);
            d.node("Cast", DataType.FLOAT, x.shapes(), 50, List.of(x), "to", FLOAT);
        });
    }

    private void cast(int to, DataType type) {
        add("Cast", d -> {
            Made x = d.pick(made -> made.type() != type && made.elements() == null);
            d.node("Cast", type, x.shapes(), x.bound(), List.of(x.isReal() ? d.jittered(x) : x), "to", to);
        });
    }

    private void activations() {
        unary("Tanh", 1);
        unary("Erf", 1);
        unary("Sigmoid", 1);
        unary("Softplus", 11);
        unary("com.microsoft:Gelu", 0);
        for (String name : List.of("Relu", "Elu")) {
            add(name, d -> {
                Made x = d.jittered(d.real());
                d.like(name, x.bound(), List.of(x));
            });
        }
        add("LeakyRelu", d -> {
            Made x = d.jittered(d.real());
            d.like("LeakyRelu", x.bound(), List.of(x), "alpha", 0.1f);
        });
        add("Gelu", 20, d -> {
            Made x = d.real();
            d.like("Gelu", x.bound(), List.of(x), "approximate", d.random.nextBoolean() ? "tanh" : "none");
        });
        add("com.microsoft:FastGelu", d -> {
            Made x = d.pick(made -> made.isReal() && made.rank() > 0 && !made.isOpen(made.rank() - 1));
            Made bias = d.stored(1, x.shapes()[0][x.rank() - 1]);
            d.like("com.microsoft:FastGelu", x.bound() + 1, List.of(x, bias));
        });
        for (String name : List.of("Softmax", "LogSoftmax")) {
            add(name, d -> {
                Made x = d.real();
                int axis = d.signed(d.axis(x), x.rank());
                if (axis == 0 && d.opset < 13) {
                    throw new Draft.Unfit(); // the message class writes no zeros, and the default is 1
                }
                d.like(name, name.equals("Softmax") ? 1 : 2 * x.bound() + 6, List.of(x), "axis", axis);
            });
        }
        add("LayerNormalization", 17, d -> {
            Made x = d.pick(made -> made.isReal()
                    && made.rank() > 0
                    && !made.isOpen(made.rank() - 1)
                    && made.shapes()[0][made.rank() - 1] > 2);
            long width = x.shapes()[0][x.rank() - 1];
            List<Made> in = new ArrayList<>(List.of(x, d.stored(1, width)));
            if (d.random.nextBoolean()) {
                in.add(d.stored(1, width));
            }
            // a row of equal numbers is all rounding before it is divided by nothing: the large epsilon hides that
            d.like("LayerNormalization", 4, in, "axis", -1, "epsilon", 0.01f);
        });
    }

    private void products() {
        add("MatMul", d -> {
            Made x = d.pick(made -> made.isReal() && made.rank() > 0 && !made.isOpen(made.rank() - 1));
            long in = x.shapes()[0][x.rank() - 1];
            long out = 1 + d.random.nextInt(5);
            long[][] shape = {x.shapes()[0].clone(), x.shapes()[1].clone()};
            shape[0][x.rank() - 1] = out;
            shape[1][x.rank() - 1] = out;
            product(d, "MatMul", shape, x.bound() * in, List.of(x, d.stored(1, in, out)));
        });
        add("MatMul", d -> {
            Made x = d.real(2, 4);
            int rank = x.rank();
            int[] order = swapped(rank);
            long[][] shape = permuted(x.shapes(), order);
            Made turned = d.node(
                    "Transpose",
                    DataType.FLOAT,
                    shape,
                    x.bound(),
                    List.of(x),
                    "perm",
                    Arrays.stream(order).asLongStream().toArray());
            long[][] result = {x.shapes()[0].clone(), x.shapes()[1].clone()};
            result[0][rank - 1] = x.shapes()[0][rank - 2];
            result[1][rank - 1] = x.shapes()[1][rank - 2];
            double bound = x.bound() * x.bound() * Math.max(x.shapes()[0][rank - 1], x.shapes()[1][rank - 1]);
            product(d, "MatMul", result, bound, List.of(x, turned));
        });
        add("Gemm", d -> {
            Made x = d.pick(made -> made.isReal() && made.rank() == 2 && !made.isOpen(1));
            long in = x.shapes()[0][1];
            long out = 1 + d.random.nextInt(5);
            boolean transposed = d.random.nextBoolean();
            Made weight = transposed ? d.stored(1, out, in) : d.stored(1, in, out);
            long[][] shape = {{x.shapes()[0][0], out}, {x.shapes()[1][0], out}};
            product(
                    d,
                    "Gemm",
                    shape,
                    x.bound() * in + 1,
                    List.of(x, weight, d.stored(1, out)),
                    "transB",
                    transposed ? 1 : 0,
                    "alpha",
                    d.random.nextBoolean() ? 1f : 0.5f);
        });
        add("Einsum", 12, d -> {
            Made x = d.pick(made -> made.isReal() && made.rank() == 3 && !made.isOpen(2));
            long in = x.shapes()[0][2];
            long out = 1 + d.random.nextInt(4);
            long[][] shape = {x.shapes()[0].clone(), x.shapes()[1].clone()};
            shape[0][2] = out;
            shape[1][2] = out;
            product(d, "Einsum", shape, x.bound() * in, List.of(x, d.stored(1, in, out)), "equation", "bsi,io->bso");
        });
        add("Einsum", 12, d -> {
            Made x = d.pick(made -> made.isReal() && made.rank() == 3);
            Made y = d.pick(made -> made.isReal()
                    && made.rank() == 3
                    && Arrays.equals(made.axis(0), x.axis(0))
                    && Arrays.equals(made.axis(2), x.axis(2)));
            long[][] shape = {
                {x.shapes()[0][0], y.shapes()[0][1], x.shapes()[0][1]},
                {x.shapes()[1][0], y.shapes()[1][1], x.shapes()[1][1]}
            };
            double bound = x.bound() * y.bound() * Math.max(x.shapes()[0][2], x.shapes()[1][2]);
            product(d, "Einsum", shape, bound, List.of(x, y), "equation", "bqd,bkd->bkq");
        });
    }

    /** M2.1 differentiates products with one row and one column wrongly: their gradients are not looked at. */
    private static void product(
            Draft d, String name, long[][] shape, double bound, List<Made> from, Object... attributes) {
        Made result = d.node(name, DataType.FLOAT, shape, bound, from, attributes);
        boolean single = Arrays.stream(shape)
                .anyMatch(each -> each[each.length - 1] == 1 && (each.length < 2 || rows(each) == 1));
        if (single) {
            d.still(result);
        }
    }

    /** Stored matrices are multiplied by all rows of a batch as one matrix, others batch by batch: the fewest there are. */
    private static long rows(long[] shape) {
        return shape[shape.length - 2];
    }

    private static int[] swapped(int rank) {
        int[] order = new int[rank];
        Arrays.setAll(order, axis -> axis < rank - 2 ? axis : axis == rank - 2 ? rank - 1 : rank - 2);
        return order;
    }

    static long[][] permuted(long[][] shapes, int[] order) {
        return new long[][] {
            Arrays.stream(order).mapToLong(axis -> shapes[0][axis]).toArray(),
            Arrays.stream(order).mapToLong(axis -> shapes[1][axis]).toArray()
        };
    }

    private void reductions() {
        for (String name :
                List.of("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceSumSquare", "ReduceL2")) {
            add(name, d -> reduce(d, name));
        }
        add("ArgMax", d -> {
            // elements of an input differ; those of computed values may be equal but for rounding
            Made x = d.pick(
                    made -> made.isReal() && made.rank() > 0 && made.name().startsWith("x"));
            int axis = d.axis(x);
            boolean keep = d.random.nextBoolean();
            d.node(
                    "ArgMax",
                    DataType.LONG,
                    reduced(x.shapes(), new int[] {axis}, keep),
                    4,
                    List.of(x),
                    "axis",
                    d.signed(axis, x.rank()),
                    "keepdims",
                    keep ? 1 : 0);
        });
        add("CumSum", 11, d -> {
            Made x = d.pick(made -> made.type() == DataType.LONG && made.elements() == null && made.rank() > 0);
            Made axis = d.whole(d.signed(d.axis(x), x.rank()));
            d.like("CumSum", 0, List.of(x, axis), "exclusive", d.random.nextInt(2), "reverse", d.random.nextInt(2));
        });
        add("Trilu", 14, d -> {
            Made x = d.real(2, 4);
            d.like("Trilu", x.bound(), List.of(x, d.whole(d.random.nextInt(3) - 1)), "upper", d.random.nextInt(2));
        });
    }

    private static void reduce(Draft d, String name) {
        Made x = d.real();
        int count = 1 + d.random.nextInt(Math.max(1, x.rank()));
        int[] axes = d.random
                .ints(0, Math.max(1, x.rank()))
                .distinct()
                .limit(Math.min(count, x.rank()))
                .sorted()
                .toArray();
        if (axes.length == 0) {
            throw new Draft.Unfit();
        }
        boolean keep = d.random.nextBoolean();
        long[] written =
                Arrays.stream(axes).mapToLong(axis -> d.signed(axis, x.rank())).toArray();
        boolean sums = !name.endsWith("Mean") && !name.endsWith("Max") && !name.endsWith("Min");
        double bound = sums ? 40 * Math.max(1, x.bound()) : x.bound();
        long[][] shape = reduced(x.shapes(), axes, keep);
        Made from = name.equals("ReduceL2") ? d.positive(x) : x;
        int asInputSince = name.equals("ReduceSum") ? 13 : 18;
        if (d.opset >= asInputSince) {
            d.node(name, DataType.FLOAT, shape, bound, List.of(from, d.vector(written)), "keepdims", keep ? 1 : 0);
        } else {
            d.node(name, DataType.FLOAT, shape, bound, List.of(from), "axes", written, "keepdims", keep ? 1 : 0);
        }
    }

    static long[][] reduced(long[][] shapes, int[] axes, boolean keep) {
        long[][] result = new long[2][];
        for (int sample = 0; sample < 2; sample++) {
            List<Long> sizes = new ArrayList<>();
            for (int axis = 0; axis < shapes[sample].length; axis++) {
                boolean gone = Arrays.binarySearch(axes, axis) >= 0;
                if (!gone || keep) {
                    sizes.add(gone ? 1 : shapes[sample][axis]);
                }
            }
            result[sample] = sizes.stream().mapToLong(Long::longValue).toArray();
        }
        return result;
    }

    /** What ConstantOfShape fills with. */
    static HostTensor fill(double value) {
        return HostTensor.of(DataType.FLOAT, new long[] {1}, new double[] {value});
    }
}
