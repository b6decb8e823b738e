package dev.samediff.importer.tensorflow;

import java.util.Collection;
import java.util.stream.Collectors;

/** Lists of names for messages. */
final class Names {
    private static final int LISTED = 10;

    private Names() {}

    /** Returns the first few names, and how many there are if that is not all. */
    static String some(Collection<String> names) {
        if (names.isEmpty()) {
            return "none";
        }
        String first = names.stream().limit(LISTED).collect(Collectors.joining(", "));
        return names.size() > LISTED ? first + ", ... (" + names.size() + ")" : first;
    }
}
