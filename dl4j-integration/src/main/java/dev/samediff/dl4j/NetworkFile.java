package dev.samediff.dl4j;

import dev.samediff.adapters.InvalidInputException;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.ObjectMapper;

/**
 * Networks in DL4J's zip files from anybody, adapted or not. {@code ModelSerializer} runs what it reads: the entry {@code
 * preprocessor.bin} is Java's serialisation, and the configuration names the classes of its layers. Here a zip is looked at first; one with
 * serialised objects, with classes of other packages, or with arrays that are longer than their entries is refused in a sentence.
 */
public final class NetworkFile {
    private static final Set<String> ENTRIES = Set.of(
            "configuration.json",
            "coefficients.bin",
            "updaterState.bin",
            "noParams.marker",
            "normalizer.bin",
            "trainingConfig.bin");
    private static final Set<String> ARRAYS = Set.of("coefficients.bin", "updaterState.bin");
    private static final List<String> PACKAGES = List.of("org.deeplearning4j.", "org.nd4j.", "dev.samediff.dl4j.");
    private static final int LONGEST_CONFIGURATION = 64 << 20;

    private final Path zip;
    private final List<String> packages;

    private NetworkFile(Path zip, String... packages) {
        this.zip = zip;
        this.packages = new java.util.ArrayList<>(PACKAGES);
        Arrays.stream(packages).map(name -> name + ".").forEach(this.packages::add);
    }

    /** Loads a network. */
    private interface Restoring<T> {
        T restore() throws IOException;
    }

    /**
     * Loads a {@code MultiLayerNetwork} with its updater.
     *
     * @param packages packages of your own layers, vertices and processors, such as {@code com.example.layers}
     * @throws InvalidInputException if the file is missing, damaged, or holds what is not loaded
     */
    public static MultiLayerNetwork multiLayerNetwork(Path zip, String... packages) {
        return new NetworkFile(zip, packages).load(() -> ModelSerializer.restoreMultiLayerNetwork(zip.toFile(), true));
    }

    /** Loads a {@code ComputationGraph} with its updater; see {@link #multiLayerNetwork}. */
    public static ComputationGraph computationGraph(Path zip, String... packages) {
        return new NetworkFile(zip, packages).load(() -> ModelSerializer.restoreComputationGraph(zip.toFile(), true));
    }

    private <T> T load(Restoring<T> restoring) {
        check();
        try {
            return restoring.restore();
        } catch (IOException | RuntimeException | LinkageError | StackOverflowError | OutOfMemoryError e) {
            throw new InvalidInputException(
                    zip + " is not a complete network of this kind that DL4J's ModelSerializer wrote; save it again",
                    e);
        }
    }

    private void check() {
        if (!Files.isRegularFile(zip)) {
            throw new InvalidInputException(zip + (Files.exists(zip) ? " is not a file" : " does not exist")
                    + "; expected a zip that DL4J's ModelSerializer wrote");
        }
        try (ZipFile file = new ZipFile(zip.toFile())) {
            for (ZipEntry entry : file.stream().map(ZipEntry.class::cast).toList()) {
                check(file, entry);
            }
        } catch (ZipException | IllegalArgumentException e) {
            if (e instanceof InvalidInputException refused) {
                throw refused;
            }
            throw new InvalidInputException(zip + " is not a complete zip; copy it again", e);
        } catch (IOException e) {
            throw new InvalidInputException(zip + " cannot be read, or is damaged; copy it again", e);
        }
    }

    private void check(ZipFile file, ZipEntry entry) throws IOException {
        String name = entry.getName();
        if (name.equals("preprocessor.bin")) {
            throw new InvalidInputException(
                    zip + " holds a serialised Java object, preprocessor.bin, and loading such objects runs"
                            + " code that the file chooses; save the network without its data normalisation, or load it with DL4J"
                            + " itself if you trust where it is from");
        }
        if (!ENTRIES.contains(name)) {
            throw new InvalidInputException(
                    zip + " holds `" + shown(name) + "`, which is no part of a network; expected "
                            + ENTRIES.stream().sorted().toList());
        }
        try (InputStream in = file.getInputStream(entry)) {
            if (name.equals("configuration.json")) {
                byte[] json = in.readNBytes(LONGEST_CONFIGURATION);
                classes(json.length < LONGEST_CONFIGURATION ? new ObjectMapper().readTree(json) : null);
            } else if (ARRAYS.contains(name)) {
                arrays(new DataInputStream(in), name, entry.getSize());
            }
        }
    }

    private void classes(@org.jspecify.annotations.Nullable JsonNode json) {
        if (json == null || !json.isObject()) {
            throw new InvalidInputException(
                    zip + " has a configuration that is not an object of at most 64 MB; save it again");
        }
        requireKnown(json);
    }

    private void requireKnown(JsonNode node) {
        for (Iterator<Map.Entry<String, JsonNode>> fields = node.fields(); fields.hasNext(); ) {
            Map.Entry<String, JsonNode> field = fields.next();
            String name = field.getValue().asText();
            if (field.getKey().equals("@class") && packages.stream().noneMatch(name::startsWith)) {
                throw new InvalidInputException(
                        zip + " names the class `" + shown(name) + "` in its configuration; only classes of DL4J, ND4J"
                                + " and this library are made, and of packages that you name");
            }
        }
        node.forEach(this::requireKnown);
    }

    /** An array is two buffers: how they are allocated, their length and type, then the numbers; the first is the shape. */
    private void arrays(DataInputStream in, String name, long size) throws IOException {
        for (int buffer = 0; buffer < 2; buffer++) {
            in.readUTF();
            long length = in.readLong();
            long bytes = bytes(in.readUTF());
            if (bytes == 0 || length < 0 || length > size / bytes) {
                throw new InvalidInputException(zip + ": " + name + " has " + size + " bytes and is said to hold "
                        + length + " numbers; the file is damaged: copy or save it again");
            }
            in.skipNBytes(length * bytes);
        }
    }

    private static long bytes(String type) {
        return Arrays.stream(DataType.values())
                .filter(known -> known.name().equals(type) && known != DataType.COMPRESSED && known != DataType.UNKNOWN)
                .mapToLong(DataType::width)
                .findFirst()
                .orElse(0);
    }

    private static String shown(String text) {
        return text.length() <= 100 ? text : text.substring(0, 100) + "...";
    }
}
