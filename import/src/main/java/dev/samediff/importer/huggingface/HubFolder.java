package dev.samediff.importer.huggingface;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.SafetensorsIndex;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * A folder as it comes from the hub: {@code config.json} and the tensors of {@code model.safetensors}, or of the shards that {@code
 * model.safetensors.index.json} names. Links, such as those of the hub's cache, are followed.
 *
 * @param path the folder
 * @param config the configuration
 * @param tensors where each tensor lies, by its name in the files
 */
public record HubFolder(Path path, JsonNode config, Map<String, StoredTensor> tensors) {
    /** The configuration's file. */
    public static final String CONFIG = "config.json";

    private static final String WHOLE = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    private static final long MOST_JSON = 64L << 20;
    private static final int POINTER = 1024;
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .build();

    /**
     * A tensor of a file.
     *
     * @param file the name of the file in the folder
     * @param tensor its type and place
     */
    public record StoredTensor(String file, SafetensorsIndex.Tensor tensor) {}

    /** Returns whether a folder has a {@code config.json} and files of tensors, of whatever kind. */
    public static boolean isOne(Path folder) {
        return Files.isDirectory(folder)
                && Files.isRegularFile(folder.resolve(CONFIG))
                && !Files.exists(folder.resolve("saved_model.pb"))
                && !Files.exists(folder.resolve("saved_model.pbtxt"));
    }

    /**
     * Reads configuration and headers, no numbers.
     *
     * @throws InvalidInputException if a file is missing, damaged, a Git LFS pointer or of a kind that is not read
     */
    public static HubFolder read(Path folder) {
        try {
            JsonNode config = json(folder.resolve(CONFIG));
            if (!config.path("quantization_config").isMissingNode()
                    && !config.path("quantization_config").isNull()) {
                JsonNode method = config.path("quantization_config").path("quant_method");
                throw new InvalidInputException(folder + " holds a quantised model ("
                        + (method.isTextual() ? method.textValue() : "quantization_config")
                        + "); quantised folders are not read: give the folder of the model that it was made from");
            }
            Map<String, StoredTensor> tensors = new LinkedHashMap<>();
            if (Files.exists(folder.resolve(WHOLE))) {
                add(folder, WHOLE, tensors);
            } else if (Files.exists(folder.resolve(INDEX))) {
                addShards(folder, tensors);
            } else {
                throw missing(folder);
            }
            return new HubFolder(folder, config, tensors);
        } catch (IOException e) {
            throw new InvalidInputException(folder + " cannot be read: " + e.getMessage(), e);
        }
    }

    /**
     * Returns the name in the files of a tensor that is known by its module's path. Files that were written from a model without a head lack
     * the prefix that its modules have below a head, and the other way round.
     *
     * @param name the tensor's name, with its module's path
     * @param prefix such as {@code transformer.} or {@code bert.}
     * @return a name of the files, or the given one if they have neither
     */
    public String stored(String name, String prefix) {
        if (tensors.containsKey(name)) {
            return name;
        }
        String other = name.startsWith(prefix) ? name.substring(prefix.length()) : prefix + name;
        return tensors.containsKey(other) ? other : name;
    }

    private static void addShards(Path folder, Map<String, StoredTensor> tensors) throws IOException {
        Map<String, String> files = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry :
                json(folder.resolve(INDEX)).path("weight_map").properties()) {
            files.put(entry.getKey(), entry.getValue().asText());
        }
        if (files.isEmpty()) {
            throw new InvalidInputException(
                    folder.resolve(INDEX) + " names no tensors (its `weight_map`); copy the folder again");
        }
        for (String file : new TreeSet<>(files.values())) {
            if (!file.equals(Path.of(file).getFileName().toString()) || file.equals("..")) {
                throw new InvalidInputException(folder.resolve(INDEX) + " names the file `" + file
                        + "`; only files of the folder itself are read");
            }
            if (!Files.exists(folder.resolve(file))) {
                throw new InvalidInputException(folder.resolve(file) + " is missing, of the "
                        + new TreeSet<>(files.values()).size() + " files that " + INDEX
                        + " names; copy the complete folder");
            }
            add(folder, file, tensors);
        }
        files.forEach((name, file) -> {
            StoredTensor stored = tensors.get(name);
            if (stored == null || !stored.file().equals(file)) {
                throw new InvalidInputException(folder.resolve(INDEX) + " says that the tensor `" + name + "` is in "
                        + file + ", which does not have it; copy the folder again");
            }
        });
    }

    private static void add(Path folder, String file, Map<String, StoredTensor> tensors) throws IOException {
        requireNoPointer(folder.resolve(file));
        for (SafetensorsIndex.Tensor tensor :
                SafetensorsIndex.read(folder.resolve(file)).tensors()) {
            StoredTensor before = tensors.put(tensor.name(), new StoredTensor(file, tensor));
            if (before != null) {
                throw new InvalidInputException("the tensor `" + tensor.name() + "` is in " + before.file() + " and in "
                        + file + " of " + folder + "; copy the folder again");
            }
        }
    }

    /** Who clones a repository without Git LFS gets a few lines of text in place of each large file. */
    private static void requireNoPointer(Path file) throws IOException {
        if (!Files.isRegularFile(file) || Files.size(file) > POINTER) {
            return;
        }
        String text = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
        if (text.startsWith("version https://git-lfs")) {
            throw new InvalidInputException(file + " is a Git LFS pointer, not the file itself; fetch it with"
                    + " `git lfs pull`, or download it from the hub");
        }
    }

    private static InvalidInputException missing(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            List<String> names = entries.map(entry -> entry.getFileName().toString())
                    .sorted()
                    .toList();
            String there = names.stream().anyMatch(name -> name.endsWith(".bin") || name.endsWith(".pth"))
                    ? "; its weights are a pickle ("
                            + names.stream()
                                    .filter(name -> name.endsWith(".bin") || name.endsWith(".pth"))
                                    .findFirst()
                                    .orElseThrow()
                            + "), which may run anybody's code and is not read: take the revision of the model that has"
                            + " safetensors, or save it with save_pretrained(safe_serialization=True)"
                    : "; it has " + names.stream().limit(10).toList() + ": copy the complete folder";
            return new InvalidInputException(folder + " has no " + WHOLE + " and no " + INDEX + there);
        }
    }

    private static JsonNode json(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new InvalidInputException("there is no file " + file + "; copy the complete folder from the hub");
        }
        if (Files.size(file) > MOST_JSON) {
            throw new InvalidInputException(file + " has " + Files.size(file) + " bytes, too many for a "
                    + file.getFileName() + "; copy the folder again");
        }
        requireNoPointer(file);
        try {
            JsonNode node = JSON.readTree(Files.readString(file));
            if (!node.isObject()) {
                throw new InvalidInputException(file + " is not a JSON object; copy the folder again");
            }
            return node;
        } catch (JsonProcessingException | java.nio.charset.CharacterCodingException e) {
            throw new InvalidInputException(file + " is not valid JSON; copy the folder again", e);
        }
    }
}
