package dev.samediff.tuning;

/**
 * How many threads a trial computes with. More threads than cores cost a multiple of the time.
 *
 * <p>OpenMP and OpenBLAS read {@code OMP_NUM_THREADS} once, when they are loaded, so a process with parallel trials is
 * started with {@code OMP_NUM_THREADS = cores / parallel}; {@code samples/run sweep} does that.
 */
public final class ComputeThreads {
    private static final String VARIABLE = "OMP_NUM_THREADS";

    private ComputeThreads() {}

    /** Returns the threads for each of several parallel trials. */
    public static int each(int parallel) {
        return Math.max(1, Runtime.getRuntime().availableProcessors() / Math.max(1, parallel));
    }

    /** Returns what is wrong with the environment for so many threads per trial, empty if nothing is. */
    static String complaint(int threads) {
        String set = System.getenv(VARIABLE);
        if (threads >= Runtime.getRuntime().availableProcessors()
                || Integer.toString(threads).equals(set)) {
            return "";
        }
        return "parallel trials will take each other's cores: " + VARIABLE + " is " + (set == null ? "not set" : set)
                + ", start the process with " + VARIABLE + "=" + threads;
    }
}
