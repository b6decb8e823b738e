package dev.samediff.samples.cli;

import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.AdaLora;
import dev.samediff.adapters.method.AdapterMethods;
import dev.samediff.adapters.method.Sorsa;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which adapter, except the method's name. */
final class AdapterOptions {
    @Option(
            names = "--rank",
            paramLabel = "R",
            defaultValue = "8",
            description = "Rank of the adapters. Default: ${DEFAULT-VALUE}.")
    int rank = 8;

    @Option(
            names = "--alpha",
            paramLabel = "A",
            description = "Scaling is alpha / rank. Default: alpha = rank, scaling 1.")
    @Nullable
    Double alpha;

    @Option(
            names = "--gamma",
            paramLabel = "G",
            description = "Weight of SORSA's orthonormal regularizer; only with sorsa. Default: 4e-4.")
    @Nullable
    Double gamma;

    @Option(
            names = "--regularizer",
            paramLabel = "FORM",
            description =
                    "SORSA's regularizer: sumsq (the paper's equation 10), fro or repo (the authors' code). Default:"
                            + " sumsq.")
    @Nullable
    String regularizer;

    @Option(
            names = "--target-rank",
            paramLabel = "R",
            description =
                    "Average rank of a layer at the end of AdaLoRA's training, which starts with --rank; only with"
                            + " adalora. Default: two thirds of --rank.")
    @Nullable
    Integer targetRank;

    @Option(
            names = "--targets",
            paramLabel = "NAMES",
            defaultValue = TargetSelector.ALL_LINEAR,
            description = "Layers to adapt: all-linear (without the head), names separated by commas, or"
                    + " regex:EXPRESSION. 'inspect' lists the names. Default: ${DEFAULT-VALUE}.")
    String targets = TargetSelector.ALL_LINEAR;

    /** Returns the configuration of a method by name, with the options that belong to it. */
    AdapterConfig config(String method, long seed) {
        if (!method.equalsIgnoreCase(Sorsa.NAME) && (gamma != null || regularizer != null)) {
            throw new InvalidInputException("--gamma and --regularizer belong to sorsa, not to " + method
                    + "; leave them out or use --method sorsa");
        }
        if (!method.equalsIgnoreCase(AdaLora.NAME) && targetRank != null) {
            throw new InvalidInputException(
                    "--target-rank belongs to adalora, not to " + method + "; leave it out or use --method adalora");
        }
        return configForComparison(method, seed);
    }

    /** As {@link #config}, for runs of several methods: what only one of them knows is left out for the others. */
    AdapterConfig configForComparison(String name, long seed) {
        Map<String, String> settings = new HashMap<>();
        if (name.equalsIgnoreCase(Sorsa.NAME) && gamma != null) {
            settings.put("gamma", gamma.toString());
        }
        if (name.equalsIgnoreCase(Sorsa.NAME) && regularizer != null) {
            settings.put("regularizer", regularizer.toLowerCase(Locale.ROOT));
        }
        if (name.equalsIgnoreCase(AdaLora.NAME) && targetRank != null) {
            settings.put("target", targetRank.toString());
        }
        OptionalDouble given = alpha == null ? OptionalDouble.empty() : OptionalDouble.of(alpha);
        AdapterMethod method = AdapterMethods.named(name, rank, given, settings);
        return AdapterConfig.of(method)
                .withTargets(TargetSelector.parse(targets))
                .withSeed(seed);
    }
}
