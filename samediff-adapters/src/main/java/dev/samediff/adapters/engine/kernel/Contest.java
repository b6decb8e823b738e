package dev.samediff.adapters.engine.kernel;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Two kernels for the same result, of which the faster one is used. It is found in the first run, once per process for each
 * shape, layout and number of threads; the second must be clearly faster, so that noise does not decide, and the choice is
 * kept for good, so that equal calls give equal bits.
 */
final class Contest implements Kernel {
    private static final double CLEARLY = 0.9;
    private static final int ROUNDS = 3;
    private static final Map<String, Boolean> SECOND_WINS = new ConcurrentHashMap<>();

    private final String key;
    private final Kernel first;
    private final Kernel second;

    /**
     * Creates it.
     *
     * @param key what the decision depends on
     * @param first the kernel to use when in doubt
     * @param second the other
     */
    Contest(String key, Kernel first, Kernel second) {
        this.key = key;
        this.first = first;
        this.second = second;
    }

    @Override
    public void run() {
        Boolean known = SECOND_WINS.get(key);
        if (known == null) {
            known = SECOND_WINS.computeIfAbsent(key, unknown -> isSecondFaster());
        }
        (known ? second : first).run();
    }

    private boolean isSecondFaster() {
        long bestFirst = Long.MAX_VALUE;
        long bestSecond = Long.MAX_VALUE;
        for (int i = 0; i < ROUNDS; i++) {
            bestFirst = Math.min(bestFirst, time(first));
            bestSecond = Math.min(bestSecond, time(second));
        }
        return bestSecond < CLEARLY * bestFirst;
    }

    private static long time(Kernel kernel) {
        long start = System.nanoTime();
        kernel.run();
        return System.nanoTime() - start;
    }

    /** Returns the decisions so far: whether the second kernel is used, by key. */
    static Map<String, Boolean> decisions() {
        return new TreeMap<>(SECOND_WINS);
    }

    @Override
    public String describe() {
        return (SECOND_WINS.getOrDefault(key, false) ? second : first).describe();
    }
}
