package dev.samediff.adapters.engine.nd4j;

import dev.samediff.adapters.memory.FileBackedArrays;
import dev.samediff.adapters.memory.NativeBits;
import java.lang.ref.Reference;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Some elements of an array as raw bits, to notice that it was written to. What they are is a generalised diagonal of the
 * array as a matrix [rows, columns], all but the last axis being rows: of every row r the w elements from column (r w) mod
 * columns on, with w = ceil(columns / rows). That is at most rows + columns elements, and every row and every column has one
 * of them. So a change of the bits of a whole row or a whole column is noticed with certainty, however large the matrix, and
 * any change of a vector; a change of a share s of elements at random is overlooked with a probability of about
 * (1 - s)^(rows + columns) at most, and a change of a single element mostly.
 *
 * <p>Of an array in a file ({@link FileBackedArrays}) only four places of 32 bytes are read, because every place elsewhere
 * would bring a page of memory back: what changes nearly everywhere is noticed, nothing else is certain.
 */
public final class BitSample {
    private static final int FILE_PLACES = 4;
    private static final int FILE_BYTES = 32;

    private final int[] bits;

    private BitSample(int... bits) {
        this.bits = bits;
    }

    /**
     * Where the samples of an array are.
     *
     * @param address of its first byte
     * @param rows number of runs of samples
     * @param columns elements in a row
     * @param run elements sampled in a row
     * @param step elements from the start of a run to the start of the next, beside whole rows
     * @param width bytes of an element
     */
    private record Places(long address, long rows, long columns, long run, long step, int width) {
        static Places of(INDArray dense) {
            int width = dense.dataType().width();
            if (dense.isEmpty()) {
                return new Places(0, 0, 0, 0, 0, width);
            }
            long address = Addresses.of(dense);
            long length = dense.length();
            if (FileBackedArrays.isOne(dense)) {
                long bytes = length * width;
                long places = bytes <= FILE_BYTES ? 1 : FILE_PLACES;
                return new Places(address, places, bytes / places, Math.min(bytes, FILE_BYTES), 0, 1);
            }
            long columns = dense.rank() == 0 ? 1 : dense.size(dense.ordering() == 'c' ? -1 : 0);
            long rows = length / columns;
            long run = (columns + rows - 1) / rows;
            return new Places(address, rows, columns, run, run, width);
        }

        /** Bytes of an element that are read at once. */
        private int part() {
            return width % Integer.BYTES == 0 ? Integer.BYTES : 1;
        }

        int count() {
            return Math.toIntExact(rows * run * (width / part()));
        }

        /** Compares with bits, or fills them in. */
        boolean visit(int[] bits, boolean fill) {
            int part = part();
            int next = 0;
            long column = 0;
            for (long row = 0; row < rows; row++) {
                long start = address + row * columns * width;
                for (long i = 0; i < run; i++) {
                    long place = column + i < columns ? column + i : column + i - columns;
                    for (int offset = 0; offset < width; offset += part) {
                        long at = start + place * width + offset;
                        int found = part == Integer.BYTES ? NativeBits.ofInt(at) : NativeBits.ofByte(at);
                        if (fill) {
                            bits[next] = found;
                        } else if (bits[next] != found) {
                            return false;
                        }
                        next++;
                    }
                }
                column += step;
                if (column >= columns) {
                    column -= columns;
                }
            }
            return true;
        }
    }

    /** Reads the samples of an array. */
    public static BitSample of(INDArray array) {
        INDArray dense = dense(array);
        try {
            Places places = Places.of(dense);
            int[] bits = new int[places.count()];
            places.visit(bits, true);
            return new BitSample(bits);
        } finally {
            Reference.reachabilityFence(dense);
        }
    }

    /** Tells whether the samples of an array are these. */
    public boolean isOf(INDArray array) {
        INDArray dense = dense(array);
        try {
            Places places = Places.of(dense);
            return places.count() == bits.length && places.visit(bits, false);
        } finally {
            Reference.reachabilityFence(dense);
        }
    }

    /** Returns an array of the same elements without holes; column-major order is as good. */
    private static INDArray dense(INDArray array) {
        boolean columnMajor = array.ordering() == 'f'
                && array.rank() == 2
                && array.stride(0) == 1
                && array.stride(1) == array.size(0);
        return columnMajor ? array : Dense.of(array);
    }
}
