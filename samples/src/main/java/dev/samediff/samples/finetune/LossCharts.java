package dev.samediff.samples.finetune;

import dev.samediff.adapters.train.Evaluation;
import dev.samediff.samples.report.LineChart;
import dev.samediff.samples.report.Series;
import dev.samediff.samples.report.Series.Point;
import java.util.List;
import java.util.stream.IntStream;

/** Loss curves of one or several runs. */
public final class LossCharts {
    private static final double SMOOTHING = 0.9;
    private static final double LITTLE_SMOOTHING = 0.5;
    private static final int FEW = 40;

    private LossCharts() {}

    /** Returns training and evaluation loss of one run. */
    public static LineChart of(FineTuneResult result) {
        Series train = train("training (smoothed)", result);
        return new LineChart(
                "Loss by step",
                "step",
                "loss",
                List.of(train.asBackground(), smooth(train), evaluation("evaluation", result)));
    }

    /** Returns the evaluation loss of several runs. */
    public static LineChart evaluations(List<FineTuneResult> results) {
        return new LineChart(
                "Evaluation loss by step",
                "step",
                "loss",
                results.stream()
                        .map(result -> evaluation(result.candidate().method(), result))
                        .toList());
    }

    /** Returns the smoothed training loss of several runs. */
    public static LineChart trainings(List<FineTuneResult> results) {
        return new LineChart(
                "Training loss by step, smoothed",
                "step",
                "loss",
                results.stream()
                        .map(result -> smooth(train(result.candidate().method(), result)))
                        .toList());
    }

    private static Series smooth(Series series) {
        return series.smoothed(series.points().size() < FEW ? LITTLE_SMOOTHING : SMOOTHING);
    }

    private static Series train(String name, FineTuneResult result) {
        List<Double> losses = result.training().losses();
        return Series.line(
                name,
                IntStream.range(0, losses.size())
                        .mapToObj(i -> new Point(i + 1, losses.get(i)))
                        .toList());
    }

    private static Series evaluation(String name, FineTuneResult result) {
        List<Evaluation> evaluations = result.training().evaluations();
        return Series.marked(
                name,
                evaluations.stream()
                        .map(evaluation -> new Point(evaluation.step(), evaluation.loss()))
                        .toList());
    }
}
