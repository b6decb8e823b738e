package dev.samediff.adapters.graph;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Dropout of an adapter's input, {@code x mask / (1 - p)}, as PEFT has it. In the graph it is a product with a constant 1, so that
 * everything but a training step computes without it: {@code <output>/<adapter>/keep}. A training step feeds the engine, beside
 * the placeholders, a draw by the name {@code <adapter>/draw}: LONG [2], a key and how many of 2^32 numbers are kept. A mask is
 * never stored: whether element i (row-major) of x is kept is a function of the key, the name of the constant and i, the same in every
 * engine and in the backward pass.
 *
 * <pre>
 * h(i) = mix(key xor fnv1a(name) + (i + 1) golden);   kept if the upper 32 bits of h(i) are below (1 - p) 2^32
 * key = mix(mix(mix(seed) xor step) xor part);   mix, golden: SplitMix64's (Steele, Lea, Flood 2014)
 * </pre>
 */
public final class Dropout {
    private static final String KEEP = "/keep";
    private static final String DRAW = "/draw";
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;
    private static final double ALL = 4294967296.0;

    private Dropout() {}

    /**
     * Adds {@code x} times the constant to the graph.
     *
     * @param x the input
     * @param prefix {@code <output>/<adapter>/}
     */
    static SDVariable in(SDVariable x, String prefix) {
        SameDiff graph = x.getSameDiff();
        SDVariable keep = graph.constant(prefix + KEEP.substring(1), Nd4j.ones(x.dataType(), 1));
        return x.mul(prefix + "dropped", keep);
    }

    /** Returns the name by which an adapter's draw is fed. */
    public static String drawOf(String adapter) {
        return adapter + DRAW;
    }

    /** Returns the names of the draws among what is fed. */
    public static Set<String> draws(Map<String, ?> fed) {
        return fed.keySet().stream().filter(name -> name.endsWith(DRAW)).collect(Collectors.toSet());
    }

    /**
     * Returns the name of the draw that decides about an op, if it drops.
     *
     * @param op the op's name in ND4J
     * @param second its second input
     */
    public static Optional<String> draw(String op, String second) {
        if (!second.endsWith(KEEP) || !(op.equals("multiply") || op.equals("multiply_bp"))) {
            return Optional.empty();
        }
        String path = second.substring(0, second.length() - KEEP.length());
        return Optional.of(drawOf(path.substring(path.lastIndexOf('/') + 1)));
    }

    /**
     * Returns a draw.
     *
     * @param rate the share p that is dropped, 0 or more and below 1
     * @param seed the training's seed
     * @param step updates made before
     * @param part which of the batches of an update
     */
    public static INDArray draw(double rate, long seed, long step, long part) {
        return Nd4j.createFromArray(key(seed, step, part), Math.max(1, Math.round((1 - rate) * ALL)));
    }

    /** Returns the key of all that is drawn for a batch. */
    static long key(long seed, long step, long part) {
        return mix(mix(mix(seed) ^ step) ^ part);
    }

    /** Returns a number of [0, 1). */
    static double uniform(long key, long site, long element) {
        return (mix((key ^ site) + (element + 1) * GOLDEN) >>> 40) * 0x1p-24;
    }

    /** Returns what tells the masks of one use of a layer from those of others. */
    public static long site(String keep) {
        long hash = 0xCBF29CE484222325L;
        for (byte each : keep.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (each & 0xFF)) * 0x100000001B3L;
        }
        return hash;
    }

    /** Tells whether an element is kept. */
    public static boolean keeps(long key, long site, long kept, long element) {
        return mix((key ^ site) + (element + 1) * GOLDEN) >>> 32 < kept;
    }

    /** Returns what kept elements are multiplied by. */
    public static float factor(long kept) {
        return (float) (ALL / kept);
    }

    /**
     * Returns a mask: 0, or the factor of what is kept.
     *
     * @param draw see {@link #draw(double, long, long, long)}
     * @param site see {@link #site}
     * @param type its type
     * @param shape its shape
     */
    public static INDArray mask(INDArray draw, long site, DataType type, long... shape) {
        long key = draw.getLong(0);
        long kept = draw.getLong(1);
        float factor = factor(kept);
        INDArray mask = Nd4j.createUninitialized(DataType.FLOAT, shape, 'c');
        float[] values = new float[Math.toIntExact(mask.length())];
        for (int i = 0; i < values.length; i++) {
            values[i] = keeps(key, site, kept, i) ? factor : 0;
        }
        mask.data().setData(values);
        return mask.castTo(type);
    }

    private static long mix(long number) {
        long z = (number ^ number >>> 30) * 0xBF58476D1CE4E5B9L;
        z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
        return z ^ z >>> 31;
    }
}
