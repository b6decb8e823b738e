package dev.samediff.samples.sweep;

import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.report.HeatMap;
import dev.samediff.samples.report.LineChart;
import dev.samediff.samples.report.ParallelCoordinates;
import dev.samediff.samples.report.Series;
import dev.samediff.samples.report.Series.Point;
import dev.samediff.tuning.SweepResult;
import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.TrialState;
import dev.samediff.tuning.space.AdapterSpace;
import dev.samediff.tuning.space.Parameter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * A sweep as drawings.
 *
 * @param space what was varied
 * @param result what came out
 */
record SweepCharts(AdapterSpace space, SweepResult result) {
    private static final String LOSS = "evaluation loss (nats per token)";
    /** Losses above so many times the median are drawn at this height: one diverged trial must not flatten the others. */
    private static final double CEILING = 3;

    LineChart history() {
        List<Point> best = new ArrayList<>();
        double lowest = Double.NaN;
        for (TrialResult trial : result.trials()) {
            if (trial.isComplete() && !(trial.score() >= lowest)) {
                lowest = trial.score();
            }
            best.add(new Point(trial.index(), capped(lowest)));
        }
        return new LineChart(
                "Score by trial",
                "trial",
                LOSS,
                List.of(Series.line("best so far", best), dots(TrialState.COMPLETE), dots(TrialState.PRUNED)));
    }

    private Series dots(TrialState state) {
        return Series.dots(
                state.key(),
                result.trials().stream()
                        .filter(trial -> trial.state() == state)
                        .map(trial -> new Point(trial.index(), capped(trial.score())))
                        .toList());
    }

    LineChart curves() {
        List<Series> series = new ArrayList<>();
        int best = result.best().map(TrialResult::index).orElse(-1);
        for (TrialResult trial : result.trials()) {
            List<Point> points = trial.curve().points().stream()
                    .map(point -> new Point(point.step(), capped(point.value())))
                    .toList();
            series.add(
                    trial.index() == best
                            ? Series.marked("best, trial " + best, points)
                            : Series.line(trial.state().key(), points).asBackground());
        }
        return new LineChart("Learning curves of all trials", "step", LOSS, series);
    }

    /** Returns one curve per trial, named by what was varied; for a few trials. */
    LineChart namedCurves(String parameter, String value) {
        return new LineChart(
                "Learning curves, " + parameter + " " + value,
                "step",
                LOSS,
                result.trials().stream()
                        .filter(trial -> trial.parameters().text(parameter).equals(Optional.of(value)))
                        .map(trial -> Series.marked(
                                "rank " + LiveTable.value(trial.parameters(), "rank"),
                                trial.curve().points().stream()
                                        .map(point -> new Point(point.step(), capped(point.value())))
                                        .toList()))
                        .toList());
    }

    Optional<HeatMap> heatMap(String columns, String rows) {
        Optional<ValueScale> x = scale(columns);
        Optional<ValueScale> y = scale(rows);
        if (x.isEmpty() || y.isEmpty()) {
            return Optional.empty();
        }
        List<List<Double>> values = IntStream.range(0, y.get().bins().size())
                .mapToObj(row -> IntStream.range(0, x.get().bins().size())
                        .mapToObj(column -> lowest(x.get(), column, y.get(), row))
                        .toList())
                .toList();
        HeatMap map = new HeatMap(
                "Lowest loss by " + columns + " and " + rows,
                columns,
                rows,
                x.get().bins(),
                y.get().bins(),
                values);
        return map.isEmpty() ? Optional.empty() : Optional.of(map);
    }

    private double lowest(ValueScale x, int column, ValueScale y, int row) {
        return result.trials().stream()
                .filter(trial -> Double.isFinite(trial.score()))
                .filter(trial -> x.bin(trial.parameters()) == column && y.bin(trial.parameters()) == row)
                .mapToDouble(TrialResult::score)
                .min()
                .orElse(Double.NaN);
    }

    private Optional<ValueScale> scale(String name) {
        return space.varied().stream()
                .filter(parameter -> parameter.name().equals(name))
                .findFirst()
                .map(ValueScale::of);
    }

    ParallelCoordinates parallel() {
        List<ValueScale> scales = space.varied().stream().map(ValueScale::of).toList();
        List<TrialResult> scored = result.trials().stream()
                .filter(trial -> Double.isFinite(trial.score()))
                .sorted(Comparator.comparingDouble(TrialResult::score).reversed())
                .toList();
        double low = scored.isEmpty() ? 0 : capped(scored.get(scored.size() - 1).score());
        double high = scored.isEmpty() ? 1 : capped(scored.get(0).score());
        List<ParallelCoordinates.Axis> axes = new ArrayList<>();
        for (int i = 0; i < scales.size(); i++) {
            Parameter parameter = space.varied().get(i);
            axes.add(
                    new ParallelCoordinates.Axis(parameter.name(), scales.get(i).ticks()));
        }
        axes.add(new ParallelCoordinates.Axis(
                "loss",
                List.of(
                        new ParallelCoordinates.Tick(0, Numbers.decimal(low, 3)),
                        new ParallelCoordinates.Tick(1, Numbers.decimal(high, 3)))));
        int best = result.best().map(TrialResult::index).orElse(-1);
        List<ParallelCoordinates.Line> lines = new ArrayList<>();
        for (int i = 0; i < scored.size(); i++) {
            TrialResult trial = scored.get(i);
            List<Double> places = new ArrayList<>();
            scales.forEach(scale -> places.add(scale.place(trial.parameters())));
            places.add(high == low ? 0.5 : (capped(trial.score()) - low) / (high - low));
            double strength = (double) i / Math.max(1, scored.size() - 1);
            lines.add(new ParallelCoordinates.Line(places, strength, trial.index() == best));
        }
        return new ParallelCoordinates("Parameters and loss of every trial", axes, lines);
    }

    private double capped(double loss) {
        double[] scores = result.trials().stream()
                .mapToDouble(TrialResult::score)
                .filter(Double::isFinite)
                .sorted()
                .toArray();
        return scores.length == 0 ? loss : Math.min(loss, CEILING * scores[scores.length / 2]);
    }
}
