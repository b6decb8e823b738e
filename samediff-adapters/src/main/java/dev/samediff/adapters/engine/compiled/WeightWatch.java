package dev.samediff.adapters.engine.compiled;

import dev.samediff.adapters.engine.nd4j.BitSample;
import dev.samediff.adapters.graph.GraphVersion;
import java.lang.ref.WeakReference;
import java.util.HashMap;
import java.util.Map;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Notices when arrays of a graph are others than they were: with certainty if they were replaced, or written to by this library
 * or by anybody who counts it in {@link GraphVersion}; otherwise by a {@link BitSample}.
 */
final class WeightWatch {
    private final GraphVersion version;
    private final Map<String, Seen> seen = new HashMap<>();

    WeightWatch(SameDiff graph) {
        version = GraphVersion.of(graph);
    }

    /** An array as it was; it is not kept in memory. */
    private record Seen(WeakReference<INDArray> array, long version, BitSample sample) {
        boolean is(INDArray now, long nowVersion) {
            return version == nowVersion && array.refersTo(now) && sample.isOf(now);
        }
    }

    /** Tells whether a variable's array is what it was when it was last remembered. */
    boolean isUnchanged(String variable, INDArray array) {
        Seen last = seen.get(variable);
        return last != null && last.is(array, version.value(variable));
    }

    /** Remembers a variable's array. */
    void remember(String variable, INDArray array) {
        long now = version.value(variable); // before the samples: a write in between is noticed
        seen.put(variable, new Seen(new WeakReference<>(array), now, BitSample.of(array)));
    }

    /** Tells whether an array is another than at the last call, or there was none, and remembers it. */
    boolean hasChanged(String variable, INDArray array) {
        if (isUnchanged(variable, array)) {
            return false;
        }
        remember(variable, array);
        return true;
    }
}
