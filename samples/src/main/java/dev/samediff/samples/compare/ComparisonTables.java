package dev.samediff.samples.compare;

import dev.samediff.adapters.train.Evaluation;
import dev.samediff.samples.finetune.FineTuneResult;
import dev.samediff.samples.finetune.Measurement;
import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.output.TextTable;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** A comparison's figures as tables for people. */
public final class ComparisonTables {
    private static final int MOST_STEPS_SHOWN = 5;

    private ComparisonTables() {}

    /** Returns a line per method: parameters, evaluation loss by step, exact match, cost. */
    public static TextTable table(List<FineTuneResult> results) {
        List<Integer> steps = shownSteps(results.get(0));
        boolean answered = !Double.isNaN(results.get(0).after().get(0).exactMatch());
        List<String> header = new ArrayList<>(List.of("method", "trained"));
        steps.forEach(step -> header.add("loss@" + step));
        if (answered) {
            results.get(0).after().forEach(measurement -> header.add("exact, " + measurement.set()));
        }
        header.add("s/step");
        TextTable table = new TextTable(header.toArray(String[]::new));
        if (answered) {
            table.row(untrained(results.get(0), steps));
        }
        results.forEach(result -> table.row(cells(result, steps, answered)));
        return table;
    }

    private static String[] cells(FineTuneResult result, List<Integer> steps, boolean answered) {
        List<String> cells = new ArrayList<>();
        cells.add(result.candidate().method());
        cells.add(Numbers.count(result.candidate().trainableParameters()));
        steps.forEach(step -> cells.add(Numbers.decimal(lossAt(result, step))));
        if (answered) {
            result.after().forEach(measurement -> cells.add(Numbers.percent(measurement.exactMatch())));
        }
        cells.add(Numbers.decimal(result.secondsPerStep(), 3));
        return cells.toArray(String[]::new);
    }

    private static String[] untrained(FineTuneResult result, List<Integer> steps) {
        Stream<String> losses = steps.stream()
                .map(step -> step == 0 ? Numbers.decimal(result.before().get(0).loss()) : "-");
        Stream<String> matches =
                result.before().stream().map(Measurement::exactMatch).map(Numbers::percent);
        return Stream.of(Stream.of("(untrained)", "-"), losses, matches, Stream.of("-"))
                .flatMap(cells -> cells)
                .toArray(String[]::new);
    }

    private static double lossAt(FineTuneResult result, int step) {
        return result.training().evaluations().stream()
                .filter(evaluation -> evaluation.step() == step)
                .mapToDouble(Evaluation::loss)
                .findFirst()
                .orElse(Double.NaN);
    }

    /** Returns the steps of at most so many evaluations, spread evenly, the last one among them. */
    private static List<Integer> shownSteps(FineTuneResult result) {
        List<Integer> all = result.training().evaluations().stream()
                .map(Evaluation::step)
                .distinct()
                .toList();
        int shown = Math.min(MOST_STEPS_SHOWN, all.size());
        return IntStream.range(0, shown)
                .map(i -> shown == 1 ? all.size() - 1 : i * (all.size() - 1) / (shown - 1))
                .mapToObj(all::get)
                .toList();
    }
}
