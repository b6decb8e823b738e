package dev.samediff.dl4j;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.dl4j.testing.Blobs;
import dev.samediff.dl4j.weight.AdaptableWeights;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuickStartTest {
    private static final Path DOCS = Path.of("../docs/dl4j.md");
    private static final Path SOURCE = Path.of("src/test/java/dev/samediff/dl4j/QuickStart.java");

    @TempDir
    Path folder;

    @Test
    void it_runs_and_leaves_a_better_network_of_dl4j_s_own() throws IOException {
        File trained = folder.resolve("trained.zip").toFile();
        File merged = folder.resolve("merged.zip").toFile();
        MultiLayerNetwork network = Blobs.trained();
        network.save(trained);
        QuickStart.run(trained, Blobs.batches(96, 2, 3), 8, merged);
        MultiLayerNetwork result = MultiLayerNetwork.load(merged, true);
        assertThat(result.evaluate(Blobs.batches(120, 2, 9)).accuracy())
                .isGreaterThan(network.evaluate(Blobs.batches(120, 2, 9)).accuracy());
        assertThat(result.getLayerWiseConfigurations().toJson()).doesNotContain("dev.samediff");
    }

    @Test
    void the_documentation_shows_it_word_for_word() throws IOException {
        assertThat(snippet()).hasSize(5);
        assertThat(Files.readString(DOCS)).contains(String.join("\n", snippet()));
    }

    @Test
    void the_documentation_lists_every_type_of_layer() throws IOException {
        String docs = Files.readString(DOCS);
        AdaptableWeights.types().forEach(type -> assertThat(docs).contains("`" + type + "`"));
    }

    private static List<String> snippet() throws IOException {
        List<String> lines =
                Files.readAllLines(SOURCE).stream().map(String::strip).toList();
        return lines.subList(lines.indexOf("// tag::quickstart") + 1, lines.indexOf("// end::quickstart"));
    }
}
