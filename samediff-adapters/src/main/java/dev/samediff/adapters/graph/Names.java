package dev.samediff.adapters.graph;

import java.util.Collection;
import java.util.stream.Collectors;

/** Lists of names in messages. */
public final class Names {
    private static final int SHOWN = 24;

    private Names() {}

    /** Returns the names separated by commas, at most 24 of them, and then how many there are: {@code a, b, ... (56)}. */
    public static String some(Collection<String> names) {
        if (names.isEmpty()) {
            return "none";
        }
        String shown = names.stream().limit(SHOWN).collect(Collectors.joining(", "));
        return names.size() > SHOWN ? shown + ", ... (" + names.size() + ")" : shown;
    }
}
