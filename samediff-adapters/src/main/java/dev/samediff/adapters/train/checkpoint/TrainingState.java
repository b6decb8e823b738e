package dev.samediff.adapters.train.checkpoint;

import dev.samediff.adapters.train.Evaluation;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What changes during training besides the parameters and AdamW's moments. */
public final class TrainingState {
    public int step;
    public int epoch;
    public int position;
    public int evaluationsWithoutImprovement;
    public double bestLoss = Double.POSITIVE_INFINITY;

    @Nullable
    public List<INDArray> bestParameters;

    public final List<Double> losses = new ArrayList<>();
    public final List<Evaluation> evaluations = new ArrayList<>();

    /** Takes over a saved state. */
    void restore(Checkpoint.Progress progress, @Nullable List<INDArray> best) {
        step = progress.step();
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
