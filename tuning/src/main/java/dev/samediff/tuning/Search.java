package dev.samediff.tuning;

import dev.samediff.adapters.InvalidInputException;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** How the next parameters are chosen. */
public enum Search {
    /** Independently at random (Arbiter). */
    RANDOM(false),
    /** All points of a grid in order (Arbiter); continuous ranges are divided evenly in their own scale. */
    GRID(false),
    /** All points of a grid in random order (Arbiter). */
    GRID_RANDOM(false),
    /** Crossover and mutation of the best so far (Arbiter). */
    GENETIC(true),
    /** Tree-structured Parzen estimator (Bergstra et al. 2011). */
    TPE(true);

    private final boolean learns;

    Search(boolean learns) {
        this.learns = learns;
    }

    /** Returns whether choices depend on earlier results. */
    public boolean learns() {
        return learns;
    }

    /** Returns the name in files and options. */
    public String key() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * Returns a search by name.
     *
     * @throws InvalidInputException if there is none
     */
    public static Search named(String name) {
        return Arrays.stream(values())
                .filter(search -> search.key().equalsIgnoreCase(name))
                .findFirst()
                .orElseThrow(() -> new InvalidInputException("there is no search `" + name + "`; there are "
                        + Arrays.stream(values()).map(Search::key).collect(Collectors.joining(", "))));
    }
}
