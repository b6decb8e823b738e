package dev.samediff.adapters.io;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The keys of a PEFT configuration that decide what a LoRA computes, in one spelling: absent, null, false, empty and PEFT's default
 * are the same, 16 and 16.0 too, and sets have no order. So a file that PEFT saved again is the same, one with another
 * {@code lora_alpha} is not.
 */
final class DecidingKeys {
    private static final List<String> KEYS = List.of(
            "peft_type",
            "r",
            PeftAdaLora.FIRST_RANK,
            "lora_alpha",
            "use_dora",
            "lora_bias",
            "use_rslora",
            "rank_pattern",
            "alpha_pattern",
            "bias",
            "modules_to_save",
            "trainable_token_indices",
            "token_indices",
            "target_modules",
            PeftIa3.FEEDFORWARD,
            PeftExperts.PARAMETERS,
            "exclude_modules",
            "layers_to_transform",
            "layers_pattern",
            "init_lora_weights");

    private static final Set<String> ORDERED = Set.of(PeftWhole.TOKENS, "token_indices");

    private DecidingKeys() {}

    /** Returns the deciding keys of a configuration. */
    static ObjectNode of(JsonNode config) {
        ObjectNode deciding = JsonNodeFactory.instance.objectNode();
        List<String> keys = new ArrayList<>(KEYS);
        keys.addAll(PeftReader.UNSUPPORTED);
        for (String key : keys) {
            JsonNode value = config.path(key);
            if (!isDefault(key, value)) {
                deciding.set(key, ORDERED.contains(key) ? value : canonical(value)); // rows are in the tokens' order
            }
        }
        return deciding;
    }

    /** Says which key differs and how, for a sentence; nothing if none does. */
    static Optional<String> difference(ObjectNode before, ObjectNode now) {
        TreeSet<String> keys = new TreeSet<>();
        before.fieldNames().forEachRemaining(keys::add);
        now.fieldNames().forEachRemaining(keys::add);
        return keys.stream()
                .filter(key -> !before.path(key).equals(now.path(key)))
                .findFirst()
                .map(key -> "`" + key + "` is " + text(now, key) + " and was " + text(before, key));
    }

    private static String text(ObjectNode config, String key) {
        return config.has(key) ? JsonFile.shown(config.get(key)) : "not set";
    }

    private static boolean isDefault(String key, JsonNode value) {
        return value.isMissingNode()
                || value.isNull()
                || (value.isBoolean() && value.booleanValue() == key.equals("init_lora_weights"))
                || (value.isContainerNode() && value.isEmpty())
                || (key.equals("bias") && value.asText().equals("none"));
    }

    private static JsonNode canonical(JsonNode value) {
        JsonNodeFactory nodes = JsonNodeFactory.instance;
        if (value.isNumber() && Double.isFinite(value.doubleValue())) {
            BigDecimal number = value.decimalValue().stripTrailingZeros();
            return nodes.textNode(number.toString());
        }
        if (value.isArray()) {
            TreeMap<String, JsonNode> sorted = new TreeMap<>();
            value.forEach(item -> sorted.put(item.toString(), canonical(item)));
            return nodes.arrayNode().addAll(sorted.values());
        }
        if (value.isObject()) {
            TreeMap<String, JsonNode> sorted = new TreeMap<>();
            value.properties().forEach(field -> sorted.put(field.getKey(), canonical(field.getValue())));
            return nodes.objectNode().setAll(sorted);
        }
        return value;
    }
}
