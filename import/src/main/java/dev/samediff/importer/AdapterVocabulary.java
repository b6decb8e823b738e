package dev.samediff.importer;

import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.SiteKind;
import dev.samediff.importer.onnx.VocabularyEdit;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.LongStream;

/** How many tokens the model has that an adapter was trained on. */
final class AdapterVocabulary {
    private AdapterVocabulary() {}

    /**
     * Compares an adapter with a model.
     *
     * @return nothing if the model has as many tokens, or the adapter does not say
     */
    static OptionalInt of(AdapterState adapter, ImportedModel model, Vocabulary vocabulary) {
        VocabularyEdit use;
        try {
            use = vocabulary.use();
        } catch (InvalidInputException noneToResize) {
            return OptionalInt.empty(); // what does not fit is said when the adapter is injected
        }
        Set<String> keys = keys(use, model);
        LongStream whole = adapter.whole().stream()
                .filter(tensor -> tensor.rows().isEmpty() && keys.contains(tensor.key()))
                .mapToLong(tensor -> tensor.tensor().size(0));
        List<AdapterState.Site> sites = adapter.sites().stream()
                .filter(site -> keys.contains(site.module() + ".weight"))
                .toList();
        sites.stream()
                .filter(site -> tokens(site) != use.size() && site.weightHash().equals(AdapterState.UNKNOWN_HASH))
                .findFirst()
                .ifPresent(site -> {
                    throw new InvalidInputException("the adapter `"
                            + adapter.config().name() + "` has low-rank factors on `" + site.module()
                            + "` with " + tokens(site) + " tokens, and " + model.source() + " has " + use.size()
                            + ": the base rows of the other tokens are not known. Export the model from PEFT after"
                            + " resize_token_embeddings, or train rows or the whole module instead (modules_to_save)");
                });
        LongStream factors = sites.stream().mapToLong(AdapterVocabulary::tokens);
        OptionalLong said = LongStream.concat(whole, factors).max();
        long rows = adapter.whole().stream()
                .flatMap(tensor -> tensor.rows().stream())
                .mapToLong(row -> row + 1L)
                .max()
                .orElse(0);
        long wanted = said.orElse(Math.max(rows, use.size()));
        return wanted == use.size() ? OptionalInt.empty() : OptionalInt.of(Math.toIntExact(wanted));
    }

    private static long tokens(AdapterState.Site site) {
        return site.kind() == SiteKind.EMBEDDING ? site.in() : site.out();
    }

    /** The weights of the vocabulary's tables and heads, by PyTorch's names. */
    private static Set<String> keys(VocabularyEdit use, ImportedModel model) {
        Map<String, String> modules = model.modulePaths();
        Set<String> keys = new HashSet<>();
        model.initializers().forEach((variable, tensor) -> {
            if (use.axes().containsKey(tensor)) {
                keys.add(modules.containsKey(variable) ? modules.get(variable) + ".weight" : variable);
            }
        });
        return keys;
    }
}
