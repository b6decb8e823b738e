package dev.samediff.adapters.testing;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.concurrency.AffinityManager.Location;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.shape.Shape;
import org.nd4j.linalg.factory.Nd4j;

/** The elements of one array as bits, in row-major order whatever the array's own order and view. */
final class RawBits {
    private final DataType type;
    private final long[] shape;
    private final INDArray values;
    private final long[] bits;

    RawBits(INDArray array) {
        type = array.dataType();
        shape = array.shape();
        if (type.width() <= 0) {
            throw new IllegalArgumentException("the bits of an array of " + type + " cannot be compared");
        }
        values = array.isEmpty() ? array : array.dup('c');
        bits = array.isEmpty() ? new long[0] : read(values);
    }

    private static long[] read(INDArray array) {
        Nd4j.getExecutioner().commit();
        int width = array.dataType().width();
        ByteBuffer bytes = bytes(array, Math.multiplyExact(array.length(), width));
        long[] bits = new long[Math.toIntExact(array.length())];
        for (int i = 0; i < bits.length; i++) {
            bits[i] = switch (width) {
                case 1 -> bytes.get(i);
                case 2 -> bytes.getShort(2 * i);
                case 4 -> bytes.getInt(4 * i);
                default -> bytes.getLong(8 * i);
            };
        }
        return bits;
    }

    private static ByteBuffer bytes(INDArray array, long size) {
        Nd4j.getAffinityManager().ensureLocation(array, Location.HOST);
        Pointer pointer = array.data().addressPointer();
        return new BytePointer(pointer).capacity(size).asByteBuffer().order(ByteOrder.nativeOrder());
    }

    /** Says how these bits differ from the expected ones; empty if they do not. */
    Optional<String> difference(RawBits expected) {
        if (type != expected.type || !Arrays.equals(shape, expected.shape)) {
            return Optional.of("expected " + expected.kind() + ", but was " + kind());
        }
        int first = -1;
        int largest = -1;
        int count = 0;
        for (int i = 0; i < bits.length; i++) {
            if (bits[i] != expected.bits[i]) {
                first = first < 0 ? i : first;
                largest = largest < 0 || distance(expected, i) > distance(expected, largest) ? i : largest;
                count++;
            }
        }
        return count == 0
                ? Optional.empty()
                : Optional.of(count + " of " + bits.length + " elements of " + kind() + " differ; the first at "
                        + place(first) + ": expected " + expected.element(first) + ", but was " + element(first)
                        + "; the largest difference is " + distance(expected, largest) + " at " + place(largest));
    }

    private String kind() {
        return type + " " + Arrays.toString(shape);
    }

    private double distance(RawBits other, int index) {
        return Math.abs(values.getDouble(index) - other.values.getDouble(index));
    }

    private String place(int index) {
        return Arrays.toString(shape.length == 0 ? shape : Shape.ind2subC(shape, index));
    }

    private String element(int index) {
        String hexadecimal = String.format("%016x", bits[index]);
        return values.getNumber(index) + " (0x" + hexadecimal.substring(16 - 2 * type.width()) + ")";
    }
}
