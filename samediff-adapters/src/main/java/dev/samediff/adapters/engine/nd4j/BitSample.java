package dev.samediff.adapters.engine.nd4j;

import dev.samediff.adapters.memory.FileBackedArrays;
import dev.samediff.adapters.memory.NativeBits;
import java.lang.ref.Reference;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Some elements of an array as raw bits, to notice that it was written to. What they are is a generalised diagonal of the
 * array as a matrix [rows, columns], all but the last axis being rows: of every row r the w elements from column (r w) mod
 * columns on, with w = ceil(columns / rows). That is at most rows + columns elements, and every row and every column has one
 * of them. So a change of every element of a row or of a column is noticed with certainty, however large the matrix, and
 * any change of a vector; a change of a share s of elements at random is overlooked with a probability of about
 * (1 - s)^max(rows, columns) at most, and a change of a single element mostly.
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
     * @param columns units in a row
     * @param run units in a run, all within one row, going on at its start after its end
     * @param step units from the start of a run to the start of the next, beside whole rows
     * @param unit bytes that are read at once, 4 or 1; an element is read as a whole, in one or several units
     */
    private record Places(long address, long rows, long columns, long run, long step, int unit) {
        static Places of(INDArray dense) {
            if (dense.isEmpty()) {
                return new Places(0, 0, 0, 0, 0, 1);
            }
            long address = Addresses.of(dense);
            int width = dense.dataType().width();
            if (FileBackedArrays.isOne(dense)) {
                long bytes = dense.length() * width;
                long places = bytes <= FILE_BYTES ? 1 : FILE_PLACES;
                return new Places(address, places, bytes / places, Math.min(bytes, FILE_BYTES), 0, 1);
            }
            long columns = dense.rank() == 0 ? 1 : dense.size(dense.ordering() == 'c' ? -1 : 0);
            long rows = dense.length() / columns;
            long run = (columns + rows - 1) / rows;
            int unit = width % Integer.BYTES == 0 ? Integer.BYTES : 1;
            int units = width / unit;
            return new Places(address, rows, columns * units, run * units, run * units, unit);
        }

        int count() {
            return Math.toIntExact(rows * run);
        }

        void read(int[] bits) {
            for (int i = 0; i < bits.length; i++) {
                bits[i] = unit(place(i));
            }
        }

        boolean areSame(int[] bits) {
            return unit == Integer.BYTES && run == 1 && step == 1 ? isSameDiagonal(bits) : areSameRuns(bits);
        }

        /** The address of a sample. */
        private long place(int sample) {
            long row = sample / run;
            return address + unit * (row * columns + (row * step + sample % run) % columns);
        }

        /**
         * Many rows, one element of each, and every element is a miss of all caches: without a jump in between, so that the
         * processor reads ahead.
         */
        private boolean isSameDiagonal(int... bits) {
            int difference = 0;
            long stride = (columns + 1) * Integer.BYTES;
            int size = Math.toIntExact(columns);
            for (int from = 0; from < bits.length; from += size) {
                int to = Math.min(bits.length, from + size);
                long at = address + from * columns * Integer.BYTES;
                for (int row = from; row < to; row++) {
                    difference |= bits[row] ^ NativeBits.ofInt(at);
                    at += stride;
                }
            }
            return difference == 0;
        }

        private boolean areSameRuns(int... bits) {
            int difference = 0;
            int next = 0;
            long column = 0;
            for (long row = 0; row < rows; row++) {
                long start = address + row * columns * unit;
                for (long i = 0; i < run; i++) {
                    long place = column + i < columns ? column + i : column + i - columns;
                    difference |= bits[next++] ^ unit(start + place * unit);
                }
                column += step;
                if (column >= columns) {
                    column -= columns;
                }
            }
            return difference == 0;
        }

        private int unit(long at) {
            return unit == Integer.BYTES ? NativeBits.ofInt(at) : NativeBits.ofByte(at);
        }
    }

    /** Reads the samples of an array. */
    public static BitSample of(INDArray array) {
        INDArray dense = dense(array);
        try {
            Places places = Places.of(dense);
            int[] bits = new int[places.count()];
            places.read(bits);
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
            return places.count() == bits.length && places.areSame(bits);
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
