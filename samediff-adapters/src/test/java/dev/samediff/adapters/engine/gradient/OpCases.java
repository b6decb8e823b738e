package dev.samediff.adapters.engine.gradient;

import dev.samediff.adapters.engine.program.BinaryKind;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.ReduceKind;
import dev.samediff.adapters.engine.program.Tensor;
import dev.samediff.adapters.engine.program.UnaryKind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.nd4j.linalg.api.buffer.DataType;

/** Operations at sizes on both sides of every threshold of the engine. */
final class OpCases {
    /** Elements from which on two threads share an element-wise kernel, and fewer. */
    private static final long[][] SIZES = {{1}, {3, 5}, {2, 3, 17}, {300, 450}};

    private OpCases() {}

    static Stream<OpCase> all() {
        return Stream.of(
                        unaries(),
                        binaries(),
                        dropouts(),
                        equals(),
                        reductions(),
                        views(),
                        products(),
                        attention(),
                        norms(),
                        losses(),
                        lookups())
                .flatMap(cases -> cases);
    }

    private static String sizes(long... shape) {
        return Arrays.toString(shape);
    }

    private static Stream<OpCase> unaries() {
        return Stream.of(UnaryKind.values())
                .flatMap(kind -> Stream.of(SIZES)
                        .map(shape -> OpCase.of(kind + sizes(shape), leaves -> {
                            boolean positive = switch (kind) {
                                case LOG, SQRT, RSQRT, RECIPROCAL, POW -> true;
                                default -> false;
                            };
                            Tensor x = positive ? leaves.positive("x", shape) : leaves.distinct("x", shape);
                            Tensor small = positive ? x : leaves.builder.unary(UnaryKind.TANH, 0, 0, x);
                            double[] parameters = parameters(kind);
                            return leaves.builder.unary(kind, parameters[0], parameters[1], small);
                        })));
    }

    private static double[] parameters(UnaryKind kind) {
        return switch (kind) {
            case LINEAR -> new double[] {1.7, -0.3};
            case RELU -> new double[] {0.1, 0};
            case ELU, SWISH, SOFTPLUS -> new double[] {1.3, 0};
            case HARD_SWISH, HARD_SIGMOID -> new double[] {0.6, 0.4};
            case POW -> new double[] {1.5, 2.5};
            case CLIP -> new double[] {-0.4, 0.6};
            default -> new double[] {0, 0};
        };
    }

    private static Stream<OpCase> binaries() {
        long[][][] shapes = {
            {{4, 5}, {4, 5}},
            {{4, 5}, {5}},
            {{4, 1}, {1, 6}},
            {{2, 3, 4}, {1, 3, 1}},
            {{300, 450}, {450}},
            {{2, 3, 1, 5}, {1, 3, 4, 1}}
        };
        return Stream.of(BinaryKind.values())
                .flatMap(kind -> Stream.of(shapes)
                        .map(shape -> OpCase.of(kind + sizes(shape[0]) + sizes(shape[1]), leaves -> {
                            Tensor a = leaves.distinct("a", shape[0]);
                            Tensor b = kind == BinaryKind.DIVIDE
                                    ? leaves.positive("b", shape[1])
                                    : leaves.normal("b", shape[1]);
                            return leaves.builder.binary(kind, leaves.builder.unary(UnaryKind.TANH, 0, 0, a), b);
                        })));
    }

    private static Stream<OpCase> dropouts() {
        return Stream.of(SIZES)
                .map(shape -> OpCase.of(
                        "dropout" + sizes(shape),
                        l -> l.builder.add(
                                new Op.Dropout(17),
                                List.of(l.normal("x", shape), l.draw("draw", 0.7)),
                                DataType.FLOAT,
                                shape)));
    }

    /** Where both are equal, both get half: the larger of a tensor and itself has the slope 1. */
    private static Stream<OpCase> equals() {
        return Stream.of(BinaryKind.MAXIMUM, BinaryKind.MINIMUM)
                .map(kind -> OpCase.of(kind + " of equals", l -> {
                    Tensor x = l.normal("x", 3, 4);
                    return l.builder.binary(kind, x, x);
                }));
    }

    private static Stream<OpCase> reductions() {
        record Axes(long[] shape, int... axes) {}
        List<Axes> all = List.of(
                new Axes(new long[] {4, 5}, 1),
                new Axes(new long[] {4, 5}, 0),
                new Axes(new long[] {2, 3, 4}, 1),
                new Axes(new long[] {2, 3, 4}, 0, 2),
                new Axes(new long[] {2, 3, 4}, 0, 1, 2),
                new Axes(new long[] {300, 450}, 1),
                new Axes(new long[] {3, 9000}, 1),
                new Axes(new long[] {9000, 3}, 0));
        return Stream.of(ReduceKind.values())
                .flatMap(kind -> all.stream()
                        .map(each -> OpCase.of(
                                "reduce " + kind + sizes(each.shape()) + Arrays.toString(each.axes()), leaves -> {
                                    Tensor x = leaves.distinct("x", each.shape());
                                    Tensor squashed = leaves.builder.linear(x, 1e-2, 0);
                                    return leaves.builder.reduce(kind, squashed, each.axes(), true);
                                })));
    }

    private static Stream<OpCase> views() {
        return Stream.of(
                OpCase.of("reshape", l -> l.builder.reshape(l.normal("x", 2, 3, 4), 6, 4)),
                OpCase.of(
                        "reshape of a transposed",
                        l -> l.builder.reshape(l.builder.transpose(l.normal("x", 3, 4)), 2, 6)),
                OpCase.of("permute", l -> l.builder.permute(l.normal("x", 2, 3, 4), 2, 0, 1)),
                OpCase.of("slice", l -> l.builder.slice(l.normal("x", 2, 7, 4), 1, 2, 3)),
                OpCase.of("overlapping slices", l -> {
                    Tensor x = l.normal("x", 2, 7);
                    Tensor first = l.builder.slice(x, 1, 0, 5);
                    return l.builder.binary(BinaryKind.MULTIPLY, first, l.builder.slice(x, 1, 2, 5));
                }),
                OpCase.of("expand", l -> l.builder.expand(l.normal("x", 2, 1, 4), 2, 5, 4)),
                OpCase.of(
                        "concat",
                        l -> l.builder.concat(
                                1, List.of(l.normal("a", 2, 3), l.normal("b", 2, 1), l.normal("c", 2, 4)))),
                OpCase.of("concat of one tensor twice", l -> {
                    Tensor x = l.normal("x", 2, 3);
                    return l.builder.concat(0, List.of(x, x));
                }),
                OpCase.of("cast there and back", l -> {
                    Tensor x = l.normal("x", 3, 4);
                    Tensor rounded = l.builder.cast(x, DataType.BFLOAT16);
                    // The product with 0 keeps the cast in the way of the gradient without its steps in the values.
                    Tensor back = l.builder.linear(l.builder.cast(rounded, DataType.FLOAT), 0, 0);
                    return l.builder.binary(BinaryKind.ADD, back, x);
                }),
                OpCase.of(
                        "fill",
                        l -> l.builder.binary(BinaryKind.MULTIPLY, l.builder.fill(0.75, 3, 4), l.normal("x", 3, 4))));
    }

    private static Stream<OpCase> products() {
        List<OpCase> cases = new ArrayList<>();
        long[][] sizes = {{1, 4, 5}, {3, 1, 5}, {7, 64, 16}, {70, 300, 8}, {200, 256, 260}, {65, 260, 256}};
        for (long[] s : sizes) {
            cases.add(OpCase.of(
                    "matmul" + sizes(s),
                    l -> l.builder.matmul(l.normal("a", s[0], s[1]), l.normal("b", s[1], s[2]), 0.7)));
            cases.add(OpCase.of(
                    "matmul with bias and sum" + sizes(s),
                    l -> l.builder.add(
                            new Op.MatMul(0.3, true, true),
                            List.of(
                                    l.normal("a", s[0], s[1]),
                                    l.normal("b", s[1], s[2]),
                                    l.normal("bias", s[2]),
                                    l.normal("c", s[0], s[2])),
                            DataType.FLOAT,
                            s[0],
                            s[2])));
            cases.add(OpCase.of(
                    "matmul by a frozen weight" + sizes(s),
                    l -> l.builder.matmul(l.normal("a", s[0], s[1]), l.frozen("b", s[1], s[2]), 1)));
            cases.add(OpCase.of(
                    "matmul by a frozen transposed weight" + sizes(s),
                    l -> l.builder.matmul(
                            l.normal("a", s[0], s[1]), l.builder.transpose(l.frozen("b", s[2], s[1])), 1)));
        }
        cases.add(OpCase.of(
                "matmul of batches", l -> l.builder.matmul(l.normal("a", 2, 3, 4, 5), l.normal("b", 2, 3, 5, 6), 1)));
        cases.add(OpCase.of(
                "matmul of batches with one factor for all",
                l -> l.builder.matmul(l.normal("a", 2, 3, 4, 5), l.normal("b", 5, 6), 1)));
        cases.add(OpCase.of(
                "matmul of batches of which each factor repeats one",
                l -> l.builder.matmul(l.normal("a", 2, 1, 4, 5), l.normal("b", 1, 3, 5, 6), 1)));
        cases.add(OpCase.of(
                "matmul of permuted factors",
                l -> l.builder.matmul(
                        l.builder.permute(l.normal("a", 2, 4, 3, 5), 0, 2, 1, 3),
                        l.builder.transpose(l.normal("b", 2, 3, 6, 5)),
                        1)));
        for (long[] mask : new long[][] {{2, 3, 4, 6}, {1, 1, 4, 6}, {2, 1, 1, 6}, {4, 6}, {1, 3, 4, 1}}) {
            cases.add(OpCase.of(
                    "masked matmul" + sizes(mask),
                    l -> l.builder.add(
                            new Op.MaskedMatMul(0.4),
                            List.of(l.normal("a", 2, 3, 4, 5), l.normal("b", 2, 3, 5, 6), l.normal("mask", mask)),
                            DataType.FLOAT,
                            2,
                            3,
                            4,
                            6)));
        }
        return cases.stream();
    }

    private static Stream<OpCase> attention() {
        List<OpCase> cases = new ArrayList<>();
        for (long[] s :
                new long[][] {{1, 2, 2, 5, 5, 4}, {2, 4, 2, 70, 70, 4}, {1, 2, 1, 256, 256, 8}, {1, 1, 1, 65, 300, 4}
                }) {
            for (boolean mask : new boolean[] {false, true}) {
                cases.add(OpCase.of("attention" + sizes(s) + (mask ? " with a mask" : ""), l -> {
                    List<Tensor> inputs = new ArrayList<>(List.of(
                            l.normal("q", s[0], s[1], s[3], s[5]),
                            l.normal("k", s[0], s[2], s[4], s[5]),
                            l.normal("v", s[0], s[2], s[4], s[5])));
                    if (mask) {
                        inputs.add(l.frozen("mask", 1, 1, s[3], s[4]));
                    }
                    return l.builder.add(new Op.Attention(0.5, mask), inputs, DataType.FLOAT, s[0], s[1], s[3], s[5]);
                }));
            }
        }
        for (long[] shape : new long[][] {{5}, {3, 7}, {2, 3, 16, 16}, {300, 450}}) {
            cases.add(OpCase.of("softmax" + sizes(shape), l -> l.builder.softmax(l.normal("x", shape))));
        }
        return cases.stream();
    }

    private static Stream<OpCase> norms() {
        List<OpCase> cases = new ArrayList<>();
        for (long[] s : new long[][] {{1, 8}, {5, 7}, {300, 450}}) {
            for (int parameters = 0; parameters < 3; parameters++) {
                boolean scale = parameters > 0;
                boolean shift = parameters > 1;
                cases.add(OpCase.of("layer norm" + sizes(s) + (scale ? " scale" : "") + (shift ? " shift" : ""), l -> {
                    List<Tensor> inputs = new ArrayList<>(List.of(l.normal("x", s)));
                    if (scale) {
                        inputs.add(l.normal("scale", s[1]));
                    }
                    if (shift) {
                        inputs.add(l.normal("shift", s[1]));
                    }
                    return l.builder
                            .add(
                                    new Op.LayerNorm(1e-3, scale, shift),
                                    inputs,
                                    List.of(DataType.FLOAT, DataType.FLOAT, DataType.FLOAT),
                                    List.of(s, new long[] {s[0]}, new long[] {s[0]}))
                            .get(0);
                }));
            }
            for (boolean scale : new boolean[] {false, true}) {
                cases.add(OpCase.of("rms norm" + sizes(s) + (scale ? " scale" : ""), l -> {
                    List<Tensor> inputs = new ArrayList<>(List.of(l.normal("x", s)));
                    if (scale) {
                        inputs.add(l.normal("scale", s[1]));
                    }
                    return l.builder
                            .add(
                                    new Op.RmsNorm(1e-3, scale),
                                    inputs,
                                    List.of(DataType.FLOAT, DataType.FLOAT),
                                    List.of(s, new long[] {s[0]}))
                            .get(0);
                }));
            }
        }
        return cases.stream();
    }

    private static Stream<OpCase> losses() {
        return Stream.of(new long[] {1, 2}, new long[] {6, 10}, new long[] {64, 513}, new long[] {130, 30})
                .map(s -> OpCase.of("cross entropy" + sizes(s), l -> {
                    Tensor weights = l.real("weights", r -> r.nextInt(3) == 0 ? 0 : r.nextDouble(), s[0]);
                    l.freeze("weights");
                    return l.builder
                            .add(
                                    new Op.CrossEntropy(),
                                    List.of(l.normal("z", s), l.ids("labels", DataType.INT, (int) s[1], s[0]), weights),
                                    List.of(DataType.FLOAT, DataType.FLOAT),
                                    List.of(new long[] {}, new long[] {s[0]}))
                            .get(0);
                }));
    }

    private static Stream<OpCase> lookups() {
        return Stream.of(
                OpCase.of(
                        "gather", l -> l.builder.gather(l.normal("table", 9, 4), l.ids("ids", DataType.LONG, 9, 2, 5))),
                OpCase.of(
                        "gather of many rows",
                        l -> l.builder.gather(l.normal("table", 30, 64), l.ids("ids", DataType.INT, 30, 3000))));
    }
}
