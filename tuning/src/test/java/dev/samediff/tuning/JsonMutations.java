package dev.samediff.tuning;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ContainerNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Changes JSON texts at random: a value in the place of another, a key more, less or twice, a character anywhere. */
public final class JsonMutations {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> VALUES = List.of(
            "null",
            "true",
            "-1",
            "0",
            "2.5",
            "1e400",
            "-1e-400",
            "9223372036854775808",
            "2147483648",
            "-2147483648",
            "\"\"",
            "\"sorsa\"",
            "\"\\n\\u0000\"",
            "\"" + "x".repeat(3000) + "\"",
            "[]",
            "[null]",
            "[1]",
            "[1,2]",
            "[2,1]",
            "[1,1]",
            "[[1,2]]",
            "{}",
            "{\"a\":1,\"b\":2}",
            "{\"choice\":[1]}",
            "{\"uniform\":[1,2]}",
            "{\"when\":{\"method\":null}}",
            "[".repeat(1200) + "]".repeat(1200));
    private static final String CHARACTERS = "{}[]\",:\\0-.e \n\u0000\u00e9\ufeff";

    private JsonMutations() {}

    /** Returns a changed text; it may still be right. */
    public static String of(String json, Random random) {
        try {
            String text = json;
            int changes = 1 + random.nextInt(2);
            for (int i = 0; i < changes; i++) {
                text = random.nextInt(4) == 0 ? characters(text, random) : structure(text, random);
            }
            return text;
        } catch (IOException e) { // the first change left no JSON
            return characters(json, random);
        }
    }

    private static String characters(String text, Random random) {
        StringBuilder changed = new StringBuilder(text);
        int place = random.nextInt(Math.max(1, text.length()));
        char other = CHARACTERS.charAt(random.nextInt(CHARACTERS.length()));
        switch (random.nextInt(4)) {
            case 0 -> changed.insert(place, other);
            case 1 -> changed.replace(place, Math.min(place + 1, text.length()), String.valueOf(other));
            case 2 -> changed.delete(place, Math.min(text.length(), place + 1 + random.nextInt(4)));
            default -> changed.setLength(place);
        }
        return changed.toString();
    }

    private static String structure(String text, Random random) throws IOException {
        JsonNode root = JSON.readTree(text);
        List<ContainerNode<?>> containers = new ArrayList<>();
        collect(root, containers);
        if (containers.isEmpty()) {
            return VALUES.get(random.nextInt(VALUES.size()));
        }
        ContainerNode<?> container = containers.get(random.nextInt(containers.size()));
        JsonNode mark = JSON.getNodeFactory().textNode("@");
        String value = VALUES.get(random.nextInt(VALUES.size()));
        if (container instanceof ArrayNode array) {
            if (array.isEmpty() || random.nextInt(3) == 0) {
                array.add(mark);
            } else if (random.nextInt(4) == 0) {
                array.remove(random.nextInt(array.size()));
            } else {
                array.set(random.nextInt(array.size()), mark);
            }
            return root.toString().replaceFirst("\"@\"", quoted(value));
        }
        return object((ObjectNode) container, root, mark, value, random);
    }

    private static String object(ObjectNode object, JsonNode root, JsonNode mark, String value, Random random) {
        List<String> keys = new ArrayList<>();
        object.fieldNames().forEachRemaining(keys::add);
        String key = keys.isEmpty() ? "rank" : keys.get(random.nextInt(keys.size()));
        switch (random.nextInt(5)) {
            case 0 -> object.remove(key);
            case 1 -> { // the key twice
                JsonNode old = object.path(key);
                object.set(key, mark);
                String twice = (old.isMissingNode() ? "1" : old.toString()) + ",\"" + key + "\":" + value;
                return root.toString().replaceFirst("\"@\"", quoted(twice));
            }
            case 2 -> object.set(List.of("", "whn", "rank", "a\nb", "eta").get(random.nextInt(5)), mark);
            default -> object.set(key, mark);
        }
        return root.toString().replaceFirst("\"@\"", quoted(value));
    }

    private static String quoted(String value) {
        return java.util.regex.Matcher.quoteReplacement(value);
    }

    private static void collect(JsonNode node, List<ContainerNode<?>> into) {
        if (node instanceof ContainerNode<?> container) {
            into.add(container);
            container.forEach(child -> collect(child, into));
        }
    }
}
