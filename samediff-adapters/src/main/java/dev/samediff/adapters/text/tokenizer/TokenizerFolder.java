package dev.samediff.adapters.text.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.samediff.adapters.InvalidInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the files beside a {@code tokenizer.json} say: {@code tokenizer_config.json}, then {@code special_tokens_map.json} for tokens that
 * it does not name, and {@code generation_config.json} for ends of a generated text. All may be missing; what they hold and is not read
 * here does not matter.
 *
 * @param named padding, end and beginning token
 * @param addBos {@code add_bos_token}
 * @param addEos {@code add_eos_token}
 * @param ends ids of {@code eos_token_id} in the order of the file
 * @param bos {@code bos_token_id}
 */
record TokenizerFolder(
        SpecialTokens named,
        Optional<Boolean> addBos,
        Optional<Boolean> addEos,
        List<Integer> ends,
        Optional<Integer> bos) {
    private static final Logger LOG = LoggerFactory.getLogger(TokenizerFolder.class);
    private static final String CONFIG = "tokenizer_config.json";
    private static final String MAP = "special_tokens_map.json";
    private static final String GENERATION = "generation_config.json";

    /** Published models have up to five. */
    private static final int MOST_ENDS = 1000;

    /**
     * Reads the files.
     *
     * @param vocabulary ids of the tokenizer; others in the files can never occur, and are left out with a warning
     * @throws InvalidInputException if one is not JSON, or holds something of another type; the message names the key
     */
    static TokenizerFolder of(Path tokenizerJson, int vocabulary) {
        Json config = Json.of(tokenizerJson, CONFIG);
        Json map = Json.of(tokenizerJson, MAP);
        Json generation = Json.of(tokenizerJson, GENERATION);
        SpecialTokens named = new SpecialTokens(
                config.token("pad_token").or(() -> map.token("pad_token")),
                config.token("eos_token").or(() -> map.token("eos_token")),
                config.token("bos_token").or(() -> map.token("bos_token")));
        return new TokenizerFolder(
                named,
                config.flag("add_bos_token"),
                config.flag("add_eos_token"),
                generation.ids("eos_token_id", vocabulary),
                generation.ids("bos_token_id", vocabulary).stream().findFirst());
    }

    /**
     * What goes around texts: what the post-processor puts there, except for the beginning and end token that {@code add_bos_token} and
     * {@code add_eos_token} decide about, as transformers does.
     *
     * @throws InvalidInputException if a beginning token is to be added and there is none
     */
    Framing framing(PostProcessor processor, Optional<Framing.Mark> beginning, Framing.Mark end, String tokenizerJson) {
        List<Framing.Mark> before = new ArrayList<>(processor.before());
        List<Framing.Mark> after = new ArrayList<>(processor.after());
        if (addBos.isPresent()) {
            if (addBos.get() && beginning.isEmpty()) {
                throw new InvalidInputException(CONFIG + " beside " + tokenizerJson
                        + " says add_bos_token, but no file names a bos_token; name one, or remove add_bos_token");
            }
            beginning.ifPresent(bos -> decide(before, bos, addBos.get(), 0));
        }
        addEos.ifPresent(added -> decide(after, end, added, after.size()));
        Set<Integer> all = new LinkedHashSet<>(List.of(end.id()));
        all.addAll(ends);
        String source =
                before.equals(processor.before()) ? "post_processor of " + tokenizerJson : "add_bos_token of " + CONFIG;
        return new Framing(before, after, List.copyOf(all), source);
    }

    private static void decide(List<Framing.Mark> marks, Framing.Mark mark, boolean wanted, int place) {
        boolean there = marks.stream().anyMatch(one -> one.id() == mark.id());
        if (there && !wanted) {
            marks.removeIf(one -> one.id() == mark.id());
        } else if (!there && wanted) {
            marks.add(place, mark);
        }
    }

    /** One of the files; an empty object if it is not there. */
    private record Json(Path file, JsonNode json) {
        static Json of(Path tokenizerJson, String name) {
            Path file = tokenizerJson.resolveSibling(name);
            return new Json(
                    file,
                    Files.isRegularFile(file)
                            ? JsonFiles.object(file, "a Hugging Face " + name)
                            : JsonNodeFactory.instance.objectNode());
        }

        /** A token is written as a string or as {"content": string, ...}. */
        Optional<String> token(String key) {
            JsonNode token = json.path(key);
            JsonNode content = token.isObject() ? token.path("content") : token;
            if (!isAbsent(token) && !content.isTextual()) {
                throw wrong(key, token, "a string, or an object with a string `content`");
            }
            return Optional.ofNullable(content.textValue());
        }

        Optional<Boolean> flag(String key) {
            JsonNode flag = json.path(key);
            if (!isAbsent(flag) && !flag.isBoolean()) {
                throw wrong(key, flag, "true or false");
            }
            return isAbsent(flag) ? Optional.empty() : Optional.of(flag.booleanValue());
        }

        List<Integer> ids(String key, int vocabulary) {
            JsonNode value = json.path(key);
            Set<Integer> ids = new LinkedHashSet<>();
            List<JsonNode> given = new ArrayList<>();
            if (value.isArray() && value.size() <= MOST_ENDS) {
                value.forEach(given::add);
            } else if (!isAbsent(value)) {
                given.add(value);
            }
            for (JsonNode id : given) {
                if (!id.isIntegralNumber()) {
                    throw wrong(key, value, "the id of a token, or a list of at most " + MOST_ENDS);
                }
                if (id.canConvertToInt() && id.intValue() >= 0 && id.intValue() < vocabulary) {
                    ids.add(id.intValue());
                } else {
                    LOG.warn(
                            "{} names the token {} as {}, which the tokenizer (0 to {}) does not have; it is left out",
                            file,
                            id,
                            key,
                            vocabulary - 1);
                }
            }
            return List.copyOf(ids);
        }

        private static boolean isAbsent(JsonNode value) {
            return value.isMissingNode() || value.isNull();
        }

        private InvalidInputException wrong(String key, JsonNode value, String expected) {
            return new InvalidInputException(file + ": \"" + key + "\" is " + JsonFiles.excerpt(value.toString())
                    + "; expected " + expected + ", or remove the key");
        }
    }
}
