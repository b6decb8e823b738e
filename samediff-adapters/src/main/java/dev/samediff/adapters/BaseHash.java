package dev.samediff.adapters;

import dev.samediff.adapters.memory.HostFloats;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Fingerprints of base weights; an adapter only fits the weights it was made from. */
public final class BaseHash {
    private static final int ELEMENTS_PER_BLOCK = 1 << 18;

    private BaseHash() {}

    /**
     * Returns the SHA-256 (hexadecimal) of a weight's values as float32, little-endian, row-major.
     *
     * @param stored the weight [rows,columns], or [experts,rows,columns], as the graph stores it; not modified
     */
    public static String ofWeight(INDArray stored) {
        return hash(stored, values -> {});
    }

    /** Like {@link #ofWeight}, and refuses a weight that is not finite, in one pass. */
    public static String ofFiniteWeight(INDArray stored, String name) {
        return hash(stored, values -> {
            for (float value : values) {
                if (!Float.isFinite(value)) {
                    throw new InvalidInputException("the weight `" + name + "` contains " + value
                            + "; a layer can only be adapted if its weight is finite. Check the model file, or exclude"
                            + " the layer");
                }
            }
        });
    }

    private static String hash(INDArray weight, Consumer<float[]> look) {
        MessageDigest digest = sha256();
        ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * ELEMENTS_PER_BLOCK).order(ByteOrder.LITTLE_ENDIAN);
        Consumer<float[]> add = values -> {
            look.accept(values);
            for (int start = 0; start < values.length; start += ELEMENTS_PER_BLOCK) {
                int count = Math.min(ELEMENTS_PER_BLOCK, values.length - start);
                bytes.asFloatBuffer().put(values, start, count);
                digest.update(bytes.array(), 0, Float.BYTES * count);
            }
        };
        if (HostFloats.isPlain(weight)) {
            forEachBlock(weight, add);
        } else {
            forEachCopiedBlock(weight, add);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static void forEachBlock(INDArray plain, Consumer<float[]> add) {
        float[] values = new float[ELEMENTS_PER_BLOCK];
        for (long start = 0; start < plain.length(); start += ELEMENTS_PER_BLOCK) {
            int count = (int) Math.min(ELEMENTS_PER_BLOCK, plain.length() - start);
            float[] block = count == values.length ? values : new float[count];
            HostFloats.read(plain, start, block);
            add.accept(block);
        }
    }

    private static void forEachCopiedBlock(INDArray weight, Consumer<float[]> add) {
        INDArray stored =
                weight.rank() == 2 ? weight : weight.reshape('c', weight.length() / weight.size(-1), weight.size(-1));
        long rows = stored.rows();
        long step = Math.max(1, ELEMENTS_PER_BLOCK / Math.max(1, stored.columns()));
        for (long row = 0; row < rows; row += step) {
            INDArray block = stored.get(NDArrayIndex.interval(row, Math.min(rows, row + step)), NDArrayIndex.all());
            try (INDArray copy = block.dup('c')) {
                add.accept(copy.data().asFloat());
            }
        }
    }

    /**
     * Returns the SHA-256 (hexadecimal) over {@code "<module> <hash>\n"} of all layers, sorted by module path.
     *
     * @param weightHashByModule each layer's {@link #ofWeight}
     */
    public static String of(Map<String, String> weightHashByModule) {
        MessageDigest digest = sha256();
        new TreeMap<>(weightHashByModule)
                .forEach(
                        (module, hash) -> digest.update((module + " " + hash + "\n").getBytes(StandardCharsets.UTF_8)));
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
