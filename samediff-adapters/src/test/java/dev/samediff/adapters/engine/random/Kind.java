package dev.samediff.adapters.engine.random;

import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A construct of importers' graphs, from tensors [B,T,D] to a tensor [B,T,D]. */
enum Kind {
    ADD((g, a, b) -> a.add(b)),
    SUBTRACT((g, a, b) -> a.sub(b)),
    MULTIPLY((g, a, b) -> g.sd.math.tanh(a.mul(b))),
    DIVIDE((g, a, b) -> a.div(g.sd.math.abs(b).add(1))),
    // Not of equal numbers: SameDiff gives the whole gradient to both.
    LARGER((g, a, b) -> g.sd.math.max(a, b.add(g.constant(g.numbers(0.3, 1, g.length, g.width))))),
    LINEAR_FUNCTION((g, a, b) -> a.mul(0.7).add(0.1).div(2)),
    TANH((g, a, b) -> g.sd.math.tanh(a)),
    SIGMOID((g, a, b) -> g.sd.nn.sigmoid(a)),
    RELU((g, a, b) -> g.sd.nn.relu(a, 0)),
    LEAKY_RELU((g, a, b) -> g.sd.nn.leakyRelu(a, 0.1)),
    CLIP((g, a, b) -> g.sd.math.clipByValue(a, -0.8, 0.9)),
    CUT_OFF_RELU((g, a, b) -> g.sd.nn.relu(a, 0).sub(g.sd.nn.relu(a.sub(0.5), 0))),
    SQUARE((g, a, b) -> g.sd.math.tanh(a.mul(a))),
    ROOT((g, a, b) -> g.sd.math.sqrt(g.sd.math.square(a).add(0.1))),
    EXPONENT((g, a, b) -> g.sd.math.exp(g.sd.math.tanh(a))),
    SILU((g, a, b) -> a.mul(g.sd.nn.sigmoid(a))),
    GATED((g, a, b) -> a.mul(g.sd.nn.sigmoid(a)).mul(g.sd.math.tanh(b))),
    QUICK_GELU((g, a, b) -> a.mul(g.sd.nn.sigmoid(a.mul(1.702)))),
    GELU_TANH((g, a, b) -> g.sd.math
            .tanh(a.add(g.sd.math.pow(a, 3).mul(0.044715)).mul(Math.sqrt(2 / Math.PI)))
            .add(1)
            .mul(a)
            .mul(0.5)),
    GELU_ERF((g, a, b) -> a.mul(0.5).mul(g.sd.math.erf(a.div(Math.sqrt(2))).add(1))),
    SOFTMAX((g, a, b) -> g.sd.nn.softmax(a, -1)),
    SOFTMAX_OF_POSITIONS((g, a, b) -> g.sd.nn.softmax(a, 1)),
    LOG_SOFTMAX((g, a, b) -> g.sd.nn.logSoftmax(a).mul(0.2)),
    ROUNDED((g, a, b) ->
            a.add(a.mul(3).castTo(DataType.INT32).castTo(DataType.FLOAT).mul(0.1))),
    LINEAR((g, a, b) -> {
        SDVariable y = g.sd.mmul(g.flat(a), g.weight(0.4, g.width, g.width));
        return g.whole(g.random.nextBoolean() ? y.add(g.weight(0.3, g.width)) : y);
    }),
    LINEAR_TRANSPOSED((g, a, b) -> g.whole(g.sd.mmul(g.flat(a), g.weight(0.4, g.width, g.width), false, true, false))),
    LINEAR_OF_BATCHES((g, a, b) -> g.sd.mmul(a, g.sd.tile(g.weight(0.4, 1, g.width, g.width), g.batch, 1, 1))
            .add(g.weight(0.3, g.width))),
    SHARED_LINEAR((g, a, b) -> g.whole(g.sd.mmul(g.flat(a), g.shared()))),
    TIED_HEAD((g, a, b) -> g.whole(g.sd.mmul(g.flat(a), g.shared(), false, true, false))),
    ADAPTED((g, a, b) -> {
        SDVariable x = g.flat(a);
        SDVariable base = g.sd.mmul(x, g.constant(g.numbers(0.4, g.width, g.width)));
        SDVariable down = g.sd.mmul(x, g.trainable(0.4, g.width, 2));
        return g.whole(base.add(g.sd.mmul(down.mul(1.5), g.trainable(0.4, 2, g.width))));
    }),
    WIDER((g, a, b) -> {
        SDVariable up =
                g.sd.mmul(g.flat(a), g.weight(0.4, g.width, 3L * g.width)).add(g.weight(0.3, 3L * g.width));
        return g.whole(g.sd.mmul(g.sd.math.tanh(up), g.weight(0.3, 3L * g.width, g.width)));
    }),
    JOINED_LINEAR((g, a, b) -> g.whole(g.sd.mmul(
            g.sd.reshape(g.sd.concat(2, a, b), (long) g.batch * g.length, 2L * g.width),
            g.weight(0.3, 2L * g.width, g.width)))),
    RESIDUAL((g, a, b) -> a.add(g.whole(g.sd.mmul(g.flat(g.sd.math.tanh(b)), g.weight(0.4, g.width, g.width))))),
    LAYER_NORM((g, a, b) -> {
        SDVariable c = a.sub(a.mean(true, 2));
        SDVariable y = c.mul(g.sd.math.rsqrt(g.sd.math.square(c).mean(true, 2).add(1e-2)));
        return affine(g, y);
    }),
    LAYER_NORM_BY_ROOT((g, a, b) -> {
        SDVariable c = a.sub(a.mean(true, 2));
        return affine(g, c.div(g.sd.math.sqrt(c.mul(c).mean(true, 2).add(1e-2))));
    }),
    RMS_NORM((g, a, b) -> {
        SDVariable y = a.div(g.sd.math.sqrt(g.sd.math.square(a).mean(true, 2).add(1e-2)));
        return g.random.nextBoolean() ? y.mul(g.weight(1, g.width)) : y;
    }),
    NORM_OF_POSITIONS((g, a, b) -> {
        SDVariable c = a.sub(a.mean(true, 1));
        return c.mul(g.sd.math.rsqrt(g.sd.math.square(c).mean(true, 1).add(1e-2)));
    }),
    NORM_OF_HEADS((g, a, b) -> {
        SDVariable h = g.sd.reshape(a, g.batch, g.length, 2, g.width / 2);
        SDVariable y = h.mul(g.sd.math.rsqrt(g.sd.math.square(h).mean(true, 3).add(1e-2)));
        return g.whole(y).mul(g.weight(1, g.width));
    }),
    SCALE_OF_HEADS((g, a, b) -> {
        SDVariable y = a.mul(g.sd.math.rsqrt(g.sd.math.square(a).mean(true, 2).add(1e-2)));
        return g.whole(g.sd.reshape(y, g.batch, g.length, 2, g.width / 2).mul(g.weight(1, g.width / 2)));
    }),
    ATTENTION((g, a, b) -> {
        SDVariable s = g.sd.mmul(a, b, false, true, false).mul(0.3);
        return g.sd.mmul(g.sd.nn.softmax(s, -1), g.random.nextBoolean() ? a : b);
    }),
    MASKED_ATTENTION((g, a, b) -> {
        double hidden = new double[] {-1e4, -1e9, -1e30, Float.NEGATIVE_INFINITY}[g.random.nextInt(4)];
        boolean empty = hidden >= -1e30 && g.random.nextBoolean();
        SDVariable s = g.sd.mmul(a, b, false, true, false).mul(0.3).add(g.constant(g.mask(hidden, empty, 1)));
        return g.sd.mmul(g.sd.nn.softmax(s, -1), b);
    }),
    CHOSEN_ATTENTION((g, a, b) -> {
        INDArray hides = g.mask(1, g.random.nextBoolean(), 1);
        double hidden = g.random.nextBoolean() ? -1e9 : -1e30;
        SDVariable c = g.constant(hides);
        SDVariable s = g.sd.mmul(a, b, false, true, false);
        SDVariable chosen = c.rsub(1).mul(s).add(c.mul(hidden));
        return g.sd.mmul(g.sd.nn.softmax(chosen, -1), a);
    }),
    FED_MASK((g, a, b) -> {
        SDVariable mask = g.input("mask", g.mask(-1e9, true, g.batch, 1));
        SDVariable s =
                g.sd.mmul(g.heads(a), g.heads(b), false, true, false).mul(0.4).add(mask);
        return g.joined(g.sd.mmul(g.sd.nn.softmax(s, -1), g.heads(b)));
    }),
    HEADS((g, a, b) -> {
        SDVariable q = g.heads(g.whole(g.sd.mmul(g.flat(a), g.weight(0.5, g.width, g.width))));
        SDVariable k = g.heads(g.whole(g.sd.mmul(g.flat(a), g.weight(0.5, g.width, g.width))));
        SDVariable s = g.sd.mmul(q, k, false, true, false).mul(0.4).add(g.constant(g.mask(-1e9, false, 1, 1)));
        return g.joined(g.sd.mmul(g.sd.nn.softmax(s, -1), g.heads(b)));
    }),
    POSITION_BIAS((g, a, b) -> {
        SDVariable s = g.sd.mmul(g.heads(a), g.heads(b), false, true, false)
                .mul(0.4)
                .add(g.trainable(0.5, 1, 2, g.length, g.length));
        return g.joined(g.sd.mmul(g.sd.nn.softmax(s, -1), g.heads(b)));
    }),
    POSITION_PRODUCT((g, a, b) -> {
        SDVariable q = g.heads(a);
        SDVariable places = g.sd.mmul(q, g.constant(g.numbers(0.5, g.batch, 2, g.width / 2, g.length)));
        SDVariable s = g.sd.mmul(q, g.heads(b), false, true, false).mul(0.4).add(places);
        return g.joined(g.sd.mmul(g.sd.nn.softmax(s, -1), g.heads(b)));
    }),
    GROUPED_HEADS((g, a, b) -> {
        SDVariable q = g.heads(a);
        SDVariable k = g.sd.reshape(half(g, b), g.batch, 1, g.length, g.width / 2);
        SDVariable both = g.sd.tile(k, 1, 2, 1, 1);
        SDVariable s = g.sd.mmul(q, both, false, true, false).mul(0.4).add(g.constant(g.mask(-1e9, false, 1, 1)));
        return g.joined(g.sd.mmul(g.sd.nn.softmax(s, -1), both));
    }),
    ROTATED((g, a, b) -> {
        SDVariable low = part(g, a, 0, g.width / 2);
        SDVariable high = part(g, a, g.width / 2, g.width);
        SDVariable turned = g.sd.concat(2, high.neg(), low);
        return a.mul(g.constant(g.numbers(1, 1, g.length, g.width)))
                .add(turned.mul(g.constant(g.numbers(1, 1, g.length, g.width))));
    }),
    EMBEDDED((g, a, b) -> {
        int[] ids =
                g.random.ints((long) g.batch * g.length, 0, Build.VOCABULARY).toArray();
        SDVariable tokens = g.input("ids", Nd4j.createFromArray(ids).reshape(g.batch, g.length));
        return a.add(g.sd.gather(g.constant(g.numbers(0.5, Build.VOCABULARY, g.width)), tokens, 0));
    }),
    CHOICE((g, a, b) -> {
        INDArray numbers = g.numbers(1, 1, g.length, g.width);
        SDVariable c = g.constant(numbers.gt(0).castTo(DataType.FLOAT));
        return c.mul(a).add(c.rsub(1).mul(b));
    }),
    FIRST_AND_REST((g, a, b) -> g.sd.concat(1, positions(g, a, 0, 1), positions(g, b, 1, g.length))),
    SHIFTED((g, a, b) -> g.sd.concat(1, positions(g, a, 1, g.length), positions(g, a, 0, 1))),
    HALVES_EXCHANGED((g, a, b) -> g.sd.concat(2, part(g, a, g.width / 2, g.width), part(g, b, 0, g.width / 2))),
    SPLIT((g, a, b) -> {
        SDVariable[] parts = g.sd.split(a, 2, 2);
        return g.sd.concat(2, parts[0].mul(g.sd.math.tanh(parts[1])), parts[0].add(parts[1]));
    }),
    STACKED((g, a, b) -> g.sd.stack(1, a, b).mean(1)),
    UNSTACKED((g, a, b) -> {
        SDVariable[] parts = g.sd.unstack(a, 1, g.length);
        SDVariable last = parts[g.length - 1];
        return b.add(g.sd.expandDims(g.sd.math.tanh(last), 1));
    }),
    THERE_AND_BACK((g, a, b) -> g.joined(g.sd.math.tanh(g.heads(a)))),
    VIEWS_OF_VIEWS((g, a, b) -> {
        SDVariable turned = g.sd.permute(g.sd.reshape(a, g.batch, g.length, g.width / 2, 2), 0, 1, 3, 2);
        SDVariable flat = g.sd.reshape(turned, (long) g.batch * g.length, g.width);
        return g.whole(g.sd.permute(g.sd.permute(flat, 1, 0), 1, 0)).add(b);
    }),
    TRANSPOSED_PRODUCT((g, a, b) -> {
        SDVariable weights = g.sd.mmul(g.sd.permute(a, 0, 2, 1), b).mul(1.0 / g.length);
        return g.sd.mmul(a, weights);
    }),
    MINUS_MEAN((g, a, b) -> a.sub(b.mean(true, 1))),
    TIMES_SUM((g, a, b) -> g.sd.math.tanh(a.mul(b.sum(true, 2).mul(0.2)))),
    MINUS_LARGEST((g, a, b) -> a.sub(b.max(true, 2))),
    WHOLE_MEAN((g, a, b) -> a.mul(b.mean())),
    REPEATED_MEAN((g, a, b) -> a.add(g.sd.tile(b.mean(true, 1), 1, g.length, 1))),
    PER_TEXT((g, a, b) -> a.mul(g.weight(0.8, g.batch, 1, 1))),
    PER_POSITION((g, a, b) -> a.add(g.weight(0.5, 1, g.length, 1))),
    READ_THRICE((g, a, b) -> {
        SDVariable y = g.whole(g.sd.mmul(g.flat(a), g.weight(0.4, g.width, g.width)));
        return y.add(g.sd.math.tanh(y)).add(y.mul(b));
    });

    /** Makes a construct. */
    @FunctionalInterface
    interface Maker {
        SDVariable make(Build graph, SDVariable a, SDVariable b);
    }

    private final Maker maker;

    Kind(Maker maker) {
        this.maker = maker;
    }

    SDVariable make(Build graph, SDVariable a, SDVariable b) {
        return maker.make(graph, a, b);
    }

    private static SDVariable affine(Build g, SDVariable y) {
        return switch (g.random.nextInt(3)) {
            case 0 -> y;
            case 1 -> y.mul(g.weight(1, g.width));
            default -> y.mul(g.weight(1, g.width)).add(g.weight(0.5, g.width));
        };
    }

    private static SDVariable part(Build g, SDVariable x, int from, int to) {
        return g.sd.stridedSlice(x, new long[] {0, 0, from}, new long[] {g.batch, g.length, to}, new long[] {1, 1, 1});
    }

    private static SDVariable half(Build g, SDVariable x) {
        return part(g, x, 0, g.width / 2);
    }

    private static SDVariable positions(Build g, SDVariable x, int from, int to) {
        return g.sd.stridedSlice(x, new long[] {0, from, 0}, new long[] {g.batch, to, g.width}, new long[] {1, 1, 1});
    }
}
