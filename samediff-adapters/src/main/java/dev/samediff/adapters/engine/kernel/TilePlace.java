package dev.samediff.adapters.engine.kernel;

import org.nd4j.linalg.api.buffer.DataType;

/** The place of a tile of a tensor [b,heads,n,width]: follows batch, head and row, and the tensor itself. */
final class TilePlace implements Place {
    private final Layout layout;
    private final long headsPerIndex;
    private final boolean followsRows;
    private Place base = () -> 0;
    private long offset;

    private TilePlace(Layout layout, long headsPerIndex, boolean followsRows) {
        this.layout = layout;
        this.headsPerIndex = headsPerIndex;
        this.followsRows = followsRows;
    }

    /** A place in a tensor of all heads, of which so many in a row share a head of keys. */
    static TilePlace ofQueries(TensorView tensor, long sharing) {
        return new TilePlace(tensor.layout(), sharing, true);
    }

    /** A place in a tensor of the heads of keys; it starts at the first key. */
    static TilePlace ofKeys(TensorView tensor) {
        return new TilePlace(tensor.layout(), 1, false);
    }

    /** Goes to another tensor of the same layout. */
    void bind(Place tensor) {
        base = tensor;
        offset = 0;
    }

    /** Goes to another tile. */
    void move(long b, long head, long row) {
        offset = Float.BYTES
                * (b * layout.stride(0) + head * layout.stride(1) + (followsRows ? row * layout.stride(2) : 0));
    }

    /** Tells whether the place changes from one tile of rows to the next. */
    boolean followsRows() {
        return followsRows;
    }

    @Override
    public long address() {
        long address = base.address();
        return address == 0 ? 0 : address + offset;
    }

    /** Returns the layout [heads,rows,width] of a tile. */
    Layout tile(long heads, long rows) {
        return new Layout(
                new long[] {heads, rows, layout.size(3)},
                new long[] {layout.stride(1) * headsPerIndex, layout.stride(2), layout.stride(3)});
    }

    /** Returns the tile [heads,rows,width] at this place. */
    TensorView view(long heads, long rows) {
        return new TensorView(DataType.FLOAT, tile(heads, rows), this);
    }
}
