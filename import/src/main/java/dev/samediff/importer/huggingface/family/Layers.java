package dev.samediff.importer.huggingface.family;

import static dev.samediff.importer.huggingface.GraphMessage.integer;
import static dev.samediff.importer.huggingface.GraphMessage.integersOf;

import dev.samediff.importer.huggingface.GraphMessage;
import dev.samediff.importer.huggingface.ModelConfig;
import dev.samediff.importer.huggingface.Weights;
import java.util.List;
import java.util.OptionalDouble;

/** Layers that several families have, as torch exports them. */
final class Layers {
    private static final double LOWEST = -Float.MAX_VALUE;

    private final GraphMessage graph;
    private final Weights weights;

    Layers(GraphMessage graph, Weights weights) {
        this.graph = graph;
        this.weights = weights;
    }

    /** {@code x W^T (+ b)} of a {@code torch.nn.Linear}: W [out,in]. */
    String linear(String path, String x, int in, int out, boolean bias) {
        graph.in(path);
        String product = graph.node("MatMul", x, graph.transposed(weights.get(path + ".weight", out, in), 1, 0));
        return bias ? graph.node("Add", product, weights.get(path + ".bias", out)) : product;
    }

    /** {@code x W + b} of GPT-2's {@code Conv1D}: W [in,out]. */
    String conv1d(String path, String x, int in, int out) {
        graph.in(path);
        return graph.node(
                "Add",
                graph.node("MatMul", x, weights.get(path + ".weight", in, out)),
                weights.get(path + ".bias", out));
    }

    /** Rows of a table. */
    String embedding(String path, String ids, int rows, int width) {
        graph.in(path);
        return graph.node("Gather", weights.get(path + ".weight", rows, width), ids);
    }

    /** Zhang and Sennrich 2019: {@code w x / sqrt(mean(x^2) + eps)} over the last axis. */
    String rmsNorm(String path, String x, int width, double eps) {
        graph.in(path);
        return graph.node("Mul", weights.get(path + ".weight", width), rmsNormal(x, eps));
    }

    /** Gemma's form of it: {@code (1 + w) x / sqrt(mean(x^2) + eps)}. */
    String rmsNormFromOne(String path, String x, int width, double eps) {
        graph.in(path);
        String factor = graph.node("Add", weights.get(path + ".weight", width), graph.number(1));
        return graph.node("Mul", rmsNormal(x, eps), factor);
    }

    private String rmsNormal(String x, double eps) {
        String squares = graph.node("Pow", x, graph.number(2));
        String mean = graph.node("ReduceMean", List.of(integersOf("axes", -1), integer("keepdims", 1)), squares);
        String root = graph.node("Sqrt", graph.node("Add", mean, graph.number(eps)));
        return graph.node("Mul", x, graph.node("Reciprocal", root));
    }

    /** Ba et al. 2016. Old files of BERT have {@code gamma} and {@code beta}. */
    String layerNorm(String path, String x, int width, double eps) {
        graph.in(path);
        boolean old = !weights.has(path + ".weight") && weights.has(path + ".gamma");
        return graph.node(
                "LayerNormalization",
                List.of(integer("axis", -1), GraphMessage.real("epsilon", eps)),
                x,
                weights.get(path + (old ? ".gamma" : ".weight"), width),
                weights.get(path + (old ? ".beta" : ".bias"), width));
    }

    /** Scores of the vocabulary, the output {@code logits}: {@code x W^T}, with the tokens' table if the head is tied. */
    void vocabularyHead(String own, String table, boolean tied, String x, int vocabulary, int width) {
        vocabularyHead(own, table, tied, x, vocabulary, width, OptionalDouble.empty());
    }

    /** As {@link #vocabularyHead(String, String, boolean, String, int, int)}, with scores that stay within a number. */
    void vocabularyHead(
            String own, String table, boolean tied, String x, int vocabulary, int width, OptionalDouble cap) {
        String turned = vocabularyWeight(own, table, tied, vocabulary, width);
        if (cap.isPresent()) {
            String most = graph.number(cap.getAsDouble());
            String within = graph.node("Tanh", graph.node("Div", graph.node("MatMul", x, turned), most));
            graph.named("logits", "Mul", List.of(), within, most);
        } else {
            graph.named("logits", "MatMul", List.of(), x, turned);
        }
        graph.output("logits", "batch", "sequence", Integer.toString(vocabulary));
    }

    /** {@code x W^T} for every token of the vocabulary, with the tokens' table if the head is tied; an output of its own is not made of it. */
    String vocabularyProduct(String own, String table, boolean tied, String x, int vocabulary, int width) {
        return graph.node("MatMul", x, vocabularyWeight(own, table, tied, vocabulary, width));
    }

    /** W^T, [width,vocabulary]. */
    private String vocabularyWeight(String own, String table, boolean tied, int vocabulary, int width) {
        if (tied && weights.has(own + ".weight")) {
            weights.leave(own + ".weight"); // the same numbers, stored twice by some
        }
        String weight = weights.get((tied ? table : own) + ".weight", vocabulary, width);
        graph.in(own);
        return graph.transposed(weight, 1, 0);
    }

    /** [batch,sequence,heads*width] to [batch,heads,sequence,width]. */
    String heads(String x, int heads, int width) {
        return graph.transposed(graph.node("Reshape", x, graph.integers(0, 0, heads, width)), 0, 2, 1, 3);
    }

    /**
     * Softmax of scaled scores, times values.
     *
     * @param blocked true where a query must not look, [batch,1,queries,keys]
     * @return [batch,sequence,heads*width]
     */
    String attention(String query, String key, String value, String blocked, double scale, int heads, int width) {
        return mixed(scores(query, key, scale), value, blocked, heads, width);
    }

    /** Scaled products of queries and keys, [batch,heads,queries,keys]. */
    String scores(String query, String key, double scale) {
        return graph.node("Mul", graph.node("MatMul", query, graph.transposed(key, 0, 1, 3, 2)), graph.number(scale));
    }

    /** Softmax of what is not blocked, times values: [batch,sequence,heads*width]. */
    String mixed(String scores, String value, String blocked, int heads, int width) {
        String seen = graph.node("Where", blocked, graph.number(LOWEST), scores);
        String shares = graph.node("Softmax", List.of(integer("axis", -1)), seen);
        String mixed = graph.transposed(graph.node("MatMul", shares, value), 0, 2, 1, 3);
        return graph.node("Reshape", mixed, graph.integers(0, 0, (long) heads * width));
    }

    /** {@code c tanh(x / c)}: numbers stay within c (Gemma Team 2024, section 2). */
    String capped(String x, double cap) {
        return graph.node("Mul", graph.node("Tanh", graph.node("Div", x, graph.number(cap))), graph.number(cap));
    }

    /** The activation function of a name, as transformers' {@code ACT2FN} has it. */
    String activation(ModelConfig config, String field, String otherwise, String x) {
        String name = config.text(field, otherwise);
        return switch (name) {
            case "silu", "swish" -> graph.node("Mul", x, graph.node("Sigmoid", x));
            case "relu" -> graph.node("Relu", x);
            case "gelu" -> gelu(x);
            case "gelu_new", "gelu_pytorch_tanh", "gelu_fast" -> {
                String cube = graph.node("Mul", graph.number(0.044715), graph.node("Pow", x, graph.number(3)));
                String inner = graph.node("Mul", graph.number(Math.sqrt(2 / Math.PI)), graph.node("Add", x, cube));
                yield half(x, graph.node("Tanh", inner));
            }
            default ->
                throw config.refused(
                        field, "is `" + name + "`", "silu, relu, gelu, gelu_new, gelu_pytorch_tanh or gelu_fast");
        };
    }

    /** Hendrycks and Gimpel 2016, without approximation: {@code x (1 + erf(x / sqrt(2))) / 2}. */
    String gelu(String x) {
        return half(x, graph.node("Erf", graph.node("Div", x, graph.number(Math.sqrt(2)))));
    }

    /** {@code x (1 + y) / 2}. */
    private String half(String x, String y) {
        return graph.node("Mul", graph.node("Mul", x, graph.node("Add", y, graph.number(1))), graph.number(0.5));
    }
}
