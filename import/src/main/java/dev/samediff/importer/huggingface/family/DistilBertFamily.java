package dev.samediff.importer.huggingface.family;

import dev.samediff.importer.huggingface.Family;
import dev.samediff.importer.huggingface.GraphMessage;
import dev.samediff.importer.huggingface.ModelConfig;
import dev.samediff.importer.huggingface.Weights;
import java.util.List;
import java.util.Set;

/**
 * DistilBERT (Sanh et al. 2019): BERT without segments and pooler, under names of its own. Tables of sinusoidal positions are in the file
 * as learned ones are.
 */
public final class DistilBertFamily implements Family {
    private static final double EPS = 1e-12; // no field

    @Override
    public Set<String> types() {
        return Set.of("distilbert");
    }

    @Override
    public List<String> architectures() {
        return EncoderHead.architectures("DistilBert");
    }

    @Override
    public String prefix() {
        return "distilbert.";
    }

    @Override
    public List<String> computed() {
        return List.of("embeddings.position_ids");
    }

    @Override
    public void build(String architecture, ModelConfig config, Weights weights, GraphMessage graph) {
        new Build(config, weights, graph, EncoderHead.of(architecture)).model();
    }

    /** One model while it is built. */
    private static final class Build {
        private final ModelConfig config;
        private final Weights weights;
        private final GraphMessage graph;
        private final Layers layers;
        private final EncoderHead head;
        private final int width;
        private final int inner;
        private final int heads;
        private final int vocabulary;

        Build(ModelConfig config, Weights weights, GraphMessage graph, EncoderHead head) {
            this.config = config;
            this.weights = weights;
            this.graph = graph;
            this.layers = new Layers(graph, weights);
            this.head = head;
            this.width = config.size("dim", 768);
            this.inner = config.size("hidden_dim", 3072);
            this.heads = config.size("n_heads", 12);
            this.vocabulary = config.size("vocab_size", 30522);
            if (width % heads != 0) {
                throw config.refused("n_heads", "is " + heads, "a divisor of dim, " + width);
            }
            BertEncoder.requirePlain(config);
        }

        void model() {
            EncoderInputs inputs = EncoderInputs.of(graph);
            String root = head.root("distilbert.");
            String at = root + "embeddings.";
            String table = at + "word_embeddings";
            String tokens = layers.embedding(table, inputs.ids(), vocabulary, width);
            int positions = config.size("max_position_embeddings", 512);
            String places = layers.embedding(at + "position_embeddings", inputs.places(graph), positions, width);
            String hidden = norm(at + "LayerNorm", graph.node("Add", tokens, places));
            for (int layer = 0, count = config.size("n_layers", 6); layer < count; layer++) {
                hidden = layer(root + "transformer.layer." + layer + ".", hidden, inputs.blocked());
            }
            EncoderOutputs outputs = new EncoderOutputs(config, weights, graph, width);
            String features = outputs.features(hidden);
            switch (head) {
                case NONE -> {
                    // features are all
                }
                case MASKED_LM -> {
                    String dense = active(layers.linear("vocab_transform", features, width, width, true));
                    String normal = norm("vocab_layer_norm", dense);
                    outputs.vocabulary("vocab_projector", "vocab_projector.bias", table, normal, vocabulary);
                }
                case CLASSIFICATION -> {
                    String dense = layers.linear("pre_classifier", outputs.first(features), width, width, true);
                    outputs.classes("classifier", graph.node("Relu", dense));
                }
                case TAGGING -> outputs.tags("classifier", features);
                case ANSWERS -> outputs.answers("qa_outputs", features);
            }
        }

        private String layer(String path, String x, String blocked) {
            String mixed = attention(path + "attention.", x, blocked);
            String middle = norm(path + "sa_layer_norm", graph.node("Add", mixed, x));
            String up = active(layers.linear(path + "ffn.lin1", middle, width, inner, true));
            String down = layers.linear(path + "ffn.lin2", up, inner, width, true);
            return norm(path + "output_layer_norm", graph.node("Add", down, middle));
        }

        private String attention(String path, String x, String blocked) {
            int each = width / heads;
            String query = layers.linear(path + "q_lin", x, width, width, true);
            String key = layers.linear(path + "k_lin", x, width, width, true);
            String value = layers.linear(path + "v_lin", x, width, width, true);
            graph.in(path + "attn");
            String mixed = layers.attention(
                    layers.heads(query, heads, each),
                    layers.heads(key, heads, each),
                    layers.heads(value, heads, each),
                    blocked,
                    1 / Math.sqrt(each),
                    heads,
                    each);
            return layers.linear(path + "out_lin", mixed, width, width, true);
        }

        private String norm(String path, String x) {
            return layers.layerNorm(path, x, width, EPS);
        }

        private String active(String x) {
            return layers.activation(config, "activation", "gelu", x);
        }
    }
}
