package dev.samediff.adapters.io;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.WholeTensors;
import dev.samediff.adapters.graph.ModuleMatch;
import dev.samediff.adapters.graph.ModuleTensors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Tensors that are trained whole, in PEFT's files. There a saved module's tensors have the names they have in the model, without
 * the adapter's; what lies in a module that has low-rank factors, which PEFT wraps, is {@code <module>.base_layer.<parameter>}.
 * {@code modules_to_save} lists full module paths, which PEFT's rule, the end of a path, finds again.
 */
final class PeftWhole {
    static final String MODULES = "modules_to_save";
    static final String BIAS = "bias";
    static final String TOKENS = "trainable_token_indices";

    private static final String WEIGHT = ".weight";
    /** Parts of the names of tensors that belong to something else. */
    private static final List<String> OF_OTHERS =
            List.of(".lora_", ".base_layer.", ".modules_to_save.", ".token_adapter.", ".original_module.");

    private static final String WRAPPED = ".base_layer.";
    /** Early versions of PEFT left the name of the wrapping module in. */
    private static final String WRAPPER = ".modules_to_save.";
    /** Rows of a table, as they are and not what was added to them, whatever the name says. */
    private static final String ROWS = ".token_adapter.trainable_tokens_delta";

    private PeftWhole() {}

    /** Returns an adapter's tensors by their names in the file. */
    static Map<String, INDArray> tensors(AdapterState state) {
        Collection<String> adapted = adapted(state);
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        for (AdapterState.Whole whole : state.whole()) {
            String key = name(whole, adapted.contains(whole.module()));
            PeftForm.requireFinite(whole.tensor(), whole.key());
            tensors.put(PeftForm.PREFIX + key, whole.tensor());
        }
        return tensors;
    }

    private static String name(AdapterState.Whole whole, boolean wrapped) {
        if (!whole.rows().isEmpty()) {
            return whole.module() + ROWS;
        }
        return wrapped
                ? whole.module()
                        + WRAPPED
                        + whole.key().substring(whole.module().length() + 1)
                : whole.key();
    }

    /** Writes which rows of which embeddings were trained, by full module paths. */
    static void writeTokens(AdapterState state, ObjectNode config) {
        List<AdapterState.Whole> rows =
                state.whole().stream().filter(whole -> !whole.rows().isEmpty()).toList();
        if (!rows.isEmpty()) {
            ObjectNode tokens = config.putObject(TOKENS);
            rows.forEach(whole -> whole.rows().forEach(tokens.putArray(whole.module())::add));
        }
    }

    private static Collection<String> adapted(AdapterState state) {
        return state.sites().stream().map(AdapterState.Site::module).collect(Collectors.toSet());
    }

    /** Returns the modules that PEFT must wrap to find the tensors again; biases that it knows by another option are not among them. */
    static List<String> modules(AdapterState state) {
        Collection<String> adapted = adapted(state);
        Optional<ModuleMatch> choice = state.config().whole().modules();
        TreeSet<String> modules = new TreeSet<>();
        for (AdapterState.Whole whole : state.whole()) {
            if (!whole.rows().isEmpty()) {
                continue;
            }
            ModuleTensors.Tensor tensor = new ModuleTensors.Tensor(whole.key(), whole.variable(), false);
            choice.flatMap(tensor::chosenBy)
                    .filter(module -> !adapted.contains(module))
                    .ifPresent(modules::add);
        }
        return List.copyOf(modules);
    }

    /**
     * Reads which tensors a configuration of PEFT means, and which it does not name: the embeddings of a model whose vocabulary was
     * resized, input and output, which PEFT saves whole along with any adapter ({@code save_embedding_layers}).
     *
     * @param tensors the file's tensors
     */
    static WholeTensors choice(JsonFile config, Map<String, INDArray> tensors) {
        List<String> modules = new ArrayList<>(isSet(config.raw(MODULES)) ? config.texts(MODULES) : List.of());
        for (Map.Entry<String, INDArray> tensor : tensors.entrySet()) {
            String name = tensor.getKey();
            String path = name.startsWith(PeftForm.PREFIX) ? name.substring(PeftForm.PREFIX.length()) : "";
            if (path.endsWith(WEIGHT)
                    && tensor.getValue().rank() == 2
                    && OF_OTHERS.stream().noneMatch(path::contains)
                    && !ModuleMatch.names(modules.isEmpty() ? List.of(".") : modules)
                            .matches(path.substring(0, path.length() - WEIGHT.length()))) {
                modules.add(path.substring(0, path.length() - WEIGHT.length()));
            }
        }
        WholeTensors.Bias bias = WholeJson.bias(config);
        return new WholeTensors(
                modules.isEmpty() ? Optional.empty() : Optional.of(ModuleMatch.names(modules)), bias, tokens(config));
    }

    /** Reads which rows are trained: PEFT takes a list for the model's token embedding, or lists by module. */
    static Map<String, List<Integer>> tokens(JsonFile config) {
        JsonNode value = config.raw(TOKENS);
        if (value == null || (value.isContainerNode() && value.isEmpty())) {
            return Map.of();
        }
        if (value.isArray()) {
            return Map.of(WholeTensors.MAIN_TABLE, config.counts(TOKENS));
        }
        JsonFile lists = config.requiredObject(TOKENS);
        Map<String, List<Integer>> tokens = new LinkedHashMap<>();
        lists.node().fieldNames().forEachRemaining(module -> tokens.put(module, lists.counts(module)));
        return tokens;
    }

    private static boolean isSet(@Nullable JsonNode value) {
        return value != null && !value.isNull();
    }

    /**
     * Returns the name in PyTorch of a tensor of the file that is trained whole.
     *
     * @param name the name in the file
     * @param choice what the configuration means
     * @return nothing if it means no such tensor
     */
    static Optional<String> key(String name, WholeTensors choice) {
        if (!name.startsWith(PeftForm.PREFIX) || choice.isEmpty()) {
            return Optional.empty();
        }
        if (name.endsWith(ROWS)) {
            return choice.tokens().isEmpty()
                    ? Optional.empty()
                    : Optional.of(name.substring(PeftForm.PREFIX.length(), name.length() - ROWS.length()) + ".weight");
        }
        String key = name.substring(PeftForm.PREFIX.length()).replace(WRAPPER, ".");
        ModuleTensors.Tensor tensor = new ModuleTensors.Tensor(key.replace(WRAPPED, "."), "", false);
        boolean bias = choice.bias() != WholeTensors.Bias.NONE && tensor.isBias();
        boolean module = !key.contains(WRAPPED)
                && choice.modules().flatMap(tensor::chosenBy).isPresent();
        return bias || module ? Optional.of(tensor.key()) : Optional.empty();
    }

    /** What was trained must be there; PEFT's conversion of PiSSA and OLoRA to LoRA loses it. */
    private static void requireThere(Map<String, INDArray> tensors, WholeTensors choice, Path file) {
        List<WholeTensors> parts = List.of(
                new WholeTensors(choice.modules(), WholeTensors.Bias.NONE),
                new WholeTensors(Optional.empty(), choice.bias()),
                new WholeTensors(Optional.empty(), WholeTensors.Bias.NONE, choice.tokens()));
        for (WholeTensors part : parts) {
            if (!part.isEmpty()
                    && tensors.keySet().stream()
                            .allMatch(name -> key(name, part).isEmpty())) {
                throw new InvalidInputException(
                        "the configuration beside " + file + " says "
                                + said(part)
                                + ", and the file has no tensor of them; save the adapter again, without converting it in PEFT");
            }
        }
    }

    private static String said(WholeTensors part) {
        String others = part.tokens().isEmpty() ? BIAS + " `" + part.bias().text() + "`" : TOKENS + " " + part.tokens();
        return part.modules().map(modules -> MODULES + " " + modules.names()).orElse(others);
    }

    /** The rows of an embedding by the list that means it; of a tied head, whose rows are not saved, there is no tensor. */
    private static List<Integer> rows(String module, INDArray tensor, WholeTensors choice, Path file) {
        List<List<Integer>> lists = choice.tokens().entrySet().stream()
                .filter(entry -> entry.getKey().equals(WholeTensors.MAIN_TABLE)
                        || ModuleMatch.names(List.of(entry.getKey())).matches(module))
                .map(Map.Entry::getValue)
                .toList();
        if (lists.size() != 1
                || tensor.rank() != 2
                || tensor.size(0) != lists.get(0).size()) {
            throw new InvalidInputException("the trained rows of `" + module + "` in " + file + " are "
                    + Arrays.toString(tensor.shape()) + ", and " + TOKENS + " beside it says " + choice.tokens()
                    + "; expected one list that means this module, with a token for each row: both files must come from one"
                    + " training");
        }
        return lists.get(0);
    }

    /**
     * Returns the tensors of a file that are trained whole.
     *
     * @throws InvalidInputException if there are none where the configuration says so
     */
    static List<AdapterState.Whole> read(Map<String, INDArray> tensors, WholeTensors choice, Path file) {
        requireThere(tensors, choice, file);
        List<AdapterState.Whole> whole = new ArrayList<>();
        tensors.forEach((name, tensor) -> key(name, choice).ifPresent(key -> {
            if (tensor.isEmpty() || !tensor.dataType().isFPType()) {
                throw new InvalidInputException("the tensor `" + name + "` is " + tensor.dataType()
                        + Arrays.toString(tensor.shape()) + "; expected floating-point numbers");
            }
            INDArray values = Nd4j.createUninitialized(DataType.FLOAT, tensor.shape(), 'c');
            String module = key.substring(0, key.lastIndexOf('.') < 0 ? key.length() : key.lastIndexOf('.'));
            List<Integer> rows = name.endsWith(ROWS) ? rows(module, tensor, choice, file) : List.of();
            whole.add(new AdapterState.Whole(key, key, rows, values.assign(tensor)));
        }));
        return whole;
    }
}
