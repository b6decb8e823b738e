package dev.samediff.importer.onnx;

import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/**
 * Reads protobuf's wire format (tags, lengths, bytes) from a file of any size through a small buffer.
 *
 * <p>Nothing here trusts a length: a caller compares it with the end of the enclosing message before it goes on.
 */
final class WireReader {
    /** Wire type of a 64-bit number. */
    static final int FIXED64 = 1;

    /** Wire type of texts, bytes, messages and packed numbers. */
    static final int DELIMITED = 2;

    /** Wire type of a 32-bit number. */
    static final int FIXED32 = 5;

    private static final int VARINT = 0;
    private static final int LONGEST_VARINT = 10;

    private final FileChannel channel;
    private final ByteBuffer buffer = ByteBuffer.allocate(1 << 16).limit(0);
    private long bufferEnd;

    WireReader(FileChannel channel) {
        this.channel = channel;
    }

    /** Returns the offset of the next byte in the file. */
    long position() {
        return bufferEnd - buffer.remaining();
    }

    /** Goes to another place of the file. */
    void position(long offset) {
        long inBuffer = offset - (bufferEnd - buffer.limit());
        if (inBuffer >= 0 && inBuffer <= buffer.limit()) {
            buffer.position((int) inBuffer);
        } else {
            buffer.position(0).limit(0);
            bufferEnd = offset;
        }
    }

    private int next() throws IOException {
        if (!buffer.hasRemaining() && !fill()) {
            throw new EOFException("the file ends inside a message");
        }
        return buffer.get() & 0xff;
    }

    private boolean fill() throws IOException {
        buffer.clear();
        int count = channel.read(buffer, bufferEnd);
        buffer.flip();
        bufferEnd += Math.max(0, count);
        return count > 0;
    }

    /** Reads a variable-length number. */
    long varint() throws IOException {
        long value = 0;
        for (int i = 0; i < LONGEST_VARINT; i++) {
            int part = next();
            value |= (long) (part & 0x7f) << (7 * i);
            if (part < 0x80) {
                return value;
            }
        }
        throw new IOException("a number at byte " + position() + " does not end");
    }

    /** Reads a length and checks that so many bytes are left before {@code end}. */
    long length(long end) throws IOException {
        long length = varint();
        if (length < 0 || length > end - position()) {
            throw new IOException("a part at byte " + position() + " declares " + Long.toUnsignedString(length)
                    + " bytes where " + (end - position()) + " are left");
        }
        return length;
    }

    /** Copies bytes. */
    void copy(long count, OutputStream to) throws IOException {
        long left = count;
        while (left > 0) {
            if (!buffer.hasRemaining() && !fill()) {
                throw new EOFException("the file ends inside a message");
            }
            int part = (int) Math.min(left, buffer.remaining());
            to.write(buffer.array(), buffer.position(), part);
            buffer.position(buffer.position() + part);
            left -= part;
        }
    }

    /** Copies the value of a field that is not of type {@link #DELIMITED}. */
    void copyNumber(int wireType, OutputStream to) throws IOException {
        switch (wireType) {
            case VARINT -> writeVarint(varint(), to);
            case FIXED64 -> copy(8, to);
            case FIXED32 -> copy(4, to);
            default -> throw new IOException("a field at byte " + position() + " has wire type " + wireType);
        }
    }

    /** Writes a variable-length number. */
    static void writeVarint(long value, OutputStream to) throws IOException {
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            to.write((int) (rest & 0x7f | 0x80));
            rest >>>= 7;
        }
        to.write((int) rest);
    }
}
