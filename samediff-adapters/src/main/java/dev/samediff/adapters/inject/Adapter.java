package dev.samediff.adapters.inject;

import dev.samediff.adapters.AdaptedSite;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.BaseHash;
import dev.samediff.adapters.Penalty;
import dev.samediff.adapters.graph.GraphEditor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One adapter inside a graph.
 *
 * @param config its configuration
 * @param sites its layers
 * @param held the tensors that it trains whole
 * @param rows the rows of embeddings' tables, or whole tables, that it trains
 * @param starts the tensors at the start by short name, per layer
 * @param scalingVariables graph scalars that hold s, per layer; then those that switch rows of tables
 * @param insertions what was put into the graph, in order
 * @param penalty its regulariser in the graph, if it has one
 */
public record Adapter(
        AdapterConfig config,
        List<AdaptedSite> sites,
        List<HeldTensor> held,
        List<HeldRows> rows,
        List<Map<String, INDArray>> starts,
        List<String> scalingVariables,
        List<GraphEditor.Insertion> insertions,
        @Nullable PenaltyTerm penalty) {

    String name() {
        return config.name();
    }

    /** Names of all trainable variables, in a fixed order: those of the layers, then those that are trained whole. */
    public List<String> trainableNames() {
        return Stream.concat(trainedFactors().stream(), held.stream().map(HeldTensor::variable))
                .toList();
    }

    /** Names of the variables that are this adapter's alone, which are there only because of it. */
    List<String> factorNames() {
        return Stream.concat(
                        sites.stream().flatMap(site -> site.trainables().values().stream()),
                        rows.stream().map(HeldRows::variable))
                .toList();
    }

    /** Those of them that are trained: not what the method leaves as it starts. */
    List<String> trainedFactors() {
        List<String> trained = new ArrayList<>(factorNames());
        for (AdaptedSite site : sites) {
            site.trainables().forEach((name, variable) -> {
                if (config.method().frozen().contains(name)) {
                    trained.remove(variable);
                }
            });
        }
        return trained;
    }

    /** The values of all trainable variables by name, where they lie. */
    Map<String, INDArray> values(SameDiff graph) {
        Map<String, INDArray> values = new LinkedHashMap<>();
        trainedFactors()
                .forEach(name -> values.put(name, graph.getVariable(name).getArr()));
        held.forEach(tensor -> values.put(tensor.variable(), tensor.value(graph)));
        return values;
    }

    /** The adapter as numbers, copied from its graph. */
    public AdapterState state(SameDiff graph) {
        List<AdapterState.Site> saved = new ArrayList<>();
        Map<String, String> hashes = new TreeMap<>();
        for (int i = 0; i < sites.size(); i++) {
            AdaptedSite site = sites.get(i);
            hashes.put(site.module(), site.weightHash());
            saved.add(new AdapterState.Site(
                    site.module(),
                    site.layer().weight(),
                    site.layer().in(),
                    site.layer().out(),
                    site.rank(),
                    site.alpha(),
                    site.scaling(),
                    site.tensors(graph),
                    copy(starts.get(i)),
                    site.startsAtZero(),
                    site.weightHash(),
                    site.layer().kind(),
                    site.kernel()));
        }
        List<AdapterState.Whole> whole = new ArrayList<>();
        held.forEach(tensor -> whole.add(new AdapterState.Whole(
                tensor.tensor().key(),
                tensor.variable(),
                tensor.tensor().asModule(tensor.value(graph)).dup('c'))));
        rows.forEach(each -> whole.add(new AdapterState.Whole(
                each.key(),
                each.table().weight(),
                each.indices(),
                each.value(graph).dup('c'))));
        return new AdapterState(config, saved, whole, BaseHash.of(hashes));
    }

    static Map<String, INDArray> copy(Map<String, INDArray> tensors) {
        Map<String, INDArray> copy = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> copy.put(name, tensor.dup('c')));
        return copy;
    }

    /**
     * The regulariser in the graph.
     *
     * @param penalty the formula
     * @param variable graph scalar: coefficient * penalty
     * @param coefficient graph scalar gamma / eta_max, 0 until the peak learning rate is known
     * @param variables all variables the term made
     */
    public record PenaltyTerm(Penalty penalty, String variable, String coefficient, List<String> variables) {}
}
