package dev.samediff.adapters.io;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.BaseHash;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.VirtualTokens;
import dev.samediff.adapters.WholeTensors;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Virtual tokens in PEFT's files ({@code peft_type} PROMPT_TUNING): one tensor {@code prompt_embeddings [n,D]}, and in the configuration
 * {@code num_virtual_tokens} and {@code token_dim}. What it asks of the base model's configuration is null, and PEFT looks it up. A
 * folder of PEFT does not say from which tokens they started as ids, but as text, which is left alone.
 */
final class PeftPrompt {
    static final String TYPE = "PROMPT_TUNING";
    private static final String COUNT = "num_virtual_tokens";
    private static final String WIDTH = "token_dim";
    private static final String SUBMODULES = "num_transformer_submodules";

    private PeftPrompt() {}

    /** Whether an adapter has virtual tokens. */
    static boolean isIn(AdapterState state) {
        return state.whole().stream().anyMatch(AdapterState.Whole::isPrompt);
    }

    /** Whether an adapter is virtual tokens and nothing else. */
    static boolean expresses(AdapterState state) {
        return isIn(state) && state.sites().isEmpty() && state.whole().size() == 1;
    }

    /**
     * Returns the form of an adapter.
     *
     * @throws InvalidInputException if it is more than virtual tokens, which PEFT has no form for
     */
    static PeftForm of(AdapterState state, AdapterFolder.Description description) {
        if (!expresses(state)) {
            throw new InvalidInputException(
                    "the adapter `" + state.config().name()
                            + "` has virtual tokens and trains other tensors, which PEFT has no form for; its own form keeps both");
        }
        INDArray rows = state.whole().get(0).tensor();
        PeftForm.requireFinite(rows, AdapterState.Whole.PROMPT);
        ObjectNode config = JsonNodeFactory.instance.objectNode(); // in the alphabet's order, as PEFT writes it
        config.putNull("auto_mapping");
        config.put(PeftForm.BASE_MODEL, description.baseModel().orElse(null));
        config.put("inference_mode", true);
        config.putNull("num_attention_heads");
        config.putNull("num_layers");
        config.put(SUBMODULES, 1);
        config.put(COUNT, rows.size(0));
        config.put("peft_type", TYPE);
        config.put("prompt_tuning_init", "RANDOM");
        config.putNull("prompt_tuning_init_text");
        config.putNull("revision");
        config.put(PeftForm.TASK, description.taskType().orElse(null));
        config.put(WIDTH, rows.size(1));
        config.putNull("tokenizer_kwargs");
        config.putNull("tokenizer_name_or_path");
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        tensors.put(AdapterState.Whole.PROMPT, rows);
        return new PeftForm(config, tensors);
    }

    /** Reads an adapter from a configuration of this type and its tensors. */
    static AdapterState read(JsonFile config, Map<String, INDArray> tensors, String name, Path file) {
        int count = config.count(COUNT);
        if (config.has(SUBMODULES) && config.count(SUBMODULES) != 1) {
            throw config.wrong(
                    SUBMODULES,
                    config.count(SUBMODULES),
                    "1: virtual tokens in front of an encoder and of its decoder are not there yet");
        }
        INDArray rows = tensors.get(AdapterState.Whole.PROMPT);
        if (rows == null
                || tensors.size() != 1
                || rows.rank() != 2
                || rows.size(0) != count
                || (config.has(WIDTH) && rows.size(1) != config.count(WIDTH))
                || !rows.dataType().isFPType()) {
            Map<String, String> found = new LinkedHashMap<>();
            tensors.forEach((key, tensor) -> found.put(key, tensor.dataType() + Arrays.toString(tensor.shape())));
            throw new InvalidInputException(file + " has " + found + "; expected `" + AdapterState.Whole.PROMPT
                    + "` with a row for each of the " + count + " " + COUNT + " beside it, and nothing else: both files"
                    + " must come from one training");
        }
        INDArray values =
                Nd4j.createUninitialized(DataType.FLOAT, rows.shape(), 'c').assign(rows);
        AdapterConfig adapter = AdapterConfig.ofWhole(WholeTensors.NONE.withPrompt(VirtualTokens.of(count)))
                .withName(name);
        AdapterState.Whole prompt =
                new AdapterState.Whole(AdapterState.Whole.PROMPT, AdapterState.Whole.PROMPT, List.of(), values);
        return new AdapterState(adapter, List.of(), List.of(prompt), BaseHash.of(Map.of()));
    }
}
