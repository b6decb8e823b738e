package dev.samediff.samples.cli;

import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.VirtualTokens;
import dev.samediff.adapters.WholeTensors;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import dev.samediff.samples.finetune.Candidate;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What is trained whole beside the low-rank factors. */
final class WholeOptions {
    private static final int VIRTUAL_TOKENS = 20;

    @Option(
            names = "--modules-to-save",
            paramLabel = "NAMES",
            split = ",",
            description = "Modules that are trained whole beside the adapter, and saved with it. A new head always is.")
    @Nullable
    List<String> modulesToSave;

    @Option(
            names = "--bias",
            paramLabel = "WHICH",
            defaultValue = "none",
            description = "Biases that are trained: none, lora_only (of adapted layers) or all. Default:"
                    + " ${DEFAULT-VALUE}.")
    String bias = "none";

    @Option(
            names = "--trainable-tokens",
            paramLabel = "IDS",
            split = ",",
            description = "Rows of the token embedding that are trained, such as those of new tokens.")
    @Nullable
    List<Integer> trainableTokens;

    @Option(
            names = "--virtual-tokens",
            paramLabel = "N",
            description = "prompt_tuning: trained rows in front of every text, 20 if not said.")
    @Nullable
    Integer virtualTokens;

    @Option(
            names = "--virtual-text",
            paramLabel = "TEXT",
            description = "prompt_tuning: words from whose embeddings the virtual tokens start. Default: drawn ones.")
    @Nullable
    String virtualText;

    /** Returns the modules that were named. */
    List<String> modules() {
        return modulesToSave == null ? List.of() : modulesToSave;
    }

    /** Returns a configuration with this. */
    AdapterConfig addTo(AdapterConfig config) {
        AdapterConfig with = config.withBias(bias());
        if (modulesToSave != null) {
            with = with.withModulesToSave(modulesToSave.toArray(String[]::new));
        }
        return trainableTokens == null
                ? with
                : with.withTrainableTokens(
                        trainableTokens.stream().mapToInt(Integer::intValue).toArray());
    }

    /** Refuses what belongs to virtual tokens for a method that has none. */
    void requireNoVirtualTokens(String method) {
        if (virtualTokens != null || virtualText != null) {
            throw new InvalidInputException((virtualTokens != null ? "--virtual-tokens" : "--virtual-text")
                    + " belongs to prompt_tuning, not to " + method + "; leave it out, or use --method "
                    + Candidate.PROMPT_TUNING);
        }
    }

    /** Returns virtual tokens, which start as drawn ones. */
    AdapterConfig virtual(long seed) {
        int count = virtualTokens == null ? VIRTUAL_TOKENS : virtualTokens;
        return addTo(AdapterConfig.ofWhole(WholeTensors.NONE.withPrompt(VirtualTokens.of(count))))
                .withSeed(seed);
    }

    /** Returns virtual tokens that start as the words that were given, if any were. */
    AdapterConfig started(AdapterConfig config, Tokenizer tokenizer) {
        if (virtualText == null || config.whole().prompt().isEmpty()) {
            return config;
        }
        int[] words = tokenizer.encode(virtualText);
        if (words.length == 0) {
            throw new InvalidInputException("--virtual-text has no tokens; give words, or leave it out");
        }
        return config.withWhole(
                config.whole().withPrompt(config.whole().prompt().orElseThrow().startingFrom(words)));
    }

    private WholeTensors.Bias bias() {
        return Arrays.stream(WholeTensors.Bias.values())
                .filter(known -> known.text().equals(bias.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() ->
                        new InvalidInputException("--bias " + bias + " is not known; give none, lora_only or all"));
    }
}
