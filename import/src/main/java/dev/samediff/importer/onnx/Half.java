package dev.samediff.importer.onnx;

/** Half-precision bit patterns as floats (JDK 17 has no conversion). */
final class Half {
    private Half() {}

    /** IEEE 754 binary16. */
    static float toFloat(short bits) {
        int sign = (bits & 0x8000) << 16;
        int exponent = (bits >>> 10) & 0x1f;
        int fraction = bits & 0x3ff;
        if (exponent == 0) {
            float value = fraction * 0x1p-24f;
            return sign == 0 ? value : -value;
        }
        int wide = exponent == 0x1f ? 0xff : exponent - 15 + 127;
        return Float.intBitsToFloat(sign | (wide << 23) | (fraction << 13));
    }

    /** bfloat16: the upper half of a float. */
    static float bfloatToFloat(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }
}
