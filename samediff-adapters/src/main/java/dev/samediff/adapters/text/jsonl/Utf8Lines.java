package dev.samediff.adapters.text.jsonl;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Lines of a strictly UTF-8 file with their numbers. Ends at LF or CRLF; a byte order mark is left out. Memory: one line.
 */
final class Utf8Lines implements Closeable {
    private static final int LONGEST = 16 << 20;
    private static final char REPLACEMENT = '\uFFFD';

    private final InputStream in;
    private final byte[] buffer = new byte[1 << 16];
    private int position;
    private int limit;
    private byte[] line = new byte[1 << 12];
    private long number;

    Utf8Lines(Path file) throws IOException {
        in = Files.newInputStream(file);
    }

    /** Number of the line returned last, from 1. */
    long number() {
        return number;
    }

    /** The next line without its end, or null behind the last; {@link BrokenLine} if it is not UTF-8. */
    @Nullable
    String next() throws IOException, BrokenLine {
        int length = 0;
        boolean any = false;
        while (position < limit || fill()) {
            any = true;
            int end = position;
            while (end < limit && buffer[end] != '\n') {
                end++;
            }
            if (length + end - position > LONGEST) {
                number++;
                throw new BrokenLine("has more than " + (LONGEST >> 20) + " MB; expected one JSON object per line");
            }
            length = append(length, end);
            if (end < limit) {
                position = end + 1;
                break;
            }
            position = end;
        }
        if (!any) {
            return null;
        }
        number++;
        if (length > 0 && line[length - 1] == '\r') {
            length--;
        }
        return text(length);
    }

    private boolean fill() throws IOException {
        position = 0;
        limit = Math.max(0, in.read(buffer));
        return limit > 0;
    }

    private int append(int length, int end) {
        int more = end - position;
        if (length + more > line.length) {
            line = Arrays.copyOf(line, Math.max(length + more, 2 * line.length));
        }
        System.arraycopy(buffer, position, line, length, more);
        return length + more;
    }

    private String text(int length) throws BrokenLine {
        int start = number == 1
                        && length >= 3
                        && (line[0] & 255) == 0xEF
                        && (line[1] & 255) == 0xBB
                        && (line[2] & 255) == 0xBF
                ? 3
                : 0;
        String text = new String(line, start, length - start, StandardCharsets.UTF_8);
        // The constructor is much faster than a strict decoder but puts U+FFFD for broken bytes: only then look closer.
        if (text.indexOf(REPLACEMENT) >= 0) {
            ByteBuffer bytes = ByteBuffer.wrap(line, start, length - start);
            try {
                StandardCharsets.UTF_8.newDecoder().decode(bytes);
            } catch (CharacterCodingException e) {
                throw new BrokenLine("is not UTF-8 at byte " + (bytes.position() - start + 1) + hint(length), text, e);
            }
        }
        return text;
    }

    private String hint(int length) {
        if (number == 1 && length >= 2) {
            int magic = (line[0] & 255) << 8 | (line[1] & 255);
            if (magic == 0x1F8B) {
                return " (the file is gzip-compressed: unpack it first)";
            }
            if (magic == 0xFFFE || magic == 0xFEFF) {
                return " (the file is UTF-16: convert it to UTF-8 first)";
            }
        }
        return "; convert the file to UTF-8";
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
