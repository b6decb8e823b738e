package dev.samediff.adapters.text.batch;

import java.util.Arrays;
import java.util.Random;

/** Which sequences make up the batches of an epoch; a pure function of lengths, plan and epoch. */
public final class BatchOrder {
    private BatchOrder() {}

    /** Members of each batch. */
    static int[][] of(int[] lengths, BatchPlan plan, long epoch) {
        int size = plan.batchSize();
        int[] order = new int[lengths.length];
        Arrays.setAll(order, i -> i);
        Random random = plan.seed() == null ? null : new Random(mix(plan.seed(), epoch));
        if (random != null) {
            shuffle(order, random);
        }
        if (plan.dropLast()) {
            order = Arrays.copyOf(order, order.length / size * size);
        }
        if (plan.bucketBatches() > 1) {
            sortWindows(order, lengths, (long) plan.bucketBatches() * size);
        }
        int[][] batches = new int[(order.length + size - 1) / size][];
        for (int b = 0; b < batches.length; b++) {
            batches[b] = Arrays.copyOfRange(order, b * size, Math.min(order.length, (b + 1) * size));
        }
        if (random != null && plan.bucketBatches() > 1) {
            shuffle(batches, random);
        }
        return batches;
    }

    /** Sorts each window, longest first; equal lengths keep their shuffled order. */
    private static void sortWindows(int[] order, int[] lengths, long window) {
        for (long start = 0; start < order.length; start += window) {
            int from = (int) start;
            int to = (int) Math.min(order.length, start + window);
            long[] keys = new long[to - from];
            for (int i = 0; i < keys.length; i++) {
                keys[i] = (long) -lengths[order[from + i]] << 32 | i;
            }
            Arrays.sort(keys);
            int[] before = Arrays.copyOfRange(order, from, to);
            for (int i = 0; i < keys.length; i++) {
                order[from + i] = before[(int) keys[i]];
            }
        }
    }

    private static void shuffle(int[] values, Random random) {
        for (int i = values.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int value = values[i];
            values[i] = values[j];
            values[j] = value;
        }
    }

    private static void shuffle(int[][] values, Random random) {
        for (int i = values.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int[] value = values[i];
            values[i] = values[j];
            values[j] = value;
        }
    }

    /** Seed of one stream among many of one seed (the finaliser of SplitMix64). */
    public static long mix(long seed, long stream) {
        long z = seed + (stream + 1) * 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
