package dev.samediff.adapters.method;

import dev.samediff.adapters.AfterStep;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What is done after every update, one after the other. What each remembers is saved as it is: their names differ.
 *
 * @param steps at least two
 */
record StepSequence(List<AfterStep> steps) implements AfterStep {
    /** Returns nothing, the only one, or all of them as one. */
    static Optional<AfterStep> of(List<AfterStep> steps) {
        return steps.size() > 1
                ? Optional.of(new StepSequence(steps))
                : steps.stream().findFirst();
    }

    @Override
    public void begin(int updates) {
        steps.forEach(step -> step.begin(updates));
    }

    @Override
    public void updated(int update, List<Layer> layers) {
        steps.forEach(step -> step.updated(update, layers));
    }

    @Override
    public Map<String, INDArray> state() {
        Map<String, INDArray> state = new LinkedHashMap<>();
        steps.forEach(step -> state.putAll(step.state()));
        return state;
    }

    @Override
    public void restore(Map<String, INDArray> state) {
        steps.forEach(step -> step.restore(state));
    }
}
