package dev.samediff.adapters.train;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What changes during training besides the parameters and AdamW's moments. */
final class TrainingState {
    int step;
    int epoch;
    int position;
    int evaluationsWithoutImprovement;
    double bestLoss = Double.POSITIVE_INFINITY;
    @Nullable List<float[]> bestParameters;
    final List<Double> losses = new ArrayList<>();
    final List<Evaluation> evaluations = new ArrayList<>();
}
