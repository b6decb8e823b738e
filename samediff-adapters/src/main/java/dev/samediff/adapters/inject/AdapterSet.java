package dev.samediff.adapters.inject;

import dev.samediff.adapters.AdaptedSite;
import dev.samediff.adapters.InvalidInputException;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The adapters of one graph by name, in the order they were added, and which of them are active. */
public final class AdapterSet {
    private final Map<String, Adapter> adapters = new LinkedHashMap<>();
    private final Set<String> active = new LinkedHashSet<>();

    public void add(Adapter adapter) {
        adapters.put(adapter.name(), adapter);
    }

    public boolean isEmpty() {
        return adapters.isEmpty();
    }

    public void clear() {
        adapters.clear();
        active.clear();
    }

    public Collection<Adapter> all() {
        return adapters.values();
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
    public void activate(String... names) {
        active.clear();
        active.addAll(Arrays.asList(names));
    }

    public boolean isActive(Adapter adapter) {
        return active.contains(adapter.name());
    }

    public List<String> activeNames() {
        return List.copyOf(active);
    }

    List<Adapter> active() {
        return adapters.values().stream().filter(this::isActive).toList();
    }

    public Adapter firstActive() {
        return active().stream()
                .findFirst()
                .orElseThrow(
                        () -> new InvalidInputException("no adapter is active; activate one of " + adapters.keySet()));
    }

    /** The layers of the active adapters. */
    public List<AdaptedSite> sites() {
        return active().stream().flatMap(a -> a.sites().stream()).toList();
    }

    /** The trainable variables of the active adapters. */
    public List<String> trainableNames() {
        return active().stream().flatMap(a -> a.trainableNames().stream()).toList();
    }
}
