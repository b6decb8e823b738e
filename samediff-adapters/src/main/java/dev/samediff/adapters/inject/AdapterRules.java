package dev.samediff.adapters.inject;

import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.InvalidInputException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/**
 * Which adapters of a graph may act at the same time, and which can be merged.
 *
 * @param set the adapters
 */
record AdapterRules(AdapterSet set) {
    /**
     * Refuses adapters that cannot be active together.
     *
     * @param names their names
     * @throws InvalidInputException if two of them would change what one of them must have alone
     */
    void requireTogether(Collection<String> names) {
        requireOneOwner(names);
        requireAlone(names);
    }

    /**
     * Refuses to merge what is no change of a weight.
     *
     * @throws InvalidInputException that says why
     */
    static void requireMergeable(Collection<Adapter> merging) {
        for (Adapter adapter : merging) {
            AdapterMethod method = adapter.config().method();
            if (adapter.rows().stream().anyMatch(HeldRows::isPrompt)) {
                throw new InvalidInputException(
                        "the adapter `" + adapter.name() + "` has virtual tokens, which stand in"
                                + " front of texts and change no weight: it cannot be merged, or written into a model's file;"
                                + " use it beside the model, and save the graph with it by SameDiff.save");
            }
            method.unmergeable().ifPresent(reason -> {
                throw new InvalidInputException("the adapter `" + adapter.name() + "` (" + method.name() + ") " + reason
                        + ": it cannot be merged, or written into a model's file; use it beside the layers, and save"
                        + " the graph with it by SameDiff.save");
            });
        }
    }

    /** As in PEFT, a tensor that one adapter trains whole cannot be changed by another at the same time. */
    private void requireOneOwner(Collection<String> names) {
        Map<String, String> owners = new LinkedHashMap<>();
        for (String name : new LinkedHashSet<>(names)) {
            Adapter adapter = set.get(name);
            adapter.held().forEach(each -> requireFree(each.variable(), name, owners));
            adapter.rows().forEach(rows -> rows.tables().forEach(table -> requireFree(table, name, owners)));
        }
        for (String name : names) {
            set.get(name).sites().forEach(site -> {
                String owner = owners.get(site.layer().weight());
                if (owner != null) {
                    throw twoOwners(site.layer().weight(), owner, name);
                }
            });
        }
    }

    private static void requireFree(String variable, String adapter, Map<String, String> owners) {
        String owner = owners.putIfAbsent(variable, adapter);
        if (owner != null) {
            throw twoOwners(variable, owner, adapter);
        }
    }

    private static InvalidInputException twoOwners(String variable, String owner, String other) {
        return new InvalidInputException("`" + variable + "` is trained whole by the adapter `" + owner
                + "`, and changed by `" + other + "`; only one of them can be active");
    }

    /** What multiplies a layer (DoRA, (IA)^3) would scale what others add, and what sees its output would see theirs, or not. */
    private void requireAlone(Collection<String> names) {
        for (String name : names) {
            AdapterMethod method = set.get(name).config().method();
            if (!method.actsAlone()) {
                continue;
            }
            List<String> weights = weights(name);
            for (String other : names) {
                weights(other).stream()
                        .filter(weight -> !other.equals(name) && weights.contains(weight))
                        .findFirst()
                        .ifPresent(weight -> {
                            throw new InvalidInputException("the adapters `" + name + "` and `" + other
                                    + "` both change `" + weight + "`, of which `" + name + "` " + claim(method) + " ("
                                    + method.name() + "), so that only one of them can be active; to have both, merge"
                                    + " one, and train the other on the merged model");
                        });
            }
        }
    }

    private static String claim(AdapterMethod method) {
        if (method.magnitude().isPresent()) {
            return "sets the lengths of the columns";
        }
        return method.scales().isPresent() ? "multiplies the layer" : "sees the layer's output";
    }

    private List<String> weights(String name) {
        return set.get(name).sites().stream().map(site -> site.layer().weight()).toList();
    }
}
