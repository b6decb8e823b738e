package dev.samediff.dl4j;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;

/**
 * Networks in DL4J's zip files from anybody, adapted or not. {@code ModelSerializer} runs what it reads: the entry {@code
 * preprocessor.bin} is Java's serialisation, and the configuration names the classes of its layers. Here a zip is looked at first ({@link
 * NetworkZip}); one with serialised objects, with classes of other packages, with shapes that lead out of their numbers, or that unpacks to
 * far more than networks do, is refused in a sentence.
 */
public final class NetworkFile {
    private static final List<String> PACKAGES = List.of("org.deeplearning4j.", "org.nd4j.", "dev.samediff.dl4j.");

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
        new NetworkZip(zip, packages).check();
    }
}
