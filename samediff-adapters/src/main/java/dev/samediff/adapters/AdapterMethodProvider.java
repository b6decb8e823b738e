package dev.samediff.adapters;

import java.util.Map;
import java.util.OptionalDouble;

/**
 * Makes a method of the user's own by its name, so that it can be named on command lines, in sweeps and in saved adapters as those of the
 * library are. Found by {@link java.util.ServiceLoader} through the context class loader of the thread: a class with a public constructor
 * without arguments, named in {@code META-INF/services/dev.samediff.adapters.AdapterMethodProvider}. Training needs none: {@code
 * AdapterConfig.of} takes any {@link AdapterMethod}.
 */
public interface AdapterMethodProvider {
    /** Returns the method's name, {@link AdapterMethod#name}: lower-case letters, digits and {@code _}; no other method may have it. */
    String name();

    /**
     * Makes the method.
     *
     * @param rank rank of layers that no rank pattern names
     * @param alpha alpha of layers that no alpha pattern names; empty for the method's default
     * @param settings other hyper-parameters, as {@link AdapterMethod#settings} gives them; absent ones have their defaults
     * @throws InvalidInputException if a setting's name or value is unknown
     */
    AdapterMethod create(int rank, OptionalDouble alpha, Map<String, String> settings);
}
