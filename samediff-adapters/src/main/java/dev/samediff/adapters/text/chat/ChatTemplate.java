package dev.samediff.adapters.text.chat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.GivenFile;
import dev.samediff.adapters.text.chat.Parts.Callable;
import dev.samediff.adapters.text.chat.Parts.Namespace;
import dev.samediff.adapters.text.chat.Parts.Statement;
import dev.samediff.adapters.text.tokenizer.JsonFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The template by which a model's conversations become text, as Hugging Face tokenizers bring it along ({@code chat_template}).
 *
 * <p>It is rendered as {@code apply_chat_template} does: {@code trim_blocks}, {@code lstrip_blocks}, {@code messages}, {@code
 * add_generation_prompt}, the special tokens by their names ({@code bos_token}, ...), {@code raise_exception}, {@code strftime_now}, {@code
 * namespace}, {@code tojson}. Templates see strings, numbers, lists and maps, nothing of Java, and cost a bounded number of steps and
 * characters. What this part of Jinja lacks (include, import, extends, call, filter blocks) is refused by name.
 *
 * <p>Immutable; may be used by several threads.
 */
public final class ChatTemplate {
    private static final String EXPECTED = "a chat template";
    private static final long MOST_BYTES = 1 << 20;
    private static final long MOST_NUMBERS = 1_000_000;

    private final String source;
    private final Statement compiled;
    private final Map<String, String> tokens;
    private final Clock clock;

    private ChatTemplate(String source, Statement compiled, Map<String, String> tokens, Clock clock) {
        this.source = source;
        this.compiled = compiled;
        this.tokens = Map.copyOf(tokens);
        this.clock = clock;
    }

    /**
     * Compiles a template.
     *
     * @throws InvalidInputException that names the line, if it is none, or uses what is not supported
     */
    public static ChatTemplate of(String template) {
        if (template.length() > MOST_BYTES) {
            throw new InvalidInputException("the chat template has " + template.length() + " characters; at most "
                    + MOST_BYTES + " are possible");
        }
        try {
            return new ChatTemplate(template, Parser.parse(template), Map.of(), Clock.systemDefaultZone());
        } catch (StackOverflowError e) {
            throw new InvalidInputException("the chat template is nested too deep", e);
        }
    }

    /**
     * Finds a tokenizer's template: the file {@code chat_template.jinja}, or {@code chat_template} of {@code tokenizer_config.json}, which is
     * one template or a list of named ones. Special tokens are those of {@code tokenizer_config.json} and {@code special_tokens_map.json}.
     *
     * @param tokenizer the folder, or a file in it
     * @param name which of several; {@code default} is usual
     * @return empty if the tokenizer has none
     * @throws InvalidInputException if there are several and none of that name, or a file is damaged
     */
    public static Optional<ChatTemplate> ofTokenizer(Path tokenizer, String name) {
        Path folder = folder(tokenizer);
        Path config = folder.resolve("tokenizer_config.json");
        Path own = folder.resolve("chat_template.jinja");
        Optional<String> text = Files.isRegularFile(own) && name.equals("default")
                ? Optional.of(read(own))
                : Files.isRegularFile(config) ? configured(config, name) : Optional.empty();
        return text.map(template -> of(template).withTokens(tokensOf(folder)));
    }

    /** The special tokens that the files of a tokenizer's folder name, by the names that templates call them. */
    public static Map<String, String> tokensOf(Path tokenizer) {
        Path folder = folder(tokenizer);
        Map<String, String> tokens = new LinkedHashMap<>();
        for (String file : List.of("special_tokens_map.json", "tokenizer_config.json")) {
            if (Files.isRegularFile(folder.resolve(file))) {
                tokens.putAll(specialTokens(JsonFiles.object(folder.resolve(file), "a Hugging Face " + file)));
            }
        }
        return tokens;
    }

    private static Path folder(Path tokenizer) {
        Path parent = tokenizer.toAbsolutePath().getParent();
        return Files.isDirectory(tokenizer) || parent == null ? tokenizer : parent;
    }

    /** ChatML, for models that were trained on no template. */
    public static ChatTemplate chatMl() {
        return of(
                "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
                        + "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}");
    }

    private static Optional<String> configured(Path config, String name) {
        JsonNode template =
                JsonFiles.object(config, "a Hugging Face tokenizer_config.json").path("chat_template");
        if (template.isMissingNode() || template.isNull()) {
            return Optional.empty();
        }
        if (template.isTextual()) {
            return Optional.of(template.textValue());
        }
        List<String> names = new ArrayList<>();
        for (JsonNode one : template) {
            String its = one.path("name").asText("");
            if (its.equals(name) && one.path("template").isTextual()) {
                return Optional.of(one.path("template").textValue());
            }
            names.add(JsonFiles.excerpt(its));
        }
        throw new InvalidInputException(
                config + ": \"chat_template\" has no template `" + name + "`; there are " + names);
    }

    private static Map<String, String> specialTokens(JsonNode json) {
        Map<String, String> tokens = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : json.properties()) {
            JsonNode value = entry.getValue().isObject() ? entry.getValue().path("content") : entry.getValue();
            if (entry.getKey().endsWith("_token") && value.isTextual()) {
                tokens.put(entry.getKey(), value.textValue());
            }
        }
        return tokens;
    }

    /** Reads a template from a file of its own. */
    public static ChatTemplate load(Path file) {
        return of(read(file));
    }

    private static String read(Path file) {
        try {
            return new String(GivenFile.bytes(file, MOST_BYTES, EXPECTED), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    /** The same with special tokens by the names that templates call them, such as {@code bos_token}. */
    public ChatTemplate withTokens(Map<String, String> named) {
        return new ChatTemplate(source, compiled, named, clock);
    }

    /** The same with another clock for {@code strftime_now}. */
    public ChatTemplate withClock(Clock other) {
        return new ChatTemplate(source, compiled, tokens, other);
    }

    /** The template itself. */
    public String source() {
        return source;
    }

    /** Special tokens by name. */
    public Map<String, String> tokens() {
        return tokens;
    }

    /**
     * The text of a conversation.
     *
     * @param messages the turns
     * @param answer whether the assistant's turn is opened behind them
     * @throws InvalidInputException if the template refuses the conversation, or does what is not possible
     */
    public String render(List<ChatMessage> messages, boolean answer) {
        return rendered(messages, answer).text();
    }

    /** As {@link #render}, with the parts of the text that the model is to write itself, where the template says so. */
    public Rendered rendered(List<ChatMessage> messages, boolean answer) {
        List<Object> values = new ArrayList<>();
        messages.forEach(message -> values.add(message.values()));
        Run run = new Run(clock);
        Scope scope = new Scope(run, null);
        tokens.forEach(scope::set);
        scope.set("messages", values);
        scope.set("add_generation_prompt", answer);
        functions().forEach(scope::set);
        StringBuilder text = new StringBuilder();
        run.watch(text);
        try {
            compiled.write(scope, text);
        } catch (StackOverflowError e) {
            throw new InvalidInputException("the chat template makes values that are nested too deep", e);
        }
        return new Rendered(text.toString(), run.generated());
    }

    private static Map<String, Callable> functions() {
        Map<String, Callable> functions = new HashMap<>();
        functions.put("raise_exception", (run, values, named) -> {
            throw new InvalidInputException("the chat template refuses the conversation: "
                    + JsonFiles.excerpt(values.isEmpty() ? "" : Values.text(run, values.get(0))));
        });
        functions.put("namespace", (run, values, named) -> {
            Map<String, Object> all = new HashMap<>();
            for (Object value : values) {
                if (value instanceof Map<?, ?> map) {
                    map.forEach((key, one) -> all.put(Values.text(run, key), one));
                }
            }
            all.putAll(named);
            return new Namespace(all);
        });
        functions.put("dict", (run, values, named) -> new LinkedHashMap<Object, Object>(named));
        functions.put("range", (run, values, named) -> range(run, values));
        functions.put(
                "strftime_now",
                (run, values, named) -> formatted(run.clock(), Methods.string(values, 0, "strftime_now")));
        return functions;
    }

    private static Object range(Run run, List<Object> values) {
        long start = values.size() > 1 ? Values.whole(values.get(0)) : 0;
        long stop = Values.whole(Methods.argument(values, Math.min(1, Math.max(0, values.size() - 1)), "range"));
        long step = values.size() > 2 ? Values.whole(values.get(2)) : 1;
        double count = step == 0 ? Double.NaN : Math.ceil(((double) stop - start) / step);
        if (!(count <= MOST_NUMBERS)) {
            throw new InvalidInputException("the chat template makes a range of " + count + " numbers; at most "
                    + MOST_NUMBERS + " are possible");
        }
        List<Object> numbers = new ArrayList<>();
        run.grow((long) Math.max(0, count));
        for (long i = 0; i < count; i++) {
            numbers.add(start + i * step);
        }
        return numbers;
    }

    /** Python's strftime, in the parts that dates and times are written with. */
    private static String formatted(Clock clock, String format) {
        ZonedDateTime now = ZonedDateTime.now(clock);
        Map<Character, String> patterns = Map.ofEntries(
                Map.entry('d', "dd"),
                Map.entry('m', "MM"),
                Map.entry('y', "yy"),
                Map.entry('Y', "yyyy"),
                Map.entry('b', "MMM"),
                Map.entry('B', "MMMM"),
                Map.entry('a', "EEE"),
                Map.entry('A', "EEEE"),
                Map.entry('H', "HH"),
                Map.entry('I', "hh"),
                Map.entry('M', "mm"),
                Map.entry('S', "ss"),
                Map.entry('p', "a"),
                Map.entry('j', "DDD"));
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            if (c != '%' || i + 1 == format.length()) {
                text.append(c);
                continue;
            }
            char what = format.charAt(++i);
            String pattern = patterns.get(what);
            if (pattern == null && what != '%') {
                throw new InvalidInputException(
                        "the chat template writes the time as `%" + what + "`, which this library does not know");
            }
            text.append(pattern == null ? "%" : now.format(DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH)));
        }
        return text.toString();
    }
}
