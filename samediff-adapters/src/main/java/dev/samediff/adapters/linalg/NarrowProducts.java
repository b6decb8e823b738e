package dev.samediff.adapters.linalg;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.BiConsumer;
import org.bytedeco.javacpp.DoublePointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A matrix plus products of narrow matrices, {@code W + sum_i L_i R_i}, tile by tile in float64, so that nothing of the matrix's size is
 * made on the way. Products are OpenBLAS's dgemm of tiles of {@value #ROWS} rows and {@value #COLUMNS} columns, each on one thread: the
 * bits do not depend on the number of threads. With {@code u = 2^-53} and the sum of all ranks k, a number is off by at most {@code (k + m)
 * u (|W| + sum_i |L_i| |R_i|)}, m being the number of products (Higham, Accuracy and Stability of Numerical Algorithms, section 3.5).
 *
 * <p>A stack of matrices is one with the rows of all of them; factors are stacked alike.
 */
public final class NarrowProducts {
    /** Rows of a tile; the right factor is packed anew for each. */
    static final int ROWS = 256;

    /** Columns of a tile: 2 MB in float64, as much as a core's own cache. */
    static final int COLUMNS = 1024;

    private final int stack;
    private final List<Product> products = new ArrayList<>();

    /**
     * Starts with nothing to add.
     *
     * @param stack how many matrices lie one behind the other, 1 or more
     */
    public NarrowProducts(int stack) {
        this.stack = stack;
    }

    /** left [stack rows,rank], right [stack rank,columns]. */
    private record Product(INDArray left, INDArray right, int rank) {}

    /**
     * Part of a matrix.
     *
     * @param index which of the stack's matrices
     * @param row its first row, in the whole stack
     * @param column its first column
     * @param rows how many
     * @param columns how many; element {@code (i, j)} of the tile is number {@code i columns + j}
     */
    public record Tile(int index, int row, int column, int rows, int columns) {
        int length() {
            return rows * columns;
        }
    }

    /**
     * Adds a product.
     *
     * @param left L [rows,rank], or [stack,rows,rank], FLOAT or DOUBLE
     * @param right R [rank,columns], or [stack,rank,columns]
     */
    public void add(INDArray left, INDArray right) {
        products.add(new Product(rowMajor(left), rowMajor(right), Math.toIntExact(left.size(-1))));
    }

    private static INDArray rowMajor(INDArray factor) {
        return factor.castTo(DataType.DOUBLE).dup('c');
    }

    /**
     * Computes the sum, several tiles at a time.
     *
     * @param rows of the whole stack
     * @param columns of the matrix
     * @param read fills a tile's numbers with W's, row-major
     * @param use gets a tile with the sums, in numbers that are overwritten afterwards; not in the tiles' order
     */
    public void compute(int rows, int columns, BiConsumer<Tile, double[]> read, BiConsumer<Tile, double[]> use) {
        Queue<Room> rooms = new ConcurrentLinkedQueue<>();
        try {
            SideBySide.mapSeparately(tiles(rows, columns), tile -> {
                Room free = rooms.poll();
                Room room = free == null ? new Room(Math.min(ROWS, rows), Math.min(COLUMNS, columns)) : free;
                compute(tile, columns, read, room);
                use.accept(tile, room.numbers);
                rooms.add(room);
                return tile;
            });
        } finally {
            rooms.forEach(room -> room.sums.close());
        }
    }

    private void compute(Tile tile, int columns, BiConsumer<Tile, double[]> read, Room room) {
        read.accept(tile, room.numbers);
        if (products.isEmpty()) {
            return;
        }
        DoublePointer sums = Lapack.doubles(room.sums);
        sums.put(room.numbers, 0, tile.length());
        for (Product product : products) {
            Blas.addProduct(
                    tile.rows,
                    tile.columns,
                    product.rank,
                    product.left,
                    (long) tile.row * product.rank,
                    product.right,
                    (long) tile.index * product.rank * columns + tile.column,
                    columns,
                    sums);
        }
        sums.get(room.numbers, 0, tile.length());
    }

    private List<Tile> tiles(int rows, int columns) {
        int each = rows / stack;
        List<Tile> tiles = new ArrayList<>();
        for (int row = 0; row < rows; row += Math.min(ROWS, each - row % each)) {
            for (int column = 0; column < columns; column += COLUMNS) {
                tiles.add(new Tile(
                        row / each,
                        row,
                        column,
                        Math.min(ROWS, each - row % each),
                        Math.min(COLUMNS, columns - column)));
            }
        }
        return tiles;
    }

    /** What one thread needs. */
    private static final class Room {
        private final double[] numbers;
        private final INDArray sums;

        Room(int rows, int columns) {
            numbers = new double[rows * columns];
            sums = Nd4j.createUninitialized(DataType.DOUBLE, (long) rows * columns);
        }
    }
}
