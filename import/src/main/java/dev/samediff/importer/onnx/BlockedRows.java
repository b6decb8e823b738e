package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.tensor.NotValid;
import java.util.Arrays;

/**
 * How com.microsoft:MatMulNBits stores a matrix [N, K]: every row in blocks along K, padded to whole blocks, each block with a
 * scale and perhaps a zero point.
 *
 * @param what the node, for messages
 * @param bits of a number, 4 or 8
 * @param rows N
 * @param columns K
 * @param block numbers in a block
 */
record BlockedRows(String what, int bits, int rows, int columns, int block) {
    /**
     * Reads the sizes of a node.
     *
     * @throws InvalidInputException if they are of a kind that is not known
     */
    static BlockedRows of(OnnxNode node) {
        int bits = (int) node.integer("bits", 4);
        int rows = (int) node.integer("N", 0);
        int columns = (int) node.integer("K", 0);
        int block = (int) node.integer("block_size", 0);
        boolean known = (bits == 4 || bits == 8) && rows > 0 && columns > 0 && block > 0 && block % 2 == 0;
        if (!known || !node.input(4).isEmpty() || (long) rows * columns > Integer.MAX_VALUE) {
            throw new InvalidInputException(node + " has bits = " + bits + ", N = " + rows + ", K = " + columns
                    + ", block_size = " + block + (node.input(4).isEmpty() ? "" : " and reordered groups (g_idx)")
                    + "; blocks of 4 or 8 bits in order can be imported: quantise it so, or import the float model");
        }
        return new BlockedRows(node.toString(), bits, rows, columns, block);
    }

    long length() {
        return (long) rows * columns;
    }

    private int blocks() {
        return (columns + block - 1) / block;
    }

    private int perByte() {
        return 8 / bits;
    }

    /** Compares the sizes with what is there. */
    void check(long bytes, int scales) {
        if (bytes != (long) rows * blocks() * block / perByte() || scales != (long) rows * blocks()) {
            throw new InvalidInputException(what + " has " + bytes + " bytes and " + scales + " scales for [" + rows
                    + ", " + columns + "] in blocks of " + block + NotValid.ONNX);
        }
    }

    /** Which block a number is in. */
    int part(long index) {
        return (int) (index / columns * blocks() + index % columns / block);
    }

    /** A number; -128 to 127 of a byte is 0 to 255. */
    long number(byte[] bytes, long index) {
        long at = (long) part(index) * block + index % columns % block;
        return bits == 8 ? bytes[(int) at] & 255 : PackedIntegers.at(bytes, (int) at, false);
    }

    /** A zero point for each block: given as numbers, packed as the weight is, or the middle of the range. */
    double[] zeros(double[] given, int scales) {
        int rowBytes = (blocks() + perByte() - 1) / perByte();
        if (given.length == 0) {
            return new double[] {1 << bits - 1};
        }
        if (given.length == scales && perByte() > 1 && given.length != rows * rowBytes) {
            return given;
        }
        if (given.length != (long) rows * rowBytes) {
            throw new InvalidInputException(what + " has " + given.length + " zero points for [" + rows + ", " + columns
                    + "] in blocks of " + block + NotValid.ONNX);
        }
        double[] zeros = new double[rows * blocks()];
        Arrays.setAll(zeros, part -> {
            int inRow = part % blocks();
            int both = (int) given[part / blocks() * rowBytes + inRow / perByte()];
            return bits == 8 ? both : inRow % 2 == 0 ? both & 15 : both >> 4 & 15;
        });
        return zeros;
    }
}
