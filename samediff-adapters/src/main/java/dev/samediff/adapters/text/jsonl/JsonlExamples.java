package dev.samediff.adapters.text.jsonl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Reads prompt/response or plain-text examples from a JSONL file, or from a table ({@code .csv}, {@code .tsv}) with the same names of columns.
 *
 * <p>The file is strict UTF-8 with one JSON object per line; a byte order mark, CRLF and blank lines are tolerated.
 * Without a given {@link JsonlLayout} the first usable line decides which of {@link JsonlLayout#KNOWN} the file has, and
 * all further lines must have it too. Lines are read one at a time.
 */
public final class JsonlExamples {
    private static final Set<String> CHAT = Set.of("messages", "conversations");

    private final @Nullable JsonlLayout given;
    private @Nullable JsonlLayout layout;

    private JsonlExamples(Optional<JsonlLayout> layout) {
        this.given = layout.orElse(null);
        this.layout = given;
    }

    /** All examples of {@code file}, in a recognised layout; a broken line is an {@code InvalidInputException}. */
    public static List<TextExample> read(Path file) {
        List<TextExample> examples = new ArrayList<>();
        read(file, Optional.empty(), BrokenLines.REFUSE, examples::add);
        return examples;
    }

    /** All examples of {@code file} in the given layout; a broken line is an {@code InvalidInputException}. */
    public static List<TextExample> read(Path file, JsonlLayout layout) {
        List<TextExample> examples = new ArrayList<>();
        read(file, Optional.of(layout), BrokenLines.REFUSE, examples::add);
        return examples;
    }

    /**
     * Hands the examples of {@code file} to {@code sink}, one by one.
     *
     * @param layout keys to read; empty to recognise them
     * @param broken what to do with a line that cannot be used
     * @return counts and the first problems
     * @throws dev.samediff.adapters.InvalidInputException naming file, line, what is wrong and the beginning of the line
     */
    public static JsonlReport read(
            Path file, Optional<JsonlLayout> layout, BrokenLines broken, Consumer<TextExample> sink) {
        JsonlExamples reader = new JsonlExamples(layout);
        return ExampleRows.read(file, broken, object -> sink.accept(reader.example(object)));
    }

    private TextExample example(ObjectNode object) throws BrokenLine {
        JsonlLayout keys = layoutOf(object);
        StringBuilder prompt = new StringBuilder();
        if (keys.prompt().isPresent()) {
            prompt.append(JsonlLines.string(object, keys.prompt().get()));
        }
        if (keys.input().isPresent()) {
            JsonNode input = object.get(keys.input().get());
            if (input != null && !input.isNull()) {
                String text = JsonlLines.string(object, keys.input().get());
                prompt.append(text.isBlank() ? "" : "\n" + text);
            }
        }
        String response = JsonlLines.string(object, keys.response());
        if (response.isEmpty()) {
            throw new BrokenLine("`" + keys.response() + "` is empty: there is nothing to learn");
        }
        if (keys.prompt().isPresent() && prompt.isEmpty()) {
            throw new BrokenLine("`" + keys.prompt().get() + "` is empty; plain text goes under the key `text`");
        }
        layout = keys;
        return new TextExample(prompt.toString(), response);
    }

    private JsonlLayout layoutOf(ObjectNode object) throws BrokenLine {
        if (layout != null) {
            return layout;
        }
        Set<String> keys = JsonlLines.keys(object);
        Optional<JsonlLayout> known = JsonlLayout.recognise(keys);
        if (known.isPresent()) {
            return known.get();
        }
        if (keys.stream().anyMatch(CHAT::contains)) {
            throw new BrokenLine(
                    "is a conversation, which needs a chat template (ChatRows, ChatExamples; --chat-template); or"
                            + " write each turn as {\"prompt\": ..., \"response\": ...}");
        }
        throw new BrokenLine("has the keys " + keys + ", none of the known pairs (" + JsonlLayout.knownKeys()
                + "); rename them, or read them in Java by a JsonlLayout of your own");
    }
}
