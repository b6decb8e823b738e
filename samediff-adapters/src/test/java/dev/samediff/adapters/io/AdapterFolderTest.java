package dev.samediff.adapters.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.adapters.testing.Npz;
import dev.samediff.adapters.testing.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The folder as a whole. */
class AdapterFolderTest {
    @TempDir
    Path dir;

    @Test
    void named_adapters_in_subfolders_are_found() throws IOException {
        AdapterState state = TrainedAdapters.trained(Lora.rank(2), TrainedAdapters.everyTarget());
        AdapterFolder.saveAsLora(state, dir.resolve("all/math"));
        assertThat(AdapterFolder.load(dir.resolve("all")).config().name()).isEqualTo("math");
        AdapterFolder.saveAsLora(state, dir.resolve("all/code"));
        assertThatThrownBy(() -> AdapterFolder.load(dir.resolve("all")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("several")
                .hasMessageContaining("math");
        assertThatThrownBy(() -> AdapterFolder.load(dir.resolve("nothing"))).isInstanceOf(InvalidInputException.class);
        assertThatThrownBy(() -> AdapterFolder.load(Files.createDirectory(dir.resolve("empty"))))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("holds no adapter");
    }

    @Test
    void saving_replaces_an_adapter_and_nothing_else() throws IOException {
        AdapterState state = TrainedAdapters.trained(Lora.rank(2), TrainedAdapters.everyTarget());
        AdapterFolder.save(state, dir.resolve("a"));
        AdapterFolder.saveAsLora(state, dir.resolve("a"));
        assertThat(dir.resolve("a/native")).doesNotExist();
        Files.writeString(dir.resolve("a/thesis.txt"), "years of work");
        assertThatThrownBy(() -> AdapterFolder.save(state, dir.resolve("a")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("thesis.txt");
        assertThat(dir.resolve("a/thesis.txt")).exists();
    }

    @Test
    void an_adapter_that_is_not_finite_is_not_saved() {
        AdapterState state = TrainedAdapters.trained(Lora.rank(2), TrainedAdapters.everyTarget());
        Npz.get(state.sites().get(0).tensors(), "lora_A").putScalar(0, 1, Float.NaN);
        assertThatThrownBy(() -> AdapterFolder.save(state, dir.resolve("a")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("not finite");
        assertThat(dir.resolve("a")).doesNotExist();
    }

    @Test
    void loading_writes_nothing_and_removes_nothing() throws IOException {
        AdapterFolder.save(TrainedAdapters.trained(Lora.rank(2), TrainedAdapters.everyTarget()), dir.resolve("a"));
        Files.createDirectory(dir.resolve(".a.writing-backup-999999"));
        Files.createDirectory(TemporaryName.beside(dir.resolve("a"), TemporaryName.WRITING));
        Files.createDirectory(TemporaryName.beside(dir.resolve("b"), TemporaryName.WRITING));
        List<String> before = everything();
        AdapterFolder.load(dir.resolve("a"));
        assertThatThrownBy(() -> AdapterFolder.load(dir.resolve("b"))).isInstanceOf(InvalidInputException.class);
        assertThat(everything()).isEqualTo(before);
    }

    private List<String> everything() throws IOException {
        List<String> all = new ArrayList<>();
        try (Stream<Path> tree = Files.walk(dir)) {
            for (Path path : tree.sorted().toList()) {
                all.add(path + " " + Files.getLastModifiedTime(path));
            }
        }
        return all;
    }

    @Test
    void an_adapter_on_a_read_only_disk_is_loaded_whatever_lies_beside_it() throws Exception {
        AdapterFolder.save(TrainedAdapters.trained(Lora.rank(2), TrainedAdapters.everyTarget()), dir.resolve("disk/a"));
        Files.createDirectory(TemporaryName.beside(dir.resolve("disk/a"), TemporaryName.WRITING));
        Files.createDirectory(dir.resolve("disk/.a.writing-1-999999"));
        String disk = dir.resolve("disk").toString();
        assumeTrue(
                Programs.succeeds("mount", "--bind", "-o", "ro", disk, disk),
                "needs the right to mount a folder read-only");
        try {
            assertThat(AdapterFolder.load(dir.resolve("disk/a")).sites()).hasSize(2);
            assertThatThrownBy(() -> AdapterFolder.save(
                            TrainedAdapters.trained(Lora.rank(2), TrainedAdapters.everyTarget()),
                            dir.resolve("disk/a")))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("Read-only file system");
        } finally {
            Programs.succeeds("umount", disk);
        }
    }

    @Test
    void saves_and_loads_of_one_folder_in_one_process_neither_fail_nor_mix() throws Exception {
        int rounds = Integer.getInteger("races", 60);
        List<AdapterState> states = List.of(
                TrainedAdapters.trained(Lora.rank(2), TrainedAdapters.everyTarget()),
                TrainedAdapters.trained(Sorsa.rank(3), TrainedAdapters.everyTarget()));
        AdapterFolder.save(states.get(0), dir.resolve("a"));
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<?>> work = new ArrayList<>();
            for (AdapterState state : states) {
                work.add(threads.submit(() -> {
                    for (int i = 0; i < rounds; i++) {
                        AdapterFolder.save(state, dir.resolve("a"));
                    }
                    return state;
                }));
                work.add(threads.submit(() -> {
                    for (int i = 0; i < rounds; i++) {
                        AdapterState loaded = AdapterFolder.load(dir.resolve("a"));
                        assertThat(states.stream().map(AdapterState::config)).contains(loaded.config());
                    }
                    return state;
                }));
            }
            for (Future<?> each : work) {
                each.get();
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(Versions.hidden(dir)).isEmpty();
    }
}
