package dev.samediff.adapters;

import dev.samediff.adapters.graph.ModuleMatch;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What to adapt, how, and under which name.
 *
 * @param name the adapter's name, part of its variables' names: letters, digits, {@code _} and {@code -}
 * @param method the method with its hyper-parameters
 * @param targets which linear layers and embeddings
 * @param seed seed of everything random at the start; each layer derives its own from it and the module path
 * @param whole which tensors are trained whole beside that
 * @param dropout share of the elements of each linear layer's input that the branch does not see in a training step, the others being
 *     divided by what is left; 0 or more and below 1. PEFT's {@code lora_dropout}; embeddings have none, as there
 */
public record AdapterConfig(
        String name, AdapterMethod method, TargetSelector targets, long seed, WholeTensors whole, double dropout) {
    /** The name PEFT gives an adapter that has none. */
    public static final String DEFAULT_NAME = "default";

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]+");

    public AdapterConfig {
        if (!NAME.matcher(name).matches()) {
            throw new InvalidInputException("the adapter name `" + name
                    + "` cannot be part of a variable name; use letters, digits, `_` and `-` only");
        }
        if (!(dropout >= 0 && dropout < 1)) {
            throw new InvalidInputException("the dropout " + dropout + " of the adapter `" + name
                    + "` is no share that leaves something; give 0 (none) or more, and less than 1, such as 0.05");
        }
    }

    /** Describes an adapter without dropout. */
    public AdapterConfig(String name, AdapterMethod method, TargetSelector targets, long seed, WholeTensors whole) {
        this(name, method, targets, seed, whole, 0);
    }

    /** Describes an adapter that trains no tensor whole. */
    public AdapterConfig(String name, AdapterMethod method, TargetSelector targets, long seed) {
        this(name, method, targets, seed, WholeTensors.NONE);
    }

    /** Returns the configuration named {@code default} that adapts all linear layers, seed 0. */
    public static AdapterConfig of(AdapterMethod method) {
        return new AdapterConfig(DEFAULT_NAME, method, TargetSelector.allLinear(), 0);
    }

    /**
     * Returns a configuration without low-rank factors, of tensors that are trained whole alone: {@code WholeTensors.NONE.withBias(ALL)}
     * is BitFit (Ben Zaken et al. 2022), rows of embeddings are PEFT's TRAINABLE_TOKENS, {@code WholeTensors.NONE.withPrompt(VirtualTokens.of(20))} is
     * prompt tuning.
     */
    public static AdapterConfig ofWhole(WholeTensors whole) {
        return new AdapterConfig(DEFAULT_NAME, Lora.rank(1), TargetSelector.none(), 0, whole);
    }

    /** Returns this configuration under another name. */
    public AdapterConfig withName(String newName) {
        return new AdapterConfig(newName, method, targets, seed, whole, dropout);
    }

    /** Returns this configuration of another method. */
    public AdapterConfig withMethod(AdapterMethod newMethod) {
        return new AdapterConfig(name, newMethod, targets, seed, whole, dropout);
    }

    /**
     * Returns this configuration of one of several methods that are given the same, as comparisons and sweeps do: dropout is left out
     * where the method has none.
     */
    public AdapterConfig forComparison(AdapterMethod compared) {
        AdapterConfig config = withMethod(compared);
        return compared.isLowRank() ? config : config.withDropout(0);
    }

    /** Returns this configuration for other layers. */
    public AdapterConfig withTargets(TargetSelector newTargets) {
        return new AdapterConfig(name, method, newTargets, seed, whole, dropout);
    }

    /** Returns this configuration with another seed. */
    public AdapterConfig withSeed(long newSeed) {
        return new AdapterConfig(name, method, targets, newSeed, whole, dropout);
    }

    /** Returns this configuration with other tensors that are trained whole. */
    public AdapterConfig withWhole(WholeTensors newWhole) {
        return new AdapterConfig(name, method, targets, seed, newWhole, dropout);
    }

    /**
     * Returns this configuration with modules that are trained and saved whole, such as a classifier's head; they get no low-rank
     * factors. PEFT's {@code modules_to_save}.
     *
     * @param names module paths, their ends ({@code classifier} means {@code model.classifier} too), or full names of tensors
     */
    public AdapterConfig withModulesToSave(String... names) {
        return withWhole(whole.withModules(ModuleMatch.names(List.of(names))));
    }

    /**
     * Returns this configuration with rows of the token embedding that are trained, such as those of new tokens, while the others
     * stay. PEFT's {@code trainable_token_indices}.
     *
     * @param tokens numbers of tokens, rows of the table that {@code input_ids} looks up, or else of the one with the most rows; a head that is tied to it computes with them too
     */
    public AdapterConfig withTrainableTokens(int... tokens) {
        return withTrainableTokens(WholeTensors.MAIN_TABLE, tokens);
    }

    /**
     * Returns this configuration with rows of an embedding that are trained.
     *
     * @param module module path of the embedding or its end, such as {@code wte}
     * @param tokens numbers of tokens, rows of its table
     */
    public AdapterConfig withTrainableTokens(String module, int... tokens) {
        return withWhole(whole.withTokens(module, Arrays.stream(tokens).boxed().toList()));
    }

    /** Returns this configuration with dropout, PEFT's {@code lora_dropout}; 0 for none. */
    public AdapterConfig withDropout(double share) {
        return new AdapterConfig(name, method, targets, seed, whole, share);
    }

    /** Returns this configuration with biases that are trained. PEFT's {@code bias}. */
    public AdapterConfig withBias(WholeTensors.Bias bias) {
        return withWhole(whole.withBias(bias));
    }
}
