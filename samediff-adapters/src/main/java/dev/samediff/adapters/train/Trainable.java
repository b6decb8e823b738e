package dev.samediff.adapters.train;

import dev.samediff.adapters.PenalizedSites;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SameDiff;

/** What a trainer trains: a graph, the variables that change, and penalties on them. */
public interface Trainable {
    /** Returns the graph; its trainable variables are updated in place. */
    SameDiff graph();

    /** Returns the float32 VARIABLEs to train, in a fixed order. */
    List<String> trainableNames();

    /** Returns the penalties on the trainables; their variables are among {@link #trainableNames}. */
    default List<PenalizedSites> penalties() {
        return List.of();
    }

    /** Tells the graph the peak learning rate, for penalties that depend on it. */
    default void peakLearningRate(double peak) {}

    /** Returns what identifies the model and the method; a checkpoint is only resumed where it is the same. */
    default Map<String, String> description() {
        return Map.of();
    }

    /**
     * Returns a plain graph with some variables to train, such as for full fine-tuning.
     *
     * @param graph the graph
     * @param names the variables to train
     */
    static Trainable of(SameDiff graph, List<String> names) {
        List<String> copy = List.copyOf(names);
        return new Trainable() {
            @Override
            public SameDiff graph() {
                return graph;
            }

            @Override
            public List<String> trainableNames() {
                return copy;
            }
        };
    }
}
