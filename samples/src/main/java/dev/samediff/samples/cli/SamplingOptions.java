package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.generation.Beams;
import dev.samediff.adapters.text.generation.GenerationPlan;
import dev.samediff.adapters.text.generation.Sampling;
import dev.samediff.samples.serve.WritingDefaults;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How tokens are chosen, and where a text ends. */
final class SamplingOptions {
    private static final int MAX_TOKENS = 64;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            description = "Most tokens to write. Default: 64 (generate), as many as the model sees (chat, serve).")
    @Nullable
    Integer maxTokens;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            defaultValue = "0",
            description =
                    "0: always the likeliest token; above: draws, flatter when higher. Default: ${DEFAULT-VALUE}.")
    double temperature;

    @Option(
            names = "--top-k",
            paramLabel = "K",
            defaultValue = "0",
            description = "Draws only from the K likeliest tokens; 0: from all. Default: ${DEFAULT-VALUE}.")
    int topK;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            defaultValue = "1",
            description = "Draws only from the fewest likeliest tokens whose probabilities reach P. Default:"
                    + " ${DEFAULT-VALUE}.")
    double topP = 1;

    @Option(
            names = "--min-p",
            paramLabel = "P",
            defaultValue = "0",
            description =
                    "Draws only from tokens at least P times as likely as the likeliest. Default: ${DEFAULT-VALUE}.")
    double minP;

    @Option(
            names = "--repetition-penalty",
            paramLabel = "R",
            defaultValue = "1",
            description = "Above 1: what occurred becomes less likely. Default: ${DEFAULT-VALUE}.")
    double repetitionPenalty = 1;

    @Option(
            names = "--beams",
            paramLabel = "N",
            description = "Follows the N likeliest texts and takes the best. Default: one text.")
    @Nullable
    Integer beams;

    @Option(
            names = "--length-penalty",
            paramLabel = "X",
            description =
                    "With --beams: texts are compared by log probability / tokens^X; above 0 longer texts gain. Default: 1.")
    @Nullable
    Double lengthPenalty;

    @Option(
            names = "--stop",
            paramLabel = "TEXT",
            description = "A text ends before this; \\n is a line break. Several are possible.")
    @Nullable
    List<String> stops;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Seed of the draws. Default: 0 (generate), another one for every answer (chat, serve).")
    @Nullable
    Long seed;

    /** Returns how tokens are chosen. */
    Sampling sampling() {
        return new Sampling(temperature, topK, topP, minP, repetitionPenalty);
    }

    /** Returns the plan for a model that sees so many tokens. */
    GenerationPlan plan(int contextLength) {
        GenerationPlan plan = GenerationPlan.greedy(maxTokens == null ? MAX_TOKENS : maxTokens, contextLength)
                .sampled(sampling(), seed == null ? 0 : seed)
                .stoppedAt(stops());
        return beams().map(plan::withBeams).orElse(plan);
    }

    private Optional<Beams> beams() {
        if (beams == null) {
            if (lengthPenalty != null) {
                throw new InvalidInputException(
                        "--length-penalty compares texts of --beams; give both, or leave it out");
            }
            return Optional.empty();
        }
        return Optional.of(Beams.of(beams).withLengthPenalty(lengthPenalty == null ? 1 : lengthPenalty));
    }

    /** Returns what holds for answers that nobody asks otherwise for. */
    WritingDefaults defaults() {
        if (maxTokens != null && maxTokens < 1) {
            throw new InvalidInputException("--max-tokens " + maxTokens + " is not possible; give 1 or more");
        }
        return new WritingDefaults(
                sampling(), Optional.ofNullable(maxTokens), Optional.ofNullable(seed), stops(), beams());
    }

    private List<String> stops() {
        return stops == null
                ? List.of()
                : stops.stream().map(text -> text.replace("\\n", "\n")).toList();
    }
}
