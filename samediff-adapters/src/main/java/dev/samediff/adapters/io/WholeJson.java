package dev.samediff.adapters.io;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.VirtualTokens;
import dev.samediff.adapters.WholeTensors;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What an adapter trains whole, in its native form; nothing is written where there is nothing. */
final class WholeJson {
    static final String TENSORS = "whole_tensors";
    private static final String CHOICE = "whole";
    private static final String MODULES = "modules";
    static final String ROWS = "rows";
    private static final String PROMPT = "prompt";
    private static final String COUNT = "count";
    private static final String START = "start";

    private WholeJson() {}

    static void write(AdapterState state, ObjectNode json, Map<String, INDArray> tensors) {
        WholeTensors choice = state.config().whole();
        if (!choice.isEmpty()) {
            ObjectNode node = json.putObject(CHOICE);
            node.set(MODULES, TargetsJson.write(choice.modules()));
            if (!choice.tokens().isEmpty()) {
                ObjectNode tokens = node.putObject(ROWS);
                choice.tokens().forEach((module, ids) -> ids.forEach(tokens.putArray(module)::add));
            }
            node.put(PeftWhole.BIAS, choice.bias().text());
            choice.prompt().ifPresent(prompt -> {
                ObjectNode virtual = node.putObject(PROMPT).put(COUNT, prompt.count());
                prompt.start().forEach(virtual.putArray(START)::add);
            });
        }
        if (!state.whole().isEmpty()) {
            ArrayNode list = json.putArray(TENSORS);
            for (AdapterState.Whole whole : state.whole()) {
                tensors.put(tensor(whole.key()), whole.tensor());
                ObjectNode entry = list.addObject().put("key", whole.key()).put("variable", whole.variable());
                if (!whole.rows().isEmpty()) {
                    whole.rows().forEach(entry.putArray(ROWS)::add);
                }
            }
        }
    }

    static WholeTensors read(JsonFile json) {
        return json.object(CHOICE)
                .map(choice -> new WholeTensors(
                        TargetsJson.readMatch(choice, MODULES),
                        bias(choice),
                        rows(choice),
                        choice.object(PROMPT)
                                .map(prompt -> new VirtualTokens(prompt.count(COUNT), prompt.counts(START)))))
                .orElse(WholeTensors.NONE);
    }

    private static Map<String, List<Integer>> rows(JsonFile choice) {
        Map<String, List<Integer>> rows = new LinkedHashMap<>();
        choice.object(ROWS)
                .ifPresent(lists ->
                        lists.node().fieldNames().forEachRemaining(module -> rows.put(module, lists.counts(module))));
        return rows;
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
