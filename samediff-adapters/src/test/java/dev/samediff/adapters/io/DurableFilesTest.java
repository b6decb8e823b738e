package dev.samediff.adapters.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.testing.ForkedJvm;
import dev.samediff.adapters.testing.Programs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

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
        assertThat(names(target)).containsExactly(FolderManifest.NAME, "old");
        DurableFiles.writeFolder(target, f -> Files.writeString(f.resolve("new"), "2"));
        assertThat(names(target)).containsExactly(FolderManifest.NAME, "new");
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
    void a_folder_whose_replacement_was_killed_between_two_renames_is_read_and_comes_back() throws IOException {
        Path target = folder.resolve("adapter");
        DurableFiles.writeFolder(target, f -> Files.writeString(f.resolve("old"), "1"));
        Path replaced = TemporaryName.beside(target, TemporaryName.REPLACED);
        Files.move(target, replaced);
        Files.createDirectory(TemporaryName.beside(target, TemporaryName.WRITING));
        List<String> before = names(folder);
        assertThat(FolderSnapshot.<String>read(target, f -> Files.readString(f.resolve("old"))))
                .isEqualTo("1");
        assertThat(names(folder)).isEqualTo(before);
        DurableFiles.removeLeftoversIn(folder);
        assertThat(names(folder)).containsExactly("adapter");
        assertThat(names(target)).contains("old");
    }

    @Test
    void a_failed_replacement_by_two_renames_brings_the_old_folder_back() throws IOException {
        Path target = folder.resolve("adapter");
        FolderExchange.atomic = false;
        try {
            DurableFiles.writeFolder(target, f -> Files.writeString(f.resolve("old"), "1"));
            assertThatThrownBy(() -> FolderExchange.put(folder.resolve("nothing"), target))
                    .isInstanceOf(IOException.class);
            assertThat(target.resolve("old")).exists();
            DurableFiles.writeFolder(target, f -> Files.writeString(f.resolve("new"), "2"));
            assertThat(names(target)).contains("new").doesNotContain("old");
            assertThat(names(folder)).containsExactly("adapter");
        } finally {
            FolderExchange.atomic = true;
        }
    }

    @Test
    void leftovers_are_removed_by_the_next_writer_of_the_same_target_and_nothing_like_them_is() throws IOException {
        Path target = folder.resolve("file");
        Path left = Files.writeString(TemporaryName.beside(target, TemporaryName.WRITING), "half");
        Path others =
                Files.writeString(TemporaryName.beside(folder.resolve("file.data"), TemporaryName.WRITING), "half");
        List<String> names = List.of(
                ".file.writing-backup-999999",
                ".file.writing-999999",
                ".file.writing-1-abc-zzz",
                "file.writing-1-a-00000000000000000000000000000000",
                ".myfile.writing-1-a-0123456789abcdef0123456789abcdefff");
        for (String name : names) {
            Files.writeString(folder.resolve(name), "a person's");
        }
        DurableFiles.writeText(target, "new");
        assertThat(left).doesNotExist();
        assertThat(others).exists();
        assertThat(names(folder)).containsAll(names);
        DurableFiles.removeLeftoversIn(folder);
        assertThat(others).doesNotExist();
        assertThat(names(folder)).containsAll(names);
    }

    /** Tidies a folder up, and says whether somebody holds its lock. */
    static final class Tidier {
        private Tidier() {}

        public static void main(String[] arguments) throws IOException {
            Path folder = Path.of(arguments[0]);
            DurableFiles.removeLeftoversIn(folder);
            System.out.print(LockFile.tryAcquire(folder.resolve(".run.lock")).isEmpty() ? "held" : "free");
        }
    }

    /** A checkpoint that was complete when its writer was killed is not written again. */
    @Test
    void locks_of_dead_writers_are_removed_and_nothing_like_them_is() throws Exception {
        Path left = folder.resolve(".checkpoint-28.lock");
        Files.writeString(left, Owner.now() + "\n   \n");
        Path strangers = Files.writeString(folder.resolve(".other.lock"), "12345\n");
        Path empty = Files.createFile(folder.resolve(".empty.lock"));
        Path link = Files.createSymbolicLink(folder.resolve(".link.lock"), left);
        try (LockFile held = LockFile.take(folder.resolve(".run.lock"), "in use")) {
            assertThat(held.isExclusive()).isTrue();
            DurableFiles.removeLeftoversIn(folder);
            assertThat(folder.resolve(".run.lock")).exists();
            assertThat(new ForkedJvm().run(Tidier.class, folder.toString())).isEqualTo("held");
        }
        assertThat(left).doesNotExist();
        assertThat(List.of(strangers, empty))
                .allSatisfy(file -> assertThat(file).exists());
        assertThat(link).isSymbolicLink();
    }

    @Test
    void a_leftover_that_is_a_link_is_removed_and_what_it_points_to_stays() throws IOException {
        Path target = folder.resolve("file");
        Path victim = Files.createDirectory(folder.resolve("victim"));
        Files.writeString(victim.resolve("precious"), "x");
        Path planted = TemporaryName.beside(target, TemporaryName.WRITING);
        Files.createSymbolicLink(planted, victim);
        DurableFiles.writeText(target, "new");
        assertThat(Files.exists(planted, java.nio.file.LinkOption.NOFOLLOW_LINKS))
                .isFalse();
        assertThat(victim.resolve("precious")).exists();
    }

    @Test
    void temporary_names_cannot_be_guessed_and_fit_into_a_folder() {
        Path longest = folder.resolve("\u00fc".repeat(127));
        Set<String> names = new HashSet<>();
        for (int i = 0; i < 1000; i++) {
            String name = TemporaryName.beside(longest, TemporaryName.WRITING)
                    .getFileName()
                    .toString();
            assertThat(name.getBytes(StandardCharsets.UTF_8)).hasSizeLessThan(255);
            names.add(name.substring(name.lastIndexOf('-')));
        }
        assertThat(names).hasSize(1000).allMatch(random -> random.length() == 33);
    }

    @Test
    void the_longest_names_can_be_written() throws IOException {
        for (String name : List.of("\u00fc".repeat(127), "x".repeat(255))) {
            Path target = folder.resolve(name);
            DurableFiles.writeText(target, "x");
            Files.writeString(TemporaryName.beside(target, TemporaryName.WRITING), "left");
            DurableFiles.writeText(target, "y");
            assertThat(target).hasContent("y");
            assertThat(names(folder)).containsExactly(name);
            Files.delete(target);
        }
    }

    @Test
    void a_folder_without_permission_is_said_as_such() throws Exception {
        Path closed = Files.createDirectory(folder.resolve("closed"));
        assertThat(DurableFiles.failure(closed.resolve("x"), new java.nio.file.AccessDeniedException("/closed/x")))
                .hasMessageMatching("cannot write \\S+ \\(no permission: /closed/x\\); .*");
    }

    @Test
    void a_really_full_disk_leaves_the_previous_file() throws Exception {
        Path disk = folder.resolve("disk");
        Files.createDirectory(disk);
        assumeTrue(
                Programs.succeeds("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk.toString()),
                "needs the right to mount a 64 KiB tmpfs");
        try {
            Path target = disk.resolve("file.bin");
            DurableFiles.write(target, out -> out.write(new byte[1000]));
            assertThatThrownBy(() -> DurableFiles.write(target, out -> out.write(new byte[200_000])))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("No space left")
                    .hasMessageContaining("free space");
            assertThat(Files.size(target)).isEqualTo(1000);
            Path adapter = disk.resolve("adapter");
            DurableFiles.writeFolder(adapter, f -> Files.write(f.resolve("x"), new byte[10]));
            assertThatThrownBy(() ->
                            DurableFiles.writeFolder(adapter, f -> Files.write(f.resolve("x"), new byte[200_000])))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("free space");
            assertThat(Files.size(adapter.resolve("x"))).isEqualTo(10);
            DurableFiles.deleteTree(adapter);
            SameDiff graph = SameDiff.create();
            graph.var("w", Nd4j.create(DataType.FLOAT, 50_000));
            assertThatThrownBy(() -> SameDiffFile.save(graph, disk.resolve("graph.fb")))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("graph.fb")
                    .hasMessageContaining("free space");
            assertThat(names(disk)).containsExactly("file.bin");
        } finally {
            Programs.succeeds("umount", disk.toString());
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

    private static List<String> names(Path of) throws IOException {
        try (Stream<Path> list = Files.list(of)) {
            return list.map(p -> p.getFileName().toString()).sorted().toList();
        }
    }
}
