package dev.samediff.adapters.engine.nd4j;

import java.util.HexFormat;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * 64 bits that depend on the types, shapes and elements of a sequence of arrays. For telling whether data is the same, not
 * against somebody who wants it to look so.
 */
public final class Checksum {
    private long bits = 0x243F6A8885A308D3L;

    /** Adds arrays; null stands for none, and so does null among them. */
    public void add(INDArray @Nullable [] arrays) {
        mix(arrays == null ? -1 : arrays.length);
        if (arrays != null) {
            for (INDArray array : arrays) {
                add(array);
            }
        }
    }

    private void add(@Nullable INDArray array) {
        if (array == null || array.wasClosed()) { // refused by whoever reads it
            mix(-1);
            return;
        }
        mix(array.dataType().ordinal());
        mix(array.rank());
        for (long size : array.shape()) {
            mix(size);
        }
        if (!array.dataType().isNumerical() && array.dataType() != DataType.BOOL) {
            return;
        }
        Elements elements = Elements.of(array);
        boolean whole = !array.dataType().isFPType();
        for (long i = 0; i < elements.length(); i++) {
            mix(whole ? elements.whole(i) : Double.doubleToLongBits(elements.real(i)));
        }
    }

    /** One round of SplitMix64. */
    private void mix(long value) {
        long z = bits ^ value;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        bits = (z ^ (z >>> 31)) + 0x9E3779B97F4A7C15L;
    }

    /** Returns the bits as 16 hexadecimal digits. */
    public String text() {
        return HexFormat.of().toHexDigits(bits);
    }
}
