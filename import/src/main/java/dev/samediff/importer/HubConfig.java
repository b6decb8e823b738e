package dev.samediff.importer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What a model's {@code config.json}, as Hugging Face writes it beside the model, says. One that is missing or cannot be read says nothing.
 *
 * @param name {@code _name_or_path}: the original model on the hub, or its folder
 * @param decoderStart {@code decoder_start_token_id}: the token that a decoder begins with
 */
public record HubConfig(Optional<String> name, Optional<Integer> decoderStart) {
    private static final String FILE = "config.json";
    private static final long MOST_BYTES = 16L << 20;
    private static final HubConfig NOTHING = new HubConfig(Optional.empty(), Optional.empty());
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Reads what lies beside a model file, or in a model's folder. */
    public static HubConfig beside(Path model) {
        Path file = Files.isDirectory(model) ? model.resolve(FILE) : model.resolveSibling(FILE);
        try {
            if (!Files.isRegularFile(file) || Files.size(file) > MOST_BYTES) {
                return NOTHING;
            }
            JsonNode config = JSON.readTree(Files.readString(file));
            return new HubConfig(
                    Optional.of(config.path("_name_or_path").asText()).filter(name -> !name.isBlank()),
                    Optional.of(config.path("decoder_start_token_id"))
                            .filter(token -> token.isInt() && token.intValue() >= 0)
                            .map(JsonNode::intValue));
        } catch (IOException e) { // of the disk or of JSON
            return NOTHING;
        }
    }
}
