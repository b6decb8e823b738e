package dev.samediff.samples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.importer.OnnxVerifier;
import dev.samediff.samples.model.BundledModel;
import dev.samediff.samples.stories.ArithmeticStories;
import dev.samediff.samples.stories.ArithmeticStories.Distribution;
import dev.samediff.samples.stories.ArithmeticStories.Story;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QuickStartTest {
    private static final Path ROOT = Path.of("..");

    @TempDir
    Path folder;

    @Test
    void it_runs_and_leaves_an_adapter_and_a_merged_model() throws IOException {
        BundledModel model = BundledModel.extract();
        Path data = folder.resolve("train.jsonl");
        Files.write(
                data,
                ArithmeticStories.generate(Distribution.SHIFTED, 16, 1).stream()
                        .map(Story::toJson)
                        .toList());
        QuickStart.run(model.onnx(), model.vocabulary(), data, folder, 1);
        assertThat(AdapterFolder.load(folder.resolve("adapter")).sites()).hasSize(16);
        assertThat(OnnxVerifier.verify(folder.resolve("merged.onnx"), 1e-3, 0).passed())
                .isTrue();
    }

    @Test
    void it_has_at_most_fifteen_statements() throws IOException {
        long statements = snippet().stream()
                .filter(line -> line.endsWith(";") || line.endsWith("{"))
                .count();
        assertThat(statements).isBetween(5L, 15L);
    }

    @Test
    void readme_shows_it_word_for_word() throws IOException {
        Path readme = ROOT.resolve("README.md");
        assertThat(readme).exists();
        assertThat(Files.readString(readme)).contains(String.join("\n", snippet()));
    }

    /** Returns the marked lines without their common indentation. */
    private static List<String> snippet() throws IOException {
        List<String> lines = Files.readAllLines(Path.of("src/main/java/dev/samediff/samples/QuickStart.java"));
        int start = index(lines, "// tag::quickstart");
        int end = index(lines, "// end::quickstart");
        return lines.subList(start + 1, end).stream()
                .map(line -> line.replaceFirst("^ {8}", ""))
                .toList();
    }

    private static int index(List<String> lines, String marker) {
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).strip().equals(marker)) {
                return i;
            }
        }
        throw new IllegalStateException("QuickStart.java has no line " + marker);
    }
}
