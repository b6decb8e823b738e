package dev.samediff.importer.huggingface.family;

import static dev.samediff.importer.huggingface.GraphMessage.integer;

import dev.samediff.importer.huggingface.GraphMessage;
import dev.samediff.importer.huggingface.ModelConfig;
import dev.samediff.importer.huggingface.Weights;
import java.util.List;

/**
 * Outputs that all encoders have, by transformers' names: {@code last_hidden_state} first, so that new heads are put on it, then what the
 * model's own head says.
 */
final class EncoderOutputs {
    private static final String LOGITS = "logits";

    private final ModelConfig config;
    private final Weights weights;
    private final GraphMessage graph;
    private final Layers layers;
    private final int width;

    /**
     * Outputs of an encoder.
     *
     * @param width numbers of a token's features
     */
    EncoderOutputs(ModelConfig config, Weights weights, GraphMessage graph, int width) {
        this.config = config;
        this.weights = weights;
        this.graph = graph;
        this.layers = new Layers(graph, weights);
        this.width = width;
    }

    /** Adds the output {@code last_hidden_state} and returns it. */
    String features(String hidden) {
        graph.in("");
        graph.output(
                graph.named("last_hidden_state", "Identity", List.of(), hidden),
                "batch",
                "sequence",
                Integer.toString(width));
        return "last_hidden_state";
    }

    /** Returns the features of the first token, [batch,width]. */
    String first(String features) {
        return graph.node("Gather", List.of(integer("axis", 1)), features, graph.integer(0));
    }

    /**
     * Adds the output {@code pooler_output} and returns it: {@code tanh(x W^T + b)} of the first token, [batch,width].
     *
     * @param path the pooler's module path
     */
    String pooled(String path, String features) {
        graph.in(path);
        String dense = layers.linear(path + ".dense", first(features), width, width, true);
        graph.in(path);
        graph.output(graph.named("pooler_output", "Tanh", List.of(), dense), "batch", Integer.toString(width));
        return "pooler_output";
    }

    /** Returns whether the folder has a pooler, which models with other heads may or may not keep. */
    boolean hasPooler(String path) {
        return weights.has(path + ".dense.weight");
    }

    /** Says that the folder's pooler is not needed: transformers leaves it out below this head, too. */
    void leavePooler(String path) {
        weights.leave(path + ".dense.weight");
        weights.leave(path + ".dense.bias");
    }

    /** Adds the scores of a text's classes, [batch,classes]. */
    void classes(String path, String pooled) {
        int classes = labels();
        String scores = layers.linear(path, pooled, width, classes, true);
        graph.output(graph.named(LOGITS, "Identity", List.of(), scores), "batch", Integer.toString(classes));
    }

    /** Adds the scores of every token's classes, [batch,sequence,classes]. */
    void tags(String path, String features) {
        int classes = labels();
        String scores = layers.linear(path, features, width, classes, true);
        graph.output(
                graph.named(LOGITS, "Identity", List.of(), scores), "batch", "sequence", Integer.toString(classes));
    }

    /** Adds {@code start_logits} and {@code end_logits}, [batch,sequence]: whether an answer begins, or ends, at a token. */
    void answers(String path, String features) {
        List<String> parts = graph.split(layers.linear(path, features, width, 2, true), 2);
        List<String> names = List.of("start_logits", "end_logits");
        for (int i = 0; i < names.size(); i++) {
            String scores = graph.named(names.get(i), "Squeeze", List.of(), parts.get(i), graph.integers(-1));
            graph.output(scores, EncoderInputs.DIMS);
        }
    }

    /**
     * Adds scores of the vocabulary, {@code x W^T + b}, with the tokens' table unless {@code tie_word_embeddings} is false.
     *
     * @param own path of the layer
     * @param bias name of the bias; files may hold it once more, as the layer's own
     * @param table path of the tokens' table
     */
    void vocabulary(String own, String bias, String table, String x, int vocabulary) {
        boolean tied = config.flag("tie_word_embeddings", true);
        String product = layers.vocabularyProduct(own, table, tied, x, vocabulary, width);
        String layers = own + ".bias";
        boolean shared = weights.has(bias);
        if (shared && !bias.equals(layers)) {
            weights.leave(layers);
        }
        graph.named(LOGITS, "Add", List.of(), product, weights.get(shared ? bias : layers, vocabulary));
        graph.output(LOGITS, "batch", "sequence", Integer.toString(vocabulary));
    }

    /** transformers writes {@code id2label}; a missing one means two classes. */
    private int labels() {
        return config.count("id2label", config.size("num_labels", 2));
    }
}
