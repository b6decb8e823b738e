package dev.samediff.adapters.text.batch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.chat.ChatTemplate;
import dev.samediff.adapters.text.tokenizer.Framing;
import dev.samediff.adapters.text.tokenizer.JsonFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * How the texts of a training became tokens, kept in a file beside the adapter ({@value #FILE}; PEFT ignores it), so that who uses the adapter
 * makes the same of a prompt:
 *
 * <pre>{"format": 1, "before": [{"id": 263, "token": "&lt;s&gt;"}], "template": "Question: {prompt}",
 *  "chat": {"template": "...", "tokens": {"bos_token": "&lt;s&gt;"}}}</pre>
 *
 * @param before tokens that every text began with
 * @param template words around prompts, if there were any
 * @param chat how conversations became text, if they were learned
 */
public record TextRecipe(List<Framing.Mark> before, Optional<PromptTemplate> template, Optional<Chat> chat) {
    /** Name of the file in the adapter's folder. */
    public static final String FILE = "text_recipe.json";

    private static final String EXPECTED = "what finetune writes beside an adapter";
    private static final int FORMAT = 1;

    /** The most tokens in front of a text that are read from a file. */
    private static final int LONGEST = 64;

    /**
     * How conversations became text.
     *
     * @param template the template's text
     * @param tokens special tokens by the names that the template calls them
     */
    public record Chat(String template, Map<String, String> tokens) {
        public Chat {
            tokens = Map.copyOf(tokens);
        }

        /** The template, compiled. */
        public ChatTemplate compiled() {
            return ChatTemplate.of(template).withTokens(tokens);
        }
    }

    public TextRecipe {
        before = List.copyOf(before);
    }

    /** What an encoder puts in front of texts, and words around prompts. */
    public static TextRecipe of(Framing framing, Optional<PromptTemplate> template) {
        return new TextRecipe(framing.before(), template, Optional.empty());
    }

    /** The same with a template of conversations. */
    public TextRecipe withChat(ChatTemplate other) {
        return new TextRecipe(before, template, Optional.of(new Chat(other.source(), other.tokens())));
    }

    /** A tokenizer's framing with these tokens in front. */
    public Framing applyTo(Framing framing) {
        return framing.withBefore(before, "as the adapter was trained");
    }

    /** The file's content. */
    public String toJson() {
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.put("format", FORMAT);
        ArrayNode marks = json.putArray("before");
        before.forEach(mark -> marks.addObject().put("id", mark.id()).put("token", mark.token()));
        template.ifPresent(words -> json.put("template", words.pattern()));
        chat.ifPresent(one -> {
            ObjectNode written = json.putObject("chat").put("template", one.template());
            ObjectNode tokens = written.putObject("tokens");
            new TreeMap<>(one.tokens()).forEach(tokens::put);
        });
        return json.toPrettyString() + "\n";
    }

    /**
     * Reads the file of an adapter's folder; empty for adapters of others.
     *
     * @throws InvalidInputException if it is damaged
     */
    public static Optional<TextRecipe> read(Path adapterFolder) {
        Path file = adapterFolder.resolve(FILE);
        return Files.isRegularFile(file)
                ? Optional.of(parse(JsonFiles.object(file, EXPECTED), file))
                : Optional.empty();
    }

    private static TextRecipe parse(JsonNode json, Path file) {
        if (json.path("format").asInt() != FORMAT) {
            throw wrong(file, "format", json.path("format"), "" + FORMAT);
        }
        JsonNode list = json.path("before");
        if (!list.isArray() || list.size() > LONGEST) {
            throw wrong(file, "before", list, "a list of at most " + LONGEST + " tokens");
        }
        List<Framing.Mark> before = new ArrayList<>();
        for (JsonNode mark : list) {
            JsonNode id = mark.path("id");
            if (!id.isIntegralNumber()
                    || !id.canConvertToInt()
                    || id.intValue() < 0
                    || !mark.path("token").isTextual()) {
                throw wrong(file, "before", mark, "{\"id\": a whole number from 0, \"token\": a string}");
            }
            before.add(new Framing.Mark(id.intValue(), mark.path("token").textValue()));
        }
        return new TextRecipe(before, text(json, "template", file).map(PromptTemplate::new), chat(json, file));
    }

    private static Optional<Chat> chat(JsonNode json, Path file) {
        JsonNode chat = json.path("chat");
        if (chat.isMissingNode()) {
            return Optional.empty();
        }
        Map<String, String> tokens = new TreeMap<>();
        for (Map.Entry<String, JsonNode> token : chat.path("tokens").properties()) {
            if (!token.getValue().isTextual()) {
                throw wrong(file, "chat", chat, "tokens that are strings");
            }
            tokens.put(token.getKey(), token.getValue().textValue());
        }
        return Optional.of(new Chat(
                text(chat, "template", file)
                        .orElseThrow(() -> wrong(file, "chat", chat, "{\"template\": a string, \"tokens\": {...}}")),
                tokens));
    }

    private static Optional<String> text(JsonNode json, String key, Path file) {
        JsonNode value = json.path(key);
        if (!value.isMissingNode() && !value.isTextual()) {
            throw wrong(file, key, value, "a string");
        }
        return Optional.ofNullable(value.textValue());
    }

    private static InvalidInputException wrong(Path file, String key, JsonNode value, String expected) {
        return new InvalidInputException(file + ": \"" + key + "\" is " + JsonFiles.excerpt(value.toString())
                + "; expected " + expected + ". Without the file, give --bos and --template as in the training");
    }
}
