package dev.samediff.adapters.train;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.FollowedSites;
import dev.samediff.adapters.PenalizedSites;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SameDiff;

/** What a trainer trains: a graph, the variables that change, and penalties on them. */
public interface Trainable {
    /** Returns the graph; its trainable variables are updated in place. */
    SameDiff graph();

    /** Returns the float32 VARIABLEs to train, in a fixed order. */
    List<String> trainableNames();

    /** Returns the paths of modules by variables that are not called after theirs; {@link Lisa} tells layers by them. */
    default Map<String, String> modulePaths() {
        return Map.of();
    }

    /** Returns the penalties on the trainables; their variables are among {@link #trainableNames}. */
    default List<PenalizedSites> penalties() {
        return List.of();
    }

    /** Returns the dropout of adapters by name; those without are left out. */
    default Map<String, Double> dropouts() {
        return Map.of();
    }

    /** Returns what follows every update, as new objects for one trainer; their variables are among {@link #trainableNames}. */
    default List<FollowedSites> afterSteps() {
        return List.of();
    }

    /** Tells the graph the peak learning rate, for penalties that depend on it. */
    default void peakLearningRate(double peak) {}

    /** Returns what identifies the model and the method; a checkpoint is only resumed where it is the same. */
    default Map<String, String> description() {
        return Map.of();
    }

    /**
     * Refuses to be trained in a state in which that would change nothing, such as adapters that are merged or switched off.
     * It is asked before every update.
     *
     * @throws dev.samediff.adapters.InvalidInputException that says what to do
     */
    default void requireActive() {}

    /**
     * Returns whether every VARIABLE of the graph is meant that a gradient of the loss reaches. Training is then refused while
     * one of them is not among {@link #trainableNames}; otherwise those that are not named stay as they are.
     */
    default boolean meansEveryVariable() {
        return false;
    }

    /**
     * Returns this with more variables that are trained with it, such as the head of a classifier beside adapters.
     *
     * @param names VARIABLEs of the graph; {@code SDVariable.convertToVariable} makes one of a constant
     */
    default Trainable with(String... names) {
        return new JointTrainable(this, List.of(names));
    }

    /**
     * Returns the active adapters of a model; the loss and their penalties become the graph's loss variables.
     *
     * @param model the model
     * @param loss the task loss in its graph
     */
    static Trainable of(AdaptedModel model, TaskLoss loss) {
        return new AdaptedTrainable(model, loss);
    }

    /**
     * Returns a plain graph with some variables to train, such as for full fine-tuning; the others stay as they are.
     *
     * @param graph the graph
     * @param names the variables to train
     */
    static Trainable of(SameDiff graph, List<String> names) {
        return of(graph, names, Map.of());
    }

    /**
     * As {@link #of(SameDiff, List)}.
     *
     * @param graph the graph
     * @param names the variables to train
     * @param modulePaths paths of modules by variables that are not called after theirs
     */
    static Trainable of(SameDiff graph, List<String> names, Map<String, String> modulePaths) {
        List<String> copy = List.copyOf(names);
        Map<String, String> paths = Map.copyOf(modulePaths);
        return new Trainable() {
            @Override
            public SameDiff graph() {
                return graph;
            }

            @Override
            public List<String> trainableNames() {
                return copy;
            }

            @Override
            public Map<String, String> modulePaths() {
                return paths;
            }
        };
    }
}
