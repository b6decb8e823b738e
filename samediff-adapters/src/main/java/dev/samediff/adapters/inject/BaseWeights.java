package dev.samediff.adapters.inject;

import dev.samediff.adapters.AdaptedSite;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.ExpertTensors;
import dev.samediff.adapters.LowRankUpdate;
import dev.samediff.adapters.graph.AdaptableSite;
import dev.samediff.adapters.graph.GraphEditor;
import dev.samediff.adapters.linalg.SideBySide;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The frozen weights under the adapters of one graph, and what the graph holds in their place. */
public final class BaseWeights {
    /** The collector does not see memory outside of its heap: it is called whenever arrays of so many bytes were let go. */
    private static final long COLLECTED = 256L << 20;

    private final SameDiff graph;
    private final GraphEditor editor;
    private final AdapterSet adapters;
    private final Map<String, BaseWeight> weights = new LinkedHashMap<>();
    private long left;

    public BaseWeights(SameDiff graph, GraphEditor editor, AdapterSet adapters) {
        this.graph = graph;
        this.editor = editor;
        this.adapters = adapters;
    }

    /** The weight of a layer, made at the first request. */
    public BaseWeight of(AdaptableSite layer) {
        return weights.computeIfAbsent(
                layer.weight(),
                weight -> new BaseWeight(layer, graph.getVariable(weight).getArr(), editor));
    }

    /** Makes the weights of layers, several at once: to be recognised they are read whole. */
    void prepare(Collection<AdaptableSite> layers) {
        Map<String, AdaptableSite> absent = new LinkedHashMap<>();
        layers.stream()
                .filter(layer -> !weights.containsKey(layer.weight()))
                .forEach(layer -> absent.putIfAbsent(layer.weight(), layer));
        SideBySide.map(
                        List.copyOf(absent.values()),
                        layer -> (long) layer.in() * layer.out(),
                        layer -> new BaseWeight(
                                layer, graph.getVariable(layer.weight()).getArr(), editor))
                .forEach(made -> weights.put(made.layer().weight(), made));
    }

    /** The caller's array of a variable, where the graph may hold another because of low-rank factors. */
    INDArray stored(String variable) {
        BaseWeight base = weights.get(variable);
        return base == null ? graph.getVariable(variable).getArr() : base.stored();
    }

    Collection<BaseWeight> all() {
        return weights.values();
    }

    /** Lets files stand behind the true weights that the graph does not hold and, if asked for, behind those it holds. */
    public void moveToFile(Path directory, boolean graphToo) {
        weights.values().forEach(base -> letGo(base.moveToFile(directory, graphToo)));
        System.gc();
    }

    private void letGo(long bytes) {
        left += bytes;
        if (left >= COLLECTED) {
            left = 0;
            System.gc();
        }
    }

    /** Brings the weights and the branches' scalings in line with the flags and the set of active adapters. */
    public void refresh(boolean enabled, boolean merged) {
        for (BaseWeight base : weights.values()) {
            List<String> changing = enabled ? changing(base, merged) : List.of();
            if (changing.isEmpty()) {
                letGo(base.restore());
            } else if (merged) {
                letGo(base.change(effective(base, true), List.of()));
            } else if (!base.isResidualOf(changing)) {
                letGo(base.change(effective(base, false), changing));
            }
        }
        for (Adapter adapter : adapters.all()) {
            boolean acts = enabled && !merged && adapters.isActive(adapter);
            for (int i = 0; i < adapter.sites().size(); i++) {
                editor.setScalar(
                        adapter.scalingVariables().get(i),
                        acts ? adapter.sites().get(i).scaling() : 0);
            }
        }
    }

    /** The active adapters for which the graph must hold another weight than the true one. */
    private List<String> changing(BaseWeight base, boolean merged) {
        return adapters.sites().stream()
                .filter(site -> isOn(site, base) && (merged || !site.startsAtZero()))
                .map(AdaptedSite::adapter)
                .toList();
    }

    /** The weights with the active adapters' changes, by weight variable, in the stored orientation and type. */
    public Map<String, INDArray> merged() {
        Map<String, INDArray> merged = new LinkedHashMap<>();
        for (BaseWeight base : weights.values()) {
            if (adapters.sites().stream().anyMatch(site -> isOn(site, base))) {
                merged.put(base.layer().weight(), computed(base, true));
            }
        }
        return merged;
    }

    /** What the active adapters do to every layer, their factors side by side. */
    public List<LowRankUpdate> updates() {
        List<LowRankUpdate> updates = new ArrayList<>();
        for (BaseWeight base : weights.values()) {
            List<INDArray> down = new ArrayList<>();
            List<INDArray> up = new ArrayList<>();
            boolean residual = false;
            boolean multiplied = false;
            double[] columns = {};
            for (Adapter adapter : adapters.active()) {
                for (AdaptedSite site : adapter.sites()) {
                    if (isOn(site, base) && adapter.config().method().scales().isPresent()) {
                        multiplied = true; // by the only one that is active here
                    } else if (isOn(site, base)) {
                        Map<String, INDArray> factors = ExpertTensors.asLora(
                                site.layer().kind(), adapter.config().method(), site.tensors(graph));
                        down.add(Objects.requireNonNull(factors.get("lora_A")));
                        up.add(Objects.requireNonNull(factors.get("lora_B")).mul(site.scaling()));
                        residual |= !site.startsAtZero();
                        if (adapter.config().method().magnitude().isPresent()) { // the only one that is active here
                            columns = effective(base, true).columnFactors(base.stored());
                            up.set(0, up.get(0).mulRowVector(row(columns, up.get(0))));
                        }
                    }
                }
            }
            AdaptableSite layer = base.layer();
            if (multiplied) {
                updates.add(LowRankUpdate.replacement(layer.module(), layer.weight(), computed(base, true)));
            } else if (!down.isEmpty()) {
                updates.add(new LowRankUpdate(
                        layer.module(),
                        layer.weight(),
                        layer.kind(),
                        residual || columns.length > 0
                                ? Optional.of(scaled(base, computed(base, false), columns))
                                : Optional.empty(),
                        Nd4j.concat(down.get(0).rank() - 1, down.toArray(new INDArray[0])),
                        Nd4j.concat(up.get(0).rank() - 2, up.toArray(new INDArray[0]))));
            }
        }
        return updates;
    }

    private static INDArray row(double[] factors, INDArray like) {
        return Nd4j.createFromArray(factors).castTo(like.dataType());
    }

    /** Multiplies the columns of a weight [in,out] as stored, in place. */
    private static INDArray scaled(BaseWeight base, INDArray weight, double[] factors) {
        if (factors.length > 0) {
            base.layer().orientation().asInOut(weight).muliRowVector(row(factors, weight));
        }
        return weight;
    }

    private INDArray computed(BaseWeight base, boolean withChanges) {
        INDArray target =
                Nd4j.createUninitialized(base.stored().dataType(), base.stored().shape(), 'c');
        effective(base, withChanges).into(base.stored(), target);
        base.release();
        return target;
    }

    /** What is to be added to W: minus the active adapters' starts, plus their present changes if asked for. */
    private LowRankSum effective(BaseWeight base, boolean withChanges) {
        LowRankSum sum = new LowRankSum(base.layer());
        for (Adapter adapter : adapters.active()) {
            for (int i = 0; i < adapter.sites().size(); i++) {
                AdaptedSite site = adapter.sites().get(i);
                if (!isOn(site, base)) {
                    continue;
                }
                AdapterMethod method = adapter.config().method();
                if (!site.startsAtZero()) {
                    sum.add(method, adapter.starts().get(i), -site.scaling());
                }
                if (withChanges) {
                    sum.addChange(method, site.tensors(graph), site.scaling());
                }
            }
        }
        return sum;
    }

    private static boolean isOn(AdaptedSite site, BaseWeight base) {
        return site.layer().equals(base.layer());
    }
}
