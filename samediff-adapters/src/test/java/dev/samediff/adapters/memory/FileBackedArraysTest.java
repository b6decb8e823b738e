package dev.samediff.adapters.memory;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.testing.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.LoggerFactory;

@EnabledOnOs(OS.LINUX)
class FileBackedArraysTest {
    private static final int PAGE = 4096;

    @TempDir
    private Path directory;

    private static long residentBytes() throws IOException {
        return Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split(" ")[1]) * PAGE;
    }

    private INDArray copy(INDArray array) {
        return FileBackedArrays.copy(array, directory).orElseThrow();
    }

    @Test
    void a_copy_has_the_same_numbers_and_a_life_of_its_own() {
        INDArray array = Nd4j.rand(DataType.FLOAT, 7, 5);
        INDArray copy = copy(array);
        assertThat(FileBackedArrays.isOne(copy)).isTrue();
        assertThat(FileBackedArrays.isOne(array)).isFalse();
        assertThatBits(copy).isEqualTo(array);
        INDArray before = array.dup();
        copy.addi(1);
        assertThatBits(array).isEqualTo(before);
        FileBackedArrays.release(copy);
        assertThatBits(copy).as("what was written is not lost").isEqualTo(before.add(1));
    }

    @Test
    void views_are_copied_in_row_major_order() {
        INDArray transposed = Nd4j.rand(DataType.FLOAT, 4, 6).transpose();
        assertThatBits(copy(transposed)).isEqualTo(transposed);
    }

    @Test
    void memory_that_is_given_back_is_not_resident() throws IOException {
        INDArray copy = copy(Nd4j.rand(DataType.FLOAT, 4096, 4096));
        double sum = copy.sumNumber().doubleValue();
        long before = residentBytes();
        FileBackedArrays.release(copy);
        assertThat(before - residentBytes()).isGreaterThan(48L << 20);
        assertThat(copy.sumNumber().doubleValue()).isEqualTo(sum);
    }

    @Test
    void no_file_is_left_in_the_directory() throws IOException {
        copy(Nd4j.rand(DataType.FLOAT, 3));
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files).isEmpty();
        }
    }

    @Test
    void arrays_of_other_types_stay_in_memory() {
        assertThat(FileBackedArrays.copy(Nd4j.rand(DataType.DOUBLE, 3), directory))
                .isEmpty();
    }

    @Test
    void a_directory_that_takes_no_file_leaves_the_array_in_memory() {
        assertThat(FileBackedArrays.copy(Nd4j.rand(DataType.FLOAT, 3), Path.of("/proc")))
                .isEmpty();
    }

    @Test
    void a_missing_directory_is_an_error_that_names_it() {
        assertThatThrownBy(() -> FileBackedArrays.copy(Nd4j.rand(DataType.FLOAT, 3), directory.resolve("none")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("none")
                .hasMessageContaining("12 bytes");
    }

    @Test
    void a_full_folder_is_said_in_one_line_however_many_arrays_there_are() throws Exception {
        String disk = Files.createDirectory(directory.resolve("disk")).toString();
        assumeTrue(
                Programs.succeeds("mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", disk),
                "needs the right to mount a tmpfs of 4 KiB");
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        Logger logger = (Logger) LoggerFactory.getLogger(FileBackedArrays.class);
        log.start();
        logger.addAppender(log);
        try {
            for (int i = 0; i < 3; i++) {
                assertThat(FileBackedArrays.copy(Nd4j.zeros(DataType.FLOAT, 64, 64), Path.of(disk)))
                        .isEmpty();
            }
        } finally {
            logger.detachAppender(log);
            Programs.succeeds("umount", disk);
        }
        assertThat(log.list).hasSize(1);
        assertThat(log.list.get(0).getThrowableProxy()).isNull();
        assertThat(log.list.get(0).getFormattedMessage()).contains("No space left", disk, "--weights-directory");
    }
}
