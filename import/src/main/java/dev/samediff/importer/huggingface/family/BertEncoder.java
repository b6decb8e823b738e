package dev.samediff.importer.huggingface.family;

import dev.samediff.importer.huggingface.GraphMessage;
import dev.samediff.importer.huggingface.ModelConfig;
import dev.samediff.importer.huggingface.Weights;

/** The encoder of BERT (Devlin et al. 2018), whose layers are normalised after each sum; RoBERTa has the same. */
final class BertEncoder {
    private final ModelConfig config;
    private final GraphMessage graph;
    private final Layers layers;
    private final String root;
    private final int width;
    private final int inner;
    private final int heads;
    private final double eps;

    /**
     * Reads the sizes.
     *
     * @param root what the modules' paths begin with: {@code bert.}, {@code roberta.}, or nothing
     */
    BertEncoder(ModelConfig config, Weights weights, GraphMessage graph, String root) {
        this.config = config;
        this.graph = graph;
        this.layers = new Layers(graph, weights);
        this.root = root;
        this.width = config.size("hidden_size");
        this.inner = config.size("intermediate_size");
        this.heads = config.size("num_attention_heads");
        this.eps = config.number("layer_norm_eps", 1e-12);
        GroupedHeads.equal(config, width, heads);
        requirePlain(config);
    }

    /** Refuses what would make another model of an encoder. */
    static void requirePlain(ModelConfig config) {
        config.requireFalse("is_decoder");
        config.requireFalse("add_cross_attention");
        config.requireOnly("position_embedding_type", "absolute", "absolute; export the model to ONNX");
    }

    int width() {
        return width;
    }

    double eps() {
        return eps;
    }

    /** The path of the tokens' table. */
    String table() {
        return root + "embeddings.word_embeddings";
    }

    /**
     * The normalised sum of tables: of tokens, positions and segments.
     *
     * @param positions each token's row in the table of positions, [batch,sequence] or [sequence]
     * @param segments each token's row in the table of segments, [batch,sequence] or one number
     */
    String embedded(String ids, String positions, String segments) {
        String at = root + "embeddings.";
        String tokens = layers.embedding(table(), ids, config.size("vocab_size"), width);
        String segment =
                layers.embedding(at + "token_type_embeddings", segments, config.size("type_vocab_size", 2), width);
        String place = layers.embedding(
                at + "position_embeddings", positions, config.size("max_position_embeddings", 512), width);
        graph.in(root + "embeddings");
        String sum = graph.node("Add", graph.node("Add", tokens, segment), place);
        return layers.layerNorm(at + "LayerNorm", sum, width, eps);
    }

    /** All layers: the features of tokens, [batch,sequence,width]. */
    String features(String embedded, String blocked) {
        String hidden = embedded;
        for (int layer = 0, count = config.size("num_hidden_layers"); layer < count; layer++) {
            String at = root + "encoder.layer." + layer + ".";
            String mixed =
                    layers.linear(at + "attention.output.dense", attention(at, hidden, blocked), width, width, true);
            String middle = sum(at + "attention.output", hidden, mixed);
            String up = layers.linear(at + "intermediate.dense", middle, width, inner, true);
            String active = layers.activation(config, "hidden_act", "gelu", up);
            hidden = sum(at + "output", middle, layers.linear(at + "output.dense", active, inner, width, true));
        }
        return hidden;
    }

    private String sum(String path, String x, String change) {
        graph.in(path);
        return layers.layerNorm(path + ".LayerNorm", graph.node("Add", change, x), width, eps);
    }

    private String attention(String layer, String x, String blocked) {
        String at = layer + "attention.self.";
        int each = width / heads;
        String query = layers.linear(at + "query", x, width, width, true);
        String key = layers.linear(at + "key", x, width, width, true);
        String value = layers.linear(at + "value", x, width, width, true);
        graph.in(layer + "attention.self");
        return layers.attention(
                layers.heads(query, heads, each),
                layers.heads(key, heads, each),
                layers.heads(value, heads, each),
                blocked,
                1 / Math.sqrt(each),
                heads,
                each);
    }
}
