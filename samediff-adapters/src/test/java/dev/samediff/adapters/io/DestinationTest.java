package dev.samediff.adapters.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.testing.Programs;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What may be replaced, and what becomes of what may not. */
class DestinationTest {
    @TempDir
    Path temporary;

    private Path folder = Path.of("");

    @BeforeEach
    void realFolder() throws IOException {
        folder = temporary.toRealPath();
    }

    @Test
    void nothing_and_a_regular_file_may_become_a_file() throws IOException {
        Path file = folder.resolve("a/b/file");
        assertThat(Destination.file(file)).isEqualTo(new Destination(file, false));
        assertThat(folder).isEmptyDirectory();
        DurableFiles.writeText(file, "x");
        assertThat(Destination.file(file)).isEqualTo(new Destination(file, true));
        assertThat(Destination.file(folder.resolve("a/./b/../b/file"))).isEqualTo(new Destination(file, true));
    }

    @ParameterizedTest
    @ValueSource(strings = {"pipe", "socket", "device", "folder"})
    void devices_pipes_sockets_and_folders_are_no_place_for_a_file(String kind) throws Exception {
        Path there = make(kind);
        Object before = Files.readAttributes(there, "unix:mode,ino,rdev");
        assertRefused(() -> DurableFiles.writeText(there, "x"), there);
        Path link = Files.createSymbolicLink(folder.resolve("link"), there);
        assertRefused(() -> DurableFiles.writeText(link, "x"), link);
        assertThat(Files.readAttributes(there, "unix:mode,ino,rdev")).isEqualTo(before);
        assertThat(Files.list(folder)).containsExactlyInAnyOrder(there, link);
    }

    @ParameterizedTest
    @ValueSource(strings = {"pipe", "socket", "device", "file"})
    void files_of_all_kinds_are_no_place_for_a_folder(String kind) throws Exception {
        Path there = make(kind);
        assertRefused(() -> DurableFiles.writeFolder(there, f -> {}), there);
        assertThat(Files.exists(there)).isTrue();
        assertThat(Files.isDirectory(there)).isFalse();
    }

    private Path make(String kind) throws Exception {
        Path there = folder.resolve("there");
        switch (kind) {
            case "folder" -> Files.createDirectory(there);
            case "file" -> Files.writeString(there, "a person's");
            case "pipe" -> assumeTrue(Programs.succeeds("mkfifo", there.toString()), "needs mkfifo");
            case "device" ->
                assumeTrue(
                        Programs.succeeds("mknod", there.toString(), "c", "1", "3"),
                        "needs the right to make a device");
            default -> {
                try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
                    server.bind(UnixDomainSocketAddress.of(there));
                }
            }
        }
        return there;
    }

    @Test
    void what_a_link_points_to_is_replaced_and_the_link_stays() throws IOException {
        Path real = Files.createDirectory(folder.resolve("elsewhere")).resolve("real.txt");
        Files.writeString(real, "old");
        Path middle = Files.createSymbolicLink(folder.resolve("elsewhere/middle"), Path.of("real.txt"));
        Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("elsewhere/middle"));
        DurableFiles.writeText(link, "new");
        assertThat(link).isSymbolicLink().hasContent("new");
        assertThat(middle).isSymbolicLink();
        assertThat(real).isRegularFile().hasContent("new");
        assertThat(Files.list(folder.resolve("elsewhere"))).containsExactlyInAnyOrder(real, middle);
    }

    @Test
    void a_link_to_nothing_gets_what_it_points_to() throws IOException {
        Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("new/file"));
        DurableFiles.writeText(link, "x");
        assertThat(link).isSymbolicLink();
        assertThat(folder.resolve("new/file")).hasContent("x");
    }

    @Test
    void a_link_to_a_folder_gets_a_new_folder_behind_it() throws IOException {
        DurableFiles.writeFolder(folder.resolve("v1"), f -> Files.writeString(f.resolve("one"), "1"));
        Path link = Files.createSymbolicLink(folder.resolve("current"), Path.of("v1"));
        DurableFiles.writeFolder(link, f -> Files.writeString(f.resolve("two"), "2"));
        assertThat(link).isSymbolicLink();
        assertThat(folder.resolve("v1/two")).exists();
        assertThat(folder.resolve("v1/one")).doesNotExist();
    }

    @Test
    void a_link_to_a_folder_of_ours_is_not_removed_with_what_it_points_to() throws IOException {
        DurableFiles.writeFolder(folder.resolve("archive"), f -> Files.writeString(f.resolve("one"), "1"));
        Path link = Files.createSymbolicLink(folder.resolve("current"), Path.of("archive"));
        assertThat(DurableFiles.removeFolder(link)).isFalse();
        assertThat(link.resolve("one")).exists();
        assertThat(DurableFiles.removeFolder(folder.resolve("archive"))).isTrue();
    }

    @Test
    void links_that_lead_back_to_themselves_are_refused() throws IOException {
        Path one = folder.resolve("one");
        Path two = folder.resolve("two");
        Files.createSymbolicLink(one, two);
        Files.createSymbolicLink(two, one);
        assertThatThrownBy(() -> DurableFiles.writeText(one, "x"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("leads back to itself");
        assertThatThrownBy(() -> DurableFiles.writeText(one.resolve("inside"), "x"))
                .hasMessageContaining("one/inside");
    }

    @ParameterizedTest
    @ValueSource(strings = {"rw-------", "rw-rw-r--", "r--r--r--", "rwxr-x---"})
    void a_file_keeps_its_mode(String mode) throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "old");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
        DurableFiles.write(file, out -> {
            out.write('n');
            try (var entries = Files.list(folder)) {
                assertThat(entries.filter(entry -> !entry.equals(file) && !entry.endsWith(".file.lock")))
                        .allSatisfy(unfinished -> assertThat(
                                        PosixFilePermissions.toString(Files.getPosixFilePermissions(unfinished)))
                                .isEqualTo("rw-------"));
            }
        });
        assertThat(file).hasContent("n");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo(mode);
    }

    @Test
    void a_folder_keeps_its_mode() throws IOException {
        Path there = folder.resolve("there");
        DurableFiles.writeFolder(there, f -> Files.writeString(f.resolve("x"), "1"));
        Files.setPosixFilePermissions(there, PosixFilePermissions.fromString("rwx------"));
        DurableFiles.writeFolder(there, f -> Files.writeString(f.resolve("x"), "2"));
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(there)))
                .isEqualTo("rwx------");
    }

    @Test
    void the_root_of_a_file_system_is_refused() {
        assertThatThrownBy(() -> DurableFiles.writeText(Path.of("/"), "x"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("root");
    }

    @ParameterizedTest
    @ValueSource(strings = {"thesis.txt", "native/notes", "README.md", "sub/mine", ".hidden", "link"})
    void a_folder_with_a_file_of_somebody_else_stays(String name) throws IOException {
        Path there = folder.resolve("there");
        DurableFiles.writeFolder(there, f -> {
            Files.createDirectory(f.resolve("native"));
            Files.writeString(f.resolve("native/ours"), "1");
        });
        Path mine = there.resolve(name);
        Files.createDirectories(DurableFiles.parentOf(mine));
        if (name.equals("link")) {
            Files.createSymbolicLink(mine, folder);
        } else {
            Files.writeString(mine, "years of work");
        }
        assertThatThrownBy(() -> DurableFiles.writeFolder(there, f -> {}))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(name)
                .hasMessageContaining("not written by this program");
        assertThat(DurableFiles.removeFolder(there)).isFalse();
        assertThat(mine).exists();
        assertThat(there.resolve("native/ours")).exists();
        assertThat(Versions.hidden(folder)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "no manifest",
                "{\"format\":1,\"files\":[\"mine\"]}",
                "{\"format\":2,\"written_by\":\"samediff-adapters\",\"files\":[\"mine\"]}",
                "{\"format\":1,\"written_by\":\"samediff-adapters\",\"files\":[\"..\",\".\",\"/\"]}",
                "{\"format\":1,\"written_by\":\"samediff-adapters\",\"files\":\"mine\"}",
                "[]",
                "null"
            })
    void a_folder_whose_manifest_is_not_ours_stays(String manifest) throws IOException {
        Path there = Files.createDirectory(folder.resolve("there"));
        Files.writeString(there.resolve("mine"), "x");
        if (!manifest.startsWith("no")) {
            Files.writeString(there.resolve(FolderManifest.NAME), manifest);
        }
        assertThatThrownBy(() -> DurableFiles.writeFolder(there, f -> {})).isInstanceOf(InvalidInputException.class);
        assertThat(there.resolve("mine")).exists();
    }

    @Test
    void an_empty_folder_and_one_with_litter_may_be_replaced() throws IOException {
        Path there = Files.createDirectory(folder.resolve("there"));
        DurableFiles.writeFolder(there, f -> Files.writeString(f.resolve("x"), "1"));
        Files.writeString(there.resolve(".DS_Store"), "");
        DurableFiles.writeFolder(there, f -> Files.writeString(f.resolve("y"), "2"));
        assertThat(Files.list(there)).containsExactlyInAnyOrder(there.resolve("y"), there.resolve(FolderManifest.NAME));
        assertThat(DurableFiles.removeFolder(there)).isTrue();
        assertThat(folder).isEmptyDirectory();
    }

    private static void assertRefused(org.assertj.core.api.ThrowableAssert.ThrowingCallable write, Path target) {
        assertThatThrownBy(write)
                .isInstanceOf(InvalidInputException.class)
                .hasMessageStartingWith(target + " is a ")
                .hasMessageContaining("name another");
    }
}
