package dev.samediff.adapters.inject;

import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.VirtualTokens;
import dev.samediff.adapters.WholeTensors;
import dev.samediff.adapters.graph.AdaptableLayers;
import dev.samediff.adapters.graph.EmbeddingSite;
import dev.samediff.adapters.graph.LinearSite;
import dev.samediff.adapters.graph.ModuleMatch;
import dev.samediff.adapters.graph.ModuleTensors;
import dev.samediff.adapters.graph.Names;
import dev.samediff.adapters.graph.TiedProducts;
import dev.samediff.adapters.graph.TokenTables;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Finds the embeddings of a graph of which an adapter trains rows, or the whole table.
 *
 * @param graph the graph
 * @param layers its layers
 * @param stored the caller's array of a variable
 */
record RowChoice(SameDiff graph, AdaptableLayers layers, Function<String, INDArray> stored) {
    /**
     * Rows that will be trained.
     *
     * @param table the embedding
     * @param indices which rows; empty means all, and ids below zero virtual tokens
     * @param tied what else reads the table
     * @param values what they start from, [rows, width]
     */
    record Rows(EmbeddingSite table, List<Integer> indices, TiedProducts tied, INDArray values) {
        /** Tells whether they are those of virtual tokens. */
        boolean isPrompt() {
            return !indices.isEmpty() && indices.get(0) < 0;
        }

        /** The variables that hold the table. */
        Set<String> tables() {
            Set<String> tables = tied.copies().stream().map(LinearSite::weight).collect(Collectors.toSet());
            tables.add(table.weight());
            return tables;
        }
    }

    private List<EmbeddingSite> tables() {
        return layers.sites().stream()
                .filter(EmbeddingSite.class::isInstance)
                .map(EmbeddingSite.class::cast)
                .toList();
    }

    /** Returns the rows that a configuration names, and the tables that it trains whole, with their present values. */
    List<Rows> start(AdapterConfig config) {
        List<Rows> chosen = new ArrayList<>();
        config.whole().prompt().ifPresent(prompt -> chosen.add(prompt(config, prompt)));
        Map<EmbeddingSite, List<Integer>> tokens = new LinkedHashMap<>();
        config.whole().tokens().forEach((module, ids) -> {
            EmbeddingSite table = module.equals(WholeTensors.MAIN_TABLE) ? mainTable() : named(module);
            if (tokens.putIfAbsent(table, ids) != null) {
                throw new InvalidInputException(
                        "rows of the embedding `" + table.module() + "` are named twice; name all of them in one list");
            }
        });
        for (EmbeddingSite table : tables()) {
            boolean whole =
                    config.whole().modules().flatMap(tensor(table)::chosenBy).isPresent();
            List<Integer> ids = tokens.get(table);
            if (whole && ids != null) {
                throw new InvalidInputException("the embedding `" + table.module()
                        + "` is trained whole, and rows of it are named too; leave one of them out");
            }
            if (whole) {
                chosen.add(whole(table, stored.apply(table.weight()).dup('c')));
            } else if (ids != null) {
                requireInside(table, ids);
                INDArray values = stored.apply(table.weight())
                        .getRows(ids.stream().mapToInt(Integer::intValue).toArray());
                chosen.add(new Rows(table, ids, TiedProducts.of(graph, table, layers), values.dup('c')));
            }
        }
        return chosen;
    }

    /** Virtual tokens with the embeddings that they start from. */
    private Rows prompt(AdapterConfig config, VirtualTokens prompt) {
        if (!config.whole().tokens().isEmpty()) {
            throw new InvalidInputException(
                    "the adapter `" + config.name()
                            + "` has virtual tokens and trains rows of embeddings; only one of both is possible in one adapter");
        }
        EmbeddingSite table = mainTable();
        List<Integer> start = prompt.start();
        requireInside(table, start);
        Random random = new Random(config.seed());
        int[] tokens = IntStream.range(0, prompt.count())
                .map(k -> start.isEmpty() ? random.nextInt(table.in()) : start.get(k % start.size()))
                .toArray();
        return prompt(table, stored.apply(table.weight()).getRows(tokens).dup('c'));
    }

    private static Rows prompt(EmbeddingSite table, INDArray values) {
        List<Integer> ids = Arrays.stream(VirtualTokens.ids(Math.toIntExact(values.size(0))))
                .boxed()
                .toList();
        return new Rows(table, ids, new TiedProducts(List.of(), List.of()), values);
    }

    /** Tells which of a saved adapter's tensors are rows or tables of embeddings. */
    boolean isTable(AdapterState.Whole whole) {
        return whole.isPrompt() || !whole.rows().isEmpty() || find(whole).isPresent();
    }

    private Optional<EmbeddingSite> find(AdapterState.Whole whole) {
        return tables().stream()
                .filter(table -> tensor(table).key().equals(whole.key()))
                .findFirst();
    }

    /** Returns a saved adapter's rows and tables. */
    List<Rows> restore(AdapterState state) {
        List<Rows> restored = new ArrayList<>();
        for (AdapterState.Whole whole : state.whole()) {
            if (isTable(whole)) {
                restored.add(restored(state, whole));
            }
        }
        restored.sort(Comparator.comparing(rows -> rows.table().module()));
        return restored;
    }

    private Rows restored(AdapterState state, AdapterState.Whole whole) {
        if (whole.isPrompt()) {
            return restoredPrompt(state, whole.tensor());
        }
        EmbeddingSite table = find(whole)
                .orElseThrow(() -> new InvalidInputException("the adapter `"
                        + state.config().name() + "` has trained rows of the embedding `" + whole.module()
                        + "`, which this graph does not have; it has "
                        + Names.some(
                                tables().stream().map(EmbeddingSite::module).toList())
                        + ". Load the base model the adapter was trained on"));
        INDArray base = stored.apply(table.weight());
        INDArray given = whole.tensor();
        long rows = whole.rows().isEmpty() ? table.in() : whole.rows().size();
        if (given.rank() != 2 || given.size(0) != rows || given.size(1) != table.out()) {
            throw new InvalidInputException("the adapter `" + state.config().name() + "` holds "
                    + (whole.rows().isEmpty() ? "the table" : "rows") + " of the embedding `" + table.module() + "` as "
                    + Arrays.toString(given.shape()) + "; in this graph that is [" + rows + ", " + table.out()
                    + "]. Load the base model the adapter was trained on, with a vocabulary of as many tokens: of an"
                    + " imported model that is what ImportedModel.resizedFor(adapter) returns, of a graph of your own"
                    + " task.ResizedVocabulary");
        }
        INDArray values = given.castTo(base.dataType()).dup('c');
        if (whole.rows().isEmpty()) {
            return whole(table, values);
        }
        requireInside(table, whole.rows());
        return new Rows(table, whole.rows(), TiedProducts.of(graph, table, layers), values);
    }

    private Rows restoredPrompt(AdapterState state, INDArray given) {
        EmbeddingSite table = mainTable();
        if (given.rank() != 2 || given.size(0) < 1 || given.size(1) != table.out()) {
            throw new InvalidInputException("the adapter `" + state.config().name() + "` holds virtual tokens as "
                    + Arrays.toString(given.shape()) + "; the embedding `" + table.module()
                    + "` of this graph has rows of " + table.out()
                    + ". Load the base model the adapter was trained on");
        }
        return prompt(
                table, given.castTo(stored.apply(table.weight()).dataType()).dup('c'));
    }

    /** As in PEFT, a saved embedding is a copy of the module; where another layer reads the same array, it is not clear which is meant. */
    private static Rows whole(EmbeddingSite table, INDArray values) {
        if (!table.others().isEmpty()) {
            throw new InvalidInputException("`" + table.module() + ".weight` cannot be trained whole: the table of `"
                    + table.module() + "` is read by the op `"
                    + table.others().get(0)
                    + "` too (tied weights). Train the rows of some tokens, by withTrainableTokens, which a tied head sees too;"
                    + " give both a weight of its own in the model file; or put low-rank factors on the embedding");
        }
        return new Rows(table, List.of(), new TiedProducts(List.of(), List.of()), values);
    }

    static ModuleTensors.Tensor tensor(EmbeddingSite table) {
        return new ModuleTensors.Tensor(table.module() + ".weight", table.weight(), false);
    }

    private static void requireInside(EmbeddingSite table, List<Integer> ids) {
        for (int id : ids) {
            if (id >= table.in()) {
                throw new InvalidInputException("the trained token " + id + " is no row of the embedding `"
                        + table.module() + "`, which has the rows 0 to " + (table.in() - 1)
                        + "; for new tokens resize the vocabulary first: by ImportedModel.resizeTokenEmbeddings, or"
                        + " of a graph of your own by task.ResizedVocabulary");
            }
        }
    }

    private EmbeddingSite named(String module) {
        List<EmbeddingSite> found = tables().stream()
                .filter(table -> ModuleMatch.names(List.of(module)).matches(table.module()))
                .toList();
        if (found.size() != 1) {
            throw new InvalidInputException(
                    (found.isEmpty() ? "there is no embedding `" : "there are several embeddings `")
                            + module + "` of which rows could be trained; this graph has "
                            + Names.some(
                                    tables().stream().map(EmbeddingSite::module).toList())
                            + (found.isEmpty() ? "" : ". Give more of the path"));
        }
        return found.get(0);
    }

    private EmbeddingSite mainTable() {
        return TokenTables.only(
                graph, layers, "rows of tokens to train", "name one, by withTrainableTokens(module, tokens)");
    }
}
