package dev.samediff.adapters.train;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What changes during training besides the parameters and AdamW's moments. */
final class TrainingState {
    int step;
    int epoch;
    int position;
    int evaluationsWithoutImprovement;
    double bestLoss = Double.POSITIVE_INFINITY;

    @Nullable
    List<INDArray> bestParameters;

    final List<Double> losses = new ArrayList<>();
    final List<Evaluation> evaluations = new ArrayList<>();

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
