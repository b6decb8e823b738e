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
        int before = openblas_full.openblas_get_num_threads();
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        openblas_full.openblas_set_num_threads(1);
        try {
            return results(submit(pool, items, cost, decompose));
        } finally {
            pool.shutdownNow();
            openblas_full.openblas_set_num_threads(before);
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
