package dev.samediff.importer.huggingface.family;

import dev.samediff.importer.huggingface.Family;
import dev.samediff.importer.huggingface.GraphMessage;
import dev.samediff.importer.huggingface.ModelConfig;
import dev.samediff.importer.huggingface.Weights;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/**
 * OPT (Zhang et al. 2022): learned positions whose table begins with two rows that are not used, ReLU, norms before the layers or (350M)
 * after them, tokens that may be narrower than the model.
 */
public final class OptFamily implements Family {
    private static final int OFFSET = 2;
    private static final double EPS = 1e-5; // torch's, no field

    @Override
    public Set<String> types() {
        return Set.of("opt");
    }

    @Override
    public List<String> architectures() {
        return List.of("OPTForCausalLM");
    }

    @Override
    public String prefix() {
        return "model.";
    }

    @Override
    public List<String> computed() {
        return List.of();
    }

    @Override
    public void build(String architecture, ModelConfig config, Weights weights, GraphMessage graph) {
        new Build(config, weights, graph).model();
    }

    /** One model while it is built. */
    private static final class Build {
        private final ModelConfig config;
        private final GraphMessage graph;
        private final Layers layers;
        private final int width;
        private final int inner;
        private final int heads;
        private final boolean before;
        private final boolean bias;

        Build(ModelConfig config, Weights weights, GraphMessage graph) {
            this.config = config;
            this.graph = graph;
            this.layers = new Layers(graph, weights);
            this.width = config.size("hidden_size");
            this.inner = config.size("ffn_dim");
            this.heads = config.size("num_attention_heads");
            this.before = config.flag("do_layer_norm_before", true);
            this.bias = config.flag("enable_bias", true);
            GroupedHeads.equal(config, width, heads);
            if (!config.flag("layer_norm_elementwise_affine", true)) {
                throw config.refused("layer_norm_elementwise_affine", "is false", "true; export the model to ONNX");
            }
        }

        void model() {
            int vocabulary = config.size("vocab_size");
            int narrow = config.size("word_embed_proj_dim", width);
            int positions = config.size("max_position_embeddings", 2048);
            CausalInputs inputs = CausalInputs.of(graph, OptionalInt.empty());
            String root = "model.decoder.";
            String tokens = layers.embedding(root + "embed_tokens", inputs.ids(), vocabulary, narrow);
            if (narrow != width) {
                tokens = layers.linear(root + "project_in", tokens, narrow, width, false);
            }
            String shifted = graph.node("Add", inputs.positions(), graph.integer(OFFSET));
            String places = layers.embedding(root + "embed_positions", shifted, positions + OFFSET, width);
            String hidden = graph.node("Add", tokens, places);
            for (int layer = 0, count = config.size("num_hidden_layers"); layer < count; layer++) {
                hidden = layer(root + "layers." + layer + ".", hidden, inputs.blocked());
            }
            if (before && !config.flag("_remove_final_layer_norm", false)) {
                hidden = layers.layerNorm(root + "final_layer_norm", hidden, width, EPS);
            }
            if (narrow != width) {
                hidden = layers.linear(root + "project_out", hidden, width, narrow, false);
            }
            boolean tied = config.flag("tie_word_embeddings", true);
            layers.vocabularyHead("lm_head", root + "embed_tokens", tied, hidden, vocabulary, narrow);
        }

        private String layer(String path, String x, String blocked) {
            String first = path + "self_attn_layer_norm";
            String second = path + "final_layer_norm";
            String mixed = attention(path + "self_attn.", before ? norm(first, x) : x, blocked);
            String middle = graph.node("Add", x, mixed);
            if (!before) {
                middle = norm(first, middle);
            }
            String up = layers.linear(path + "fc1", before ? norm(second, middle) : middle, width, inner, bias);
            String active = layers.activation(config, "activation_function", "relu", up);
            String last = graph.node("Add", middle, layers.linear(path + "fc2", active, inner, width, bias));
            return before ? last : norm(second, last);
        }

        private String norm(String path, String x) {
            return layers.layerNorm(path, x, width, EPS);
        }

        private String attention(String path, String x, String blocked) {
            int each = width / heads;
            String query = layers.linear(path + "q_proj", x, width, width, bias);
            String key = layers.linear(path + "k_proj", x, width, width, bias);
            String value = layers.linear(path + "v_proj", x, width, width, bias);
            graph.in(path + "attn");
            String mixed = layers.attention(
                    layers.heads(query, heads, each),
                    layers.heads(key, heads, each),
                    layers.heads(value, heads, each),
                    blocked,
                    1 / Math.sqrt(each),
                    heads,
                    each);
            return layers.linear(path + "out_proj", mixed, width, width, bias);
        }
    }
}
