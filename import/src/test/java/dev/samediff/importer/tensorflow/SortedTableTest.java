package dev.samediff.importer.tensorflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Tables whose checksums are right and whose numbers are not. */
class SortedTableTest {
    private static final Path FILE = Path.of("variables.index");

    private static byte[] number(long value) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        long left = value;
        while ((left & ~0x7fL) != 0) {
            out.write((int) (left & 0x7f | 0x80));
            left >>>= 7;
        }
        out.write((int) left);
        return out.toByteArray();
    }

    private static byte[] entry(long shared, long own, long value, String key, byte[] content) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(number(shared));
        out.writeBytes(number(own));
        out.writeBytes(number(value));
        out.writeBytes(key.getBytes(StandardCharsets.UTF_8));
        out.writeBytes(content);
        return out.toByteArray();
    }

    /** A block of entries, its compression and its checksum. */
    private static byte[] block(int restarts, byte[]... entries) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] entry : entries) {
            out.writeBytes(entry);
        }
        out.writeBytes(little(restarts));
        out.write(0);
        byte[] block = out.toByteArray();
        out.writeBytes(little(SortedTable.masked(ByteBuffer.wrap(block))));
        return out.toByteArray();
    }

    private static byte[] little(int value) {
        return ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .array();
    }

    /** A table of one block, which its index names so many times. */
    private static byte[] table(byte[] block, int times) {
        ByteArrayOutputStream handle = new ByteArrayOutputStream();
        handle.writeBytes(number(0));
        handle.writeBytes(number(block.length - 5));
        List<byte[]> handles = new ArrayList<>();
        for (int i = 0; i < times; i++) {
            String key = String.format("%06d", i);
            handles.add(entry(0, key.length(), handle.size(), key, handle.toByteArray()));
        }
        byte[] index = block(0, handles.toArray(new byte[0][]));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(block);
        out.writeBytes(index);
        ByteArrayOutputStream footer = new ByteArrayOutputStream();
        footer.writeBytes(number(0));
        footer.writeBytes(number(0));
        footer.writeBytes(number(block.length));
        footer.writeBytes(number(index.length - 5));
        footer.writeBytes(new byte[40 - footer.size()]);
        out.writeBytes(footer.toByteArray());
        out.writeBytes(ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(0xdb4775248b80fb57L)
                .array());
        return out.toByteArray();
    }

    private static void assertRefused(byte[] table, String words) {
        assertThatThrownBy(() -> SortedTable.read(FILE, table))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(words);
    }

    @Test
    void a_right_table_is_read() {
        byte[] table = table(block(0, entry(0, 2, 1, "ab", new byte[] {7}), entry(1, 1, 1, "c", new byte[] {8})), 1);
        assertThat(SortedTable.read(FILE, table).keySet()).containsExactly("ab", "ac");
    }

    @Test
    void keys_that_share_more_than_there_is_are_refused_before_memory_is_taken() {
        for (long shared : new long[] {3, 1L << 31, (1L << 31) - 9, 1L << 32, Long.MAX_VALUE, -1, Integer.MIN_VALUE}) {
            assertRefused(table(block(0, entry(shared, 1, 0, "a", new byte[0])), 1), "points outside of itself");
        }
    }

    @Test
    void lengths_beyond_the_block_are_refused() {
        for (long length : new long[] {100, 1L << 31, 1L << 32, Long.MAX_VALUE, -1}) {
            assertRefused(table(block(0, entry(0, length, 0, "a", new byte[0])), 1), "points outside of itself");
            assertRefused(table(block(0, entry(0, 1, length, "a", new byte[0])), 1), "points outside of itself");
        }
        for (int restarts : new int[] {100, 1 << 30, -1, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            assertRefused(table(block(restarts, entry(0, 1, 0, "a", new byte[0])), 1), "points outside of itself");
        }
    }

    @Test
    void an_index_that_names_a_block_again_and_again_is_refused() {
        byte[] block = block(0, entry(0, 2, 40, "ab", new byte[40]));
        assertRefused(table(block, 1000), "lie over each other");
    }
}
