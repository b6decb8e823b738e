package dev.samediff.adapters.engine.kernel;

import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A few threads that take the numbered pieces of a computation, each the next one that nobody has taken. The caller is one
 * of them; the others are of the common pool, and the caller does without those that have other work.
 */
final class Team {
    private static final int SPINS = 1000;

    private final int size;

    /**
     * Makes a team.
     *
     * @param size the most threads that compute at a time, the caller included; at least 1
     * @throws IllegalArgumentException if it is less
     */
    Team(int size) {
        if (size < 1) {
            throw new IllegalArgumentException("a team has at least 1 thread, asked for " + size);
        }
        this.size = size;
    }

    /** The work. */
    interface Work {
        /**
         * Does one piece.
         *
         * @param piece its number
         * @param member which thread of the team does it, from 0; nobody else has this number meanwhile
         */
        void piece(int piece, int member);
    }

    /** Returns the most threads that compute at a time. */
    int size() {
        return size;
    }

    /**
     * Does all pieces; what they wrote is seen by the caller afterwards. If one fails, no further ones are begun, and whatever
     * it threw, an error too, is thrown here when all threads have stopped; what others threw meanwhile is suppressed by it.
     */
    void run(int pieces, Work work) {
        Run run = new Run(pieces, work);
        try {
            for (int member = 1; member < Math.min(size, pieces); member++) {
                int number = member;
                ForkJoinPool.commonPool().execute(() -> run.take(number));
            }
        } catch (Throwable e) {
            run.fail(e); // members that were started before are waited for
        }
        run.take(0);
        run.await();
    }

    /** One computation. */
    private static final class Run {
        private final int pieces;
        private final Work work;
        private final AtomicInteger next = new AtomicInteger();
        private final AtomicInteger done = new AtomicInteger();
        private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

        Run(int pieces, Work work) {
            this.pieces = pieces;
            this.work = work;
        }

        /** Takes pieces until there are none; a thread that comes late finds none. */
        void take(int member) {
            for (int piece = next.getAndIncrement(); piece < pieces; piece = next.getAndIncrement()) {
                try {
                    work.piece(piece, member);
                } catch (Throwable e) {
                    fail(e);
                } finally {
                    done.incrementAndGet();
                }
            }
        }

        /** Keeps what was thrown, and counts the pieces that nobody has begun as done. Allocates nothing for the first. */
        void fail(Throwable thrown) {
            Throwable first = failure.compareAndExchange(null, thrown);
            int begun = next.getAndSet(pieces);
            done.addAndGet(Math.max(0, pieces - begun));
            if (first != null && first != thrown) {
                try {
                    first.addSuppressed(thrown);
                } catch (OutOfMemoryError noRoom) {
                    return; // the first failure is thrown in any case
                }
            }
        }

        void await() {
            for (int i = 0; done.get() < pieces; i++) {
                if (i < SPINS) {
                    Thread.onSpinWait();
                } else {
                    Thread.yield();
                }
            }
            Throwable thrown = failure.get();
            if (thrown != null) {
                Run.<RuntimeException>rethrow(thrown);
            }
        }

        /** Throws anything, as a piece may have done. */
        @SuppressWarnings("unchecked")
        private static <T extends Throwable> void rethrow(Throwable thrown) throws T {
            throw (T) thrown;
        }
    }
}
