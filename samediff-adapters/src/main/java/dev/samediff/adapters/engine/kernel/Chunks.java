package dev.samediff.adapters.engine.kernel;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Goes through large tensors of one shape in pieces that stay in the cache between the steps of a computation. */
final class Chunks {
    private static final long ELEMENTS = 32 << 10;

    private Chunks() {}

    /** The steps for one piece. */
    interface Body {
        /** Adds the steps; {@code pieces} are the pieces of the tensors, in their order. */
        void add(Assembly assembly, Tensor... pieces);
    }

    /** Adds a body for every piece of the tensors. */
    static void add(Assembly assembly, Body body, Tensor... tensors) {
        List<Layout> layouts =
                Layout.ordered(Arrays.stream(tensors).map(Tensor::layout).toList());
        Layout first = layouts.get(0);
        long inner = first.axes(1, first.rank()).length();
        long rows = Math.max(1, ELEMENTS * OneDnn.threads() / inner);
        long count = first.size(0) / rows;
        if (count < 2) {
            body.add(assembly, pieces(tensors, layouts, first.size(0), 0, null));
            return;
        }
        List<Loop.Cursor> cursors = new ArrayList<>();
        int mark = assembly.mark();
        body.add(assembly, pieces(tensors, layouts, rows, 0, cursors));
        assembly.add(new Loop(count, cursors, assembly.since(mark)));
        long rest = first.size(0) - count * rows;
        if (rest > 0) {
            body.add(assembly, pieces(tensors, layouts, rest, count * rows, null));
        }
    }

    /** Rows from {@code start}; with cursors, the rows that a loop moves to. */
    private static Tensor[] pieces(
            Tensor[] tensors, List<Layout> layouts, long rows, long start, @Nullable List<Loop.Cursor> cursors) {
        Tensor[] pieces = new Tensor[tensors.length];
        for (int i = 0; i < pieces.length; i++) {
            Layout layout = layouts.get(i);
            long[] shape = layout.shape().clone();
            shape[0] = rows;
            long bytes = layout.stride(0) * Tensors.bytes(tensors[i].type());
            Place place = tensors[i].place();
            if (cursors == null) {
                place = place.plus(start * bytes);
            } else {
                Loop.Cursor cursor = new Loop.Cursor(place, rows * bytes);
                cursors.add(cursor);
                place = cursor;
            }
            pieces[i] = new Tensor(tensors[i].type(), new Layout(shape, layout.strides()), place);
        }
        return pieces;
    }
}
