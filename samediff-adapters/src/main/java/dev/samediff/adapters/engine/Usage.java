package dev.samediff.adapters.engine;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Guards something with native memory that one thread may use at a time: a second thread is refused while the first is inside,
 * nothing is freed under a thread that is inside, and nothing is used after it was closed.
 *
 * <p>A thread that is inside may enter again.
 */
public final class Usage {
    private final String what;
    private final String advice;
    private @Nullable Thread owner;
    private int depth;
    private boolean closed;

    /**
     * Creates it.
     *
     * @param what what is guarded, such as {@code engine}
     * @param advice what to do instead of using it in two threads
     */
    public Usage(String what, String advice) {
        this.what = what;
        this.advice = advice;
    }

    /**
     * Does something with what is guarded.
     *
     * @throws IllegalStateException if it is closed, or another thread is inside
     */
    public <T> T during(Supplier<T> work) {
        enter();
        try {
            return work.get();
        } finally {
            leave();
        }
    }

    /**
     * Marks it closed.
     *
     * @return whether it was open, so that its memory is to be freed now
     * @throws IllegalStateException if a thread is inside; it then stays open
     */
    public synchronized boolean close() {
        if (owner != null) {
            throw new IllegalStateException("the " + what + " cannot be closed while the thread `" + owner.getName()
                    + "` uses it; close it when that has ended");
        }
        boolean first = !closed;
        closed = true;
        return first;
    }

    private synchronized void enter() {
        if (closed) {
            throw new IllegalStateException("the " + what + " is closed; open another one");
        }
        Thread current = Thread.currentThread();
        if (owner != null && owner != current) {
            throw new IllegalStateException("the " + what + " is in use by the thread `" + owner.getName()
                    + "`, called by `" + current.getName() + "`; " + advice);
        }
        owner = current;
        depth++;
    }

    private synchronized void leave() {
        if (--depth == 0) {
            owner = null;
        }
    }
}
