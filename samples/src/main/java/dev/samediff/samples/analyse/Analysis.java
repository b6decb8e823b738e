package dev.samediff.samples.analyse;

import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.analysis.AdapterAnalysis;
import dev.samediff.adapters.analysis.ModelAnalysis;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.linalg.Decompositions;
import dev.samediff.adapters.linalg.LapackDecompositions;
import dev.samediff.importer.ImportedModel;
import dev.samediff.samples.output.Progress;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Analyses adapters, and models that were trained whole, of one base model; in float64 on the host. */
public final class Analysis {
    private final Decompositions linalg = new LapackDecompositions();
    private final OptionalInt rank;
    private final Progress.Factory progress;
    private final List<Row> rows = new ArrayList<>();

    /**
     * Prepares an analysis.
     *
     * @param rank how many triplets are the leading ones; if absent, each adapter's own rank
     * @param progress shows how far it is
     */
    public Analysis(OptionalInt rank, Progress.Factory progress) {
        this.rank = rank;
        this.progress = progress;
    }

    /**
     * Loads adapters.
     *
     * @throws InvalidInputException if one cannot be loaded, or has no layers (only what was trained whole)
     * @throws IOException if reading fails
     */
    public static List<AdapterState> load(List<KeptSteps.Step> steps) throws IOException {
        List<AdapterState> states = new ArrayList<>();
        for (KeptSteps.Step step : steps) {
            AdapterState state = AdapterFolder.load(step.path());
            if (state.sites().isEmpty()) {
                throw new InvalidInputException("the adapter in " + step.path()
                        + " has no low-rank change of a layer, only tensors that were trained whole; compare merged models"
                        + " with --after");
            }
            states.add(state);
        }
        return states;
    }

    /**
     * Analyses adapters.
     *
     * @param model their base model
     * @param steps where they are from
     * @param adapters the adapters, one for each step
     * @throws InvalidInputException if one does not belong to the model, or composes no weight
     */
    public void adapters(ImportedModel model, List<KeptSteps.Step> steps, List<AdapterState> adapters) {
        ModelAnalysis analysis = new ModelAnalysis(model, linalg);
        int[] done = {0};
        try (Progress bar = progress.start("analyse", analysis.count(adapters))) {
            analysis.run(adapters, rank, (adapter, matrix) -> {
                KeptSteps.Step step = steps.get(adapter);
                rows.add(Row.of(step.run(), step.step(), matrix));
                bar.at(++done[0], matrix.matrix());
            });
        }
    }

    /**
     * Analyses a model that was trained whole, or some of its weights.
     *
     * @param step where it is from
     * @param before the base model's matrices by name
     * @param after the trained model's
     * @throws InvalidInputException if they do not belong together, or no rank was given
     */
    public void whole(KeptSteps.Step step, Map<String, INDArray> before, Map<String, INDArray> after) {
        int leading = rank.orElseThrow(() -> new InvalidInputException(
                "--rank is missing: weights that were trained whole have none; give how many singular values are the"
                        + " leading ones, such as the rank of the adapters they are compared with"));
        AdapterAnalysis analysis = new AdapterAnalysis(linalg);
        List<String> changed = WholeWeights.changed(before, after, step.path().toString());
        int done = 0;
        try (Progress bar = progress.start(step.run(), changed.size())) {
            for (String name : changed) {
                rows.add(Row.of(
                        step.run(),
                        step.step(),
                        WholeWeights.compare(
                                analysis,
                                name,
                                WholeWeights.matrix(before, name),
                                WholeWeights.matrix(after, name),
                                leading)));
                bar.at(++done, name);
            }
        }
    }

    /** Returns what was found: the runs in their order, then by step. */
    public List<Row> rows() {
        List<String> runs = rows.stream().map(Row::run).distinct().toList();
        return rows.stream()
                .sorted(Comparator.comparingInt((Row row) -> runs.indexOf(row.run()))
                        .thenComparingInt(Row::step))
                .toList();
    }

    /** Returns the rows as a CSV file, one line for each matrix of each step. */
    public String csv() {
        StringBuilder csv = new StringBuilder(Row.header()).append('\n');
        rows().forEach(row -> csv.append(row.csv()).append('\n'));
        return csv.toString();
    }
}
