package dev.samediff.importer.onnx;

/** Whole numbers of 4 bits, two in a byte, the first in the lower half; ONNX's types for them are newer than ND4J's classes. */
final class PackedIntegers {
    /** ONNX's number of the type without sign. */
    static final int UINT4 = 21;

    /** ONNX's number of the type with sign. */
    static final int INT4 = 22;

    private PackedIntegers() {}

    static boolean isPacked(int elementType) {
        return elementType == UINT4 || elementType == INT4;
    }

    /** Number {@code index} of those in the bytes. */
    static int at(byte[] bytes, int index, boolean signed) {
        int both = bytes[index / 2];
        int number = index % 2 == 0 ? both & 15 : both >> 4 & 15;
        return signed && number > 7 ? number - 16 : number;
    }
}
