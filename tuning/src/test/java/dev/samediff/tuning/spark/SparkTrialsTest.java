package dev.samediff.tuning.spark;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.tuning.LocalTrials;
import dev.samediff.tuning.Search;
import dev.samediff.tuning.Spaces;
import dev.samediff.tuning.Sweep;
import dev.samediff.tuning.SweepPlan;
import dev.samediff.tuning.Trial;
import dev.samediff.tuning.TrialExecutor;
import dev.samediff.tuning.TrialFactory;
import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.TrialState;
import dev.samediff.tuning.journal.Journal;
import dev.samediff.tuning.pruning.Pruning;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SparkTrialsTest {
    @TempDir
    Path folder;

    /** Trials of a test; one fails always. */
    record Curves() implements TrialFactory {
        @Override
        public Trial create() {
            return context -> {
                if (context.index() == 5) {
                    throw new IllegalStateException("no luck");
                }
                return Spaces.curve(context);
            };
        }
    }

    /** Trials that end their executor at the first attempt of one of them. */
    record Deadly(String marker) implements TrialFactory {
        @Override
        public Trial create() {
            return context -> {
                if (context.index() == 3 && Files.notExists(Path.of(marker))) {
                    Files.createFile(Path.of(marker));
                    Runtime.getRuntime().halt(9);
                }
                return Spaces.curve(context);
            };
        }
    }

    @Test
    void a_sweep_on_spark_equals_the_local_one_and_failing_tasks_do_not_end_it() {
        List<TrialResult> local = run(new LocalTrials(new Curves().create()), "local");
        try (SparkTrials spark = SparkTrials.connect("local[2]", 1, new Curves())) {
            requireSame(run(spark, "spark"), local);
        }
        assertThat(local.get(5).state()).isEqualTo(TrialState.FAILED);
        assertThat(local).extracting(TrialResult::state).contains(TrialState.PRUNED);
    }

    @Test
    void a_sweep_on_a_cluster_survives_a_lost_executor_with_the_same_results() {
        List<TrialResult> local = run(new LocalTrials(Spaces::curve), "local");
        String marker = folder.resolve("died").toString();
        try (SparkTrials spark = SparkTrials.connect("local-cluster[2,1,1024]", 1, new Deadly(marker))) {
            requireSame(run(spark, "cluster"), local);
        }
        assertThat(Path.of(marker)).exists();
    }

    @Test
    void a_jvm_without_the_flags_says_which_are_missing() throws IOException, InterruptedException {
        Path log = folder.resolve("log");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        NoFlags.class.getName())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(log)
                .content()
                .contains("sun.nio.ch", "SAMEDIFF_JAVA_OPTS=\"--add-opens=java.base/java.lang=ALL-UNNAMED");
    }

    /** Checks the flags of a JVM that has none. */
    static final class NoFlags {
        private NoFlags() {}

        public static void main(String[] arguments) {
            SparkFlags.require();
        }
    }

    private List<TrialResult> run(TrialExecutor executor, String name) {
        SweepPlan plan = SweepPlan.of(16)
                .withSearch(Search.TPE)
                .withParallel(2)
                .withRetries(1)
                .withPruning(new Pruning.Median(3, 2));
        try (Journal journal = Journal.open(folder.resolve(name))) {
            return new Sweep(Spaces.MIXED, plan, executor).run(journal).trials();
        }
    }

    private static void requireSame(List<TrialResult> actual, List<TrialResult> expected) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.size(); i++) {
            assertThat(actual.get(i).sameAs(expected.get(i)))
                    .as("%s and %s", actual.get(i), expected.get(i))
                    .isTrue();
        }
    }
}
