package dev.samediff.adapters.train.listener;

import dev.samediff.adapters.engine.ExecutionReport;
import dev.samediff.adapters.train.Evaluation;
import dev.samediff.adapters.train.StepReport;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.TrainingResult;
import java.nio.file.Path;

/** Is told how training goes; every method does nothing by default. */
public interface TrainingListener {
    /**
     * Training starts.
     *
     * @param plan the plan
     * @param totalSteps updates of the whole training
     * @param startStep updates already made, above 0 when resumed
     */
    default void onStart(TrainingPlan plan, int totalSteps, int startStep) {}

    /** Parameters were updated. */
    default void onStep(StepReport report) {}

    /** The evaluation data was evaluated. */
    default void onEvaluation(Evaluation evaluation) {}

    /**
     * A checkpoint was written.
     *
     * @param step updates made
     * @param directory the checkpoint
     */
    default void onCheckpoint(int step, Path directory) {}

    /** Asked after every update and its evaluation: whether training ends here, with a checkpoint, as {@code AdapterTrainer.stop} does. */
    default boolean wantsStop() {
        return false;
    }

    /** Training ended; what its steps were executed by. Called before {@link #onEnd}, if the engine knows. */
    default void onExecution(ExecutionReport report) {}

    /** Training ended; not called when it failed. */
    default void onEnd(TrainingResult result) {}
}
