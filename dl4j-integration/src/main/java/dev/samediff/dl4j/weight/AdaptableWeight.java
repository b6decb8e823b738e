package dev.samediff.dl4j.weight;

import dev.samediff.adapters.SiteKind;

/**
 * A weight of a layer that an adapter can be put on.
 *
 * @param parameter DL4J's name: {@code W}, {@code RW}, {@code Wq}
 * @param in input features
 * @param out output features
 * @param kind what the layer does with it
 * @param view how it is stored
 */
public record AdaptableWeight(String parameter, int in, int out, SiteKind kind, MatrixView view) {
    static AdaptableWeight linear(String parameter, long in, long out) {
        return linear(parameter, in, out, MatrixView.IN_OUT);
    }

    static AdaptableWeight linear(String parameter, long in, long out, MatrixView view) {
        return new AdaptableWeight(parameter, Math.toIntExact(in), Math.toIntExact(out), SiteKind.LINEAR, view);
    }

    static AdaptableWeight table(String parameter, long rows, long dimension) {
        return new AdaptableWeight(
                parameter, Math.toIntExact(rows), Math.toIntExact(dimension), SiteKind.EMBEDDING, MatrixView.IN_OUT);
    }

    AdaptableWeight prefixed(String prefix) {
        return new AdaptableWeight(prefix + parameter, in, out, kind, view);
    }
}
