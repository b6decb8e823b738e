package dev.samediff.samples.sweep;

import dev.samediff.samples.finetune.RunDescription;
import dev.samediff.samples.output.Numbers;
import dev.samediff.samples.report.BarChart;
import dev.samediff.samples.report.HtmlReport;
import dev.samediff.tuning.SweepPlan;
import dev.samediff.tuning.SweepResult;
import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.TrialState;
import dev.samediff.tuning.journal.Importance;
import dev.samediff.tuning.space.AdapterSpace;
import dev.samediff.tuning.space.Parameter;
import dev.samediff.tuning.space.SpaceJson;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A sweep as a page.
 *
 * @param description model, task and command line
 * @param common options of all trials, as {@code finetune} takes them
 */
public record SweepReport(RunDescription description, Map<String, String> common) {
    private static final int SHOWN = 10;
    private static final String[][] MAPS = {{"gamma", "rank"}, {"eta", "gamma"}, {"eta", "rank"}};

    /** One sweep of the page. */
    public record Part(AdapterSpace space, SweepPlan plan, SweepResult result) {}

    /**
     * Returns the page.
     *
     * @param sweep the sweep
     * @param ranks the rank comparison, if there is one
     */
    public String render(Part sweep, Optional<Part> ranks) {
        SweepResult result = sweep.result();
        SweepCharts charts = new SweepCharts(sweep.space(), result);
        HtmlReport page = new HtmlReport("Sweep of " + names(sweep.space()), lead(result));
        result.best()
                .ifPresent(best -> page.section("The best configuration, ready to train")
                        .code(FineTuneLine.of(best.parameters(), common)));
        page.table(SweepTables.best(sweep.space(), result, SHOWN))
                .section("History")
                .chart(charts.history())
                .section("What mattered");
        if (!sweep.space().varied().isEmpty()) {
            page.figure(charts.parallel().svg())
                    .figure(new BarChart(
                                    "Importance: share of the scores' order that a parameter alone explains",
                                    Importance.of(sweep.space(), result.trials()))
                            .svg());
        }
        for (String[] map : MAPS) {
            charts.heatMap(map[0], map[1]).ifPresent(drawing -> page.figure(drawing.svg()));
        }
        page.section("Learning curves").chart(charts.curves());
        ranks.ifPresent(part -> ranks(page, part));
        return page.section("Configuration")
                .pairs(configuration(sweep.plan()))
                .code(SpaceJson.write(sweep.space()).toPrettyString())
                .section("Environment")
                .pairs(RunDescription.environment())
                .section("Do it again")
                .code(description.commandLine())
                .render();
    }

    private static void ranks(HtmlReport page, Part part) {
        SweepCharts charts = new SweepCharts(part.space(), part.result());
        page.section("OLoRA and LoRA by rank")
                .paragraph(
                        "The OLoRA paper's comparison: both methods at several ranks, one learning rate, the same data in"
                                + " the same order. One seed: small differences mean little.");
        charts.heatMap("rank", "method").ifPresent(drawing -> page.figure(drawing.svg()));
        page.chart(charts.namedCurves("method", "olora")).chart(charts.namedCurves("method", "lora"));
    }

    private static String names(AdapterSpace space) {
        String names = space.varied().stream()
                .map(Parameter::name)
                .reduce((a, b) -> a + ", " + b)
                .orElse("one point");
        return names.replaceFirst(", ([^,]*)$", " and $1");
    }

    private static String lead(SweepResult result) {
        String counts = Numbers.count(result.trials().size()) + " trials, "
                + result.count(TrialState.PRUNED) + " of them given up early and "
                + result.count(TrialState.FAILED) + " failed, took "
                + Numbers.duration(Duration.ofMillis((long) (1000
                        * result.trials().stream()
                                .mapToDouble(TrialResult::seconds)
                                .sum())))
                + " together.";
        return result.best()
                .map(best -> "Lowest evaluation loss " + Numbers.decimal(best.score()) + " in trial " + best.index()
                        + ": " + LiveTable.text(best.parameters()) + ". " + counts)
                .orElse("No trial ran to its end. " + counts);
    }

    private Map<String, String> configuration(SweepPlan plan) {
        Map<String, String> pairs = new LinkedHashMap<>();
        pairs.put("model", description.model());
        pairs.put("task", description.task());
        pairs.put("search", plan.search().key());
        pairs.put("seed", Long.toString(plan.seed()));
        pairs.put("trials", Integer.toString(plan.trials()));
        pairs.put("parallel", plan.parallel() + " with " + plan.threads() + " threads each");
        pairs.put("pruning", plan.pruning().toString());
        common.forEach((option, value) -> pairs.put(option.replaceFirst("^--", ""), value));
        return pairs;
    }
}
