package dev.samediff.adapters.train.checkpoint;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.DurableFiles;
import dev.samediff.adapters.io.GivenFile;
import dev.samediff.adapters.io.Sha256;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A record as a JSON file that says the SHA-256 of everything else in it, so that a changed number is noticed; no value but those
 * named may be null, at any depth, and no component of the record may be missing.
 *
 * @param file the file
 * @param nullable the keys whose values may be null
 * @param hashed the first {@code version} of the record that has the hash
 * @param later the values of components that versions before did not have
 */
record ProgressFile(Path file, Set<String> nullable, int hashed, Map<String, JsonNode> later) {
    private static final String SHA256 = "sha256";
    /** Losses of some million steps. */
    private static final long MOST_BYTES = 64L << 20;

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .build();

    void write(Object progress) throws IOException {
        ObjectNode json = JSON.valueToTree(progress);
        json.put(SHA256, hash(json));
        DurableFiles.writeText(file, JSON.writeValueAsString(json) + "\n");
    }

    /**
     * Reads the record.
     *
     * @throws IOException if the file is missing, or not what was written
     */
    <T> T read(Class<T> type) throws IOException {
        try {
            JsonNode json = JSON.readTree(new String(bytes(), StandardCharsets.UTF_8));
            if (!json.isObject()) {
                throw new IOException(file + " is damaged: it is no JSON object");
            }
            ObjectNode object = (ObjectNode) json;
            JsonNode expected = object.path(SHA256);
            object.remove(SHA256);
            requireNoNull("", object);
            boolean older = expected.isMissingNode() && object.path("version").asInt(hashed) < hashed;
            if (!older && (!expected.isTextual() || !expected.asText().equals(hash(object)))) {
                throw new IOException(file + " is damaged: its own hash is not the one in it");
            }
            if (older) {
                later.forEach(object::putIfAbsent);
            }
            object.path("evaluations").forEach(ProgressFile::complete);
            return JSON.treeToValue(object, type);
        } catch (JsonProcessingException e) {
            if (e.getCause() instanceof InvalidInputException refused) {
                throw new IOException(file + " cannot be used: " + refused.getMessage(), e);
            }
            throw new IOException(file + " is damaged: " + what(e), e);
        }
    }

    /** Evaluations of earlier builds have no metrics. */
    private static void complete(JsonNode evaluation) {
        if (evaluation instanceof ObjectNode known && !known.has("metrics")) {
            known.putObject("metrics");
        }
    }

    /** What does not fit is named by its place: the parser's words for it are about classes. */
    private static String what(JsonProcessingException e) {
        return e instanceof JsonMappingException mapping
                ? "`"
                        + mapping.getPath().stream()
                                .map(step -> step.getFieldName() == null
                                        ? String.valueOf(step.getIndex())
                                        : step.getFieldName())
                                .collect(Collectors.joining("."))
                        + "` is missing or not what it should be"
                : e.getOriginalMessage();
    }

    private void requireNoNull(String where, JsonNode node) throws IOException {
        for (Map.Entry<String, JsonNode> field : node.properties()) {
            if (!nullable.contains(where + field.getKey())) {
                requireNoNull(where + field.getKey() + ".", field.getValue());
            }
        }
        for (int i = 0; node.isArray() && i < node.size(); i++) {
            requireNoNull(where + i + ".", node.get(i));
        }
        if (node.isNull()) {
            throw new IOException(
                    file + " is damaged: `" + where.substring(0, where.length() - 1) + "` is null; expected a value");
        }
    }

    private byte[] bytes() throws IOException {
        try {
            return GivenFile.bytes(file, MOST_BYTES, "the record of a checkpoint");
        } catch (InvalidInputException e) { // as what else is wrong with a checkpoint: an older one may be whole
            throw new IOException(e.getMessage(), e);
        }
    }

    /** Of the values, however they are laid out. */
    private static String hash(ObjectNode json) {
        return Sha256.of(json.toString().getBytes(StandardCharsets.UTF_8));
    }
}
