package dev.samediff.adapters.inject;

import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.WholeTensors;
import dev.samediff.adapters.graph.AdaptableLayers;
import dev.samediff.adapters.graph.AdaptableSite;
import dev.samediff.adapters.graph.EmbeddingSite;
import dev.samediff.adapters.graph.ModuleMatch;
import dev.samediff.adapters.graph.ModuleTensors;
import dev.samediff.adapters.graph.Names;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Finds the tensors of a graph that an adapter trains whole.
 *
 * @param layers the graph's layers
 * @param tensors its tensors
 * @param stored the caller's array of a variable
 */
record WholeChoice(AdaptableLayers layers, ModuleTensors tensors, Function<String, INDArray> stored) {
    /**
     * Returns the layers that get low-rank factors: those that are chosen and neither trained whole nor tied to trained rows.
     *
     * @param config the configuration
     * @param rows the rows of tables that it trains
     */
    List<AdaptableSite> factorised(AdapterConfig config, List<RowChoice.Rows> rows) {
        if (config.targets().isNone()) {
            if (config.whole().isEmpty()) {
                throw new InvalidInputException("the adapter `" + config.name()
                        + "` has no layers and trains nothing whole; choose layers, modules, biases or tokens");
            }
            return List.of();
        }
        List<AdaptableSite> selected = config.targets().select(layers);
        List<AdaptableSite> left = selected.stream()
                .filter(site -> !isSaved(config.whole(), site.module()))
                .filter(site -> rows.stream().noneMatch(each -> each.tables().contains(site.weight())))
                .toList();
        if (left.isEmpty()) {
            throw new InvalidInputException("the targets choose only "
                    + Names.some(selected.stream().map(AdaptableSite::module).toList())
                    + ", which are trained whole and get no low-rank factors; choose other layers, or train all of it by"
                    + " Trainable.of(graph, names)");
        }
        return left;
    }

    private static boolean isSaved(WholeTensors whole, String module) {
        return whole.modules()
                .flatMap(new ModuleTensors.Tensor(module + ".weight", module + ".weight", false)::chosenBy)
                .isPresent();
    }

    /**
     * Returns copies of the tensors that a configuration chooses.
     *
     * @param config the configuration
     * @param adapted the layers that get low-rank factors
     * @throws InvalidInputException if it names something that is not there
     */
    List<HeldTensor> start(AdapterConfig config, Collection<AdaptableSite> adapted) {
        WholeTensors whole = config.whole();
        Set<ModuleTensors.Tensor> chosen = new LinkedHashSet<>();
        whole.modules().ifPresent(choice -> {
            requireEveryNameToMatch(choice);
            tensors.byKey().values().stream()
                    .filter(tensor -> tensor.chosenBy(choice).isPresent() && !isTable(tensor))
                    .forEach(chosen::add);
        });
        List<ModuleTensors.Tensor> biases = biases(whole.bias(), adapted);
        chosen.stream().filter(tensor -> !biases.contains(tensor)).forEach(tensor -> requireOutside(tensor, adapted));
        chosen.addAll(biases);
        return chosen.stream()
                .sorted(Comparator.comparing(ModuleTensors.Tensor::key))
                .map(tensor ->
                        new HeldTensor(tensor, stored.apply(tensor.variable()).dup('c')))
                .toList();
    }

    /** A layer with factors is wrapped in PEFT's files, where modules_to_save finds nothing of it: what is saved so could not be read again. */
    private static void requireOutside(ModuleTensors.Tensor tensor, Collection<AdaptableSite> adapted) {
        adapted.stream()
                .map(AdaptableSite::module)
                .filter(module -> tensor.key().lastIndexOf('.') == module.length()
                        && tensor.key().startsWith(module))
                .findFirst()
                .ifPresent(module -> {
                    throw new InvalidInputException("`" + tensor.key() + "` is to be trained whole, and `" + module
                            + "`, which it is a part of, gets low-rank factors; an adapter has no place for both: choose the"
                            + " biases of adapted layers by bias `lora_only` or `all`, name `" + module
                            + "` itself to train all of it, or exclude it from the targets");
                });
    }

    private List<ModuleTensors.Tensor> biases(WholeTensors.Bias bias, Collection<AdaptableSite> adapted) {
        List<String> of = adapted.stream().map(site -> site.module() + ".bias").toList();
        List<ModuleTensors.Tensor> found = tensors.byKey().values().stream()
                .filter(tensor -> switch (bias) {
                    case NONE -> false;
                    case ALL ->
                        tensor.isBias() && stored.apply(tensor.variable()).rank() == 1;
                    case LORA_ONLY -> of.contains(tensor.key());
                })
                .toList();
        if (found.isEmpty() && bias != WholeTensors.Bias.NONE) {
            throw new InvalidInputException("bias is `" + bias.text() + "`, and "
                    + (bias == WholeTensors.Bias.ALL
                            ? "this graph has no bias; it has "
                                    + Names.some(tensors.byKey().keySet())
                            : "none of the adapted layers has one; those would be " + Names.some(of))
                    + ". Leave it out, or name other vectors by withModulesToSave");
        }
        return found;
    }

    private void requireEveryNameToMatch(ModuleMatch choice) {
        List<ModuleMatch> entries = choice.regex().isPresent()
                ? List.of(choice)
                : choice.names().stream()
                        .map(name -> ModuleMatch.names(List.of(name)))
                        .toList();
        for (ModuleMatch entry : entries) {
            if (tensors.byKey().values().stream()
                    .noneMatch(tensor -> tensor.chosenBy(entry).isPresent())) {
                throw new InvalidInputException("there is no module or tensor `"
                        + entry.regex().orElse(String.join(", ", entry.names()))
                        + "` to train whole; this graph has the tensors "
                        + Names.some(tensors.byKey().keySet())
                        + ". A head that the graph lacks is added by TaskHead before the adapter is injected");
            }
        }
    }

    /** Tables are looked up, which cannot be trained through: they have branches of their own, see {@link RowChoice}. */
    private boolean isTable(ModuleTensors.Tensor tensor) {
        return layers.sites().stream()
                .anyMatch(site ->
                        site instanceof EmbeddingSite table && table.weight().equals(tensor.variable()));
    }

    /**
     * Returns a saved adapter's tensors as the graph stores them, without what belongs to embeddings.
     *
     * @param state the adapter
     * @param rows finds what belongs to embeddings
     * @throws InvalidInputException if the graph lacks one of them, or has it in another shape
     */
    List<HeldTensor> restore(AdapterState state, RowChoice rows) {
        List<HeldTensor> restored = new ArrayList<>();
        for (AdapterState.Whole whole : state.whole()) {
            if (rows.isTable(whole)) {
                continue;
            }
            ModuleTensors.Tensor tensor = tensors.byKey().get(whole.key());
            if (tensor == null) {
                throw new InvalidInputException("the adapter `" + state.config().name() + "` holds `" + whole.key()
                        + "`, which this graph does not have; it has "
                        + Names.some(tensors.byKey().keySet())
                        + ". Load the base model the adapter was trained on; a head that was added to it is added again by the"
                        + " same TaskHead");
            }
            restored.add(new HeldTensor(tensor, fitted(state, whole, tensor)));
        }
        restored.sort(Comparator.comparing(held -> held.tensor().key()));
        return List.copyOf(restored);
    }

    private INDArray fitted(AdapterState state, AdapterState.Whole whole, ModuleTensors.Tensor tensor) {
        INDArray base = stored.apply(tensor.variable());
        INDArray given = whole.tensor();
        long[] expected = tensor.asModule(base).shape();
        if (Arrays.equals(given.shape(), expected)) {
            return typed(tensor.asStored(given, base.shape()), base);
        }
        boolean asStored = Arrays.equals(given.shape(), base.shape()); // a Conv1D module holds [in,out]
        boolean kernel = !tensor.transposed()
                && tensor.kernel().isEmpty()
                && given.rank() > 2
                && given.size(0) == base.size(0)
                && given.length() == base.length(); // a flattened kernel, of which the graph does not say so
        if (asStored || kernel) {
            return typed(given.dup('c').reshape(base.shape()), base);
        }
        throw new InvalidInputException("the adapter `" + state.config().name() + "` holds `" + whole.key() + "` as "
                + Arrays.toString(given.shape()) + "; in this graph it is " + Arrays.toString(expected)
                + ". Load the base model the adapter was trained on, with a head of as many outputs; if tokens were added"
                + " to it, that is what ImportedModel.resizedFor(adapter) returns");
    }

    private static INDArray typed(INDArray values, INDArray like) {
        return values.castTo(like.dataType()).dup('c');
    }
}
