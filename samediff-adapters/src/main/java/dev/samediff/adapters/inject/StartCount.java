package dev.samediff.adapters.inject;

import dev.samediff.adapters.StartListener;
import dev.samediff.adapters.StartProgress;

/** Counts factorised weights for a listener, one at a time. */
final class StartCount {
    private final StartListener listener;
    private final int all;
    private final long allElements;
    private int done;
    private long doneElements;

    StartCount(StartListener listener, int all, long allElements) {
        this.listener = listener;
        this.all = all;
        this.allElements = allElements;
    }

    synchronized void add(String module, long elements) {
        done++;
        doneElements += elements;
        listener.factorized(new StartProgress(module, done, all, doneElements, allElements));
    }
}
