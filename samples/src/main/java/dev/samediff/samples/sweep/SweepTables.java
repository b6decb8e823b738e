package dev.samediff.samples.sweep;

import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.output.TextTable;
import dev.samediff.tuning.SweepResult;
import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.space.AdapterSpace;
import dev.samediff.tuning.space.Parameter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** A sweep's trials as tables for people. */
public final class SweepTables {
    private SweepTables() {}

    /** Returns the best trials, complete ones first. */
    public static TextTable best(AdapterSpace space, SweepResult result, int count) {
        Comparator<TrialResult> order = Comparator.<TrialResult, Boolean>comparing(trial -> !trial.isComplete())
                .thenComparing(TrialResult::score);
        List<Parameter> varied = space.varied();
        List<String> header = new ArrayList<>(List.of("trial", "state", "score"));
        varied.forEach(parameter -> header.add(parameter.name()));
        header.add("seconds");
        TextTable table = new TextTable(header.toArray(String[]::new));
        result.trials().stream().sorted(order).limit(count).forEach(trial -> {
            List<String> cells = new ArrayList<>(
                    List.of(Integer.toString(trial.index()), trial.state().key(), Numbers.decimal(trial.score())));
            varied.forEach(parameter -> cells.add(LiveTable.value(trial.parameters(), parameter.name())));
            cells.add(Numbers.decimal(trial.seconds(), 1));
            table.row(cells.toArray(String[]::new));
        });
        return table;
    }
}
