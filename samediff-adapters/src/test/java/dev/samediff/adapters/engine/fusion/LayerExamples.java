package dev.samediff.adapters.engine.fusion;

import static dev.samediff.adapters.engine.fusion.FormExample.almost;
import static dev.samediff.adapters.engine.fusion.FormExample.is;
import static dev.samediff.adapters.engine.fusion.FormExamples.var;

import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/** Activations, normalisations and losses: graphs for {@link FormExamples}. */
final class LayerExamples {
    private static final int D = 8;

    private LayerExamples() {}

    static Stream<FormExample> all() {
        return Stream.of(activations(), norms(), scales(), losses()).flatMap(examples -> examples);
    }

    static SDVariable square(SDVariable x) {
        return x.getSameDiff().math.square(x);
    }

    static SDVariable rsqrt(SDVariable v) {
        return v.getSameDiff().math.rsqrt(v.add(1e-5));
    }

    private static Stream<FormExample> activations() {
        Class<? extends Form> form = Activation.class;
        return Stream.of(
                is(form, "x sigmoid(x)", sd -> {
                    SDVariable x = var(sd, "x", 3, D);
                    return x.mul(sd.nn.sigmoid(x));
                }),
                is(form, "x x", sd -> {
                    SDVariable x = var(sd, "x", 3, D);
                    return x.mul(x);
                }),
                almost(form, "x sigmoid(y)", sd -> var(sd, "x", 3, D).mul(sd.nn.sigmoid(var(sd, "w", 3, D)))),
                almost(form, "a ReLU cut off at 20, written by two", sd -> {
                    SDVariable x = var(sd, "x", 3, D).mul(30);
                    return sd.nn.relu(x, 0).sub(sd.nn.relu(x.sub(20), 0));
                }),
                almost(form, "a ReLU cut off at 5000", sd -> {
                    SDVariable x = var(sd, "x", 3, D);
                    return sd.nn.relu(x, 0).sub(sd.nn.relu(x.sub(5000), 0));
                }),
                almost(form, "a square and a ten-thousandth", sd -> {
                    SDVariable x = var(sd, "x", 3, D);
                    return square(x).add(x.mul(1e-4));
                }),
                almost(form, "a sigmoid that is never 0", sd -> {
                    SDVariable x = var(sd, "x", 3, D).mul(15);
                    return sd.math.log(sd.nn.sigmoid(x).add(1e-7));
                }),
                almost(form, "a sigmoid that is never below 1e-20", sd -> {
                    SDVariable x = var(sd, "x", 3, D).mul(40);
                    return sd.math.log(sd.nn.sigmoid(x).add(1e-20));
                }),
                almost(
                        form,
                        "a sigmoid that is never 1",
                        sd -> sd.nn.sigmoid(var(sd, "x", 3, D)).mul(1 - 1e-7)),
                almost(
                        form,
                        "a tanh that is never 1",
                        sd -> sd.math.tanh(var(sd, "x", 3, D)).mul(1 - 1e-7)),
                is(
                        form,
                        "1 / (1 + exp(-x))",
                        sd -> sd.math.exp(var(sd, "x", 3, D).neg()).add(1).rdiv(1)),
                is(form, "exp(x) / (1 + exp(x))", sd -> {
                    SDVariable e = sd.math.exp(var(sd, "x", 3, D));
                    return e.div(e.add(1));
                }),
                is(
                        form,
                        "(1 + tanh(x / 2)) / 2",
                        sd -> sd.math.tanh(var(sd, "x", 3, D).mul(0.5)).add(1).mul(0.5)),
                is(
                        form,
                        "2 sigmoid(2 x) - 1",
                        sd -> sd.nn.sigmoid(var(sd, "x", 3, D).mul(2)).mul(2).sub(1)),
                is(form, "(exp(x) - exp(-x)) / (exp(x) + exp(-x))", sd -> {
                    SDVariable x = var(sd, "x", 3, D);
                    SDVariable up = sd.math.exp(x);
                    SDVariable down = sd.math.exp(x.neg());
                    return up.sub(down).div(up.add(down));
                }),
                almost(form, "x sigmoid(x) of a repeated x", sd -> {
                    SDVariable x = var(sd, "x", 3, 1);
                    return var(sd, "w", 3, D).mul(sd.nn.sigmoid(x));
                }));
    }

    private static Stream<FormExample> norms() {
        Class<? extends Form> layer = LayerNormalization.class;
        Class<? extends Form> rms = RootMeanSquareNormalization.class;
        return Stream.of(
                is(layer, "of the last axis", sd -> layerNorm(var(sd, "x", 3, D), 1)),
                almost(layer, "of the first axis of a square", sd -> layerNorm(var(sd, "x", D, D), 0)),
                almost(layer, "divided by n - 1", sd -> {
                    SDVariable x = var(sd, "x", 3, D);
                    SDVariable c = x.sub(x.mean(true, 1));
                    return c.mul(rsqrt(square(c).sum(true, 1).div(D - 1)));
                }),
                almost(layer, "centred by another mean", sd -> {
                    SDVariable x = var(sd, "x", 3, D);
                    SDVariable c = x.sub(var(sd, "w", 3, D).mean(true, 1));
                    return c.mul(rsqrt(square(c).mean(true, 1)));
                }),
                is(rms, "of the last axis", sd -> rmsNorm(var(sd, "x", 3, D), 1)),
                almost(rms, "of the first axis of a square", sd -> rmsNorm(var(sd, "x", D, D), 0)),
                almost(rms, "by the squares of another tensor", sd -> {
                    SDVariable w = var(sd, "w", 3, D);
                    return var(sd, "x", 3, D).mul(rsqrt(square(w).mean(true, 1)));
                }),
                almost(rms, "of the whole tensor", sd -> {
                    SDVariable x = var(sd, "x", 3, D);
                    return x.mul(rsqrt(square(x).mean(true, 0, 1)));
                }),
                almost(rms, "epsilon behind the root", sd -> {
                    SDVariable x = var(sd, "x", 3, D).mul(1e-8);
                    return x.div(sd.math.sqrt(square(x).mean(true, 1)).add(1e-8));
                }),
                almost(rms, "an epsilon behind the root whose square is 0 in float32", sd -> {
                    SDVariable x = var(sd, "x", 3, D);
                    return x.div(sd.math.sqrt(square(x).mean(true, 1)).add(1e-20));
                }),
                almost(rms, "by the sum of squares", sd -> {
                    SDVariable x = var(sd, "x", 3, D);
                    return x.mul(rsqrt(square(x).sum(true, 1)));
                }));
    }

    private static SDVariable layerNorm(SDVariable x, int axis) {
        SDVariable c = x.sub(x.mean(true, axis));
        return c.mul(rsqrt(square(c).mean(true, axis)));
    }

    private static SDVariable rmsNorm(SDVariable x, int axis) {
        return x.mul(rsqrt(square(x).mean(true, axis)));
    }

    private static Stream<FormExample> scales() {
        Class<? extends Form> scale = NormalizationScale.class;
        Class<? extends Form> shift = NormalizationShift.class;
        return Stream.of(
                is(scale, "a layer norm", sd -> layerNorm(var(sd, "x", 3, D), 1).mul(var(sd, "w", D))),
                is(
                        scale,
                        "a norm seen in another shape",
                        sd -> sd.reshape(rmsNorm(var(sd, "x", 2, 3, D), 2), 6, D)
                                .mul(var(sd, "w", D))),
                almost(
                        scale,
                        "norm per head, scale of the whole width",
                        sd -> sd.reshape(rmsNorm(var(sd, "x", 3, 4, D), 2), 3, 4 * D)
                                .mul(var(sd, "w", 4 * D))),
                almost(
                        scale,
                        "norm of the whole width, scale per head",
                        sd -> sd.reshape(layerNorm(var(sd, "x", 3, 4 * D), 1), 3, 4, D)
                                .mul(var(sd, "w", D))),
                almost(
                        scale,
                        "one number per row",
                        sd -> rmsNorm(var(sd, "x", D, D), 1).mul(var(sd, "w", D, 1))),
                almost(
                        scale,
                        "repeated by what it is multiplied by",
                        sd -> layerNorm(var(sd, "x", 1, D), 1).mul(var(sd, "w", 3, D))),
                almost(scale, "a norm that is read twice", sd -> {
                    SDVariable y = rmsNorm(var(sd, "x", 3, D), 1);
                    return y.mul(var(sd, "w", D)).add(sd.math.tanh(y));
                }),
                is(
                        shift,
                        "a scaled layer norm",
                        sd -> scaled(sd, var(sd, "x", 3, D)).add(var(sd, "w2", D))),
                almost(
                        shift,
                        "one number per row",
                        sd -> scaled(sd, var(sd, "x", D, D)).add(var(sd, "w2", D, 1))),
                almost(
                        shift,
                        "of another grouping",
                        sd -> sd.reshape(scaled(sd, var(sd, "x", 4, 3, D)), 4, 3 * D)
                                .add(var(sd, "w2", 3 * D))),
                almost(
                        shift,
                        "a norm without a scale",
                        sd -> layerNorm(var(sd, "x", 3, D), 1).add(var(sd, "w2", D))));
    }

    private static SDVariable scaled(SameDiff sd, SDVariable x) {
        return layerNorm(x, x.getShape().length - 1).mul(var(sd, "w", D));
    }

    private static Stream<FormExample> losses() {
        Class<? extends Form> form = WeightedCrossEntropy.class;
        return Stream.of(
                is(
                        form,
                        "of rows",
                        sd -> perRow(sd, var(sd, "w", 6, 4), 4, false)
                                .mul(sd.placeHolder("weights", DataType.FLOAT, 6))
                                .sum()),
                is(
                        form,
                        "shifted by the largest",
                        sd -> perRow(sd, var(sd, "w", 6, 4), 4, true)
                                .mul(sd.placeHolder("weights", DataType.FLOAT, 6))
                                .sum()),
                almost(form, "of the columns of a square", sd -> {
                    SDVariable z = var(sd, "w", 4, 4);
                    SDVariable labels = sd.placeHolder("labels", DataType.INT, 4);
                    SDVariable chosen = sd.eq(sd.expandDims(labels, 0), sd.expandDims(range(sd, 4), 1))
                            .castTo(DataType.FLOAT);
                    return sd.math
                            .log(sd.math.exp(z).sum(0))
                            .sub(z.mul(chosen).sum(0))
                            .mul(sd.placeHolder("weights", DataType.FLOAT, 4))
                            .sum();
                }),
                almost(form, "rows summed, columns chosen", sd -> {
                    SDVariable z = var(sd, "w", 4, 4);
                    SDVariable labels = sd.placeHolder("labels", DataType.INT, 4);
                    SDVariable chosen = sd.eq(sd.expandDims(labels, 0), sd.expandDims(range(sd, 4), 1))
                            .castTo(DataType.FLOAT);
                    return sd.math
                            .log(sd.math.exp(z).sum(1))
                            .sub(z.mul(chosen).sum(0))
                            .mul(sd.placeHolder("weights", DataType.FLOAT, 4))
                            .sum();
                }),
                almost(form, "with weights of the model's own probabilities", sd -> {
                    SDVariable ce = perRow(sd, var(sd, "w", 6, 4), 4, false);
                    return ce.mul(square(sd.math.exp(ce.neg()).rsub(1))).sum();
                }),
                almost(
                        form,
                        "with trained weights",
                        sd -> perRow(sd, var(sd, "w", 6, 4), 4, true)
                                .mul(var(sd, "w2", 6))
                                .sum()),
                almost(
                        form,
                        "every row with every weight",
                        sd -> perRow(sd, var(sd, "w", 6, 4), 4, false)
                                .mul(sd.placeHolder("weights", DataType.FLOAT, 6, 1))
                                .sum()),
                almost(form, "of classes counted from the end", sd -> {
                    SDVariable z = var(sd, "w", 6, 4);
                    SDVariable labels = sd.placeHolder("labels", DataType.INT, 6);
                    SDVariable backwards = sd.constant("range", Nd4j.createFromArray(3, 2, 1, 0));
                    SDVariable chosen = sd.eq(sd.expandDims(labels, 1), sd.expandDims(backwards, 0))
                            .castTo(DataType.FLOAT);
                    return sd.math
                            .log(sd.math.exp(z).sum(1))
                            .sub(z.mul(chosen).sum(1))
                            .mul(sd.placeHolder("weights", DataType.FLOAT, 6))
                            .sum();
                }),
                almost(form, "with other logits chosen from", sd -> {
                    SDVariable z = var(sd, "w", 6, 4);
                    SDVariable chosen = sd.eq(
                                    sd.expandDims(sd.placeHolder("labels", DataType.INT, 6), 1),
                                    sd.expandDims(range(sd, 4), 0))
                            .castTo(DataType.FLOAT);
                    return sd.math
                            .log(sd.math.exp(z).sum(1))
                            .sub(z.mul(0.5).mul(chosen).sum(1))
                            .mul(sd.placeHolder("weights", DataType.FLOAT, 6))
                            .sum();
                }));
    }

    private static SDVariable range(SameDiff sd, int count) {
        return sd.constant(
                "range", Nd4j.createFromArray(IntStream.range(0, count).toArray()));
    }

    private static SDVariable perRow(SameDiff sd, SDVariable z, int classes, boolean shift) {
        SDVariable shifted = shift ? z.sub(z.max(true, 1)) : z;
        SDVariable labels = sd.placeHolder("labels", DataType.INT, z.getShape()[0]);
        SDVariable chosen = sd.eq(sd.expandDims(labels, 1), sd.expandDims(range(sd, classes), 0))
                .castTo(DataType.FLOAT);
        return sd.math.log(sd.math.exp(shifted).sum(1)).sub(shifted.mul(chosen).sum(1));
    }
}
