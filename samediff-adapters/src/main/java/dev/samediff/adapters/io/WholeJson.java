package dev.samediff.adapters.io;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.WholeTensors;
import java.util.Arrays;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What an adapter trains whole, in its native form; nothing is written where there is nothing. */
final class WholeJson {
    static final String TENSORS = "whole_tensors";
    private static final String CHOICE = "whole";
    private static final String MODULES = "modules";

    private WholeJson() {}

    static void write(AdapterState state, ObjectNode json, Map<String, INDArray> tensors) {
        WholeTensors choice = state.config().whole();
        if (!choice.isEmpty()) {
            ObjectNode node = json.putObject(CHOICE);
            node.set(MODULES, TargetsJson.write(choice.modules()));
            node.put(PeftWhole.BIAS, choice.bias().text());
        }
        if (!state.whole().isEmpty()) {
            ArrayNode list = json.putArray(TENSORS);
            for (AdapterState.Whole whole : state.whole()) {
                tensors.put(tensor(whole.key()), whole.tensor());
                list.addObject().put("key", whole.key()).put("variable", whole.variable());
            }
        }
    }

    static WholeTensors read(JsonFile json) {
        return json.object(CHOICE)
                .map(choice -> new WholeTensors(TargetsJson.readMatch(choice, MODULES), bias(choice)))
                .orElse(WholeTensors.NONE);
    }

    /** Reads which biases were trained, in PEFT's words; none if nothing is said. */
    static WholeTensors.Bias bias(JsonFile json) {
        String text = json.optionalText(PeftWhole.BIAS).orElse(WholeTensors.Bias.NONE.text());
        return Arrays.stream(WholeTensors.Bias.values())
                .filter(bias -> bias.text().equals(text))
                .findFirst()
                .orElseThrow(() -> json.wrong(PeftWhole.BIAS, text, "none, all or lora_only"));
    }

    /** The name of a tensor in the file. */
    static String tensor(String key) {
        return "whole." + key;
    }
}
