package dev.samediff.samples.cli;

import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.method.AdaLora;
import dev.samediff.adapters.method.AdapterMethods;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.samples.finetune.Candidate;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
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
            names = "--rslora",
            description = "Scaling is alpha / sqrt(rank) (rank-stabilised); with lora, olora, pissa, dora.")
    boolean rankStabilized;

    @Option(
            names = "--start",
            paramLabel = "NAME",
            description = "lora, dora: how A starts: kaiming_uniform or gaussian. Default: kaiming_uniform.")
    @Nullable
    String start;

    @Option(
            names = "--directions",
            paramLabel = "NAME",
            description = "dora: the method that it starts from: lora, olora or pissa. Default: lora.")
    @Nullable
    String directions;

    @Option(
            names = "--fast-start",
            paramLabel = "N",
            description = "pissa, sorsa: a randomised decomposition with N power iterations, as PEFT's pissa_niter_N."
                    + " Default: the exact one.")
    @Nullable
    Integer fastStart;

    @Option(
            names = "--feedforward",
            paramLabel = "MODULES",
            split = ",",
            description =
                    "ia3: the layers whose inputs are multiplied, by ends of their paths; the others' outputs are. Default:"
                            + " those that PEFT knows of usual models.")
    @Nullable
    List<String> feedforward;

    @Option(
            names = "--set",
            paramLabel = "NAME=VALUE,...",
            description =
                    "More settings of the method, by their names in docs/adapters.md: sorsa: retraction, cut_every,"
                            + " cut_below; adalora: orthogonality, warmup, last, interval, beta1, beta2, total; lora_fa: corrected;"
                            + " houlsby, parallel: activation; those of a method of your own.")
    @Nullable
    String more;

    @Option(
            names = "--dropout",
            paramLabel = "P",
            defaultValue = "0",
            description = "Share of each adapted linear layer's input that the adapter does not see in a training step"
                    + " (PEFT's lora_dropout). Default: ${DEFAULT-VALUE}.")
    double dropout;

    @ArgGroup(validate = false)
    StartingOptions starting = new StartingOptions();

    @ArgGroup(validate = false)
    TargetOptions targets = new TargetOptions();

    @ArgGroup(validate = false)
    WholeOptions whole = new WholeOptions();

    /** Returns the configuration of a method by name; an option that it does not have is refused. */
    AdapterConfig config(String method, long seed) {
        if (isPrompt(method)) {
            requireNoSettings(method);
            return whole.virtual(seed);
        }
        whole.requireNoVirtualTokens(method);
        if (!method.equalsIgnoreCase(Sorsa.NAME) && (gamma != null || regularizer != null)) {
            throw new InvalidInputException("--gamma and --regularizer belong to sorsa, not to " + method
                    + "; leave them out or use --method sorsa");
        }
        if (!method.equalsIgnoreCase(AdaLora.NAME) && targetRank != null) {
            throw new InvalidInputException(
                    "--target-rank belongs to adalora, not to " + method + "; leave it out or use --method adalora");
        }
        return common(AdapterMethods.named(method, rank, alpha(), settings()), seed);
    }

    /**
     * As {@link #config(String, long)}, for a model with new tokens.
     *
     * @param added the new tokens, whose rows are trained unless the options say what is trained whole
     */
    AdapterConfig config(String method, long seed, int[] added) {
        AdapterConfig config = config(method, seed);
        return config.whole().prompt().isEmpty()
                        && added.length > 0
                        && config.whole().modules().isEmpty()
                        && config.whole().tokens().isEmpty()
                ? config.withTrainableTokens(added)
                : config;
    }

    /** As {@link #config(String, long)}, for runs of several methods: what only some of them know is left out for the others. */
    AdapterConfig configForComparison(String method, long seed) {
        if (isPrompt(method)) {
            return whole.virtual(seed);
        }
        AdapterMethod chosen = AdapterMethods.amongOthers(method, rank, alpha(), settings());
        return common(chosen, seed).forComparison(chosen);
    }

    /** Refuses settings that none of some methods has. */
    void requireKnown(Collection<String> methods) {
        List<String> ofFactors =
                methods.stream().filter(method -> !isPrompt(method)).toList();
        if (ofFactors.size() == methods.size()) {
            whole.requireNoVirtualTokens(String.join(", ", methods));
        }
        AdapterMethods.requireKnown(ofFactors, settings());
    }

    private static boolean isPrompt(String method) {
        return method.equalsIgnoreCase(Candidate.PROMPT_TUNING);
    }

    private void requireNoSettings(String method) {
        if (!settings().isEmpty() || alpha != null || dropout != 0) {
            throw new InvalidInputException("--method " + method + " has --virtual-tokens and --virtual-text, and"
                    + " neither alpha, dropout nor settings of factors; leave them out");
        }
    }

    private OptionalDouble alpha() {
        return alpha == null ? OptionalDouble.empty() : OptionalDouble.of(alpha);
    }

    /** Returns a method with what does not depend on it: layers, dropout, tensors that are trained whole. */
    AdapterConfig common(AdapterMethod method, long seed) {
        AdapterConfig config = AdapterConfig.of(method)
                .withTargets(targets.selector())
                .withSeed(seed)
                .withDropout(dropout);
        return whole.addTo(config);
    }

    /** The settings that were given, by their names in the library. */
    Map<String, String> settings() {
        Map<String, String> settings = new HashMap<>();
        put(settings, "gamma", gamma);
        put(settings, "regularizer", regularizer);
        put(settings, "rslora", rankStabilized ? Boolean.TRUE : null);
        put(settings, "start", start);
        put(settings, "directions", directions);
        put(settings, "niter", fastStart);
        put(settings, "target", targetRank);
        if (more != null) {
            TargetOptions.pattern("--set", more, text -> text).forEach((name, value) -> {
                if (settings.put(name, value) != null) {
                    throw new InvalidInputException(
                            "--set " + more + " gives `" + name + "`, which another option gives, too; keep one");
                }
            });
        }
        if (feedforward != null) {
            settings.put("feedforward", String.join(",", feedforward)); // names, whose case counts
        }
        return settings;
    }

    private static void put(Map<String, String> settings, String name, @Nullable Object value) {
        if (value != null) {
            settings.put(name, value.toString().toLowerCase(Locale.ROOT));
        }
    }
}
