package dev.samediff.tuning.journal;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** The bytes of a line of a journal. */
final class JournalLine {
    private static final ObjectMapper LENIENT = new ObjectMapper();

    private JournalLine() {}

    /**
     * Returns the line as text.
     *
     * @throws InvalidInputException if it is not UTF-8
     */
    static String text(byte[] line) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(line))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new InvalidInputException("it is not text in UTF-8");
        }
    }

    /** Returns whether a line is a whole JSON object, of a trial or not: nothing that was cut off is one. */
    static boolean isObject(byte[] line) {
        try {
            JsonNode node = LENIENT.readTree(line);
            return node != null && node.isObject();
        } catch (IOException e) {
            return false;
        }
    }
}
