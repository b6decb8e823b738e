package dev.samediff.importer.cells;

import onnx.Onnx.TensorProto;

/** Numbers of a type for the situations that operators are tried in. */
final class Samples {
    private static final double[] SPECIAL = {
        Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, -0.0, 0, 1, -2.5, 3
    };

    private Samples() {}

    static boolean isUnsigned(TensorProto.DataType type) {
        return switch (type) {
            case UINT8, UINT16, UINT32, BOOL -> true;
            default -> false;
        };
    }

    /** Small numbers of both signs, none twice in a row. */
    static Numbers general(TensorProto.DataType type, long... shape) {
        return Numbers.isReal(type)
                ? Numbers.ofReals(type, shape, i -> 1.3 * Math.sin(1.8 * i + 0.6) + 0.03 * i)
                : type == TensorProto.DataType.BOOL
                        ? Numbers.of(type, shape, i -> (7 * i + 3) % 11 > 4 ? 1 : 0)
                        : Numbers.of(type, shape, i -> (7 * i + 3) % 11 - (isUnsigned(type) ? 0 : 4));
    }

    /** Other small numbers. */
    static Numbers other(TensorProto.DataType type, long... shape) {
        return Numbers.isReal(type)
                ? Numbers.ofReals(type, shape, i -> 1.1 * Math.cos(1.3 * i + 0.2) - 0.02 * i)
                : type == TensorProto.DataType.BOOL
                        ? Numbers.of(type, shape, i -> (5 * i + 1) % 7 > 3 ? 1 : 0)
                        : Numbers.of(type, shape, i -> (5 * i + 1) % 7 - (isUnsigned(type) ? 0 : 3));
    }

    /** Numbers from 1 up. */
    static Numbers positive(TensorProto.DataType type, long... shape) {
        return Numbers.isReal(type)
                ? Numbers.ofReals(type, shape, i -> 0.3 + Math.abs(1.3 * Math.sin(1.8 * i + 0.6)))
                : Numbers.of(type, shape, i -> 1 + (7 * i + 3) % 5);
    }

    /** Numbers of both signs but zero. */
    static Numbers divisors(TensorProto.DataType type, long... shape) {
        return Numbers.isReal(type)
                ? Numbers.ofReals(type, shape, i -> (i % 2 == 0 ? 1 : -1) * (0.4 + 0.3 * (i % 5)))
                : Numbers.of(type, shape, i -> (i % 2 == 0 || isUnsigned(type) ? 1 : -1) * (2 + i % 3));
    }

    /** Between -1 and 1. */
    static Numbers fractions(TensorProto.DataType type, long... shape) {
        return Numbers.ofReals(type, shape, i -> 0.9 * Math.sin(1.8 * i + 0.6));
    }

    /** Few different numbers, each several times. */
    static Numbers ties(TensorProto.DataType type, long... shape) {
        return Numbers.isReal(type)
                ? Numbers.ofReals(type, shape, i -> (5 * i + 1) % 3 - 1)
                : Numbers.of(type, shape, i -> (5 * i + 1) % 3);
    }

    /** Whole numbers that a float, or a double, holds no longer. */
    static Numbers large(TensorProto.DataType type, long... shape) {
        long base = switch (type) {
            case INT64 -> (1L << 53) + 1;
            case INT32 -> (1 << 24) + 1;
            case UINT32 -> (1L << 31) + 3;
            case UINT16 -> (1 << 15) + 3;
            case INT16 -> (1 << 14) + 1;
            case UINT8 -> (1 << 7) + 3;
            default -> (1 << 6) + 1;
        };
        return Numbers.isReal(type)
                ? Numbers.ofReals(type, shape, i -> (i % 2 == 0 ? 1 : -1) * (1000 + i))
                : Numbers.of(type, shape, i -> (i % 2 == 0 || isUnsigned(type) ? 1 : -1) * (base + 2L * (i % 4)));
    }

    /** The ends of a type. */
    static Numbers extremes(TensorProto.DataType type, long... shape) {
        long most = switch (type) {
            case INT64 -> Long.MAX_VALUE;
            case INT32 -> Integer.MAX_VALUE;
            case UINT32 -> 0xffffffffL;
            case INT16 -> Short.MAX_VALUE;
            case UINT16 -> 0xffff;
            case INT8 -> Byte.MAX_VALUE;
            case UINT8 -> 0xff;
            default -> 1;
        };
        long[] ends = {most, most + 1, most - 1, 1, most + 2, most / 2 + 1, 0};
        return Numbers.of(type, shape, i -> ends[i % ends.length]);
    }

    /** What is no number, infinities, both zeros. */
    static Numbers special(TensorProto.DataType type, long... shape) {
        return Numbers.ofReals(type, shape, i -> SPECIAL[i % SPECIAL.length]);
    }

    /** The same in another order, so that two of them meet in every combination. */
    static Numbers specialAcross(TensorProto.DataType type) {
        return Numbers.ofReals(type, new long[] {8, 1}, i -> SPECIAL[i]);
    }
}
