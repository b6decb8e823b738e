package dev.samediff.samples.finetune;

import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.report.HtmlReport;
import java.util.LinkedHashMap;
import java.util.Map;

/** One fine-tuning as a page. */
final class FineTuneReport {
    private static final int SAMPLES = 12;

    private FineTuneReport() {}

    static String render(FineTuneResult result, FineTuneSettings settings, RunDescription description) {
        Map<String, String> configuration = new LinkedHashMap<>();
        configuration.put("model", description.model());
        configuration.put("task", description.task());
        result.candidate().adapted().ifPresent(adapted -> configuration.putAll(RunDescription.adapter(adapted)));
        configuration.putAll(RunDescription.training(settings));
        HtmlReport page = new HtmlReport(title(result), lead(result))
                .table(FineTuneTables.beforeAndAfter(result))
                .section("Loss")
                .chart(LossCharts.of(result))
                .section("Cost")
                .table(FineTuneTables.cost(result));
        if (!result.after().get(0).samples().isEmpty()) {
            page.section("What it wrote, before and after").table(FineTuneTables.samples(result, SAMPLES));
        }
        return page.section("Configuration")
                .pairs(configuration)
                .section("Environment")
                .pairs(RunDescription.environment())
                .section("Do it again")
                .code(description.commandLine())
                .render();
    }

    private static String title(FineTuneResult result) {
        Candidate candidate = result.candidate();
        return "Fine-tuning with " + candidate.method() + (candidate.rank() > 0 ? ", rank " + candidate.rank() : "");
    }

    private static String lead(FineTuneResult result) {
        Measurement before = result.before().get(0);
        Measurement after = result.after().get(0);
        String losses =
                "evaluation loss went from " + Numbers.decimal(before.loss()) + " to " + Numbers.decimal(after.loss());
        String matches = Double.isNaN(after.exactMatch())
                ? ""
                : ", exact match from " + Numbers.percent(before.exactMatch()) + " to "
                        + Numbers.percent(after.exactMatch());
        String decided = result.judgedBy()
                .filter(after.metrics()::containsKey)
                .map(name -> ", " + name.replace('_', ' ') + " from " + FineTuneTables.metric(name, before.metrics())
                        + " to " + FineTuneTables.metric(name, after.metrics()))
                .orElse("");
        return "In " + Numbers.count(result.training().steps()) + " steps the " + losses + matches + decided
                + ", training "
                + Numbers.percent(result.trainableShare()) + " of the parameters.";
    }
}
