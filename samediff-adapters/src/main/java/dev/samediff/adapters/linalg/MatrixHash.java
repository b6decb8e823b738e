package dev.samediff.adapters.linalg;

import java.lang.ref.Reference;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.bytedeco.javacpp.BytePointer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Recognises a matrix by its bytes. */
final class MatrixHash {
    private static final long BLOCK = 1L << 26;

    private MatrixHash() {}

    /** SHA-256 of the bytes of a contiguous array. */
    static String of(INDArray contiguous) {
        MessageDigest digest = sha256();
        long bytes = contiguous.length() * contiguous.dataType().width();
        BytePointer data = new BytePointer(Lapack.hostData(contiguous).pointer());
        for (long start = 0; start < bytes; start += BLOCK) {
            digest.update(
                    data.position(start).limit(Math.min(bytes, start + BLOCK)).asByteBuffer());
        }
        Reference.reachabilityFence(contiguous);
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
