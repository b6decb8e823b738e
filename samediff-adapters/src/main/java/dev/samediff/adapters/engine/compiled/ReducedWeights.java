package dev.samediff.adapters.engine.compiled;

import dev.samediff.adapters.engine.plan.Conversion;
import dev.samediff.adapters.engine.plan.RoundedCopy;
import dev.samediff.adapters.engine.plan.Target;
import dev.samediff.adapters.memory.FileBackedArrays;
import java.util.HashMap;
import java.util.Map;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Frozen weights rounded to bfloat16, made when they are first needed and again when the weight has changed. */
final class ReducedWeights implements RoundedWeights {
    private final Target target;
    private final WeightWatch watch;
    private final Map<String, RoundedCopy> reduced = new HashMap<>();

    ReducedWeights(SameDiff graph, Target target) {
        this.target = target;
        this.watch = new WeightWatch(graph);
    }

    @Override
    public INDArray get(String variable, INDArray source, Runnable onChange) {
        boolean changed = watch.hasChanged(variable, source);
        FileBackedArrays.release(source);
        RoundedCopy known = reduced.get(variable);
        if (known != null && !changed) {
            return known.array();
        }
        if (known != null) {
            known.close();
        }
        RoundedCopy rounded = Conversion.toBfloat16(source, target);
        FileBackedArrays.release(source);
        reduced.put(variable, rounded);
        onChange.run();
        return rounded.array();
    }

    @Override
    public long bytes() {
        return reduced.values().stream().mapToLong(RoundedCopy::bytes).sum();
    }

    @Override
    public void close() {
        reduced.values().forEach(RoundedCopy::close);
        reduced.clear();
    }
}
