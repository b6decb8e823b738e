package dev.samediff.adapters.io;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.testing.ForkedJvm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A process that writes without a pause is killed (SIGKILL) at a random moment, as often as {@code -Dkills} says (5 of each kind):
 * what is there is one version, as new as what was seen before; the next writer leaves nothing of the killed one.
 */
class WriterKillTest {
    private static final int KILLS = Integer.getInteger("kills", 5);

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"FILE,one", "FOLDER,one", "FOLDER,two"})
    void a_killed_writer_leaves_one_version_and_the_next_one_cleans_up(Versions.Kind kind, String renames)
            throws Exception {
        Random random = new Random(kind.ordinal());
        Path target = folder.resolve("target");
        Path neighbour = Files.createDirectory(folder.resolve(".target.writing-backup-999999"));
        int cutOff = 0;
        for (int i = 0; i < KILLS; i++) {
            kind.write(target, "before");
            Process writer =
                    new ForkedJvm().start(Versions.class, kind.name(), target.toString(), "killed", "1000000", renames);
            while (number(kind.read(target)) < 0) { // it takes a while until it writes
                assertThat(writer.isAlive()).isTrue();
            }
            Thread.sleep(random.nextInt(100));
            String seen = kind.read(target);
            writer.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
            cutOff += Versions.hidden(folder).size() > 1 ? 1 : 0;
            String left = kind.read(target);
            assertThat(number(left)).isGreaterThanOrEqualTo(number(seen));
            kind.write(target, "after");
            assertThat(kind.read(target)).isEqualTo("after");
            assertThat(Versions.hidden(folder)).containsExactly(String.valueOf(neighbour.getFileName()));
        }
        assertThat(cutOff).as("kills in the middle of a write").isPositive();
    }

    private static int number(String version) {
        return version.startsWith("killed-") ? Integer.parseInt(version.substring("killed-".length())) : -1;
    }
}
