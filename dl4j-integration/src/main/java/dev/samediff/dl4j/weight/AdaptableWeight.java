package dev.samediff.dl4j.weight;

import dev.samediff.adapters.SiteKind;
import java.util.Optional;

/**
 * A weight of a layer that an adapter can be put on.
 *
 * @param parameter DL4J's name: {@code W}, {@code RW}, {@code Wq}
 * @param in input features
 * @param out output features
 * @param kind what the layer does with it
 * @param view how it is stored
 * @param bias DL4J's name of the bias [out] that is added to this weight's product and nothing else, if the layer has one; what
 *     multiplies the product multiplies it, too
 */
public record AdaptableWeight(
        String parameter, int in, int out, SiteKind kind, MatrixView view, Optional<String> bias) {
    static AdaptableWeight linear(String parameter, long in, long out) {
        return linear(parameter, in, out, MatrixView.IN_OUT);
    }

    static AdaptableWeight linear(String parameter, long in, long out, MatrixView view) {
        return new AdaptableWeight(
                parameter, Math.toIntExact(in), Math.toIntExact(out), SiteKind.LINEAR, view, Optional.empty());
    }

    static AdaptableWeight table(String parameter, long rows, long dimension) {
        return new AdaptableWeight(
                parameter,
                Math.toIntExact(rows),
                Math.toIntExact(dimension),
                SiteKind.EMBEDDING,
                MatrixView.IN_OUT,
                Optional.empty());
    }

    AdaptableWeight prefixed(String prefix) {
        return new AdaptableWeight(prefix + parameter, in, out, kind, view, bias.map(prefix::concat));
    }

    AdaptableWeight withBias(String name) {
        return new AdaptableWeight(parameter, in, out, kind, view, Optional.of(name));
    }
}
