package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** Files that once failed, as they lie outside of the project: each is right or refused with the reason. */
@EnabledIfSystemProperty(
        named = "import.cases",
        matches = "true",
        disabledReason = "takes a minute; run with -Dimport.cases=true")
class SharedCasesTest {
    private static final Path FOLDER = Path.of(System.getProperty("shared.dir", "../../shared"), "cases", "import");

    /** What cannot be imported, and a part of why. */
    private static final Map<String, String> REFUSED = Map.of(
            "moe-op14.onnx", "multiply by the mask",
            "t1-iterator.pbtxt", "--inputs");

    @TestFactory
    Stream<DynamicTest> each_file_is_right_or_refused_with_the_reason() throws IOException {
        assumeTrue(Files.isDirectory(FOLDER), () -> "the files are not here: no " + FOLDER);
        List<Path> files;
        try (Stream<Path> all = Files.list(FOLDER)) {
            files = all.filter(file -> file.toString().matches(".*\\.(onnx|pbtxt)"))
                    .sorted()
                    .toList();
        }
        assertThat(files).isNotEmpty();
        return files.stream()
                .map(file -> DynamicTest.dynamicTest(String.valueOf(file.getFileName()), () -> check(file)));
    }

    /** A cache as huggingface_hub makes it; the collection holds its links as text. */
    @Test
    void a_cache_whose_files_are_links_is_right(@TempDir Path cache) throws IOException {
        Path blobs = FOLDER.resolve("hf-cache").resolve("blobs");
        assumeTrue(Files.isDirectory(blobs), () -> "the files are not here: no " + blobs);
        Files.createDirectories(cache.resolve("blobs"));
        for (String blob : List.of("aaa1", "bbb2")) {
            Files.copy(blobs.resolve(blob), cache.resolve("blobs").resolve(blob));
        }
        Path folder = Files.createDirectories(cache.resolve("snapshots/rev/onnx"));
        Path model = Files.createSymbolicLink(folder.resolve("model.onnx"), Path.of("../../../blobs/aaa1"));
        Files.createSymbolicLink(folder.resolve("model.onnx_data"), Path.of("../../../blobs/bbb2"));
        assertThat(OnnxImporter.load(model).linearLayers()).isNotEmpty(); // ONNX Runtime 1.22 does not follow the links
    }

    private static void check(Path file) {
        VerificationPlan plan = new VerificationPlan(1e-4, 0, List.of(), 64, false);
        String refused = REFUSED.get(String.valueOf(file.getFileName()));
        if (refused != null) {
            assertThatThrownBy(() -> OnnxVerifier.verify(file, plan))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining(refused);
            return;
        }
        Verification verification = OnnxVerifier.verify(file, plan);
        assertThat(verification.passed()).as(verification.toString()).isTrue();
    }
}
