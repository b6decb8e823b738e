package dev.samediff.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.io.LockFile;
import dev.samediff.samples.finetune.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A folder has one run at a time, and runs replace only what runs wrote. */
class RunFolderTest {
    @TempDir
    Path folder;

    private static Run run(String command, Path out, String... more) {
        List<String> arguments = new ArrayList<>(Arrays.asList(
                (command + " --steps 2 --batch 2 --rank 2 --eval-every 0 --eval-count 0 --targets c_attn --out " + out)
                        .split(" ")));
        arguments.addAll(Arrays.asList(more));
        if (command.equals("compare")) {
            arguments.addAll(List.of("--methods", "lora"));
        } else if (!arguments.contains("--checkpoint-every")) {
            arguments.addAll(List.of("--checkpoint-every", "1"));
        }
        return Run.of(arguments.toArray(String[]::new));
    }

    @ParameterizedTest
    @ValueSource(strings = {"finetune", "compare"})
    void a_second_run_in_a_folder_is_told_who_has_it(String command) throws IOException {
        Path out = folder.resolve("out");
        try (LockFile lock = new RunFolder(out).lock()) {
            for (String more : List.of("--json", "--overwrite")) {
                Run run = run(command, out, more);
                assertThat(run.exitCode()).isEqualTo(2);
                assertThat(run.error())
                        .contains(
                                "is in use by another run",
                                "process " + ProcessHandle.current().pid(),
                                " since ");
            }
        }
        assertThat(run(command, out).exitCode()).isZero();
    }

    @Test
    void of_two_runs_at_once_one_works_and_one_is_refused() throws Exception {
        Path out = folder.resolve("out");
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try {
            Callable<Run> one = () -> run("finetune", out);
            List<Integer> codes = new ArrayList<>();
            for (Future<Run> each : threads.invokeAll(List.of(one, one))) {
                codes.add(each.get().exitCode());
            }
            assertThat(codes).containsExactlyInAnyOrder(0, 2);
        } finally {
            threads.shutdownNow();
        }
        assertThat(out.resolve("adapter/adapter_config.json")).exists();
        assertThat(out.resolve(".run.lock")).doesNotExist();
    }

    @Test
    void overwrite_replaces_a_run() {
        Path out = folder.resolve("out");
        assertThat(run("finetune", out).exitCode()).isZero();
        Run again = run("finetune", out, "--overwrite", "--checkpoint-every", "2");
        assertThat(again.exitCode()).as(again.err()).isZero();
        assertThat(out.resolve("checkpoints")).isDirectoryNotContaining("glob:**checkpoint-1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"thesis.txt", "checkpoints/checkpoint-500/trainer_state.json", "adapter/README.md", "src/x.py"})
    void overwrite_leaves_a_folder_alone_in_which_there_is_more_than_a_run(String name) throws IOException {
        Path out = folder.resolve("out");
        Path mine = out.resolve(name);
        Files.createDirectories(mine.getParent());
        Files.writeString(mine, "years of work");
        Run run = run("finetune", out, "--overwrite");
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.error()).contains("--out");
        assertThat(mine).hasContent("years of work");
        assertThat(Files.walk(out).filter(Files::isRegularFile)).containsExactly(mine);
    }

    @Test
    void files_that_a_person_put_into_a_run_are_not_deleted_with_it() throws IOException {
        Path out = folder.resolve("out");
        assertThat(run("finetune", out).exitCode()).isZero();
        Path note = Files.writeString(out.resolve("checkpoints/checkpoint-1/note"), "the best one");
        assertThat(run("finetune", out, "--overwrite", "--checkpoint-every", "0")
                        .exitCode())
                .isZero();
        assertThat(note).hasContent("the best one");
        Files.writeString(out.resolve("adapter/README.md"), "my model card");
        Run run = run("finetune", out, "--overwrite");
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.error()).contains("README.md");
        assertThat(out.resolve("adapter/README.md")).exists();
    }
}
