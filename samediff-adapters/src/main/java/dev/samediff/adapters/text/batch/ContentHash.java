package dev.samediff.adapters.text.batch;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** SHA-256 of numbers. */
final class ContentHash {
    private final MessageDigest digest;

    ContentHash() {
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    /** Adds how many numbers there are, and each of them. */
    void add(int... numbers) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * (numbers.length + 1)).putInt(numbers.length);
        bytes.asIntBuffer().put(numbers);
        digest.update(bytes.array());
    }

    /** Adds how many flags there are, and each of them. */
    void add(boolean... flags) {
        int[] numbers = new int[flags.length];
        for (int i = 0; i < flags.length; i++) {
            numbers[i] = flags[i] ? 1 : 0;
        }
        add(numbers);
    }

    /** Returns the hash as hexadecimal digits. */
    String text() {
        return HexFormat.of().formatHex(digest.digest());
    }
}
