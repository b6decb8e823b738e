package dev.samediff.importer.random;

import static dev.samediff.importer.random.OperatorTable.permuted;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.nd4j.linalg.api.buffer.DataType;

/** Operators that move elements, and shapes computed from shapes. */
record MovementTable(OperatorTable table) {
    void add() {
        reshaping();
        moving();
        sizes();
        lookups();
    }

    private void reshaping() {
        table.add("Transpose", d -> {
            Made x = d.real(2, 5);
            List<Integer> order =
                    new ArrayList<>(IntStream.range(0, x.rank()).boxed().toList());
            Collections.shuffle(order, d.random);
            int[] axes = order.stream().mapToInt(Integer::intValue).toArray();
            d.node(
                    "Transpose",
                    DataType.FLOAT,
                    permuted(x.shapes(), axes),
                    x.bound(),
                    List.of(x),
                    "perm",
                    Arrays.stream(axes).asLongStream().toArray());
        });
        table.add("Flatten", d -> {
            Made x = d.real(1, 5);
            // not 0: the message class writes no zeros, and the default is 1
            int axis = 1 + d.random.nextInt(x.rank());
            d.node(
                    "Flatten",
                    DataType.FLOAT,
                    each(x, shape -> new long[] {product(shape, 0, axis), product(shape, axis, shape.length)}),
                    x.bound(),
                    List.of(x),
                    "axis",
                    axis);
        });
        table.add("Unsqueeze", d -> {
            Made x = d.real(0, 4);
            int axis = d.random.nextInt(x.rank() + 1);
            axes(d, "Unsqueeze", x, d.signed(axis, x.rank() + 1), each(x, shape -> inserted(shape, axis, 1)));
        });
        table.add("Squeeze", d -> {
            Made x = d.pick(made -> made.isReal() && singles(made).length > 0);
            int[] singles = singles(x);
            int axis = singles[d.random.nextInt(singles.length)];
            axes(d, "Squeeze", x, d.signed(axis, x.rank()), each(x, shape -> without(shape, axis)));
        });
        table.add("Reshape", d -> {
            Made x = d.real(1, 5);
            int axis = d.random.nextInt(x.rank());
            // the sizes before the axis stay, the others become one axis
            long[] target = LongStream.concat(LongStream.range(0, axis).map(i -> 0), LongStream.of(-1))
                    .toArray();
            long[][] shape = each(x, from -> {
                long[] kept = Arrays.copyOf(from, axis + 1);
                kept[axis] = product(from, axis, from.length);
                return kept;
            });
            d.node("Reshape", DataType.FLOAT, shape, x.bound(), List.of(x, d.vector(target)));
        });
    }

    /** Shape -> Gather -> Concat -> Reshape, and the way back: what exporters write for heads of attention. */
    private void sizes() {
        table.add("Shape", d -> {
            Made x = d.real(2, 4);
            Made shape = shapeOf(d, x);
            List<Made> parts = new ArrayList<>();
            int joined = d.random.nextInt(x.rank() - 1);
            for (int axis = 0; axis < x.rank(); axis++) {
                if (axis == joined) {
                    parts.add(d.vector(-1));
                    axis++;
                } else {
                    parts.add(asVector(d, element(d, shape, axis)));
                }
            }
            Made target = concat(d, parts);
            long[][] result = each(x, from -> {
                long[] merged = without(from, joined);
                merged[joined] = from[joined] * from[joined + 1];
                return merged;
            });
            Made merged = d.node("Reshape", DataType.FLOAT, result, x.bound(), List.of(x, target));
            if (d.random.nextBoolean()) {
                d.node("Reshape", DataType.FLOAT, x.shapes(), x.bound(), List.of(merged, shape));
            }
        });
        table.add("Range", 11, d -> {
            Made size = size(d);
            Made range = d.node(
                    "Range",
                    DataType.LONG,
                    new long[][] {{size.elements()[0][0]}, {size.elements()[1][0]}},
                    9,
                    List.of(d.whole(0), size, d.whole(1)));
            d.node("Cast", DataType.FLOAT, range.shapes(), 9, List.of(range), "to", 1);
        });
        table.add("ConstantOfShape", d -> {
            Made shape = concat(d, List.of(asVector(d, size(d)), d.vector(1 + d.random.nextInt(3))));
            long[][] sizes = shape.elements();
            Made filled = d.node(
                    "ConstantOfShape", DataType.FLOAT, sizes, 2, List.of(shape), "value", OperatorTable.fill(0.25));
            if (d.opset >= 14) {
                d.like("Trilu", 2, List.of(filled), "upper", 0);
            }
        });
        table.add("Expand", d -> {
            Made x = d.pick(made -> made.isReal() && made.rank() > 0 && made.rank() < 5 && singles(made).length > 0);
            Made size = asVector(d, size(d));
            int[] singles = singles(x);
            int grown = singles[d.random.nextInt(singles.length)];
            List<Made> parts = new ArrayList<>();
            for (int axis = 0; axis < x.rank(); axis++) {
                parts.add(axis == grown ? size : d.vector(1));
            }
            long[][] shape = {x.shapes()[0].clone(), x.shapes()[1].clone()};
            shape[0][grown] = size.elements()[0][0];
            shape[1][grown] = size.elements()[1][0];
            d.node("Expand", DataType.FLOAT, shape, x.bound(), List.of(x, concat(d, parts)));
        });
        table.add("Where", d -> {
            // a size or -1, chosen by a comparison of sizes: exporters write this for expand
            Made shape = shapeOf(d, d.real(1, 4));
            Made ones = d.vector(new long[(int) shape.shapes()[0][0]]);
            long[][] none = {new long[ones.elements()[0].length], new long[ones.elements()[0].length]};
            Made equal = d.node("Equal", DataType.BOOL, shape.shapes(), 1, List.of(shape, ones));
            Made chosen =
                    d.sized("Where", DataType.LONG, shape.shapes(), shape.elements(), 0, List.of(equal, ones, shape));
            if (none[0].length > 0) {
                d.node(
                        "ConstantOfShape",
                        DataType.FLOAT,
                        chosen.elements(),
                        1,
                        List.of(chosen),
                        "value",
                        OperatorTable.fill(1));
            }
        });
        table.add("Size", d -> {
            Made x = d.real();
            Made size = d.sized(
                    "Size",
                    DataType.LONG,
                    new long[2][0],
                    new long[][] {{product(x.shapes()[0], 0, x.rank())}, {product(x.shapes()[1], 0, x.rank())}},
                    0,
                    List.of(x));
            d.node("Cast", DataType.FLOAT, size.shapes(), 1e4, List.of(size), "to", 1);
        });
    }

    private void moving() {
        table.add("Concat", d -> {
            Made x = d.real(1, 5);
            int axis = d.axis(x);
            Made y = d.pick(made -> made.isReal()
                    && made.rank() == x.rank()
                    && Arrays.deepEquals(each(made, s -> without(s, axis)), each(x, s -> without(s, axis))));
            long[][] shape = {x.shapes()[0].clone(), x.shapes()[1].clone()};
            shape[0][axis] += y.shapes()[0][axis];
            shape[1][axis] += y.shapes()[1][axis];
            int written = d.opset < 11 ? axis : d.signed(axis, x.rank());
            d.node("Concat", DataType.FLOAT, shape, Math.max(x.bound(), y.bound()), List.of(x, y), "axis", written);
        });
        table.add("Split", d -> {
            Made x = d.pick(made -> made.isReal() && even(made) >= 0);
            int axis = even(x);
            long[][] half = {x.shapes()[0].clone(), x.shapes()[1].clone()};
            half[0][axis] /= 2;
            half[1][axis] /= 2;
            int written = d.opset < 11 ? axis : d.signed(axis, x.rank());
            if (d.opset >= 18) {
                d.several(
                        "Split",
                        DataType.FLOAT,
                        List.of(half, half),
                        x.bound(),
                        List.of(x),
                        "axis",
                        written,
                        "num_outputs",
                        2);
            } else {
                d.several("Split", DataType.FLOAT, List.of(half, half), x.bound(), List.of(x), "axis", written);
            }
        });
        table.add("Split", 13, d -> {
            Made x = d.pick(made -> made.isReal() && made.rank() > 0 && !made.isOpen(0) && made.shapes()[0][0] > 2);
            long size = x.shapes()[0][0];
            long[][] first = {x.shapes()[0].clone(), x.shapes()[1].clone()};
            long[][] second = {x.shapes()[0].clone(), x.shapes()[1].clone()};
            for (int sample = 0; sample < 2; sample++) {
                first[sample][0] = 1;
                second[sample][0] = size - 1;
            }
            d.several(
                    "Split",
                    DataType.FLOAT,
                    List.of(first, second),
                    x.bound(),
                    List.of(x, d.vector(1, size - 1)),
                    "axis",
                    0);
        });
        table.add("Slice", 10, d -> {
            Made x = d.real(1, 5);
            int axis = d.axis(x);
            long least = Math.min(x.shapes()[0][axis], x.shapes()[1][axis]);
            long start = d.random.nextInt((int) least);
            long[] ends = {Long.MAX_VALUE, Integer.MAX_VALUE, least, 100};
            long end = ends[d.random.nextInt(ends.length)];
            long step = 1 + d.random.nextInt(2);
            long[][] shape = each(x, from -> {
                long[] cut = from.clone();
                cut[axis] = (Math.min(end, from[axis]) - start + step - 1) / step;
                return cut;
            });
            d.node(
                    "Slice",
                    DataType.FLOAT,
                    shape,
                    x.bound(),
                    List.of(x, d.vector(start), d.vector(end), d.vector(d.signed(axis, x.rank())), d.vector(step)));
        });
        table.add("Slice", 10, d -> {
            Made x = d.real(1, 5);
            int axis = d.axis(x);
            if (x.shapes()[0][axis] < 2 || x.shapes()[1][axis] < 2) {
                throw new Draft.Unfit();
            }
            long[][] shape = each(x, from -> {
                long[] cut = from.clone();
                cut[axis] -= 1;
                return cut;
            });
            d.node("Slice", DataType.FLOAT, shape, x.bound(), List.of(x, d.vector(0), d.vector(-1), d.vector(axis)));
        });
        table.add("Tile", d -> {
            Made x = d.real(1, 3);
            long[] repeats = d.random.longs(x.rank(), 1, 3).toArray();
            long[][] shape = each(x, from -> {
                long[] tiled = from.clone();
                Arrays.setAll(tiled, axis -> from[axis] * repeats[axis]);
                return tiled;
            });
            d.node("Tile", DataType.FLOAT, shape, x.bound(), List.of(x, d.vector(repeats)));
        });
    }

    private void lookups() {
        table.add("Gather", d -> {
            Made ids = d.pick(made -> made.name().equals("ids"));
            Made rows = d.stored(2, 3 + d.random.nextInt(3), 4);
            d.node("Gather", DataType.FLOAT, each(ids, from -> inserted(from, from.length, 4)), 2, List.of(rows, ids));
        });
        table.add("Gather", d -> {
            Made x = d.real(1, 4);
            int axis = d.axis(x);
            long least = Math.min(x.shapes()[0][axis], x.shapes()[1][axis]);
            boolean single = d.random.nextBoolean();
            long[] picked = d.random.longs(single ? 1 : 2, 0, least).toArray();
            long[][] shape = each(x, from -> single ? without(from, axis) : inserted(without(from, axis), axis, 2));
            Made where = single ? d.whole(picked[0]) : d.vector(picked);
            d.node("Gather", DataType.FLOAT, shape, x.bound(), List.of(x, where), "axis", d.signed(axis, x.rank()));
        });
        table.add("Gather", d -> {
            Made x = d.pick(made ->
                    made.isReal() && made.rank() > 0 && made.rank() < 4 && !made.isOpen(0) && made.shapes()[0][0] > 2);
            Made ids = d.pick(made -> made.name().equals("ids"));
            long[][] shape = new long[2][];
            for (int sample = 0; sample < 2; sample++) {
                shape[sample] = LongStream.concat(
                                Arrays.stream(ids.shapes()[sample]),
                                Arrays.stream(x.shapes()[sample]).skip(1))
                        .toArray();
            }
            d.node("Gather", DataType.FLOAT, shape, x.bound(), List.of(x, ids));
        });
        table.add("ScatterND", 11, d -> {
            Made x = d.pick(made -> made.isReal() && made.rank() == 2 && !made.isOpen(1));
            long width = x.shapes()[0][1];
            Made where = d.constant(
                    dev.samediff.importer.tensor.HostTensor.of(DataType.LONG, new long[] {1, 1}, new long[] {0}), 0);
            d.still(d.node(
                    "ScatterND", DataType.FLOAT, x.shapes(), x.bound() + 1, List.of(x, where, d.stored(1, 1, width))));
        });
    }

    /** Axes are an attribute until operator set 13. */
    private static void axes(Draft d, String name, Made x, long axis, long[][] shape) {
        if (d.opset < 13) {
            // negative axes came with operator set 11
            long written = d.opset < 11 && axis < 0 ? axis + Math.max(x.rank(), shape[0].length) : axis;
            d.node(name, DataType.FLOAT, shape, x.bound(), List.of(x), "axes", new long[] {written});
        } else {
            d.node(name, DataType.FLOAT, shape, x.bound(), List.of(x, d.vector(axis)));
        }
    }

    private static Made shapeOf(Draft d, Made x) {
        return d.sized(
                "Shape",
                DataType.LONG,
                new long[][] {{x.rank()}, {x.rank()}},
                new long[][] {x.shapes()[0], x.shapes()[1]},
                0,
                List.of(x));
    }

    private static Made element(Draft d, Made vector, int index) {
        return d.sized(
                "Gather",
                DataType.LONG,
                new long[2][0],
                new long[][] {{vector.elements()[0][index]}, {vector.elements()[1][index]}},
                0,
                List.of(vector, d.whole(index)),
                "axis",
                0);
    }

    /** The size of some axis, as a number of rank 0. */
    private static Made size(Draft d) {
        Made x = d.real(1, 4);
        return element(d, shapeOf(d, x), d.axis(x));
    }

    private static Made asVector(Draft d, Made number) {
        long[][] shape = {{1}, {1}};
        return d.opset < 13
                ? d.sized(
                        "Unsqueeze", DataType.LONG, shape, number.elements(), 0, List.of(number), "axes", new long[] {0
                        })
                : d.sized("Unsqueeze", DataType.LONG, shape, number.elements(), 0, List.of(number, d.vector(0)));
    }

    private static Made concat(Draft d, List<Made> parts) {
        long[][] elements = new long[2][];
        for (int sample = 0; sample < 2; sample++) {
            int s = sample;
            elements[s] = parts.stream()
                    .flatMapToLong(part -> Arrays.stream(part.elements()[s]))
                    .toArray();
        }
        long[][] shape = {{elements[0].length}, {elements[1].length}};
        return d.sized("Concat", DataType.LONG, shape, elements, 0, parts, "axis", 0);
    }

    private interface Change {
        long[] of(long[] shape);
    }

    private static long[][] each(Made made, Change change) {
        return new long[][] {change.of(made.shapes()[0]), change.of(made.shapes()[1])};
    }

    private static long product(long[] shape, int from, int to) {
        return Arrays.stream(shape, from, to).reduce(1, (a, b) -> a * b);
    }

    private static long[] without(long[] shape, int axis) {
        return IntStream.range(0, shape.length)
                .filter(i -> i != axis)
                .mapToLong(i -> shape[i])
                .toArray();
    }

    private static long[] inserted(long[] shape, int axis, long size) {
        long[] result = new long[shape.length + 1];
        Arrays.setAll(result, i -> i < axis ? shape[i] : i == axis ? size : shape[i - 1]);
        return result;
    }

    private static int[] singles(Made made) {
        return IntStream.range(0, made.rank())
                .filter(axis -> made.shapes()[0][axis] == 1 && made.shapes()[1][axis] == 1)
                .toArray();
    }

    private static int even(Made made) {
        return IntStream.range(0, made.rank())
                .filter(axis -> made.shapes()[0][axis] % 2 == 0 && made.shapes()[1][axis] % 2 == 0)
                .findFirst()
                .orElse(-1);
    }
}
