package dev.samediff.adapters.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DurableFilesTest {
    @TempDir
    Path folder;

    @Test
    void a_file_is_written_with_its_parents_and_replaced() throws IOException {
        Path target = folder.resolve("a/b/file.txt");
        DurableFiles.writeText(target, "one");
        DurableFiles.writeText(target, "two");
        assertThat(target).hasContent("two");
        assertThat(names(java.util.Objects.requireNonNull(target.getParent()))).containsExactly("file.txt");
    }

    @Test
    void a_writer_that_fails_leaves_the_previous_file_and_nothing_else() throws IOException {
        Path target = folder.resolve("file.txt");
        DurableFiles.writeText(target, "kept");
        assertThatThrownBy(() -> DurableFiles.write(target, out -> {
                    out.write(new byte[100_000]);
                    throw new IOException("No space left on device");
                }))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("file.txt")
                .hasMessageContaining("untouched")
                .hasMessageContaining("free space");
        assertThat(target).hasContent("kept");
        assertThat(names(folder)).containsExactly("file.txt");
    }

    @Test
    void a_folder_is_replaced_as_a_whole_or_not_at_all() throws IOException {
        Path target = folder.resolve("adapter");
        DurableFiles.writeFolder(target, f -> Files.writeString(f.resolve("old"), "1"));
        assertThatThrownBy(() -> DurableFiles.writeFolder(target, f -> {
                    Files.writeString(f.resolve("new"), "2");
                    throw new IOException("No space left on device");
                }))
                .hasMessageContaining("adapter");
        assertThat(names(target)).containsExactly("old");
        DurableFiles.writeFolder(target, f -> Files.writeString(f.resolve("new"), "2"));
        assertThat(names(target)).containsExactly("new");
        assertThat(names(folder)).containsExactly("adapter");
    }

    @Test
    void a_full_disk_inside_a_folder_is_said_once() {
        assertThatThrownBy(() -> DurableFiles.writeFolder(
                        folder.resolve("adapter"),
                        f -> DurableFiles.write(f.resolve("inside"), out -> {
                            throw new IOException("No space left on device");
                        })))
                .hasMessageMatching("cannot write \\S*adapter \\(No space left on device\\); [^()]*free space[^()]*");
    }

    @Test
    void a_folder_whose_replacement_was_killed_between_the_renames_comes_back() throws IOException {
        long deadPid = deadProcess();
        Path target = folder.resolve("adapter");
        Files.createDirectory(folder.resolve(".adapter.replaced-" + deadPid));
        Files.writeString(folder.resolve(".adapter.replaced-" + deadPid).resolve("old"), "1");
        Files.createDirectory(folder.resolve(".adapter.writing-" + deadPid));
        assertThat(DurableFiles.recoverFolder(target)).isTrue();
        assertThat(names(target)).containsExactly("old");
        assertThat(names(folder)).containsExactly("adapter");
    }

    @Test
    void a_really_full_disk_leaves_the_previous_file() throws Exception {
        Path disk = folder.resolve("disk");
        Files.createDirectory(disk);
        assumeTrue(
                run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk.toString()) == 0,
                "needs the right to mount a 64 KiB tmpfs");
        try {
            Path target = disk.resolve("file.bin");
            DurableFiles.write(target, out -> out.write(new byte[1000]));
            assertThatThrownBy(() -> DurableFiles.write(target, out -> out.write(new byte[200_000])))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("No space left")
                    .hasMessageContaining("free space");
            assertThat(Files.size(target)).isEqualTo(1000);
            assertThat(names(disk)).containsExactly("file.bin");
        } finally {
            run("umount", disk.toString());
        }
    }

    @Test
    void a_file_where_a_folder_is_needed_is_said() throws IOException {
        Path file = folder.resolve("file");
        Files.writeString(file, "x");
        assertThatThrownBy(() -> DurableFiles.writeText(file.resolve("inside"), "y"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("name another place");
    }

    @Test
    void threads_that_write_one_file_do_not_mix() throws Exception {
        for (int round = 0; round < 20; round++) {
            Path target = folder.resolve("file" + round);
            inThreads(writer -> DurableFiles.write(target, out -> {
                for (int block = 0; block < 20; block++) {
                    byte[] bytes = new byte[1 << 14];
                    Arrays.fill(bytes, (byte) ('a' + writer));
                    out.write(bytes);
                    Thread.yield();
                }
            }));
            byte[] written = Files.readAllBytes(target);
            assertThat(written).hasSize(20 << 14).containsOnly(written[0]);
        }
        assertThat(names(folder)).hasSize(20).noneMatch(name -> name.startsWith("."));
    }

    @Test
    void threads_that_write_and_read_one_folder_see_it_whole() throws Exception {
        Path target = folder.resolve("adapter");
        DurableFiles.writeFolder(target, f -> fill(f, "first"));
        for (int round = 0; round < 30; round++) {
            inThreads(thread -> {
                if (thread == 0) {
                    assertThat(DurableFiles.recoverFolder(target)).isTrue();
                } else {
                    DurableFiles.writeFolder(target, f -> fill(f, "writer " + thread));
                }
            });
            assertThat(target.resolve("one")).hasSameTextualContentAs(target.resolve("two"));
        }
        assertThat(names(folder)).containsExactly("adapter");
    }

    private static void fill(Path inside, String text) throws IOException {
        Files.writeString(inside.resolve("one"), text);
        Thread.yield();
        Files.writeString(inside.resolve("two"), text);
    }

    private interface Work {
        void run(int thread) throws Exception;
    }

    private static void inThreads(Work work) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(3);
        try {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                int thread = i;
                running.add(threads.submit(() -> {
                    work.run(thread);
                    return thread;
                }));
            }
            for (Future<?> each : running) {
                each.get();
            }
        } finally {
            threads.shutdown();
        }
    }

    private static int run(String... command) throws Exception {
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        return process.waitFor(10, TimeUnit.SECONDS) ? process.exitValue() : -1;
    }

    private static long deadProcess() {
        try {
            Process process = new ProcessBuilder("true").start();
            process.waitFor();
            return process.pid();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<String> names(Path of) throws IOException {
        try (Stream<Path> list = Files.list(of)) {
            return list.map(p -> p.getFileName().toString()).sorted().toList();
        }
    }
}
