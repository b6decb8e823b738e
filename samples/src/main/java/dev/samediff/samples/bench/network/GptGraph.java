package dev.samediff.samples.bench.network;

/**
 * The layers of GPT-2 (Radford et al. 2019) with Hugging Face's module names, as {@code torch.onnx} writes them: learned
 * positions, blocks with the layer norm first, a causal mask, exact GELU, a language-model head of its own. Weights are
 * [in,out]. Batch and length are free.
 *
 * <p>The numbers' deviations keep the values near 1 through all layers, so that a wrong mask or factor shows in the loss.
 */
final class GptGraph {
    private static final double MASKED = -1e9;

    private final GraphDraft draft = new GraphDraft();
    private final int width;
    private final int heads;

    private GptGraph(Network network, int context) {
        this.width = network.width();
        this.heads = network.heads();
        int vocabulary = network.vocabulary();
        draft.input("input_ids", "batch", "sequence");
        String length = draft.node("Gather", draft.node("Shape", "input_ids"), draft.integer(1));
        String positions = draft.node("Range", draft.integer(0), length, draft.integer(1));
        String future = draft.node(
                "Less",
                draft.node("Unsqueeze", positions, draft.integers(1)),
                draft.node("Unsqueeze", positions, draft.integers(0)));
        String tokens =
                draft.node("Gather", draft.weight("transformer.wte.weight", 0, 0.7, vocabulary, width), "input_ids");
        String places = draft.node("Gather", draft.weight("transformer.wpe.weight", 0, 0.7, context, width), positions);
        String hidden = draft.node("Add", tokens, places);
        for (int layer = 0; layer < network.layers(); layer++) {
            hidden = block("transformer.h." + layer + ".", hidden, future);
        }
        String normal = norm("transformer.ln_f", hidden);
        draft.last("MatMul", "logits", normal, matrix("lm_head.weight", width, vocabulary));
        draft.output("logits", "batch", "sequence", Integer.toString(vocabulary));
    }

    /**
     * Makes the graph.
     *
     * @param network its sizes
     * @param context number of learned positions
     */
    static GraphDraft of(Network network, int context) {
        return new GptGraph(network, context).draft;
    }

    private String block(String path, String hidden, String future) {
        String attended = attention(path + "attn.", norm(path + "ln_1", hidden), future);
        String middle = draft.node("Add", hidden, attended);
        String up = linear(path + "mlp.c_fc", norm(path + "ln_2", middle), width, 4 * width);
        return draft.node("Add", middle, linear(path + "mlp.c_proj", gelu(up), 4 * width, width));
    }

    private String attention(String path, String hidden, String future) {
        String[] parts = draft.split(linear(path + "c_attn", hidden, width, 3 * width), 3, 2);
        String query = heads(parts[0], 0, 2, 1, 3);
        String keys = heads(parts[1], 0, 2, 3, 1);
        String scores = draft.node("Div", draft.node("MatMul", query, keys), draft.number(Math.sqrt(width / heads)));
        String weights = draft.node("Softmax", draft.node("Where", future, draft.number(MASKED), scores));
        String mixed = draft.node("MatMul", weights, heads(parts[2], 0, 2, 1, 3));
        String rows = draft.node("Reshape", draft.transposed(mixed, 0, 2, 1, 3), draft.integers(0, 0, width));
        return linear(path + "c_proj", rows, width, width);
    }

    private String heads(String x, long... order) {
        return draft.transposed(draft.node("Reshape", x, draft.integers(0, 0, heads, width / heads)), order);
    }

    /** {@code x (1 + erf(x / sqrt 2)) / 2}. */
    private String gelu(String x) {
        String erf = draft.node("Erf", draft.node("Div", x, draft.number(Math.sqrt(2))));
        return draft.node("Mul", draft.node("Mul", x, draft.node("Add", erf, draft.number(1))), draft.number(0.5));
    }

    private String linear(String path, String x, int in, int out) {
        String bias = draft.weight(path + ".bias", 0, 0.1, out);
        return draft.node("Add", draft.node("MatMul", x, matrix(path + ".weight", in, out)), bias);
    }

    private String matrix(String name, int in, int out) {
        return draft.weight(name, 0, 1 / Math.sqrt(in), in, out);
    }

    private String norm(String name, String x) {
        return draft.node(
                "LayerNormalization",
                x,
                draft.weight(name + ".weight", 1, 0.1, width),
                draft.weight(name + ".bias", 0, 0.1, width));
    }
}
