package dev.samediff.adapters.linalg;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;
import org.bytedeco.openblas.global.openblas_full;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Decomposes several matrices at a time, each on one thread, with as many threads as OpenBLAS may use. Its own threads
 * make the many small products inside LAPACK slower, not faster: a singular value decomposition of a 768 x 768 matrix took
 * 0.07 s with one and 0.5 s with two on a processor with two cores.
 */
public final class SideBySide {
    private static int inside;
    private static int before;

    private SideBySide() {}

    /**
     * Applies a function that decomposes to every item.
     *
     * @param items what to decompose
     * @param cost roughly how much work an item is; the largest are begun first
     * @param decompose must not touch what another item's call touches
     * @return the results in the items' order, the same whatever the number of threads
     * @throws RuntimeException the first one that a call threw, in the items' order
     */
    public static <I, R> List<R> map(List<I> items, ToLongFunction<I> cost, Function<I, R> decompose) {
        int threads = Math.min(openblas_full.openblas_get_num_threads(), items.size());
        if (threads <= 1 || Nd4j.getAffinityManager().getNumberOfDevices() > 1) { // arrays live on one device
            return items.stream().map(decompose).toList();
        }
        return onOneThread(() -> pooled(threads, items, cost, decompose));
    }

    /**
     * Applies a function to every item as {@link #map} does, but with one thread of OpenBLAS for each also where there is a single item or
     * a single thread, so that the results' bits do not depend on how many there are.
     *
     * @param items what to compute
     * @param compute must not touch what another item's call touches
     * @return the results in the items' order
     * @throws RuntimeException the first one that a call threw, in the items' order
     */
    static <I, R> List<R> mapSeparately(List<I> items, Function<I, R> compute) {
        int threads = Math.min(openblas_full.openblas_get_num_threads(), items.size());
        return onOneThread(
                () -> threads <= 1 ? items.stream().map(compute).toList() : pooled(threads, items, item -> 1, compute));
    }

    /** Runs something while OpenBLAS uses one thread; it has one number of threads for the whole process. */
    private static <R> R onOneThread(Supplier<R> work) {
        synchronized (SideBySide.class) {
            if (inside == 0) {
                before = openblas_full.openblas_get_num_threads();
                openblas_full.openblas_set_num_threads(1);
            }
            inside++;
        }
        try {
            return work.get();
        } finally {
            synchronized (SideBySide.class) {
                inside--;
                if (inside == 0) {
                    openblas_full.openblas_set_num_threads(before);
                }
            }
        }
    }

    private static <I, R> List<R> pooled(int threads, List<I> items, ToLongFunction<I> cost, Function<I, R> decompose) {
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            return results(submit(pool, items, cost, decompose));
        } finally {
            pool.shutdownNow();
        }
    }

    private static <I, R> List<Future<R>> submit(
            ExecutorService pool, List<I> items, ToLongFunction<I> cost, Function<I, R> decompose) {
        Map<Integer, Future<R>> running = new TreeMap<>();
        IntStream.range(0, items.size())
                .boxed()
                .sorted(Comparator.comparingLong((Integer i) -> -cost.applyAsLong(items.get(i))))
                .forEach(i -> running.put(i, pool.submit(() -> decompose.apply(items.get(i)))));
        return List.copyOf(running.values());
    }

    private static <R> List<R> results(List<Future<R>> running) {
        List<R> results = new ArrayList<>();
        for (Future<R> each : running) {
            try {
                results.add(each.get());
            } catch (ExecutionException e) {
                if (e.getCause() instanceof RuntimeException cause) {
                    throw cause;
                }
                throw new IllegalStateException("a decomposition failed", e.getCause());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException("interrupted while decomposing", e);
            }
        }
        return results;
    }
}
