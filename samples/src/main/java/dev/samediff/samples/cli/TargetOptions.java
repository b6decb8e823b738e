package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.graph.ModuleMatch;
import dev.samediff.adapters.graph.TargetSelector;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which layers an adapter is on, and with which rank. */
final class TargetOptions {
    private static final String REGEX = "regex:";

    @Option(
            names = "--targets",
            paramLabel = "NAMES",
            defaultValue = TargetSelector.ALL_LINEAR,
            description = "Layers to adapt: all-linear (without the head), names separated by commas, or"
                    + " regex:EXPRESSION. 'inspect' lists the names. Default: ${DEFAULT-VALUE}.")
    String targets = TargetSelector.ALL_LINEAR;

    @Option(
            names = "--exclude",
            paramLabel = "NAMES",
            description = "Layers not to adapt although --targets names them: names, or regex:EXPRESSION.")
    @Nullable
    String exclude;

    @Option(
            names = "--layers",
            paramLabel = "NUMBERS",
            description = "Adapt these blocks only, such as 0,1,4-7 (PEFT's layers_to_transform).")
    @Nullable
    String layers;

    @Option(
            names = "--layers-pattern",
            paramLabel = "NAMES",
            description = "What the list of blocks is called in module paths, for --layers. Default: any.")
    @Nullable
    String layersPattern;

    @Option(names = "--with-head", description = "all-linear means the output layer too.")
    boolean withHead;

    @Option(
            names = "--rank-pattern",
            paramLabel = "NAME=R,...",
            description = "Other ranks of some layers: ends of their names, or expressions, such as q_proj=4,mlp.*=16.")
    @Nullable
    String rankPattern;

    @Option(
            names = "--alpha-pattern",
            paramLabel = "NAME=A,...",
            description = "Other alphas of some layers, as --rank-pattern.")
    @Nullable
    String alphaPattern;

    /** Returns the choice. */
    TargetSelector selector() {
        TargetSelector selector = TargetSelector.parse(targets);
        if (withHead) {
            selector = selector.withHead();
        }
        if (exclude != null) {
            selector = selector.excluding(
                    exclude.startsWith(REGEX)
                            ? ModuleMatch.regex(exclude.substring(REGEX.length()))
                            : ModuleMatch.names(names(exclude)));
        }
        if (layers != null) {
            selector = selector.layers(numbers(layers));
        }
        if (layersPattern != null) {
            selector = selector.inLayerList(names(layersPattern).toArray(String[]::new));
        }
        if (rankPattern != null) {
            selector = selector.withRankPattern(pattern("--rank-pattern", rankPattern, Integer::valueOf));
        }
        return alphaPattern == null
                ? selector
                : selector.withAlphaPattern(pattern("--alpha-pattern", alphaPattern, Double::valueOf));
    }

    static List<String> names(String text) {
        return Stream.of(text.split(",", -1)).map(String::strip).toList();
    }

    private static Integer[] numbers(String text) {
        List<Integer> numbers = new ArrayList<>();
        for (String part : names(text)) {
            String[] ends = part.split("-", -1);
            try {
                int first = Integer.parseInt(ends[0]);
                int last = Integer.parseInt(ends[ends.length - 1]);
                if (ends.length > 2 || last < first || last - first > 100_000) {
                    throw new NumberFormatException(part);
                }
                IntStream.rangeClosed(first, last).forEach(numbers::add);
            } catch (NumberFormatException e) {
                throw new InvalidInputException(
                        "--layers " + text + " has `" + part + "`; give numbers of blocks from 0, such as 0,1,4-7", e);
            }
        }
        return numbers.toArray(Integer[]::new);
    }

    /** Reads a list of names with values. Expressions may hold a `=`; the value is behind the last one. */
    static <N> Map<String, N> pattern(String option, String text, Function<String, N> number) {
        Map<String, N> pattern = new LinkedHashMap<>();
        for (String part : names(text)) {
            int at = part.lastIndexOf('=');
            try {
                if (at < 1 || pattern.put(part.substring(0, at), number.apply(part.substring(at + 1))) != null) {
                    throw new NumberFormatException(part);
                }
            } catch (NumberFormatException e) {
                throw new InvalidInputException(
                        option + " " + text + " has `" + part + "`; give each layer once, as NAME=VALUE, separated by"
                                + " commas",
                        e);
            }
        }
        return pattern;
    }
}
