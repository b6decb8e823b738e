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
     * Does all pieces; what they wrote is seen by the caller afterwards.
     *
     * @throws RuntimeException the first failure of a piece, when all others are done
     */
    void run(int pieces, Work work) {
        Run run = new Run(pieces, work);
        for (int member = 1; member < Math.min(size, pieces); member++) {
            int number = member;
            ForkJoinPool.commonPool().execute(() -> run.take(number));
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
        private final AtomicReference<@Nullable RuntimeException> failure = new AtomicReference<>();

        Run(int pieces, Work work) {
            this.pieces = pieces;
            this.work = work;
        }

        /** Takes pieces until there are none; a thread that comes late finds none. */
        void take(int member) {
            for (int piece = next.getAndIncrement(); piece < pieces; piece = next.getAndIncrement()) {
                try {
                    work.piece(piece, member);
                } catch (RuntimeException e) {
                    failure.compareAndSet(null, e);
                } finally {
                    done.incrementAndGet();
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
            RuntimeException thrown = failure.get();
            if (thrown != null) {
                throw thrown;
            }
        }
    }
}
