package dev.samediff.adapters;

import dev.samediff.adapters.graph.ModuleMatch;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Which tensors of a graph an adapter trains whole, beside its low-rank factors: PEFT's {@code modules_to_save}, {@code bias} and
 * {@code trainable_token_indices}. Each adapter has copies of its own of them, which act in place of the caller's arrays while
 * the adapter does.
 *
 * @param modules modules whose weights, biases and other tensors are all trained, with everything below them; by PEFT's names,
 *     by a regular expression, or by the full name of one tensor
 * @param bias which biases are trained
 * @param tokens rows of embedding tables that are trained, by the module's path or the end of it; {@link #MAIN_TABLE} means the
 *     table that {@code input_ids} looks up, or else the one with the most rows
 * @param prompt virtual tokens in front of every text, if there are any
 */
public record WholeTensors(
        Optional<ModuleMatch> modules, Bias bias, Map<String, List<Integer>> tokens, Optional<VirtualTokens> prompt) {
    /** Stands for the table that the model looks its tokens up in. */
    public static final String MAIN_TABLE = "";

    /** No tensor is trained whole. */
    public static final WholeTensors NONE = new WholeTensors(Optional.empty(), Bias.NONE);

    /** Which biases are trained, in PEFT's words. */
    public enum Bias {
        /** None. */
        NONE,
        /** Every bias of the graph, those of normalisation layers too. */
        ALL,
        /** The biases of the layers that have low-rank factors. */
        LORA_ONLY;

        /** Returns PEFT's word. */
        public String text() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public WholeTensors {
        Map<String, List<Integer>> copy = new TreeMap<>();
        tokens.forEach((module, ids) -> copy.put(module, checked(module, ids)));
        tokens = Collections.unmodifiableMap(copy);
    }

    /** Describes tensors without virtual tokens. */
    public WholeTensors(Optional<ModuleMatch> modules, Bias bias, Map<String, List<Integer>> tokens) {
        this(modules, bias, tokens, Optional.empty());
    }

    /** Describes tensors without rows of tables. */
    public WholeTensors(Optional<ModuleMatch> modules, Bias bias) {
        this(modules, bias, Map.of());
    }

    private static List<Integer> checked(String module, List<Integer> ids) {
        String where = module.equals(MAIN_TABLE) ? "" : " of `" + module + "`";
        if (ids.isEmpty()) {
            throw new InvalidInputException(
                    "the list of trained tokens" + where + " is empty; name at least one, or leave it out");
        }
        for (int id : ids) {
            if (id < 0 || ids.indexOf(id) != ids.lastIndexOf(id)) {
                throw new InvalidInputException("the trained token " + id + where + " is "
                        + (id < 0 ? "below zero; tokens are rows of the table, from 0" : "named twice; name it once"));
            }
        }
        return List.copyOf(ids);
    }

    /** Returns whether nothing is trained whole. */
    public boolean isEmpty() {
        return modules.isEmpty() && bias == Bias.NONE && tokens.isEmpty() && prompt.isEmpty();
    }

    /** Returns this with other modules. */
    public WholeTensors withModules(ModuleMatch newModules) {
        return new WholeTensors(Optional.of(newModules), bias, tokens, prompt);
    }

    /** Returns this with other biases. */
    public WholeTensors withBias(Bias newBias) {
        return new WholeTensors(modules, newBias, tokens, prompt);
    }

    /** Returns this with trained rows of one more table, or other ones of the same. */
    public WholeTensors withTokens(String module, List<Integer> ids) {
        Map<String, List<Integer>> more = new TreeMap<>(tokens);
        more.put(module, ids);
        return new WholeTensors(modules, bias, more, prompt);
    }

    /** Returns this with virtual tokens in front of every text. */
    public WholeTensors withPrompt(VirtualTokens virtual) {
        return new WholeTensors(modules, bias, tokens, Optional.of(virtual));
    }
}
