package dev.samediff.adapters.graph;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.SiteKind;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which linear layers and embeddings an adapter is put on, and with which rank and alpha, by PEFT's rules and vocabulary.
 * As in PEFT, an embedding, or a tensor that holds experts, is adapted only if an entry names it; "all linear layers" leaves
 * them out.
 *
 * <p>In this order: {@code exclude} removes; {@code targets} chooses; {@code layersToTransform} keeps the layers with one
 * of the indices (a module named in full is kept whatever its index, as in PEFT). Unlike PEFT, every entry that matches
 * nothing is an error that lists what exists.
 *
 * @param targets names or regular expression; empty means all linear layers except the head
 * @param includeHead whether "all linear layers" includes the output head. PEFT leaves the head of transformers models
 *     out; here that is a module that is, or ends with, one of {@link #HEADS}
 * @param exclude modules that are never adapted
 * @param layersToTransform layer indices; empty means all. Not with a regular expression (it can name the indices)
 * @param layersPattern names of the layer list, such as {@code h} or {@code layers}, which the index follows; empty means
 *     any. As in PEFT the list needs a prefix: {@code model.layers.1.x} has index 1, {@code layers.1.x} has none
 * @param rankPattern rank by pattern: the first key k whose {@code (.*\.)?(k)} matches the whole module path
 * @param alphaPattern alpha by pattern, likewise
 */
public record TargetSelector(
        Optional<ModuleMatch> targets,
        boolean includeHead,
        Optional<ModuleMatch> exclude,
        Set<Integer> layersToTransform,
        List<String> layersPattern,
        Map<String, Integer> rankPattern,
        Map<String, Double> alphaPattern) {

    /** Names of output heads, which "all linear layers" leaves out unless {@link #withHead()} was called. */
    public static final List<String> HEADS = List.of(
            "lm_head",
            "lm_head.decoder",
            "embed_out",
            "cls.predictions.decoder",
            "vocab_projector",
            "classifier",
            "classifier.dense",
            "classifier.out_proj",
            "score");

    /** What the command line and PEFT call {@link #allLinear()}. */
    public static final String ALL_LINEAR = "all-linear";

    private static final String EVERYTHING = ".*";

    public TargetSelector {
        layersToTransform = Collections.unmodifiableSet(new TreeSet<>(layersToTransform));
        layersPattern = List.copyOf(layersPattern);
        rankPattern = Collections.unmodifiableMap(new LinkedHashMap<>(rankPattern));
        alphaPattern = Collections.unmodifiableMap(new LinkedHashMap<>(alphaPattern));
        if (!layersToTransform.isEmpty() && targets.flatMap(ModuleMatch::regex).isPresent()) {
            throw new InvalidInputException("layers " + layersToTransform + " cannot be combined with the regular"
                    + " expression `" + targets.flatMap(ModuleMatch::regex).orElseThrow()
                    + "`; put the layer indices into the expression");
        }
        if (!layersPattern.isEmpty() && layersToTransform.isEmpty()) {
            throw new InvalidInputException(
                    "the layers pattern " + layersPattern + " says nothing without layer indices; give both or none");
        }
        for (String list : layersPattern) {
            PathPattern.compile(layerList(list));
        }
        PathPattern.requireFew(rankPattern.keySet());
        PathPattern.requireFew(alphaPattern.keySet());
        layersToTransform.stream().filter(i -> i < 0).findFirst().ifPresent(i -> {
            throw new InvalidInputException("layer index " + i + " is negative; layers count from 0");
        });
        rankPattern.forEach((key, rank) -> {
            PathPattern.compile(key);
            if (rank < 1) {
                throw new InvalidInputException(
                        "the rank pattern `" + key + "` gives rank " + rank + "; expected 1 or" + " more");
            }
        });
        alphaPattern.forEach((key, alpha) -> {
            PathPattern.compile(key);
            if (!(alpha > 0) || alpha.isInfinite()) {
                throw new InvalidInputException(
                        "the alpha pattern `" + key + "` gives alpha " + alpha + "; expected a positive number");
            }
        });
    }

    /** Returns a selector of all linear layers except the head. */
    public static TargetSelector allLinear() {
        return of(Optional.empty());
    }

    /** Returns a selector of no layer, for adapters that are tensors trained whole alone. */
    public static TargetSelector none() {
        return allLinear().excluding(ModuleMatch.regex(EVERYTHING));
    }

    /** Returns whether this is {@link #none()}. */
    public boolean isNone() {
        return equals(none());
    }

    /** Returns a selector of the modules whose path is, or ends with {@code "."} and, one of the names. */
    public static TargetSelector suffixes(String... names) {
        return suffixes(Arrays.asList(names));
    }

    /** Returns a selector of the modules whose path is, or ends with {@code "."} and, one of the names. */
    public static TargetSelector suffixes(List<String> names) {
        return of(Optional.of(ModuleMatch.names(names)));
    }

    /** Returns a selector of the modules whose whole path matches a regular expression. */
    public static TargetSelector regex(String regex) {
        return of(Optional.of(ModuleMatch.regex(regex)));
    }

    /**
     * Reads what a command line gives: {@code all-linear}, {@code regex:...}, or names separated by commas.
     *
     * @throws InvalidInputException if it is none of them
     */
    public static TargetSelector parse(String text) {
        if (text.equals(ALL_LINEAR)) {
            return allLinear();
        }
        if (text.startsWith("regex:")) {
            return regex(text.substring("regex:".length()));
        }
        return suffixes(Arrays.stream(text.split(",", -1)).map(String::strip).toList());
    }

    private static TargetSelector of(Optional<ModuleMatch> targets) {
        return new TargetSelector(targets, false, Optional.empty(), Set.of(), List.of(), Map.of(), Map.of());
    }

    /**
     * Returns this selector for other layers; what is excluded, layer indices, ranks and alphas stay.
     *
     * @param text as {@link #parse} reads it
     * @throws InvalidInputException if it cannot be read, or does not go with what stays
     */
    public TargetSelector choosing(String text) {
        return new TargetSelector(
                parse(text).targets, includeHead, exclude, layersToTransform, layersPattern, rankPattern, alphaPattern);
    }

    /** Returns this selector with the output head among "all linear layers". */
    public TargetSelector withHead() {
        return new TargetSelector(targets, true, exclude, layersToTransform, layersPattern, rankPattern, alphaPattern);
    }

    /** Returns this selector without the named modules. */
    public TargetSelector excluding(String... names) {
        return excluding(ModuleMatch.names(Arrays.asList(names)));
    }

    /** Returns this selector without the modules meant. */
    public TargetSelector excluding(ModuleMatch excluded) {
        return new TargetSelector(
                targets,
                includeHead,
                Optional.of(excluded),
                layersToTransform,
                layersPattern,
                rankPattern,
                alphaPattern);
    }

    /** Returns this selector for the layers with these indices only. */
    public TargetSelector layers(Integer... indices) {
        return new TargetSelector(
                targets,
                includeHead,
                exclude,
                new TreeSet<>(Arrays.asList(indices)),
                layersPattern,
                rankPattern,
                alphaPattern);
    }

    /** Returns this selector with the names of the layer list; call after {@link #layers}. */
    public TargetSelector inLayerList(String... names) {
        return new TargetSelector(
                targets, includeHead, exclude, layersToTransform, Arrays.asList(names), rankPattern, alphaPattern);
    }

    /** Returns this selector with ranks by pattern. */
    public TargetSelector withRankPattern(Map<String, Integer> ranks) {
        return new TargetSelector(targets, includeHead, exclude, layersToTransform, layersPattern, ranks, alphaPattern);
    }

    /** Returns this selector with alphas by pattern. */
    public TargetSelector withAlphaPattern(Map<String, Double> alphas) {
        return new TargetSelector(targets, includeHead, exclude, layersToTransform, layersPattern, rankPattern, alphas);
    }

    /** Returns whether the module is chosen, without checking that any entry is of use. */
    public boolean selects(String module) {
        if (exclude.map(match -> match.matches(module)).orElse(false)) {
            return false;
        }
        if (targets.isEmpty()) {
            return (includeHead || HEADS.stream().noneMatch(head -> ModuleMatch.matches(head, module)))
                    && inChosenLayer(module);
        }
        ModuleMatch match = targets.orElseThrow();
        return match.names().contains(module) || (match.matches(module) && inChosenLayer(module));
    }

    /** Returns the rank of a module: that of the first rank pattern that matches it, or the default. */
    public int rank(String module, int defaultRank) {
        return firstMatch(rankPattern, module).orElse(defaultRank);
    }

    /** Returns the alpha of a module: that of the first alpha pattern that matches it, or the default. */
    public OptionalDouble alpha(String module, OptionalDouble defaultAlpha) {
        return firstMatch(alphaPattern, module).map(OptionalDouble::of).orElse(defaultAlpha);
    }

    /**
     * Returns the chosen layers in the given order.
     *
     * @param layers what the graph has
     * @throws InvalidInputException if an entry matches nothing, or nothing is chosen
     */
    public List<AdaptableSite> select(AdaptableLayers layers) {
        new SelectorCheck(this, layers).requireEveryEntryToMatch();
        List<AdaptableSite> chosen = layers.sites().stream()
                .filter(site -> targets.isPresent() || site.kind() == SiteKind.LINEAR)
                .filter(site -> selects(site.module()))
                .toList();
        if (chosen.isEmpty()) {
            throw new InvalidInputException("the targets " + describe() + " choose no layer; this graph has "
                    + Names.some(layers.modules()) + LeftOut.sentence(LeftOut.of(this, layers)));
        }
        return chosen;
    }

    /** Returns the selector as a few words for messages and tables. */
    public String describe() {
        if (isNone()) {
            return "no layers";
        }
        StringBuilder text = new StringBuilder(targets.map(
                        match -> match.regex().map(r -> "regex:" + r).orElse(String.join(",", match.names())))
                .orElse(ALL_LINEAR));
        if (includeHead) {
            text.append(" with the head");
        }
        exclude.ifPresent(match -> text.append(" without ")
                .append(match.regex().map(r -> "regex:" + r).orElse(String.join(",", match.names()))));
        if (!layersToTransform.isEmpty()) {
            text.append(" in layers ").append(layersToTransform);
        }
        return text.toString();
    }

    private boolean inChosenLayer(String module) {
        return layersToTransform.isEmpty()
                || layerIndex(module).map(layersToTransform::contains).orElse(false);
    }

    Optional<Integer> layerIndex(String module) {
        List<String> lists = layersPattern.isEmpty() ? List.of("[^.]*") : layersPattern;
        for (String list : lists) {
            Optional<String> index = PathPattern.compile(layerList(list)).find(module, "layerIndex");
            if (index.isPresent()) {
                return index.flatMap(TargetSelector::number);
            }
        }
        return Optional.empty();
    }

    private static String layerList(String list) {
        return ".*?\\." + list + "\\.(?P<layerIndex>\\d+)\\.";
    }

    /** No layer has an index beyond the integers. */
    private static Optional<Integer> number(String digits) {
        try {
            return Optional.of(Integer.valueOf(digits));
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    static boolean matchesPattern(String key, String module) {
        return PathPattern.compile("(.*\\.)?(" + key + ")").matches(module);
    }

    private static <T> Optional<T> firstMatch(Map<String, T> pattern, String module) {
        return pattern.entrySet().stream()
                .filter(entry -> matchesPattern(entry.getKey(), module))
                .map(Map.Entry::getValue)
                .findFirst();
    }
}
