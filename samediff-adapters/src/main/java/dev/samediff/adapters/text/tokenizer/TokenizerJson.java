package dev.samediff.adapters.text.tokenizer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a {@code tokenizer.json} says of itself, read as a stream (merge tables, megabytes of them, are skipped).
 *
 * @param model type of the model: BPE, WordPiece, WordLevel, Unigram
 * @param ids id by token, of the vocabulary and the added tokens
 * @param size highest id + 1
 * @param padToken token of the padding section, if there is one
 * @param unknownToken token for the unknown, if the model names one
 * @param steps what is done before and after the model, by its key: normalizer, pre_tokenizer, post_processor, decoder
 * @param settings what the model says besides its vocabulary and merges
 */
record TokenizerJson(
        String model,
        Map<String, Integer> ids,
        int size,
        Optional<String> padToken,
        Optional<String> unknownToken,
        Map<String, JsonNode> steps,
        Map<String, JsonNode> settings) {
    private static final JsonFactory FACTORY = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build()
            .getFactory();
    private static final List<String> STEPS = List.of("normalizer", "pre_tokenizer", "post_processor", "decoder");
    /** No vocabulary has as many; an id beyond would make arrays of that length. */
    private static final int HIGHEST_ID = (1 << 24) - 1;

    /** The token of an id, or its number if the vocabulary has none. */
    String tokenOf(int id) {
        return ids.entrySet().stream()
                .filter(entry -> entry.getValue() == id)
                .map(Map.Entry::getKey)
                .findFirst()
                .orElseGet(() -> "token " + id);
    }

    static TokenizerJson parse(byte[] json, String source) {
        Reader reader = new Reader(source);
        try (JsonParser parser = FACTORY.createParser(json)) {
            reader.read(parser);
        } catch (IOException e) {
            throw new InvalidInputException(
                    source + " is not JSON (" + JsonFiles.reason(e) + "); expected a Hugging Face tokenizer.json", e);
        }
        if (!reader.hasModel) {
            throw new InvalidInputException(source + " has no \"model\" section; expected a Hugging Face tokenizer.json"
                    + " (written by tokenizer.save_pretrained of a fast tokenizer)");
        }
        int highest =
                reader.ids.values().stream().mapToInt(Integer::intValue).max().orElse(-1);
        return new TokenizerJson(
                reader.model,
                reader.ids,
                highest + 1,
                Optional.ofNullable(reader.padToken),
                Optional.ofNullable(reader.unknownToken),
                reader.steps,
                reader.settings);
    }

    /** An id, which must be a whole number from 0 to {@link #HIGHEST_ID}. */
    private static int id(String token, JsonNode id, String source) {
        if (!id.isIntegralNumber() || !id.canConvertToInt() || id.intValue() < 0 || id.intValue() > HIGHEST_ID) {
            throw new InvalidInputException(source + ": the token `" + JsonFiles.excerpt(token) + "` has the id "
                    + JsonFiles.excerpt(id.toString()) + "; expected a whole number from 0 to " + HIGHEST_ID);
        }
        return id.intValue();
    }

    /** Collects the parts of interest while the parser goes through the file once. */
    private static final class Reader {
        private final String source;
        private final Map<String, Integer> ids = new HashMap<>();
        private final Map<String, JsonNode> steps = new HashMap<>();
        private final Map<String, JsonNode> settings = new HashMap<>();
        private boolean hasModel;
        private String model = "BPE";
        private @Nullable String padToken;
        private @Nullable String unknownToken;
        private int unknownIndex = -1;

        Reader(String source) {
            this.source = source;
        }

        void read(JsonParser parser) throws IOException {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return;
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String section = parser.currentName();
                boolean object = parser.nextToken() == JsonToken.START_OBJECT;
                if (section.equals("model") && object) {
                    hasModel = true;
                    readModel(parser);
                } else if (section.equals("added_tokens")) {
                    for (JsonNode token : parser.<JsonNode>readValueAsTree()) {
                        String content = token.path("content").asText();
                        ids.put(content, id(content, token.path("id"), source));
                    }
                } else if (STEPS.contains(section)) {
                    steps.put(section, parser.readValueAsTree());
                } else if (section.equals("padding") && object) {
                    JsonNode padding = parser.readValueAsTree();
                    padToken = padding.path("pad_token").textValue();
                } else {
                    parser.skipChildren();
                }
            }
        }

        private void readModel(JsonParser parser) throws IOException {
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String field = parser.currentName();
                JsonToken value = parser.nextToken();
                switch (field) {
                    case "type" -> {
                        model = parser.getValueAsString(model);
                        settings.put(field, TextNode.valueOf(model));
                    }
                    case "unk_token" -> unknownToken = parser.getValueAsString();
                    case "unk_id" -> unknownIndex = parser.getValueAsInt(-1);
                    case "vocab" -> readVocabulary(parser, value);
                    case "merges" -> parser.skipChildren();
                    default -> settings.put(field, parser.readValueAsTree());
                }
            }
        }

        private void readVocabulary(JsonParser parser, JsonToken start) throws IOException {
            if (start == JsonToken.START_OBJECT) {
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    String token = parser.currentName();
                    parser.nextToken();
                    ids.put(token, id(token, parser.readValueAsTree(), source));
                }
            } else if (start == JsonToken.START_ARRAY) { // Unigram: [piece, score] by id
                for (int id = 0; parser.nextToken() == JsonToken.START_ARRAY; id++) {
                    String token = parser.nextTextValue();
                    if (token != null) {
                        ids.put(token, id);
                        if (id == unknownIndex) {
                            unknownToken = token;
                        }
                    }
                    while (parser.nextToken() != JsonToken.END_ARRAY) {
                        parser.skipChildren();
                    }
                }
            }
        }
    }
}
