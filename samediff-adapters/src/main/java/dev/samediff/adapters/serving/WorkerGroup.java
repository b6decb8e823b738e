package dev.samediff.adapters.serving;

import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.compiled.SharedCopies;
import dev.samediff.adapters.graph.SharingCopy;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The workers of all adapters of one form; made when they are needed, as many as there are requests at a time. Thread-safe.
 */
final class WorkerGroup {
    private final SameDiff prototype;
    private final EngineOptions options;
    private final SharedCopies copies;
    private final Deque<Worker> idle = new ArrayDeque<>();
    private int users;
    private int busy;

    /**
     * Makes it without workers.
     *
     * @param prototype graph that every worker gets a copy of; nobody computes with it
     */
    WorkerGroup(SameDiff prototype, EngineOptions options, SharedCopies copies) {
        this.prototype = prototype;
        this.options = options;
        this.copies = copies;
    }

    /** Counts an adapter of this form. */
    synchronized void join() {
        users++;
    }

    /**
     * Counts an adapter of this form less.
     *
     * @return whether it was the last, so that the group ends: workers are closed, those in use when they are given back
     */
    synchronized boolean leave() {
        users--;
        if (users == 0) {
            idle.forEach(Worker::close);
            idle.clear();
        }
        return users == 0;
    }

    /** Takes a worker that reads this adapter; preferably one that did before. */
    Worker take(ServedAdapter adapter) {
        Worker worker = poll(adapter);
        if (worker == null) {
            worker = make();
        }
        worker.load(adapter);
        return worker;
    }

    private synchronized @Nullable Worker poll(ServedAdapter adapter) {
        busy++;
        for (Worker worker : idle) {
            if (worker.isLoaded(adapter)) {
                idle.remove(worker);
                return worker;
            }
        }
        return idle.pollFirst();
    }

    private Worker make() {
        try {
            synchronized (prototype) {
                return new Worker(SharingCopy.of(prototype), options, copies);
            }
        } catch (Throwable e) {
            synchronized (this) {
                busy--;
            }
            throw e;
        }
    }

    /** Takes a worker back; one that failed is not used again. */
    void giveBack(Worker worker, boolean failed) {
        boolean keep;
        synchronized (this) {
            busy--;
            keep = users > 0 && !failed;
            if (keep) {
                idle.addFirst(worker);
            }
        }
        if (!keep) {
            worker.close();
        }
    }

    /** Returns how many workers there are, in use or not. */
    synchronized int workers() {
        return idle.size() + busy;
    }
}
