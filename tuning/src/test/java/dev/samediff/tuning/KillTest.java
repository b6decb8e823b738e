package dev.samediff.tuning;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.tuning.journal.Journal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Real processes are killed with SIGKILL in the middle of a sweep, several times each, and started again. */
@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class KillTest {
    @TempDir
    Path folder;

    @Test
    void a_sweep_that_is_killed_again_and_again_ends_with_the_results_of_an_undisturbed_one() throws Exception {
        Map<Integer, TrialResult> whole;
        try (Journal journal = Journal.open(folder.resolve("whole"))) {
            new Sweep(Spaces.MIXED, KilledProcess.plan(Search.TPE), new LocalTrials(Spaces::curve)).run(journal);
            whole = Map.copyOf(journal.trials());
        }
        Path file = folder.resolve("killed");
        List<Integer> lines = new ArrayList<>();
        for (int kill = 0; kill < 3; kill++) {
            int before = lines(file);
            Process process = start(file);
            while (lines(file) < before + 6 && process.isAlive()) {
                Thread.sleep(3);
            }
            process.destroyForcibly().waitFor();
            lines.add(lines(file));
        }
        assertThat(lines).isSorted().allSatisfy(count -> assertThat(count).isBetween(1, KilledProcess.TRIALS - 1));
        Process last = start(file);
        assertThat(last.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(last.exitValue()).isZero();
        try (Journal journal = Journal.open(file)) {
            assertThat(journal.trials().keySet()).isEqualTo(whole.keySet());
            journal.trials()
                    .forEach((index, trial) -> assertThat(trial.sameAs(whole.get(index)))
                            .as("%s and %s", trial, whole.get(index))
                            .isTrue());
        }
    }

    private Process start(Path file) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx512m",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        KilledProcess.class.getName(),
                        file.toString(),
                        Search.TPE.key())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("log").toFile())
                .start();
    }

    private static int lines(Path file) throws IOException {
        return Files.exists(file)
                ? (int) Files.readString(file).chars().filter(c -> c == '\n').count()
                : 0;
    }
}
