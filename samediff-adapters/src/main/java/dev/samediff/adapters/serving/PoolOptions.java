package dev.samediff.adapters.serving;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.EngineOptions;

/**
 * How a {@link ModelPool} answers.
 *
 * @param workers requests that are computed at the same time; more wait for their turn, first come, first served
 * @param engine how one request is computed; its threads are those of one request
 */
public record PoolOptions(int workers, EngineOptions engine) {
    public PoolOptions {
        if (workers < 1) {
            throw new InvalidInputException("the number of workers is " + workers + "; give 1 or more");
        }
    }

    /**
     * Returns a worker for every processor, each with one thread: most requests a second. For the shortest time of a single
     * request take one worker with all threads, {@code defaults().withWorkers(1).withThreads(0)}.
     */
    public static PoolOptions defaults() {
        return new PoolOptions(
                Runtime.getRuntime().availableProcessors(),
                EngineOptions.defaults().withThreads(1));
    }

    /** Returns this with another number of workers. */
    public PoolOptions withWorkers(int newWorkers) {
        return new PoolOptions(newWorkers, engine);
    }

    /** Returns this with another number of threads for each request; 0 for as many as OpenMP has been told to use. */
    public PoolOptions withThreads(int threads) {
        return new PoolOptions(workers, engine.withThreads(threads));
    }

    /** Returns this with another engine, such as for bfloat16. */
    public PoolOptions withEngine(EngineOptions newEngine) {
        return new PoolOptions(workers, newEngine);
    }
}
