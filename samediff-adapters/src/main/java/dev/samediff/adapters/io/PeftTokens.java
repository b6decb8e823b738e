package dev.samediff.adapters.io;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.BaseHash;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.WholeTensors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Rows of embeddings that are trained alone, in PEFT's files ({@code peft_type} TRAINABLE_TOKENS): {@code
 * <module>.trainable_tokens_delta [tokens,width]} are the rows as they are now, whatever the name says, in the order of {@code
 * token_indices}, which is one list for all modules.
 */
final class PeftTokens {
    static final String TYPE = "TRAINABLE_TOKENS";
    private static final String INDICES = "token_indices";
    private static final String ROWS = ".trainable_tokens_delta";

    private PeftTokens() {}

    /** Whether an adapter is rows of embeddings and nothing else, the same of each. */
    static boolean expresses(AdapterState state) {
        return state.sites().isEmpty()
                && state.whole().stream()
                        .allMatch(whole -> !whole.rows().isEmpty()
                                && whole.rows().equals(state.whole().get(0).rows()));
    }

    /** Returns the form of an adapter that {@link #expresses}. */
    static PeftForm of(AdapterState state, AdapterFolder.Description description) {
        Map<String, INDArray> tensors = new LinkedHashMap<>();
        ObjectNode config = JsonNodeFactory.instance.objectNode(); // in the alphabet's order, as PEFT writes it
        config.putNull("auto_mapping");
        config.put(PeftForm.BASE_MODEL, description.baseModel().orElse(null));
        config.put("inference_mode", true);
        config.put("init_weights", true);
        config.put("peft_type", TYPE);
        config.putNull("revision");
        for (AdapterState.Whole whole : state.whole()) {
            PeftForm.requireFinite(whole.tensor(), whole.key());
            tensors.put(PeftForm.PREFIX + whole.module() + ROWS, whole.tensor());
            config.withArray("target_modules").add(whole.module());
        }
        config.put(PeftForm.TASK, description.taskType().orElse(null));
        state.whole().get(0).rows().forEach(config.putArray(INDICES)::add);
        return new PeftForm(config, tensors);
    }

    /** Reads an adapter from a configuration of this type and its tensors. */
    static AdapterState read(JsonFile config, Map<String, INDArray> tensors, String name, Path file) {
        List<Integer> ids = config.counts(INDICES);
        WholeTensors choice = WholeTensors.NONE;
        List<AdapterState.Whole> whole = new ArrayList<>();
        for (Map.Entry<String, INDArray> tensor : tensors.entrySet()) {
            String key = tensor.getKey();
            INDArray rows = tensor.getValue();
            boolean named = key.startsWith(PeftForm.PREFIX)
                    && key.endsWith(ROWS)
                    && key.length() > PeftForm.PREFIX.length() + ROWS.length();
            if (!named
                    || rows.rank() != 2
                    || rows.size(0) != ids.size()
                    || !rows.dataType().isFPType()) {
                throw new InvalidInputException("the tensor `" + key + "` in " + file + " is " + rows.dataType()
                        + Arrays.toString(rows.shape()) + "; expected " + PeftForm.PREFIX + "<module path>" + ROWS
                        + " with a row for each of the " + ids.size() + " " + INDICES
                        + " beside it: both files must come from"
                        + " one training");
            }
            String module = key.substring(PeftForm.PREFIX.length(), key.length() - ROWS.length());
            choice = choice.withTokens(module, ids);
            INDArray values = Nd4j.createUninitialized(DataType.FLOAT, rows.shape(), 'c');
            whole.add(new AdapterState.Whole(module + ".weight", module + ".weight", ids, values.assign(rows)));
        }
        if (whole.isEmpty()) {
            throw new InvalidInputException(file + " holds no tensors; save the adapter again");
        }
        AdapterConfig adapter = AdapterConfig.ofWhole(choice).withName(name);
        return new AdapterState(adapter, List.of(), whole, BaseHash.of(Map.of()));
    }
}
