package dev.samediff.adapters.memory;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteOrder;
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

@EnabledOnOs(OS.LINUX)
class FileBlockTest {
    private static final long MEGABYTE = 1 << 20;

    @TempDir
    private Path directory;

    private FileBlock block(long bytes) {
        return FileBackedArrays.block(bytes, directory).orElseThrow();
    }

    @Test
    void parts_that_are_given_back_keep_their_bytes_and_the_others_too() {
        FileBlock block = block(4 * MEGABYTE + 12);
        for (int i = 0; i < block.bytes() / 4; i++) {
            block.part(4L * i, 4).asByteBuffer().order(ByteOrder.nativeOrder()).putFloat(i);
        }
        block.release(0, MEGABYTE);
        block.release(MEGABYTE + 5, 3 * MEGABYTE + 7);
        INDArray array = block.asArray(block.bytes() / 4);
        assertThatBits(array).isEqualTo(Nd4j.arange(block.bytes() / 4.0).castTo(DataType.FLOAT));
        block.release(0, block.bytes());
        assertThatBits(array).isEqualTo(Nd4j.arange(block.bytes() / 4.0).castTo(DataType.FLOAT));
    }

    @Test
    void more_than_two_gigabytes_are_one_array() {
        long numbers = (1L << 29) + 1024; // blocks are made, pages only where they are touched
        INDArray array = block(numbers * 4).asArray(1024, numbers / 1024);
        array.putScalar(new long[] {1023, numbers / 1024 - 1}, 7);
        FileBackedArrays.release(array);
        assertThat(array.getDouble(1023, numbers / 1024 - 1)).isEqualTo(7);
        assertThat(FileBackedArrays.isOne(array)).isTrue();
    }

    @Test
    void an_array_like_one_in_a_file_lies_in_the_same_folder_and_has_numbers_of_its_own() throws Exception {
        INDArray one = FileBackedArrays.copy(Nd4j.ones(DataType.FLOAT, 3, 5), directory)
                .orElseThrow();
        INDArray other = FileBackedArrays.like(one).orElseThrow();
        assertThat(other.shape()).containsExactly(3, 5);
        assertThat(FileBackedArrays.isOne(other)).isTrue();
        other.addi(4);
        assertThatBits(one).isEqualTo(Nd4j.ones(DataType.FLOAT, 3, 5));
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files).isEmpty();
        }
        assertThat(FileBackedArrays.like(Nd4j.ones(DataType.FLOAT, 3, 5))).isEmpty();
    }

    @Test
    void a_closed_block_is_no_longer_known() {
        FileBlock block = block(MEGABYTE);
        INDArray view = HostMemory.array(block.address(), DataType.FLOAT, new long[] {4}, new long[] {1});
        assertThat(FileBackedArrays.isOne(view)).isTrue();
        block.close();
        assertThat(FileBackedArrays.isOne(view)).isFalse();
    }
}
