package dev.samediff.adapters.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.testing.ForkedJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LockFileTest {
    @TempDir
    Path folder;

    /** Holds a lock until it is killed. */
    static final class Holder {
        private Holder() {}

        public static void main(String[] arguments) throws Exception {
            try (LockFile lock = LockFile.take(Path.of(arguments[0]), "busy")) {
                System.out.println("held");
                System.out.flush();
                Thread.sleep(60_000);
            }
        }
    }

    @Test
    void a_lock_held_by_another_process_is_refused_with_its_holder_and_free_when_that_is_killed() throws Exception {
        Path file = folder.resolve("lock");
        Process holder = new ForkedJvm().start(Holder.class, file.toString());
        assertThat(holder.getInputStream().read()).isEqualTo('h');
        assertThatThrownBy(() -> LockFile.take(file, "the folder x is in use"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageMatching("the folder x is in use \\(.*process " + holder.pid()
                        + " on \\S+ since 20\\d\\d-.*\\); wait for it, or name another place.*");
        assertThat(LockFile.tryAcquire(file)).isEmpty();
        holder.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
        try (LockFile mine = LockFile.take(file, "busy")) {
            assertThat(mine.isExclusive()).isTrue();
        }
        assertThat(file).doesNotExist();
    }

    @Test
    void a_lock_held_by_another_thread_is_refused_and_waited_for() throws Exception {
        Path file = folder.resolve("lock");
        LockFile first = LockFile.take(file, "busy");
        Thread other = new Thread(() -> {
            try {
                assertThatThrownBy(() -> LockFile.take(file, "busy"))
                        .hasMessageContaining(
                                "process " + ProcessHandle.current().pid());
                Thread.sleep(100);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            first.close();
        });
        other.start();
        Thread waiting = new Thread(() -> {
            try (LockFile second = LockFile.acquire(file, Duration.ofSeconds(30))) {
                assertThat(second.isExclusive()).isTrue();
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
        waiting.start();
        other.join();
        waiting.join();
        assertThat(file).doesNotExist();
    }

    @Test
    void a_writer_that_writes_its_own_target_is_an_error_and_no_deadlock() {
        Path target = folder.resolve("file");
        assertThatThrownBy(() -> DurableFiles.write(target, out -> DurableFiles.writeText(target, "inside")))
                .isInstanceOf(IllegalStateException.class);
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void a_symbolic_link_in_the_place_of_a_lock_is_not_followed() throws IOException {
        Path victim = Files.writeString(folder.resolve("victim"), "precious");
        Files.createSymbolicLink(folder.resolve(".file.lock"), victim);
        assertThatThrownBy(() -> DurableFiles.writeText(folder.resolve("file"), "new"))
                .isInstanceOf(IOException.class);
        assertThat(victim).hasContent("precious");
    }
}
