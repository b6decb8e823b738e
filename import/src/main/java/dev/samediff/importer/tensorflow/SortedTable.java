package dev.samediff.importer.tensorflow;

import dev.samediff.adapters.InvalidInputException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * A sorted string table in LevelDB's format: the index of a checkpoint.
 *
 * <p>The file is a row of blocks; its last 48 bytes say where the block is that lists the others. A block is a row of
 * entries (bytes shared with the key before, bytes of the key, bytes of the value), then the places where keys are written
 * out in full; behind it stand one byte for the compression and a masked CRC-32C.
 */
final class SortedTable {
    private static final int FOOTER = 48;
    private static final int TRAILER = 5;
    private static final long MAGIC = 0xdb4775248b80fb57L;
    private static final int MASK = 0xa282ead8;

    private final Path file;
    private final ByteBuffer bytes;

    private SortedTable(Path file, byte[] content) {
        this.file = file;
        this.bytes = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * Reads all entries.
     *
     * @param file the file, for messages
     * @param content its bytes
     * @throws InvalidInputException if it is damaged or compressed
     */
    static Map<String, byte[]> read(Path file, byte[] content) {
        SortedTable table = new SortedTable(file, content);
        try {
            return table.entries();
        } catch (IndexOutOfBoundsException | java.nio.BufferUnderflowException | IllegalArgumentException e) {
            throw table.damaged("it points outside of itself: " + e.getMessage());
        }
    }

    private Map<String, byte[]> entries() {
        if (bytes.limit() < FOOTER || bytes.getLong(bytes.limit() - 8) != MAGIC) {
            throw damaged("it does not end as a table does");
        }
        ByteBuffer footer = slice(bytes.limit() - FOOTER, FOOTER);
        number(footer);
        number(footer);
        Map<String, byte[]> all = new LinkedHashMap<>();
        long together = 0;
        for (byte[] handle : block(number(footer), number(footer)).values()) {
            ByteBuffer place = ByteBuffer.wrap(handle);
            long offset = number(place);
            long size = number(place);
            together += Math.max(0, size);
            if (together > bytes.limit()) {
                throw damaged("its blocks lie over each other");
            }
            all.putAll(block(offset, size));
        }
        return all;
    }

    private Map<String, byte[]> block(long offset, long size) {
        if (offset < 0 || size < 4 || offset > bytes.limit() - TRAILER - size) {
            throw damaged("a block is said to lie at byte " + offset + " with " + size + " bytes");
        }
        int start = (int) offset;
        int length = (int) size;
        byte compression = bytes.get(start + length);
        if (bytes.getInt(start + length + 1) != masked(slice(start, length + 1))) {
            throw damaged("the checksum of the block at byte " + offset + " is wrong");
        }
        if (compression != 0) {
            throw new InvalidInputException(file + " is compressed (method " + compression
                    + "), which TensorFlow itself does not write; write the checkpoint again:"
                    + " python -c \"import tensorflow as tf; tf.saved_model.save(tf.saved_model.load('IN'), 'OUT')\"");
        }
        ByteBuffer block = slice(start, length);
        long restarts = Integer.toUnsignedLong(block.getInt(length - 4));
        if (restarts > (length - 4) / 4) {
            throw new IllegalArgumentException("a block with " + restarts + " beginnings");
        }
        block.limit((int) (length - 4 - 4 * restarts));
        Map<String, byte[]> entries = new LinkedHashMap<>();
        byte[] key = new byte[0];
        while (block.hasRemaining()) {
            long shared = number(block);
            int own = checked(number(block), block);
            byte[] value = new byte[checked(number(block), block)];
            if (shared < 0 || shared > key.length) {
                throw new IllegalArgumentException("a key that shares " + shared + " bytes with one of " + key.length);
            }
            byte[] next = Arrays.copyOf(key, (int) shared + own);
            block.get(next, (int) shared, own);
            block.get(value);
            entries.put(new String(next, StandardCharsets.UTF_8), value);
            key = next;
        }
        return entries;
    }

    private static int checked(long length, ByteBuffer block) {
        if (length < 0 || length > block.remaining()) {
            throw new IllegalArgumentException("an entry of " + length + " bytes");
        }
        return (int) length;
    }

    private ByteBuffer slice(int start, int length) {
        return bytes.slice(start, length).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** A whole number, seven bits to the byte, the lowest first. */
    static long number(ByteBuffer from) {
        long number = 0;
        for (int shift = 0; shift < Long.SIZE; shift += 7) {
            byte next = from.get();
            number |= (next & 0x7fL) << shift;
            if (next >= 0) {
                return number;
            }
        }
        throw new IllegalArgumentException("a number of more than 64 bits");
    }

    /** CRC-32C, rotated and shifted so that checksums of data with checksums in it stay apart. */
    static int masked(ByteBuffer data) {
        CRC32C crc = new CRC32C();
        crc.update(data);
        int value = (int) crc.getValue();
        return Integer.rotateRight(value, 15) + MASK;
    }

    private InvalidInputException damaged(String why) {
        return new InvalidInputException(
                file + " is not a complete checkpoint index (" + why + "); copy or save the model again");
    }
}
