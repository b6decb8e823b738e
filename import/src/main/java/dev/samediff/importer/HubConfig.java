package dev.samediff.importer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a model's {@code config.json}, as Hugging Face writes it beside the model, says. One that is missing or cannot be read says nothing.
 *
 * @param name {@code _name_or_path}: the original model on the hub, or its folder
 * @param decoderStart {@code decoder_start_token_id}: the token that a decoder begins with
 * @param architectures {@code architectures}: transformers' classes that the model was saved from
 * @param labels {@code id2label}: names of classes in the order of the scores; none if it does not name each
 */
public record HubConfig(
        Optional<String> name, Optional<Integer> decoderStart, List<String> architectures, List<String> labels) {
    private static final String FILE = "config.json";
    private static final long MOST_BYTES = 16L << 20;
    private static final HubConfig NOTHING = new HubConfig(Optional.empty(), Optional.empty(), List.of(), List.of());
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
                            .map(JsonNode::intValue),
                    architectures(config.path("architectures")),
                    labels(config.path("id2label")));
        } catch (IOException e) { // of the disk or of JSON
            return NOTHING;
        }
    }

    private static List<String> architectures(JsonNode list) {
        List<String> names = new ArrayList<>();
        list.forEach(name -> names.add(name.asText()));
        return List.copyOf(names);
    }

    private static List<String> labels(JsonNode names) {
        List<String> labels = new ArrayList<>();
        for (int i = 0; names.path(Integer.toString(i)).isTextual(); i++) {
            labels.add(names.path(Integer.toString(i)).textValue());
        }
        return labels.size() == names.size() ? List.copyOf(labels) : List.of();
    }
}
