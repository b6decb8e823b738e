package dev.samediff.adapters.train.checkpoint;

import dev.samediff.adapters.train.Evaluation;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What changes during training besides the parameters and AdamW's moments. Updates are counted over all runs, losses and
 * evaluations are those of the present run.
 */
public final class TrainingState {
    public int step;
    /** Updates made before the present run. */
    public int runStart;
    /** Complete epochs of the training data. */
    public int epoch;
    /** Batches taken from the open epoch. */
    public int position;
    /** Checksum of all batches that were taken from the training data. */
    public String batches = "";

    /** Whether an update was undone: moments of the optimizer are those behind it, and only a checkpoint has others. */
    public boolean isUndone;

    public int evaluationsWithoutImprovement;
    public double bestLoss = Double.POSITIVE_INFINITY;

    @Nullable
    public List<INDArray> bestParameters;

    public final List<Double> losses = new ArrayList<>();
    public final List<Evaluation> evaluations = new ArrayList<>();

    /** Starts another run, which knows nothing of the losses before it. */
    public void startRun() {
        runStart = step;
        evaluationsWithoutImprovement = 0;
        bestLoss = Double.POSITIVE_INFINITY;
        bestParameters = null;
        losses.clear();
        evaluations.clear();
    }

    /** Takes over a saved state. */
    void restore(Checkpoint.Progress progress, @Nullable List<INDArray> best) {
        isUndone = false;
        step = progress.step();
        runStart = progress.runStart();
        String taken = progress.batches();
        batches = taken == null ? "" : taken;
        epoch = progress.epoch();
        position = progress.position();
        evaluationsWithoutImprovement = progress.evaluationsWithoutImprovement();
        bestLoss = progress.bestLoss() == null ? Double.POSITIVE_INFINITY : progress.bestLoss();
        bestParameters = best;
        losses.clear();
        losses.addAll(progress.losses());
        evaluations.clear();
        evaluations.addAll(progress.evaluations());
    }
}
