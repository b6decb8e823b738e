package dev.samediff.importer.fuzz;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.Random;

/** Changes of bytes that know nothing of what they mean. */
final class ByteMutation {
    private static final int LONGEST = 200;

    private ByteMutation() {}

    static byte[] apply(byte[] bytes, Random random, Corpus corpus) {
        if (bytes.length < 2) {
            return bytes;
        }
        int at = random.nextInt(bytes.length);
        int length = Math.min(bytes.length - at, 1 + random.nextInt(LONGEST));
        byte[] copy = bytes.clone();
        switch (random.nextInt(10)) {
            case 0, 1 -> copy[at] ^= (byte) (1 << random.nextInt(8));
            case 2 -> copy[at] = 0;
            case 3 -> copy[at] = (byte) 0xff;
            case 4 -> copy[at] = (byte) random.nextInt();
            case 5 -> {
                return Arrays.copyOf(bytes, at);
            }
            case 6 -> {
                byte[] noise = new byte[length];
                random.nextBytes(noise);
                return spliced(bytes, at, at, noise);
            }
            case 7 -> {
                return spliced(bytes, at, at, Arrays.copyOfRange(bytes, at, at + length));
            }
            case 8 -> {
                return spliced(bytes, at, at + length, new byte[0]);
            }
            default -> {
                if (random.nextBoolean()) {
                    // a number that goes on: eight bits of it in every byte
                    Arrays.fill(copy, at, at + Math.min(length, 9), (byte) 0xff);
                    return copy;
                }
                byte[] other = corpus.pick(random).bytes();
                int from = random.nextInt(other.length);
                return spliced(bytes, at, bytes.length, Arrays.copyOfRange(other, from, other.length));
            }
        }
        return copy;
    }

    private static byte[] spliced(byte[] bytes, int from, int to, byte[] middle) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(bytes, 0, from);
        out.writeBytes(middle);
        out.write(bytes, to, bytes.length - to);
        return out.toByteArray();
    }
}
