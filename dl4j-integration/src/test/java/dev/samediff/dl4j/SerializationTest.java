package dev.samediff.dl4j;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.method.Sorsa;
import dev.samediff.dl4j.testing.Adapted;
import dev.samediff.dl4j.testing.Blobs;
import dev.samediff.dl4j.testing.PlainLoader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;

class SerializationTest {
    @TempDir
    Path folder;

    static Stream<String> methods() {
        return Dl4jMethods.ofLayers().stream();
    }

    @ParameterizedTest
    @MethodSource("methods")
    void a_saved_network_goes_on_training_as_if_nothing_had_happened(String method) throws IOException {
        MultiLayerNetwork network = new AdapterTransfer.Builder(Blobs.trained())
                .method(Dl4jMethods.named(method, 2))
                .build();
        network.fit(Blobs.batches(32, 1, 2));
        File file = folder.resolve("network.zip").toFile();
        ModelSerializer.writeModel(network, file, true);
        MultiLayerNetwork loaded = ModelSerializer.restoreMultiLayerNetwork(file, true);
        assertThatBits(loaded.params()).isEqualTo(network.params());
        assertThat(Adapted.trainable(loaded)).isEqualTo(Adapted.trainable(network));
        network.fit(Blobs.batches(32, 1, 4));
        loaded.fit(Blobs.batches(32, 1, 4));
        assertThatBits(loaded.params()).isEqualTo(network.params());
    }

    @Test
    void a_network_that_was_loaded_can_be_adapted() throws IOException {
        MultiLayerNetwork trained = Blobs.trained();
        File file = folder.resolve("trained.zip").toFile();
        trained.save(file);
        INDArray features = Blobs.data(6, 0, 1).getFeatures();
        MultiLayerNetwork adapted = new AdapterTransfer.Builder(MultiLayerNetwork.load(file, true))
                .method(Sorsa.rank(2))
                .build();
        assertThat(Adapted.difference(trained.output(features), adapted.output(features)))
                .isLessThan(1e-5);
    }

    @Test
    void updater_state_is_kept_for_the_adapters_alone() {
        MultiLayerNetwork network = new AdapterTransfer.Builder(Blobs.trained())
                .method(Sorsa.rank(2))
                .build();
        network.fit(Blobs.batches(16, 1, 2));
        long trainable = network.paramTable().entrySet().stream()
                .filter(entry -> Adapted.trainable(network).contains(entry.getKey()))
                .mapToLong(entry -> entry.getValue().length())
                .sum();
        assertThat(network.getUpdater().getStateViewArray().length()).isEqualTo(2 * trainable);
    }

    @Test
    void a_merged_network_is_loaded_by_a_program_that_has_never_heard_of_this_project()
            throws IOException, InterruptedException {
        MultiLayerNetwork adapted = new AdapterTransfer.Builder(Blobs.trained())
                .method(Sorsa.rank(2))
                .build();
        adapted.fit(Blobs.batches(32, 1, 2));
        MultiLayerNetwork merged = AdapterTransfer.merge(adapted);
        Path file = folder.resolve("merged.zip");
        ModelSerializer.writeModel(merged, file.toFile(), true);
        assertThat(merged.getLayerWiseConfigurations().toJson()).doesNotContain("samediff.dl4j");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        classPathWithoutThisProject(),
                        PlainLoader.class.getName(),
                        file.toString())
                .redirectErrorStream(true)
                .start();
        String printed = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor()).as(printed).isZero();
        INDArray expected = merged.output(PlainLoader.features());
        assertThat(printed).contains(PlainLoader.describe(expected));
    }

    /** The loader stands alone in a folder of its own. */
    private String classPathWithoutThisProject() throws IOException {
        String name = PlainLoader.class.getName().replace('.', '/') + ".class";
        Path target = folder.resolve("classes").resolve(name);
        Files.createDirectories(target.getParent());
        try (var in = PlainLoader.class.getClassLoader().getResourceAsStream(name)) {
            Files.copy(in, target);
        }
        return Stream.concat(
                        Stream.of(folder.resolve("classes").toString()),
                        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                                .filter(entry -> !entry.contains("dl4j-integration" + File.separator + "target"))
                                .filter(entry -> !entry.contains("samediff-adapters")))
                .collect(Collectors.joining(File.pathSeparator));
    }
}
