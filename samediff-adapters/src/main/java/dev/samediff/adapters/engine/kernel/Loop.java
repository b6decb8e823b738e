package dev.samediff.adapters.engine.kernel;

import dev.samediff.adapters.engine.plan.Kernel;
import java.util.List;

/** Runs a body once for every index of an axis, with places that walk along it. */
final class Loop implements Kernel {
    private final long count;
    private final Cursor[] cursors;
    private final Kernel body;

    Loop(long count, List<Cursor> cursors, Kernel body) {
        this.count = count;
        this.cursors = cursors.toArray(Cursor[]::new);
        this.body = body;
    }

    @Override
    public void run() {
        for (long i = 0; i < count; i++) {
            for (Cursor cursor : cursors) {
                cursor.index = i;
            }
            body.run();
        }
    }

    @Override
    public String describe() {
        return count + " x (" + body.describe() + ")";
    }

    /** A place that is a number of bytes further at every index. */
    static final class Cursor implements Place {
        private final Place base;
        private final long step;
        private long index;

        Cursor(Place base, long step) {
            this.base = base;
            this.step = step;
        }

        void index(long newIndex) {
            index = newIndex;
        }

        @Override
        public long address() {
            long address = base.address();
            return address == 0 ? 0 : address + index * step;
        }
    }
}
