package dev.samediff.adapters.analysis;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.BaseModel;
import dev.samediff.adapters.ExpertTensors;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.SiteKind;
import dev.samediff.adapters.inject.TunedWeights;
import dev.samediff.adapters.linalg.Decompositions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Analyses every matrix that saved adapters change in a model. A base weight is decomposed once for all of them, and no more than two
 * weights are held in float64 at a time.
 */
public final class ModelAnalysis {
    private final TunedWeights weights;
    private final AdapterAnalysis analysis;

    /**
     * Looks at a base model.
     *
     * @param model the base model without adapters; not changed
     * @param linalg decomposes in float64
     */
    public ModelAnalysis(BaseModel model, Decompositions linalg) {
        this.weights = new TunedWeights(model);
        this.analysis = new AdapterAnalysis(linalg);
    }

    /**
     * One matrix before and after.
     *
     * @param matrix the module path; of an expert with its number behind a dot
     * @param rank how many triplets are the leading ones
     * @param before the spectrum of the base weight
     * @param change what became of it
     * @param factors the factors that were trained, if the method has two
     */
    public record Matrix(
            String matrix,
            int rank,
            AdapterAnalysis.Spectrum before,
            AnalysedWeight.Change change,
            Optional<AdapterAnalysis.Factors> factors) {}

    /** Takes the matrices as they are ready. */
    @FunctionalInterface
    public interface Sink {
        /**
         * A matrix is ready.
         *
         * @param adapter number of the adapter among those given
         * @param matrix the numbers
         */
        void take(int adapter, Matrix matrix);
    }

    /** One adapter's layer. */
    private record Entry(int adapter, AdapterMethod method, TunedWeights.Layer layer) {}

    /**
     * Analyses adapters, layer by layer.
     *
     * @param adapters adapters of the model, such as one at several steps
     * @param rank how many triplets are the leading ones, at most min(m, n) of each matrix; if absent, each layer's own rank
     * @param sink takes the matrices; those of one layer one after the other
     * @throws InvalidInputException if an adapter does not belong to the model, or composes no weight
     */
    public void run(List<AdapterState> adapters, OptionalInt rank, Sink sink) {
        layers(adapters).values().forEach(entries -> layer(entries, rank, sink));
    }

    /**
     * Returns how many pairs of an adapter and a layer {@link #run} analyses; of stacks of experts each is one.
     *
     * @throws InvalidInputException if an adapter does not belong to the model, or composes no weight
     */
    public int count(List<AdapterState> adapters) {
        return layers(adapters).values().stream()
                .flatMap(List::stream)
                .mapToInt(entry -> entry.layer().saved().experts())
                .sum();
    }

    private Map<String, List<Entry>> layers(List<AdapterState> adapters) {
        Map<String, List<Entry>> byModule = new LinkedHashMap<>();
        for (int i = 0; i < adapters.size(); i++) {
            AdapterMethod method = adapters.get(i).config().method();
            for (TunedWeights.Layer layer : weights.of(adapters.get(i))) {
                byModule.computeIfAbsent(layer.saved().module(), module -> new ArrayList<>())
                        .add(new Entry(i, method, layer));
            }
        }
        return byModule;
    }

    private void layer(List<Entry> entries, OptionalInt rank, Sink sink) {
        AdapterState.Site first = entries.get(0).layer().saved();
        boolean stack = first.kind() == SiteKind.EXPERTS;
        for (int expert = 0; expert < first.experts(); expert++) {
            AnalysedWeight base = analysis.of(one(entries.get(0).layer().before(), stack, expert));
            for (Entry entry : entries) {
                AdapterState.Site saved = entry.layer().saved();
                int leading = Math.min(rank.orElse(saved.rank()), base.triplets());
                sink.take(
                        entry.adapter(),
                        new Matrix(
                                stack ? saved.module() + "." + expert : saved.module(),
                                leading,
                                base.spectrum(),
                                base.to(one(entry.layer().after(), stack, expert), leading),
                                analysis.factors(
                                        entry.method(),
                                        stack
                                                ? ExpertTensors.split(saved.tensors())
                                                        .get(expert)
                                                : saved.tensors())));
            }
        }
    }

    private static INDArray one(INDArray weight, boolean stack, int expert) {
        return stack ? ExpertTensors.of(weight, expert) : weight;
    }
}
