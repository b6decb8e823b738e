package dev.samediff.adapters.io;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * What is in a safetensors file, without its numbers. Everything the header declares was checked against the file's length.
 *
 * @param tensors the tensors, in the header's order
 * @param metadata the file's strings
 */
public record SafetensorsIndex(List<Tensor> tensors, Map<String, String> metadata) {
    private static final int SHOWN = 400;

    /**
     * One tensor.
     *
     * @param name its name
     * @param type its type
     * @param shape its shape
     * @param offset where its bytes begin in the file
     * @param length how many there are
     */
    public record Tensor(String name, DataType type, long[] shape, long offset, long length) {}

    /**
     * Reads a file's header.
     *
     * @throws InvalidInputException if there is no such file, or it is not a whole and valid safetensors file
     * @throws IOException if reading fails
     */
    public static SafetensorsIndex read(Path file) throws IOException {
        GivenFile.require(file, "a safetensors file");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return read(file, channel);
        } catch (NoSuchFileException e) {
            throw new InvalidInputException("there is no file " + file + "; check the path", e);
        }
    }

    static SafetensorsIndex read(Path file, FileChannel channel) throws IOException {
        long length = channel.size();
        if (length < 8) {
            throw malformed(file, "it has " + length + " bytes and no header");
        }
        long headerLength = readFully(channel, 0, 8).getLong(0);
        if (headerLength < 2 || headerLength > SafetensorsHeader.MAX_BYTES || headerLength > length - 8) {
            throw malformed(
                    file,
                    "its header claims " + Long.toUnsignedString(headerLength) + " bytes; the file has " + length);
        }
        byte[] json = readFully(channel, 8, (int) headerLength).array();
        long start = 8 + headerLength;
        try {
            SafetensorsHeader header = SafetensorsHeader.parse(json, length - start);
            List<Tensor> tensors = header.entries().stream()
                    .map(entry -> new Tensor(
                            entry.name(),
                            entry.type().dataType(),
                            entry.shape(),
                            start + entry.begin(),
                            entry.end() - entry.begin()))
                    .toList();
            return new SafetensorsIndex(tensors, header.metadata());
        } catch (SafetensorsHeader.Malformed e) {
            throw malformed(file, String.valueOf(e.getMessage()));
        }
    }

    static ByteBuffer readFully(FileChannel channel, long position, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, position + buffer.position()) < 0) {
                throw new IOException("the file became shorter while it was read");
            }
        }
        return buffer.flip();
    }

    private static InvalidInputException malformed(Path file, String what) {
        return new InvalidInputException(
                "cannot read " + file + " as a safetensors file: " + shown(what) + "; copy or make the file again");
    }

    /** Names and values in a header may be of any length. */
    private static String shown(String what) {
        return what.length() <= SHOWN ? what : what.substring(0, SHOWN) + "...";
    }
}
