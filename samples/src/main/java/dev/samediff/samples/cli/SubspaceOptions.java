package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.train.GaLore;
import dev.samediff.adapters.train.Lisa;
import dev.samediff.adapters.train.Subspace;
import dev.samediff.samples.finetune.Candidate;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How {@code galore} and {@code lisa} train all weights. */
final class SubspaceOptions {
    private static final double RANK = 8;
    private static final double LAYERS = 2;

    @Option(
            names = "--galore",
            paramLabel = "NAME=VALUE,...",
            description = "Settings of galore: rank, 8 if not said, interval (200) and scale (0.25).")
    @Nullable
    String galore;

    @Option(
            names = "--lisa",
            paramLabel = "NAME=VALUE,...",
            description = "Settings of lisa: layers, 2 if not said, and interval (20).")
    @Nullable
    String lisa;

    /** Returns whether a method trains the weights themselves. */
    static boolean isFull(String method) {
        return Set.of(Candidate.FULL, Candidate.GALORE, Candidate.LISA).contains(method.toLowerCase(Locale.ROOT));
    }

    /**
     * Returns the rule of a method, if it has one.
     *
     * @throws InvalidInputException if a setting is not possible
     */
    @Nullable
    Subspace rule(String method) {
        return switch (method.toLowerCase(Locale.ROOT)) {
            case Candidate.GALORE -> {
                Map<String, Double> given = read("--galore", galore, Set.of("rank", "interval", "scale"));
                GaLore standard = GaLore.rank(whole("--galore", given, "rank", RANK));
                yield standard.withInterval(whole("--galore", given, "interval", standard.interval()))
                        .withScale(given.getOrDefault("scale", standard.scale()));
            }
            case Candidate.LISA -> {
                Map<String, Double> given = read("--lisa", lisa, Set.of("layers", "interval"));
                Lisa standard = Lisa.layers(whole("--lisa", given, "layers", LAYERS));
                yield standard.withInterval(whole("--lisa", given, "interval", standard.interval()));
            }
            default -> null;
        };
    }

    /** Refuses settings that none of some methods has. */
    void requireUsed(Collection<String> methods) {
        Map<String, String> given = new LinkedHashMap<>();
        if (galore != null) {
            given.put("--galore", Candidate.GALORE);
        }
        if (lisa != null) {
            given.put("--lisa", Candidate.LISA);
        }
        given.forEach((option, method) -> {
            if (methods.stream().noneMatch(method::equalsIgnoreCase)) {
                throw new InvalidInputException(option + " is for the method " + method + ", and what is trained is "
                        + String.join(", ", methods) + "; leave it out, or name the method");
            }
        });
    }

    private static Map<String, Double> read(String option, @Nullable String text, Set<String> known) {
        if (text == null) {
            return Map.of();
        }
        Map<String, Double> given = TargetOptions.pattern(option, text, Double::valueOf);
        for (String name : given.keySet()) {
            if (!known.contains(name)) {
                throw new InvalidInputException(option + " has no setting `" + name + "`; there are "
                        + String.join(", ", new TreeSet<>(known)));
            }
        }
        return given;
    }

    private static int whole(String option, Map<String, Double> given, String name, double absent) {
        double value = given.getOrDefault(name, absent);
        if (value != Math.rint(value) || value < 1 || value > Integer.MAX_VALUE) {
            throw new InvalidInputException(
                    option + " " + name + "=" + value + " is not possible; give a whole number of 1 or more");
        }
        return (int) value;
    }
}
