package dev.samediff.adapters.engine.kernel;

/** Makes kernels for a number of threads. */
final class Threads {
    private Threads() {}

    static void with(int count, Runnable body) {
        OneDnn.with(count, () -> {
            body.run();
            return count;
        });
    }
}
