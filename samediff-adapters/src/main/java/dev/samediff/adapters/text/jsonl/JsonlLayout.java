package dev.samediff.adapters.text.jsonl;

import dev.samediff.adapters.InvalidInputException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Which keys of a JSONL line hold the example.
 *
 * @param prompt key of the prompt; absent for plain text
 * @param input key of further input, appended to the prompt on a new line when it is there and not blank (Alpaca's
 *     {@code input}); absent if there is no such key
 * @param response key of the response, or of the plain text
 */
public record JsonlLayout(Optional<String> prompt, Optional<String> input, String response) {
    /** The layouts that are recognised by themselves; the first whose required keys a line has is taken. */
    public static final List<JsonlLayout> KNOWN = List.of(
            pair("prompt", "response"),
            pair("prompt", "completion"),
            pair("instruction", "output").withInput("input"),
            pair("instruction", "response").withInput("context"),
            pair("question", "answer"),
            pair("problem", "solution"),
            pair("query", "response"),
            text("text"));

    public JsonlLayout {
        if (response.isEmpty() || prompt.filter(response::equals).isPresent()) {
            throw new InvalidInputException("the response key `" + response
                    + "` must be a name and differ from the prompt key; give the keys as they stand in the file");
        }
    }

    /** Prompt and response under these keys. */
    public static JsonlLayout pair(String promptKey, String responseKey) {
        return new JsonlLayout(Optional.of(promptKey), Optional.empty(), responseKey);
    }

    /** Plain text under this key. */
    public static JsonlLayout text(String key) {
        return new JsonlLayout(Optional.empty(), Optional.empty(), key);
    }

    /** The same with further input under this key. */
    public JsonlLayout withInput(String inputKey) {
        return new JsonlLayout(prompt, Optional.of(inputKey), response);
    }

    /** The layout of a line with these keys, if it is a known one. */
    public static Optional<JsonlLayout> recognise(Set<String> keys) {
        return KNOWN.stream()
                .filter(layout -> keys.contains(layout.response)
                        && layout.prompt.map(keys::contains).orElse(true))
                .findFirst();
    }

    static String knownKeys() {
        return KNOWN.stream().map(JsonlLayout::describe).collect(Collectors.joining(", "));
    }

    /** The keys in a few characters, such as {@code question/answer}. */
    public String describe() {
        return prompt.map(key -> key + "/").orElse("") + response;
    }
}
