package dev.samediff.samples.bench.scale;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.samediff.adapters.InvalidInputException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Sizes of a Llama.
 *
 * @param width of the residual stream, {@code hidden_size}
 * @param inner of the feed-forward part, {@code intermediate_size}
 * @param layers number of blocks
 * @param heads attention heads
 * @param groups heads of keys and values
 * @param vocabulary number of tokens
 */
public record LlamaShape(int width, int inner, int layers, int heads, int groups, int vocabulary) {
    private static final Map<String, LlamaShape> NAMED = named();
    private static final Pattern FORM =
            Pattern.compile("d=(\\d{1,6}) f=(\\d{1,6}) L=(\\d{1,6}) H=(\\d{1,6}) K=(\\d{1,6}) V=(\\d{1,6})");
    private static final int CONTEXT = 2048;

    public LlamaShape {
        if (width < 1
                || inner < 1
                || layers < 1
                || heads < 1
                || groups < 1
                || vocabulary < 2
                || width % heads != 0
                || heads % groups != 0
                || width / heads % 2 != 0) {
            throw new InvalidInputException("the sizes " + text(width, inner, layers, heads, groups, vocabulary)
                    + " make no Llama: all must be positive, d a multiple of 2 H, H a multiple of K");
        }
    }

    /**
     * Reads the name of a known model ({@code mini}, {@code tinyllama-1.1b}, {@code llama-2-7b}) or what {@link #toString} writes.
     *
     * @throws InvalidInputException if it is neither
     */
    public static LlamaShape parse(String text) {
        LlamaShape known = NAMED.get(text.strip());
        if (known != null) {
            return known;
        }
        Matcher matcher = FORM.matcher(text.strip());
        if (!matcher.matches()) {
            throw new InvalidInputException(
                    "`" + text + "` is no model; expected one of " + NAMED.keySet() + " or the form `"
                            + NAMED.get("mini") + "` (width, inner width, layers, heads, heads of keys, vocabulary)");
        }
        int[] sizes = IntStream.rangeClosed(1, 6)
                .map(group -> Integer.parseInt(matcher.group(group)))
                .toArray();
        return new LlamaShape(sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5]);
    }

    private static Map<String, LlamaShape> named() {
        Map<String, LlamaShape> named = new LinkedHashMap<>();
        named.put("mini", new LlamaShape(2048, 5632, 2, 32, 4, 32000));
        named.put("tinyllama-1.1b", new LlamaShape(2048, 5632, 22, 32, 4, 32000));
        named.put("llama-2-7b", new LlamaShape(4096, 11008, 32, 32, 32, 32000));
        return named;
    }

    /**
     * A tensor of the model.
     *
     * @param name Hugging Face's
     * @param shape [out,in], or [n]
     */
    record Tensor(String name, List<Long> shape) {
        long length() {
            return shape.stream().reduce(1L, (a, b) -> a * b);
        }

        /** Weights of normalisations are around 1, matrices around 0. */
        boolean isNorm() {
            return shape.size() == 1;
        }
    }

    /** Returns the tensors in the order of the file. */
    List<Tensor> tensors() {
        Stream<Tensor> blocks = IntStream.range(0, layers).boxed().flatMap(this::block);
        return Stream.concat(
                        Stream.concat(Stream.of(matrix("model.embed_tokens", vocabulary, width)), blocks),
                        Stream.of(norm("model.norm"), matrix("lm_head", vocabulary, width)))
                .toList();
    }

    private Stream<Tensor> block(int layer) {
        String block = "model.layers." + layer + ".";
        int keys = width / heads * groups;
        return Stream.of(
                norm(block + "input_layernorm"),
                matrix(block + "self_attn.q_proj", width, width),
                matrix(block + "self_attn.k_proj", keys, width),
                matrix(block + "self_attn.v_proj", keys, width),
                matrix(block + "self_attn.o_proj", width, width),
                norm(block + "post_attention_layernorm"),
                matrix(block + "mlp.gate_proj", inner, width),
                matrix(block + "mlp.up_proj", inner, width),
                matrix(block + "mlp.down_proj", width, inner));
    }

    private Tensor norm(String module) {
        return new Tensor(module + ".weight", List.of((long) width));
    }

    private static Tensor matrix(String module, long out, long in) {
        return new Tensor(module + ".weight", List.of(out, in));
    }

    /** Returns the number of parameters. */
    public long parameters() {
        return tensors().stream().mapToLong(Tensor::length).sum();
    }

    /** Returns the parameters of matrices in blocks, each of which a token is multiplied by once. */
    long blockParameters() {
        return tensors().stream()
                .filter(tensor -> tensor.name().contains(".layers.") && !tensor.isNorm())
                .mapToLong(Tensor::length)
                .sum();
    }

    /** Returns the parameters of adapters of a rank on all linear layers of the blocks. */
    long adapterParameters(int rank) {
        return tensors().stream()
                .filter(tensor -> tensor.name().contains(".layers.") && !tensor.isNorm())
                .mapToLong(
                        tensor -> rank * (tensor.shape().get(0) + tensor.shape().get(1)))
                .sum();
    }

    /**
     * Returns the floating-point operations of a training step with a frozen base: forward and the gradient of the input, and three
     * products for each adapter factor.
     *
     * @param tokens of the batch
     * @param rank of the adapters
     * @param recomputed whether blocks are computed once more
     */
    double stepOperations(long tokens, int rank, boolean recomputed) {
        double base = 4.0 * (blockParameters() + (double) vocabulary * width) + 6.0 * adapterParameters(rank);
        double again = recomputed ? 2.0 * (blockParameters() + adapterParameters(rank)) : 0;
        return tokens * (base + again);
    }

    /** Returns the model's config.json. */
    ObjectNode config() {
        ObjectNode config = JsonNodeFactory.instance.objectNode();
        config.putArray("architectures").add("LlamaForCausalLM");
        return config.put("model_type", "llama")
                .put("hidden_size", width)
                .put("intermediate_size", inner)
                .put("num_hidden_layers", layers)
                .put("num_attention_heads", heads)
                .put("num_key_value_heads", groups)
                .put("vocab_size", vocabulary)
                .put("max_position_embeddings", CONTEXT)
                .put("rms_norm_eps", 1e-5)
                .put("rope_theta", 10000.0)
                .put("hidden_act", "silu")
                .put("tie_word_embeddings", false)
                .put("torch_dtype", "bfloat16");
    }

    /** Returns a name for files. */
    public String fileName() {
        return "llama-" + toString().replace("=", "").replace(' ', '-');
    }

    @Override
    public String toString() {
        return text(width, inner, layers, heads, groups, vocabulary);
    }

    private static String text(int width, int inner, int layers, int heads, int groups, int vocabulary) {
        return "d=" + width + " f=" + inner + " L=" + layers + " H=" + heads + " K=" + groups + " V=" + vocabulary;
    }
}
