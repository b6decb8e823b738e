package dev.samediff.adapters.io;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.testing.Bits;
import dev.samediff.adapters.testing.ForkedJvm;
import dev.samediff.adapters.testing.HostileFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SameDiff;

/** SameDiff's files, damaged, in another JVM: a crash is seen as what it is. Longer: {@code -Dmutations=2000}. */
class HostileGraphTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    private Path folder;

    /** Reads mutations of a graph in a folder. */
    static final class Mutated {
        private Mutated() {}

        public static void main(String[] arguments) throws IOException {
            Path folder = Path.of(arguments[0]);
            new HostileFiles("SameDiff graph", folder.resolve("graph.fb"), folder).read(SameDiffFile::load);
        }
    }

    @Test
    void a_changed_graph_is_read_or_refused() throws IOException, InterruptedException {
        TrainedAdapters.graph().save(folder.resolve("graph.fb").toFile(), true);
        new ForkedJvm()
                .with("-Dmutations=" + HostileFiles.count(), "-Dmutations.seed=" + Long.getLong("mutations.seed", 0))
                .run(Mutated.class, folder.toString());
    }

    @Test
    void a_graph_comes_back() throws IOException {
        SameDiff graph = TrainedAdapters.graph();
        graph.save(folder.resolve("graph.fb").toFile(), true);
        Bits.assertThatBits(TrainedAdapters.output(SameDiffFile.load(folder.resolve("graph.fb"))))
                .isEqualTo(TrainedAdapters.output(graph));
    }

    @Test
    void what_is_no_graph_is_refused() throws IOException {
        Path empty = Files.createFile(folder.resolve("empty.fb"));
        for (Path none : new Path[] {folder, empty, folder.resolve("none.fb")}) {
            assertThatThrownBy(() -> SameDiffFile.load(none))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining(none.toString());
        }
    }
}
