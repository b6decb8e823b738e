package dev.samediff.samples.cli;

import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.WholeTensors;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What is trained whole beside the low-rank factors. */
final class WholeOptions {
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

    private WholeTensors.Bias bias() {
        return Arrays.stream(WholeTensors.Bias.values())
                .filter(known -> known.text().equals(bias.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() ->
                        new InvalidInputException("--bias " + bias + " is not known; give none, lora_only or all"));
    }
}
