package dev.samediff.adapters.train.metric;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A number that says how good a model's results are, computed over the evaluation data. {@link Metrics} has those that tasks usually
 * need; an own one implements this.
 */
public interface Metric {
    /** Returns its name, such as {@code accuracy}. */
    String name();

    /** Returns whether more is better. */
    boolean isHigherBetter();

    /** Returns the variables of the graph that it looks at. */
    List<String> outputs();

    /** Begins a pass over the data. */
    Accumulator start();

    /** Takes a pass over the data in. */
    interface Accumulator {
        /** Takes a batch in. */
        void add(Batch batch);

        /**
         * Returns the number.
         *
         * @param loss the task loss over all batches
         * @return the number; NaN if it is not defined for what was taken in
         */
        double value(double loss);
    }

    /**
     * What a batch gave.
     *
     * @param outputs values of {@link Metric#outputs}, in that order
     * @param targets the label arrays
     * @param weights the items' weights; what has the weight 0 does not count
     */
    record Batch(List<INDArray> outputs, List<INDArray> targets, INDArray weights) {
        public Batch {
            outputs = List.copyOf(outputs);
            targets = List.copyOf(targets);
        }
    }
}
