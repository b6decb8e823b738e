package dev.samediff.adapters;

import dev.samediff.adapters.graph.TargetSelector;
import java.util.regex.Pattern;

/**
 * What to adapt, how, and under which name.
 *
 * @param name the adapter's name, part of its variables' names: letters, digits, {@code _} and {@code -}
 * @param method the method with its hyper-parameters
 * @param targets which linear layers and embeddings
 * @param seed seed of everything random at the start; each layer derives its own from it and the module path
 */
public record AdapterConfig(String name, AdapterMethod method, TargetSelector targets, long seed) {
    /** The name PEFT gives an adapter that has none. */
    public static final String DEFAULT_NAME = "default";

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]+");

    public AdapterConfig {
        if (!NAME.matcher(name).matches()) {
            throw new InvalidInputException("the adapter name `" + name
                    + "` cannot be part of a variable name; use letters, digits, `_` and `-` only");
        }
    }

    /** Returns the configuration named {@code default} that adapts all linear layers, seed 0. */
    public static AdapterConfig of(AdapterMethod method) {
        return new AdapterConfig(DEFAULT_NAME, method, TargetSelector.allLinear(), 0);
    }

    /** Returns this configuration under another name. */
    public AdapterConfig withName(String newName) {
        return new AdapterConfig(newName, method, targets, seed);
    }

    /** Returns this configuration for other layers. */
    public AdapterConfig withTargets(TargetSelector newTargets) {
        return new AdapterConfig(name, method, newTargets, seed);
    }

    /** Returns this configuration with another seed. */
    public AdapterConfig withSeed(long newSeed) {
        return new AdapterConfig(name, method, targets, newSeed);
    }
}
