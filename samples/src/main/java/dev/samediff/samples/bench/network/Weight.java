package dev.samediff.samples.bench.network;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A float32 tensor of random numbers that is never whole in memory. The numbers follow from the name alone.
 *
 * @param name its name in the graph
 * @param shape its shape
 * @param mean mean of the numbers, which are uniformly distributed
 * @param deviation their standard deviation
 */
record Weight(String name, List<Long> shape, double mean, double deviation) {
    private static final int PIECE = 1 << 16;

    /** Returns the size in bytes. */
    long bytes() {
        return shape.stream().reduce((long) Float.BYTES, (a, b) -> a * b);
    }

    /** Writes the numbers, row-major and little-endian. */
    void writeTo(OutputStream out) throws IOException {
        SplittableRandom random = new SplittableRandom(name.hashCode());
        double range = Math.sqrt(12) * deviation;
        ByteBuffer piece = ByteBuffer.allocate(PIECE).order(ByteOrder.LITTLE_ENDIAN);
        for (long left = bytes(); left > 0; left -= piece.limit()) {
            piece.clear().limit((int) Math.min(PIECE, left));
            while (piece.hasRemaining()) {
                piece.putFloat((float) (mean + (random.nextDouble() - 0.5) * range));
            }
            out.write(piece.array(), 0, piece.limit());
        }
    }
}
