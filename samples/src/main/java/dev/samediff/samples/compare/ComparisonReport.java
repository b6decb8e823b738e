package dev.samediff.samples.compare;

import dev.samediff.samples.finetune.FineTuneResult;
import dev.samediff.samples.finetune.FineTuneSettings;
import dev.samediff.samples.finetune.LossCharts;
import dev.samediff.samples.finetune.RunDescription;
import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.report.HtmlReport;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A comparison as a page. */
public final class ComparisonReport {
    private ComparisonReport() {}

    /** Returns the page. */
    public static String render(List<FineTuneResult> results, FineTuneSettings settings, RunDescription description) {
        Map<String, String> configuration = new LinkedHashMap<>();
        configuration.put("model", description.model());
        configuration.put("task", description.task());
        configuration.putAll(RunDescription.training(settings));
        return new HtmlReport("Adapter methods compared", lead(results))
                .table(ComparisonTables.table(results))
                .section("Convergence")
                .chart(LossCharts.evaluations(results))
                .chart(LossCharts.trainings(results))
                .section("Configuration")
                .paragraph("The same for all: data, order, seed and everything below"
                        + " (full fine-tuning may have its own learning rate).")
                .pairs(configuration)
                .section("Environment")
                .pairs(RunDescription.environment())
                .section("Do it again")
                .code(description.commandLine())
                .render();
    }

    private static String lead(List<FineTuneResult> results) {
        FineTuneResult best = results.stream()
                .min(Comparator.comparingDouble(result -> result.after().get(0).loss()))
                .orElseThrow();
        return "Lowest evaluation loss after " + Numbers.count(best.training().steps()) + " steps: "
                + Numbers.decimal(best.after().get(0).loss()) + " with "
                + best.candidate().method() + ", training "
                + Numbers.percent(best.trainableShare())
                + " of the parameters. One seed: small differences mean little.";
    }
}
