package dev.samediff.samples.bench.network;

import dev.samediff.importer.huggingface.GraphMessage;
import java.util.List;

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
    private final GraphMessage graph = draft.message();
    private final int width;
    private final int heads;

    private GptGraph(Network network, int context) {
        this.width = network.width();
        this.heads = network.heads();
        int vocabulary = network.vocabulary();
        graph.input("input_ids", "batch", "sequence");
        String length = graph.node("Gather", graph.node("Shape", "input_ids"), graph.integer(1));
        String positions = graph.node("Range", graph.integer(0), length, graph.integer(1));
        String future = graph.node(
                "Less",
                graph.node("Unsqueeze", positions, graph.integers(1)),
                graph.node("Unsqueeze", positions, graph.integers(0)));
        String tokens =
                graph.node("Gather", draft.weight("transformer.wte.weight", 0, 0.7, vocabulary, width), "input_ids");
        String places = graph.node("Gather", draft.weight("transformer.wpe.weight", 0, 0.7, context, width), positions);
        String hidden = graph.node("Add", tokens, places);
        for (int layer = 0; layer < network.layers(); layer++) {
            hidden = block("transformer.h." + layer + ".", hidden, future);
        }
        String normal = norm("transformer.ln_f", hidden);
        graph.named("logits", "MatMul", List.of(), normal, matrix("lm_head.weight", width, vocabulary));
        graph.output("logits", "batch", "sequence", Integer.toString(vocabulary));
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
        String middle = graph.node("Add", hidden, attended);
        String up = linear(path + "mlp.c_fc", norm(path + "ln_2", middle), width, 4 * width);
        return graph.node("Add", middle, linear(path + "mlp.c_proj", gelu(up), 4 * width, width));
    }

    private String attention(String path, String hidden, String future) {
        List<String> parts = graph.split(linear(path + "c_attn", hidden, width, 3 * width), 3);
        String query = heads(parts.get(0), 0, 2, 1, 3);
        String keys = heads(parts.get(1), 0, 2, 3, 1);
        String scores = graph.node("Div", graph.node("MatMul", query, keys), graph.number(Math.sqrt(width / heads)));
        String weights = graph.node("Softmax", graph.node("Where", future, graph.number(MASKED), scores));
        String mixed = graph.node("MatMul", weights, heads(parts.get(2), 0, 2, 1, 3));
        String rows = graph.node("Reshape", graph.transposed(mixed, 0, 2, 1, 3), graph.integers(0, 0, width));
        return linear(path + "c_proj", rows, width, width);
    }

    private String heads(String x, long... order) {
        return graph.transposed(graph.node("Reshape", x, graph.integers(0, 0, heads, width / heads)), order);
    }

    /** {@code x (1 + erf(x / sqrt 2)) / 2}. */
    private String gelu(String x) {
        String erf = graph.node("Erf", graph.node("Div", x, graph.number(Math.sqrt(2))));
        return graph.node("Mul", graph.node("Mul", x, graph.node("Add", erf, graph.number(1))), graph.number(0.5));
    }

    private String linear(String path, String x, int in, int out) {
        String bias = draft.weight(path + ".bias", 0, 0.1, out);
        return graph.node("Add", graph.node("MatMul", x, matrix(path + ".weight", in, out)), bias);
    }

    private String matrix(String name, int in, int out) {
        return draft.weight(name, 0, 1 / Math.sqrt(in), in, out);
    }

    private String norm(String name, String x) {
        return graph.node(
                "LayerNormalization",
                x,
                draft.weight(name + ".weight", 1, 0.1, width),
                draft.weight(name + ".bias", 0, 0.1, width));
    }
}
