package dev.samediff.adapters.inject;

import dev.samediff.adapters.AdaptedSite;
import dev.samediff.adapters.FollowedSites;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.PenalizedSites;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The adapters of one graph by name, in the order they were added, and which of them are active. */
public final class AdapterSet {
    private final Map<String, Adapter> adapters = new LinkedHashMap<>();
    private final Set<String> active = new LinkedHashSet<>();

    public void add(Adapter adapter) {
        adapters.put(adapter.name(), adapter);
    }

    /** Takes an adapter out; the others stay as active as they are. */
    public void remove(String name) {
        adapters.remove(name);
        active.remove(name);
    }

    public boolean isEmpty() {
        return adapters.isEmpty();
    }

    public void clear() {
        adapters.clear();
        active.clear();
    }

    public List<Adapter> all() {
        return List.copyOf(adapters.values());
    }

    /** The adapters that were added after one of them. */
    List<Adapter> after(Adapter adapter) {
        List<Adapter> all = all();
        return all.subList(names().indexOf(adapter.name()) + 1, all.size());
    }

    public List<String> names() {
        return List.copyOf(adapters.keySet());
    }

    public Adapter get(String name) {
        @Nullable Adapter adapter = adapters.get(name);
        if (adapter == null) {
            throw new InvalidInputException("there is no adapter `" + name + "`; there are " + adapters.keySet());
        }
        return adapter;
    }

    public void requireFree(String name) {
        if (adapters.containsKey(name)) {
            throw new InvalidInputException("there is an adapter `" + name + "` already; there are " + adapters.keySet()
                    + ". Give the new one another name");
        }
    }

    /** Makes these adapters, all of which must exist, the active ones. */
    public void activate(Collection<String> names) {
        active.clear();
        active.addAll(names);
    }

    public boolean isActive(Adapter adapter) {
        return active.contains(adapter.name());
    }

    public List<String> activeNames() {
        return active().stream().map(Adapter::name).toList();
    }

    public List<Adapter> active() {
        return adapters.values().stream().filter(this::isActive).toList();
    }

    /** The active adapter, where one is asked for without a name; there must be exactly one. */
    public Adapter onlyActive() {
        List<Adapter> found = active();
        if (found.isEmpty()) {
            throw new InvalidInputException("no adapter is active; activate one of " + adapters.keySet()
                    + ", or give the name of the one that is meant");
        }
        if (found.size() > 1) {
            throw new InvalidInputException("the adapters " + activeNames()
                    + " are active, and one of them must be meant here;" + " give its name, as in state(\""
                    + found.get(0).name() + "\"), or take all with states()");
        }
        return found.get(0);
    }

    /** The layers of the active adapters. */
    public List<AdaptedSite> sites() {
        return active().stream().flatMap(a -> a.sites().stream()).toList();
    }

    /** The trainable variables of the active adapters. */
    public List<String> trainableNames() {
        return active().stream().flatMap(a -> a.trainableNames().stream()).toList();
    }

    /** The values of the active adapters' trainable variables by name, where they lie. */
    Map<String, INDArray> values(SameDiff graph) {
        Map<String, INDArray> values = new LinkedHashMap<>();
        active().forEach(adapter -> values.putAll(adapter.values(graph)));
        return values;
    }

    /** What follows every update of the active adapters, new objects, by name. */
    public Map<String, FollowedSites> afterSteps() {
        Map<String, FollowedSites> steps = new LinkedHashMap<>();
        for (Adapter adapter : active()) {
            adapter.config()
                    .method()
                    .afterStep()
                    .ifPresent(step -> steps.put(
                            adapter.name(),
                            new FollowedSites(
                                    step,
                                    variables(adapter),
                                    adapter.sites().stream()
                                            .map(AdaptedSite::scaling)
                                            .toList())));
        }
        return steps;
    }

    private static List<Map<String, String>> variables(Adapter adapter) {
        return adapter.sites().stream().map(AdaptedSite::trainables).toList();
    }

    /** The penalties of the active adapters that have one, by name. */
    public Map<String, PenalizedSites> penalties() {
        Map<String, PenalizedSites> penalties = new LinkedHashMap<>();
        for (Adapter adapter : active()) {
            Adapter.PenaltyTerm term = adapter.penalty();
            if (term != null) {
                penalties.put(adapter.name(), new PenalizedSites(term.penalty(), variables(adapter)));
            }
        }
        return penalties;
    }
}
