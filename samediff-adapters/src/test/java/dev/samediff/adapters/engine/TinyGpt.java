package dev.samediff.adapters.engine;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A GPT-2-like decoder of primitives that are known to be right, with factored LoRA on every linear layer; batch and
 * sequence length are free. Inputs: {@code input_ids [B,T]}, {@code causal [T,T]} (0 or -1e9).
 */
public final class TinyGpt {
    public final SameDiff graph = SameDiff.create();
    public final List<String> trainables = new ArrayList<>();
    public final List<String> weights = new ArrayList<>();
    public final String logits = "logits";
    public final int vocabulary;

    private final Random random;
    private final int width;
    private final int heads;
    private final int rank;
    private final DataType type;
    private final boolean transposed;
    private final boolean zeros;

    /** Builds a graph of any size in no time, for questions that its numbers do not matter for. */
    public static TinyGpt ofZeros(int width, int layers, int heads, int vocabulary, int rank) {
        return new TinyGpt(width, layers, heads, vocabulary, rank, DataType.FLOAT, false, true);
    }

    public TinyGpt(int width, int layers, int heads, int vocabulary, int rank) {
        this(width, layers, heads, vocabulary, rank, DataType.FLOAT, false);
    }

    /**
     * Builds the graph.
     *
     * @param transposed store the weights [out,in] and multiply by their transposes
     */
    public TinyGpt(int width, int layers, int heads, int vocabulary, int rank, DataType type, boolean transposed) {
        this(width, layers, heads, vocabulary, rank, type, transposed, false);
    }

    private TinyGpt(
            int width,
            int layers,
            int heads,
            int vocabulary,
            int rank,
            DataType type,
            boolean transposed,
            boolean zeros) {
        this.zeros = zeros;
        this.width = width;
        this.heads = heads;
        this.rank = rank;
        this.vocabulary = vocabulary;
        this.type = type;
        this.transposed = transposed;
        this.random = new Random(5);
        build(layers);
    }

    private void build(int layers) {
        SDVariable ids = graph.placeHolder("input_ids", DataType.INT64, -1, -1);
        SDVariable causal = graph.placeHolder("causal", type, -1, -1);
        SDVariable b = graph.sizeAt(ids, 0);
        SDVariable t = graph.sizeAt(ids, 1);
        SDVariable flatIds = ids.reshape(-1);
        SDVariable x = graph.mmul(
                "embedded",
                graph.oneHot(null, flatIds, vocabulary, 1, 1.0, 0.0, type),
                graph.constant("wte", normal(0.5, vocabulary, width)));
        for (int layer = 0; layer < layers; layer++) {
            String p = "h." + layer + ".";
            SDVariable qkv = linear(p + "attn.c_attn", norm(p + "ln_1", x), width, 3 * width);
            SDVariable[] parts = graph.split(qkv, 3, 1);
            SDVariable q = headsOf(parts[0], b, t);
            SDVariable k = headsOf(parts[1], b, t);
            SDVariable v = headsOf(parts[2], b, t);
            SDVariable scores = graph.mmul(q, k, false, true, false)
                    .mul(1 / Math.sqrt(width / heads))
                    .add(causal);
            SDVariable mixed = graph.mmul(graph.nn.softmax(scores, 3), v).permute(0, 2, 1, 3);
            SDVariable joined = graph.reshape(mixed, graph.stack(0, b.mul(t), integer(width)));
            x = x.add(linear(p + "attn.c_proj", joined, width, width));
            SDVariable hidden = gelu(linear(p + "mlp.c_fc", norm(p + "ln_2", x), width, 4 * width));
            x = x.add(linear(p + "mlp.c_proj", hidden, 4 * width, width));
        }
        SDVariable head = graph.mmul(norm("ln_f", x), graph.constant("lm_head", normal(0.3, width, vocabulary)));
        graph.reshape(head, graph.stack(0, b, t, integer(vocabulary))).rename(logits);
    }

    private SDVariable integer(long value) {
        return graph.constant(Nd4j.scalar(DataType.INT64, value));
    }

    private SDVariable headsOf(SDVariable x, SDVariable b, SDVariable t) {
        return graph.reshape(x, graph.stack(0, b, t, integer(heads), integer(width / heads)))
                .permute(0, 2, 1, 3);
    }

    private SDVariable norm(String name, SDVariable x) {
        SDVariable centred = x.sub(x.mean(true, 1));
        SDVariable variance = graph.math.square(centred).mean(true, 1);
        SDVariable scaled = centred.mul(graph.math.rsqrt(variance.add(1e-5)));
        return scaled.mul(graph.constant(name + ".weight", normal(0.1, width).addi(1)))
                .add(graph.constant(name + ".bias", normal(0.1, width)));
    }

    private SDVariable gelu(SDVariable x) {
        SDVariable cubic = x.mul(x).mul(x).mul(0.044715).add(x).mul(Math.sqrt(2 / Math.PI));
        return graph.math.tanh(cubic).add(1).mul(x).mul(0.5);
    }

    private SDVariable linear(String name, SDVariable x, int in, int out) {
        INDArray w = normal(1 / Math.sqrt(in), in, out);
        weights.add(name + ".weight");
        SDVariable weight =
                graph.constant(name + ".weight", transposed ? w.transpose().dup('c') : w);
        SDVariable y =
                graph.mmul(x, weight, false, transposed, false).add(graph.constant(name + ".bias", normal(0.1, out)));
        if (rank == 0) {
            return y;
        }
        SDVariable a = graph.var(name + ".lora_A", normal(1 / Math.sqrt(in), in, rank));
        SDVariable b = graph.var(name + ".lora_B", normal(0.1, rank, out));
        trainables.add(a.name());
        trainables.add(b.name());
        return y.add(graph.mmul(graph.mmul(x, a), b).mul(2.0));
    }

    private INDArray normal(double scale, long... shape) {
        INDArray array = Nd4j.create(type, shape);
        for (long i = 0; i < array.length() && !zeros; i++) {
            array.putScalar(i, random.nextGaussian() * scale);
        }
        return array;
    }

    /** Returns random inputs. */
    public Map<String, INDArray> inputs(int batch, int length, long seed) {
        Random ids = new Random(seed);
        INDArray tokens = Nd4j.create(DataType.INT64, batch, length);
        for (long i = 0; i < tokens.length(); i++) {
            tokens.putScalar(i, ids.nextInt(vocabulary));
        }
        INDArray causal = Nd4j.create(type, length, length);
        for (int i = 0; i < length; i++) {
            for (int j = i + 1; j < length; j++) {
                causal.putScalar(i, j, -1e9);
            }
        }
        Map<String, INDArray> inputs = new HashMap<>();
        inputs.put("input_ids", tokens);
        inputs.put("causal", causal);
        return inputs;
    }

    /** Returns inputs with random labels and a mask that leaves about a quarter of them out. */
    public Map<String, INDArray> batch(int batch, int length, long seed) {
        Map<String, INDArray> inputs = inputs(batch, length, seed);
        Random r = new Random(seed + 1);
        INDArray labels = Nd4j.create(DataType.INT32, batch, length);
        INDArray mask = Nd4j.create(DataType.FLOAT, batch, length);
        for (long i = 0; i < labels.length(); i++) {
            labels.putScalar(i, r.nextInt(vocabulary));
            mask.putScalar(i, r.nextInt(4) == 0 ? 0 : 1);
        }
        inputs.put("labels", labels);
        inputs.put("label_mask", mask);
        return inputs;
    }
}
