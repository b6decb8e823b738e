package dev.samediff.adapters.graph;

import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * NEFTune (Jain et al. 2023, "Noisy Embeddings Improve Instruction Finetuning"): while training, every embedding of a token gets noise, uniform
 * in {@code +-alpha / sqrt(L d)} with L the padded length of the batch and d the width, as TRL and transformers have it. In the graph it is
 * a sum with a constant 0, so that everything but a training step computes without it; a training step feeds the engine the noise beside the
 * placeholders.
 *
 * <pre>
 * noise(i) = alpha / sqrt(L d) (2 u(i) - 1),  u(i) the upper 24 bits of h(i) by 2^24,  h(i) as in {@link Dropout}, i row-major in [B, L, d]
 * </pre>
 */
public final class EmbeddingNoise {
    private static final String NONE = "/neftune";
    private static final String FED = "/noise";
    /** What an insertion calls the value without it. */
    private static final String BASE = "/base";

    private static final Set<String> SAME_VALUES = Set.of("cast", "identity", "reshape", "expand_dims", "squeeze");
    private static final List<String> OTHERS = List.of("position", "segment", "type", "mask");

    private final SameDiff graph;
    private final String ids;
    private final int width;
    private final String name;
    private final GraphEditor.Insertion insertion;

    private EmbeddingNoise(SameDiff graph, Found found) {
        this.graph = graph;
        this.ids = found.ids();
        this.width = found.width();
        this.name = found.output() + NONE;
        this.insertion = new GraphEditor(graph)
                .insert(
                        found.output(),
                        name + BASE,
                        x -> x.add(name + "/sum", graph.constant(name, Nd4j.zeros(x.dataType(), 1))));
    }

    /** An embedding of tokens. */
    private record Found(String output, String ids, int width) {}

    /**
     * Finds the embedding of tokens that a loss depends on, and puts the sum behind it.
     *
     * @throws InvalidInputException if there is not exactly one
     */
    public static EmbeddingNoise in(SameDiff graph, String loss) {
        Set<String> needed = ExecutionOrder.of(graph, List.of(loss)).stream()
                .flatMap(node -> node.outputs().stream())
                .collect(Collectors.toSet());
        List<Found> all = new ArrayList<>();
        for (EmbeddingSite site : EmbeddingSites.scan(graph)) {
            for (AdaptableSite.Use use : site.uses()) {
                String placeholder = placeholder(graph, use.input());
                if (needed.contains(use.output()) && placeholder != null && takesTokens(placeholder)) {
                    all.add(new Found(adapted(graph, use.output()), placeholder, site.out()));
                }
            }
        }
        if (all.size() != 1) {
            throw new InvalidInputException("NEFTune adds noise to the embeddings of tokens, and the graph "
                    + (all.isEmpty()
                            ? "looks no rows of a table up by a placeholder of token ids; its placeholders are "
                                    + Names.some(graph.inputs())
                            : "has several: " + all.stream().map(Found::output).toList())
                    + ". Train without it");
        }
        Found found = all.get(0);
        if (graph.hasVariable(found.output() + NONE)) {
            throw new InvalidInputException("another trainer adds noise to `" + found.output() + "`; close it first");
        }
        if (graph.getVariable(found.output()).dataType() != DataType.FLOAT) {
            throw new InvalidInputException("NEFTune adds noise to embeddings of type FLOAT, and `" + found.output()
                    + "` is " + graph.getVariable(found.output()).dataType() + ". Train without it");
        }
        return new EmbeddingNoise(graph, found);
    }

    /** The placeholder whose values these are, whatever their shape. */
    private static @Nullable String placeholder(SameDiff graph, String name) {
        String present = name;
        while (true) {
            SDVariable variable = graph.getVariable(present);
            if (variable.isPlaceHolder()) {
                return present;
            }
            String producer = Internals.variable(graph, present).getOutputOfOp();
            SameDiffOp op = producer == null ? null : Internals.op(graph, producer);
            if (op == null || !SAME_VALUES.contains(op.getOp().opName())) {
                return null;
            }
            present = Internals.inputs(op).get(0);
        }
    }

    private static boolean takesTokens(String placeholder) {
        String lower = placeholder.toLowerCase(Locale.ROOT);
        return OTHERS.stream().noneMatch(lower::contains);
    }

    /** The name of a lookup's value with what adapters, or noise, have put behind it. */
    private static String adapted(SameDiff graph, String output) {
        String own = NONE + BASE;
        if (output.endsWith(own)) {
            return output.substring(0, output.length() - own.length());
        }
        int base = output.lastIndexOf(BASE);
        boolean inserted = base >= 0 && output.substring(base + BASE.length()).matches("(\\.[^/]*)?");
        String with = inserted ? output.substring(0, base) : output;
        return graph.hasVariable(with) ? with : output;
    }

    /** The placeholder of the token ids. */
    public String ids() {
        return ids;
    }

    /** The name by which the noise is fed. */
    public String fed() {
        return name + FED;
    }

    /**
     * The noise of a step.
     *
     * @param shape of the ids, [B, L]
     * @param alpha how much
     * @param seed the training's seed
     * @param step updates made before
     * @param part which of the batches of an update
     * @return FLOAT [B L d]
     */
    public INDArray draw(long[] shape, double alpha, long seed, long step, long part) {
        long length = shape[shape.length - 1];
        long count = width;
        for (long size : shape) {
            count = Math.multiplyExact(count, size);
        }
        float[] noise = new float[Math.toIntExact(count)];
        long key = Dropout.key(seed, step, part);
        long site = Dropout.site(NONE);
        double most = alpha / Math.sqrt((double) length * width);
        for (int i = 0; i < noise.length; i++) {
            noise[i] = (float) (most * (Dropout.uniform(key, site, i) * 2 - 1));
        }
        return Nd4j.createFromArray(noise);
    }

    /** Takes the sum out again. */
    public void remove() {
        new GraphEditor(graph).remove(insertion, List.of());
    }

    /**
     * Returns the name by which the noise of an op is fed, if it adds any.
     *
     * @param op the op's name in ND4J
     * @param second its second input
     */
    public static Optional<String> fed(String op, String second) {
        return second.endsWith(NONE) && op.equals("add") ? Optional.of(second + FED) : Optional.empty();
    }

    /** Returns the names of noise among what is fed. */
    public static Set<String> among(Map<String, ?> fed) {
        return fed.keySet().stream().filter(key -> key.endsWith(NONE + FED)).collect(Collectors.toSet());
    }
}
