package dev.samediff.importer.onnx;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The real numbers that stored whole ones stand for, as FLOAT: {@code (q - zero point) * scale}, computed a piece at a time
 * while they are read.
 *
 * @param source the whole numbers
 * @param length how many there are
 * @param scales the scales
 * @param zeros a zero point for each scale, or one for all
 * @param place which scale a number has
 */
record DequantisedData(Source source, long length, double[] scales, double[] zeros, Place place) implements TensorData {
    /** Which scale belongs to a number, both counted in row-major order. */
    @FunctionalInterface
    interface Place {
        /** Returns the index of the scale. */
        int of(long index);
    }

    /** Stored whole numbers, read in order. */
    @FunctionalInterface
    interface Source {
        /** Hands pieces of numbers out in order, each but the last of {@code most} numbers. */
        void forEachPiece(int most, Taker taker) throws IOException;
    }

    /** Takes pieces of whole numbers. */
    @FunctionalInterface
    interface Taker {
        /** Takes {@code count} numbers from number {@code start} on. */
        void accept(long start, int count, At numbers) throws IOException;
    }

    /** A number of a piece. */
    @FunctionalInterface
    interface At {
        /** Returns a number by its place in the piece. */
        long at(int index);
    }

    /** Whole numbers of one to eight bytes each. */
    static Source of(StoredNumbers numbers) {
        int bytes = StoredNumbers.bytesPerElement(numbers.elementType());
        return (most, taker) -> numbers.data()
                .forEachPiece(
                        most * bytes,
                        (offset, piece) -> taker.accept(
                                offset / bytes, piece.remaining() / bytes, index -> numbers.whole(piece, index)));
    }

    /** Numbers by their place among bytes that are read at once. */
    static Source of(TensorData data, long length, Packed packed) {
        return (most, taker) -> {
            byte[] bytes = new byte[Math.toIntExact(data.size())];
            data.forEachPiece(1 << 18, (offset, piece) -> piece.get(bytes, (int) offset, piece.remaining()));
            for (long start = 0; start < length; start += most) {
                long from = start;
                taker.accept(start, (int) Math.min(most, length - start), index -> packed.at(bytes, from + index));
            }
        };
    }

    /** Numbers packed into bytes. */
    @FunctionalInterface
    interface Packed {
        /** Returns a number by its place among all. */
        long at(byte[] bytes, long index);
    }

    @Override
    public long size() {
        return length * Float.BYTES;
    }

    @Override
    public void forEachPiece(int most, Consumer consumer) throws IOException {
        int each = Math.max(1, most / Float.BYTES);
        ByteBuffer out =
                ByteBuffer.allocate((int) Math.min(each, length) * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        source.forEachPiece(each, (start, count, numbers) -> {
            out.clear();
            for (int i = 0; i < count; i++) {
                int at = place.of(start + i);
                out.putFloat((float) ((numbers.at(i) - zeros[zeros.length == 1 ? 0 : at]) * scales[at]));
            }
            consumer.accept(start * Float.BYTES, out.flip());
        });
    }
}
