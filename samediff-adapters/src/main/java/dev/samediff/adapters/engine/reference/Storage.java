package dev.samediff.adapters.engine.reference;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** One block of memory of a pool and the number of values that still lie in it. */
final class Storage {
    final INDArray base;
    private final List<INDArray> views = new ArrayList<>(2);
    int references;
    long lastRun;

    Storage(INDArray base) {
        this.base = base;
        views.add(base);
    }

    /** Returns the block, seen in row-major order with this shape of the same length. */
    INDArray shaped(long[] shape) {
        for (INDArray view : views) {
            if (Arrays.equals(view.shape(), shape)) {
                return view;
            }
        }
        INDArray view = base.reshape('c', shape);
        views.add(view);
        return view;
    }
}
