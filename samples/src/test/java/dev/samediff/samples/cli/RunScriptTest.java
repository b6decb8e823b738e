package dev.samediff.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.testing.Programs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The script samples/run in a checkout of its own, with a java that shows what it was given. */
@EnabledOnOs(OS.LINUX)
class RunScriptTest {
    @TempDir
    Path folder;

    private Path script = Path.of("");

    /** How the script ended. */
    private record Ended(int exitCode, String out) {}

    @BeforeEach
    void checkout() throws IOException {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path samples = Files.createDirectories(folder.resolve("checkout/samples"));
        script =
                Files.copy(Path.of("run").toAbsolutePath(), samples.resolve("run"), StandardCopyOption.COPY_ATTRIBUTES);
        Files.writeString(folder.resolve("checkout/pom.xml"), "<project/>");
        Path target = Files.createDirectory(samples.resolve("target"));
        Path jar = Files.writeString(target.resolve("samediff-adapters-samples-1.jar"), "");
        Files.writeString(target.resolve("classpath.txt"), jar.toString());
        java("echo \"LC_ALL=${LC_ALL-} LC_CTYPE=${LC_CTYPE-} LANG=${LANG-} $*\"");
        Files.writeString(target.resolve("run.stamp"), "\n");
    }

    private void java(String body) throws IOException {
        Path java = Files.createDirectories(folder.resolve("jdk/bin")).resolve("java");
        Files.writeString(java, "#!/bin/sh\n" + body + "\n");
        Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Ended run(Map<String, String> environment, String... by) throws Exception {
        List<String> command = new ArrayList<>(Arrays.asList(by));
        command.addAll(List.of(script.toString(), "doctor"));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().keySet().removeAll(List.of("LC_ALL", "LC_CTYPE", "LANG", "TMPDIR"));
        builder.environment().put("JAVA_HOME", folder.resolve("jdk").toString());
        builder.environment().putAll(environment);
        Process process = builder.start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        return new Ended(process.exitValue(), out);
    }

    @ParameterizedTest
    @CsvSource({
        "LC_ALL=C,LC_ALL= LC_CTYPE=C.UTF-8 LANG=C",
        "LC_ALL=POSIX,LC_ALL= LC_CTYPE=C.UTF-8 LANG=POSIX",
        "LANG=tr_TR.ISO-8859-9,LC_ALL= LC_CTYPE=C.UTF-8 LANG=tr_TR.ISO-8859-9",
        "LC_CTYPE=C,LC_ALL= LC_CTYPE=C.UTF-8 LANG=",
        "NOTHING=,LC_ALL= LC_CTYPE=C.UTF-8 LANG=",
        "LANG=tr_TR.UTF-8,LC_ALL= LC_CTYPE= LANG=tr_TR.UTF-8",
        "LC_ALL=C.utf8,LC_ALL=C.utf8 LC_CTYPE= LANG="
    })
    void java_can_name_files_in_any_locale(String given, String seen) throws Exception {
        String[] variable = given.split("=", 2);
        assertThat(run(Map.of(variable[0], variable[1])).out()).contains(seen + " ");
    }

    @Test
    void the_temporary_folder_is_the_one_of_the_environment() throws Exception {
        assertThat(run(Map.of("TMPDIR", "/scratch/of me")).out()).contains("-Djava.io.tmpdir=/scratch/of me ");
        assertThat(run(Map.of()).out()).doesNotContain("java.io.tmpdir");
    }

    @ParameterizedTest
    @CsvSource({"24m,24m", "9M,9M", "20000k,20000k", "32m,32m", "200m,32m", "8g,32m"})
    void the_heap_never_begins_above_its_limit(String limit, String begin) throws Exception {
        assertThat(run(Map.of("SAMEDIFF_HEAP", limit)).out()).contains("-Xmx" + limit + " -Xms" + begin + " ");
    }

    @Test
    void the_exit_code_is_that_of_java_and_signals_reach_it() throws Exception {
        java("exit 42");
        assertThat(run(Map.of()).exitCode()).isEqualTo(42);
        java("kill -TERM $$");
        assertThat(run(Map.of()).exitCode()).isEqualTo(143);
    }

    @Test
    void a_checkout_of_another_user_that_is_built_runs_and_one_that_is_not_is_said() throws Exception {
        String[] nobody = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"};
        List<String> probe = new ArrayList<>(Arrays.asList(nobody));
        probe.addAll(List.of("test", "-r", script.toString()));
        assumeTrue(Programs.succeeds(probe.toArray(String[]::new)), "needs the right to become another user (setpriv)");
        assertThat(run(Map.of("HOME", "/nonexistent"), nobody).exitCode()).isZero();
        Files.delete(folder.resolve("checkout/samples/target/samediff-adapters-samples-1.jar"));
        Ended refused = run(Map.of("HOME", "/nonexistent"), nobody);
        assertThat(refused.exitCode()).isEqualTo(1);
        assertThat(refused.out().lines()).hasSize(1);
        assertThat(refused.out())
                .startsWith("error: this checkout has to be built")
                .contains("let its owner run", "cp -r");
    }

    @Test
    void a_process_that_the_system_kills_for_its_memory_gets_a_sentence() throws Exception {
        Path group = Path.of(
                "/sys/fs/cgroup/memory/samediff-test-" + ProcessHandle.current().pid());
        String limit = "memory.limit_in_bytes";
        if (!Files.isDirectory(Path.of("/sys/fs/cgroup/memory"))) {
            group = Path.of("/sys/fs/cgroup").resolve(group.getFileName());
            limit = "memory.max";
        }
        boolean made = Files.isDirectory(group.getParent()) && Programs.succeeds("mkdir", group.toString());
        assumeTrue(
                made && Files.exists(group.resolve(limit)), "needs the right to make a cgroup with a limit of memory");
        try {
            Files.writeString(group.resolve(limit), "33554432");
            java("exec python3 -c 'x = bytearray(200000000)'");
            String enter = "echo $$ >" + group + "/cgroup.procs && exec \"$0\" \"$@\"";
            Ended ended = run(Map.of("SAMEDIFF_HEAP", "5g"), "bash", "-c", enter);
            assertThat(ended.exitCode()).isEqualTo(137);
            assertThat(ended.out()).contains("error: the system ended a process because the memory", "5g", "--batch");
            java("exit 3");
            assertThat(run(Map.of(), "bash", "-c", enter)).isEqualTo(new Ended(3, ""));
        } finally {
            for (int i = 0; i < 50 && !Programs.succeeds("rmdir", group.toString()); i++) {
                Thread.sleep(20);
            }
        }
    }
}
