package dev.samediff.adapters.engine.fusion;

import static dev.samediff.adapters.engine.fusion.FormExample.almost;
import static dev.samediff.adapters.engine.fusion.FormExample.is;
import static dev.samediff.adapters.engine.fusion.FormExamples.random;
import static dev.samediff.adapters.engine.fusion.FormExamples.var;

import java.util.stream.Stream;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Matrix products, masks and attention: graphs for {@link FormExamples}. */
final class ProductExamples {
    private static final int D = 8;

    private ProductExamples() {}

    static Stream<FormExample> all() {
        return Stream.of(products(), masks(), attention()).flatMap(examples -> examples);
    }

    private static SDVariable product(SameDiff sd) {
        return var(sd, "x", 3, D).mmul(var(sd, "w", D, 6));
    }

    private static Stream<FormExample> products() {
        Class<? extends Form> scaled = ScaledProduct.class;
        Class<? extends Form> biased = BiasedProduct.class;
        Class<? extends Form> accumulated = AccumulatedProduct.class;
        return Stream.of(
                is(scaled, "a product", sd -> product(sd).mul(0.3)),
                almost(scaled, "a product that is read twice", sd -> {
                    SDVariable y = product(sd);
                    return y.mul(0.3).add(sd.math.tanh(y));
                }),
                almost(
                        scaled,
                        "with something added",
                        sd -> product(sd).mul(0.3).add(1)),
                is(biased, "a product", sd -> product(sd).add(var(sd, "w2", 6))),
                is(
                        biased,
                        "a product seen in another shape",
                        sd -> sd.reshape(product(sd), 1, 3, 6).add(var(sd, "w2", 6))),
                almost(biased, "one number per row", sd -> product(sd).add(var(sd, "w2", 3, 1))),
                almost(
                        biased,
                        "one number per column of another shape",
                        sd -> sd.reshape(product(sd), 3, 2, 3).add(var(sd, "w2", 3))),
                almost(biased, "a product that is read twice", sd -> {
                    SDVariable y = product(sd);
                    return y.add(var(sd, "w2", 6)).mul(y);
                }),
                is(accumulated, "a product", sd -> var(sd, "w2", 3, 6).add(product(sd))),
                almost(
                        accumulated,
                        "a target that is repeated",
                        sd -> var(sd, "w2", 3, 1).add(product(sd))),
                almost(
                        accumulated,
                        "a product that is repeated",
                        sd -> var(sd, "w2", 2, 3, 6).add(product(sd))),
                almost(accumulated, "a product that is read twice", sd -> {
                    SDVariable y = product(sd);
                    return var(sd, "w2", 3, 6).add(y).mul(y);
                }));
    }

    private static SDVariable scores(SameDiff sd) {
        return sd.mmul(var(sd, "w", 1, 2, 5, 4), var(sd, "w2", 1, 2, 4, 5));
    }

    private static SDVariable hidden(SameDiff sd, String name, double number, boolean factor, long... shape) {
        INDArray array = Nd4j.create(DataType.FLOAT, shape);
        for (long i = 0; i < array.length(); i++) {
            boolean hides = i % 5 > 2;
            array.putScalar(i, factor ? (hides ? 0 : 1) : hides ? number : 0);
        }
        return sd.constant(name, array);
    }

    private static Stream<FormExample> masks() {
        Class<? extends Form> form = MaskedScores.class;
        return Stream.of(
                is(
                        form,
                        "a mask of columns",
                        sd -> sd.nn.softmax(scores(sd).mul(0.5).add(hidden(sd, "mask", -1e9, false, 1, 1, 1, 5)), 3)),
                is(
                        form,
                        "a choice",
                        sd -> sd.nn.softmax(
                                scores(sd)
                                        .mul(hidden(sd, "factor", 0, true, 1, 1, 5, 5))
                                        .add(hidden(sd, "mask", -1e9, false, 1, 1, 5, 5)),
                                3)),
                is(form, "a trained bias", sd -> sd.nn.softmax(scores(sd).add(var(sd, "w3", 1, 2, 5, 5)), 3)),
                almost(form, "scores that are read twice", sd -> {
                    SDVariable s = scores(sd);
                    return sd.nn.softmax(s.add(hidden(sd, "mask", -1e9, false, 1, 1, 1, 5)), 3)
                            .mul(s);
                }),
                almost(
                        form,
                        "a softmax over queries",
                        sd -> sd.nn.softmax(scores(sd).add(hidden(sd, "mask", -3, false, 1, 1, 1, 5)), 2)),
                almost(
                        form,
                        "scores that the mask repeats",
                        sd -> sd.nn.softmax(scores(sd).add(hidden(sd, "mask", -1e9, false, 3, 1, 5, 5)), 3)),
                almost(
                        form,
                        "a factor of rows, a mask of columns, of the same numbers",
                        sd -> sd.nn.softmax(
                                scores(sd)
                                        .mul(hidden(sd, "factor", 0, true, 1, 1, 5, 1))
                                        .add(hidden(sd, "mask", -1e9, false, 1, 1, 1, 5)),
                                3)),
                almost(
                        form,
                        "a factor that hides less than the mask",
                        sd -> sd.nn.softmax(
                                scores(sd)
                                        .mul(hidden(sd, "factor", 0, true, 1, 1, 1, 5))
                                        .add(hidden(sd, "mask", -1e2, false, 1, 1, 1, 5)),
                                3)),
                almost(
                        form,
                        "rows of which nothing is seen",
                        sd -> sd.nn.softmax(
                                scores(sd)
                                        .mul(hidden(sd, "factor", 0, true, 1, 1, 5, 1))
                                        .add(hidden(sd, "mask", -1e30, false, 1, 1, 5, 1)),
                                3)));
    }

    private static Stream<FormExample> attention() {
        Class<? extends Form> form = LongAttention.class;
        int positions = (int) LongAttention.LEAST_POSITIONS;
        return Stream.of(
                is(form, "without a mask", sd -> attention(sd, positions, null, 3)),
                is(
                        form,
                        "with a mask of columns",
                        sd -> attention(sd, positions, hidden(sd, "mask", -1e9, false, 1, 1, 1, positions), 3)),
                almost(form, "of fewer positions", sd -> attention(sd, positions - 1, null, 3)),
                almost(
                        form,
                        "with a trained bias",
                        sd -> attention(sd, positions, var(sd, "w3", 1, 1, positions, positions), 3)),
                almost(form, "with a bias by the query", sd -> {
                    SDVariable q = sd.math.tanh(var(sd, "w", 1, 1, positions, 3));
                    SDVariable k = var(sd, "w2", 1, 1, positions, 3);
                    SDVariable bias = sd.mmul(q, sd.constant("places", random(3, 1, 1, 3, positions)));
                    SDVariable s = sd.mmul(q, k, false, true, false).add(bias);
                    return sd.mmul(sd.nn.softmax(s, 3), sd.constant("v", random(4, 1, 1, positions, 3)));
                }),
                almost(form, "with transposed probabilities", sd -> {
                    SDVariable s = sd.mmul(
                            var(sd, "w", 1, 1, positions, 3), var(sd, "w2", 1, 1, positions, 3), false, true, false);
                    return sd.mmul(
                            sd.nn.softmax(s, 3), sd.constant("v", random(4, 1, 1, positions, 3)), true, false, false);
                }),
                almost(form, "with a softmax over queries", sd -> attention(sd, positions, null, 2)));
    }

    private static SDVariable attention(
            SameDiff sd, int positions, @org.jspecify.annotations.Nullable SDVariable mask, int axis) {
        SDVariable q = var(sd, "w", 1, 1, positions, 3);
        SDVariable k = var(sd, "w2", 1, 1, positions, 3);
        SDVariable s = sd.mmul(q, k, false, true, false).mul(0.5);
        return sd.mmul(
                sd.nn.softmax(mask == null ? s : s.add(mask), axis), sd.constant("v", random(4, 1, 1, positions, 3)));
    }
}
