package dev.samediff.adapters.engine.oracle;

import dev.samediff.adapters.engine.plan.Operand;
import dev.samediff.adapters.engine.program.Shapes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/** Pieces of memory in an address space of their own, with gaps between them; every access is checked. */
final class LoopMemory {
    static final long ALIGNMENT = 16;

    /** Beyond where x86-64 and AArch64 place a process' memory: who follows such an address ends the process. */
    private static final long FIRST = 1L << 54;

    /** What lies behind a piece belongs to no piece. */
    private static final long GAP = 1L << 30;

    private final NavigableMap<Long, Piece> pieces = new TreeMap<>();
    private long next = FIRST;

    /** What a piece holds, and so who may write into it. */
    enum Use {
        RESULTS,
        LEAF,
        LITERAL
    }

    private static final class Piece {
        final ByteBuffer bytes;
        final Use use;
        boolean written;

        Piece(ByteBuffer bytes, Use use) {
            this.bytes = bytes;
            this.use = use;
        }

        /** Makes every floating point number NaN. */
        void forget() {
            Arrays.fill(bytes.array(), (byte) 0xFF);
        }
    }

    /** Numbers of an operand: the piece, and where in it, in bytes, the first one is. */
    private record Place(Piece piece, int start) {}

    long allocate(long bytes) {
        Piece piece =
                new Piece(ByteBuffer.allocate(Math.toIntExact(bytes)).order(ByteOrder.nativeOrder()), Use.RESULTS);
        piece.forget();
        return add(piece);
    }

    /** Adds numbers, which are not copied. */
    long add(ByteBuffer bytes, Use use) {
        return add(new Piece(bytes, use));
    }

    private long add(Piece piece) {
        long address = next;
        pieces.put(address, piece);
        next += (piece.bytes.capacity() + GAP + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        return address;
    }

    void free(long address) {
        pieces.remove(address);
    }

    /** Makes sure that nothing of an earlier run is read. */
    void forgetResults() {
        pieces.values().stream().filter(piece -> piece.use == Use.RESULTS).forEach(Piece::forget);
    }

    /** Tells whether something has been written into the piece that begins here. */
    boolean isWritten(long address) {
        Piece piece = pieces.get(address);
        return piece != null && piece.written;
    }

    Values read(Operand x) {
        ByteBuffer bytes = place(x).piece().bytes;
        int[] places = places(x);
        double[] numbers = new double[places.length];
        for (int i = 0; i < places.length; i++) {
            numbers[i] = Encoding.get(x.type(), bytes, places[i]);
        }
        return new Values(x.shape(), numbers);
    }

    /**
     * Writes numbers, rounded to the operand's type.
     *
     * @param use what the memory must be for
     */
    void write(Operand y, Values values, Use use) {
        Piece piece = place(y).piece();
        if (piece.use != use) {
            throw new IllegalStateException(y + " is to be written into memory for " + piece.use + ", not " + use);
        }
        int[] places = places(y);
        if (values.data().length != places.length) {
            throw new IllegalStateException(values.data().length + " numbers for " + y);
        }
        for (int i = 0; i < places.length; i++) {
            Encoding.put(y.type(), piece.bytes, places[i], values.data()[i]);
        }
        piece.written = true;
    }

    /** Returns where in its piece every element lies, in row-major order. */
    private int[] places(Operand x) {
        int start = place(x).start();
        long[] shape = x.shape();
        long[] strides = x.strides();
        int width = x.type().width();
        int[] places = new int[Math.toIntExact(Shapes.length(shape))];
        long[] index = new long[shape.length];
        int at = start;
        for (int i = 0; i < places.length; i++) {
            places[i] = at;
            for (int axis = shape.length - 1; axis >= 0; axis--) {
                at = Math.toIntExact(at + strides[axis] * width);
                if (++index[axis] < shape[axis]) {
                    break;
                }
                at = Math.toIntExact(at - shape[axis] * strides[axis] * width);
                index[axis] = 0;
            }
        }
        return places;
    }

    private Place place(Operand x) {
        Map.Entry<Long, Piece> piece = pieces.floorEntry(x.address());
        long offset = piece == null ? -1 : x.address() - piece.getKey();
        if (piece == null || offset >= piece.getValue().bytes.capacity()) {
            throw new IllegalStateException(x + " is at " + x.address() + ", where this plan has no memory");
        }
        return new Place(piece.getValue(), Math.toIntExact(offset));
    }

    void close() {
        pieces.clear();
    }
}
