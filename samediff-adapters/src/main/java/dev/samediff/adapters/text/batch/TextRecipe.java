package dev.samediff.adapters.text.batch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.tokenizer.Framing;
import dev.samediff.adapters.text.tokenizer.JsonFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How the texts of a training became tokens, kept in a file beside the adapter ({@value #FILE}; PEFT ignores it), so that who uses the adapter
 * makes the same of a prompt:
 *
 * <pre>{"format": 1, "before": [{"id": 263, "token": "&lt;s&gt;"}], "template": "Question: {prompt}", "chat_template": "..."}</pre>
 *
 * @param before tokens that every text began with
 * @param template words around prompts, if there were any
 * @param chatTemplate template of conversations, if they were learned
 */
public record TextRecipe(List<Framing.Mark> before, Optional<PromptTemplate> template, Optional<String> chatTemplate) {
    /** Name of the file in the adapter's folder. */
    public static final String FILE = "text_recipe.json";

    private static final String EXPECTED = "what finetune writes beside an adapter";
    private static final int FORMAT = 1;

    /** The most tokens in front of a text that are read from a file. */
    private static final int LONGEST = 64;

    public TextRecipe {
        before = List.copyOf(before);
    }

    /** What an encoder puts in front of texts, and words around prompts. */
    public static TextRecipe of(Framing framing, Optional<PromptTemplate> template) {
        return new TextRecipe(framing.before(), template, Optional.empty());
    }

    /** The same with a template of conversations. */
    public TextRecipe withChatTemplate(String other) {
        return new TextRecipe(before, template, Optional.of(other));
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
        chatTemplate.ifPresent(text -> json.put("chat_template", text));
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
        return new TextRecipe(
                before, text(json, "template", file).map(PromptTemplate::new), text(json, "chat_template", file));
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
