package dev.samediff.samples.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HumanEvalTest {
    private static final String LINE =
            "{\"task_id\": \"t/0\", \"prompt\": \"def twice(x):\\n    \\\"\\\"\\\"Twice.\\\"\\\"\\\"\\n\", \"entry_point\": \"twice\","
                    + " \"canonical_solution\": \"    return 2 * x\\n\", \"test\": \"def check(f):\\n    assert f(3) == 6\\n\"}\n";

    @TempDir
    Path folder;

    private Sandbox sandbox;

    @BeforeEach
    void makeSandbox() {
        try {
            sandbox = new Sandbox(Duration.ofSeconds(20), 512L << 20);
        } catch (InvalidInputException e) {
            assumeTrue(false, "needs python3: " + e.getMessage());
        }
    }

    private HumanEval.Problem problem() throws IOException {
        return HumanEval.read(Files.writeString(folder.resolve("h.jsonl"), LINE))
                .orElseThrow()
                .get(0);
    }

    @Test
    void right_completions_pass_and_wrong_ones_do_not() throws IOException {
        HumanEval.Problem problem = problem();
        assertThat(sandbox.passes(problem.program(problem.solution()))).isTrue();
        assertThat(sandbox.passes(problem.program("    return x\n"))).isFalse();
        assertThat(sandbox.passes(problem.program("    return 2 *")))
                .as("a broken program")
                .isFalse();
    }

    @Test
    void what_is_no_part_of_the_function_is_left_out() throws IOException {
        HumanEval.Problem problem = problem();
        assertThat(sandbox.passes(problem.program("    return x + x\n\ndef other(:\n")))
                .isTrue();
        assertThat(sandbox.passes(
                        problem.program("Sure!\n```python\ndef twice(x):\n    return x + x\n```\nThat is it.")))
                .isTrue();
        assertThat(sandbox.passes(problem.program("```python\n    return x + x\n```")))
                .isTrue();
    }

    @Test
    void leaving_early_is_not_passing() throws IOException {
        assertThat(sandbox.passes(problem().program("    import os\n    os._exit(0)\n")))
                .isFalse();
        assertThat(sandbox.passes("raise SystemExit(0)")).isFalse();
    }

    @Test
    void programs_have_limits_and_no_environment() throws IOException {
        assertThat(sandbox.passes("import os\nassert not set(os.environ) - {'LC_CTYPE', 'PWD', 'OLDPWD'}"))
                .isTrue();
        assertThat(sandbox.passes("x = bytearray(1 << 30)")).as("more memory").isFalse();
        assertThat(sandbox.passes("open('large', 'wb').write(bytes(8 << 20))"))
                .as("a large file")
                .isFalse();
        assertThat(sandbox.passes(
                        "import os\nassert os.listdir('.') in (['program.py', 'output'], ['output', 'program.py'])"))
                .isTrue();
        Sandbox hasty = new Sandbox(Duration.ofSeconds(2), 512L << 20);
        assertThat(hasty.passes("import time\ntime.sleep(600)")).as("too long").isFalse();
        assertThat(hasty.passes("while True: pass")).as("too long").isFalse();
    }

    @Test
    void packed_files_are_read_and_other_files_are_none() throws IOException {
        Path packed = folder.resolve("h.jsonl.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
            out.write(LINE.repeat(2).getBytes(StandardCharsets.UTF_8));
        }
        assertThat(HumanEval.read(packed).orElseThrow()).hasSize(2);
        Path other = Files.writeString(folder.resolve("o.jsonl"), "{\"prompt\": \"a\", \"response\": \"b\"}\n");
        assertThat(HumanEval.read(other)).isEmpty();
        Path mixed = Files.writeString(folder.resolve("m.jsonl"), LINE + "{\"prompt\": \"a\"}\n");
        assertThatThrownBy(() -> HumanEval.read(mixed))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("m.jsonl, line 2");
    }

    @Test
    void the_published_solutions_pass() throws IOException {
        Path file = Path.of(System.getProperty("shared.dir", "../../shared"), "data/humaneval/HumanEval.jsonl.gz");
        assumeTrue(Files.isRegularFile(file), "needs " + file);
        Optional<List<HumanEval.Problem>> problems = HumanEval.read(file);
        assertThat(problems.orElseThrow()).hasSize(164);
        for (HumanEval.Problem problem : problems.get().subList(0, 20)) {
            assertThat(sandbox.passes(problem.program(problem.solution())))
                    .as(problem.task())
                    .isTrue();
        }
    }
}
